#pragma once

#include <cstdint>
#include <string>

namespace tidemill::driver {

// Attempts and assignment versions are numbered so that no two terms of a checkpoint use the same
// number: term << 32, plus a count from 1 within the term. What a worker kept from an older driver
// is so never taken for what this one asked for.
constexpr uint64_t NumberInTerm(uint64_t term, uint64_t count) { return (term << 32) + count; }
constexpr uint64_t TermOfNumber(uint64_t number) { return number >> 32; }
constexpr uint64_t CountInTerm(uint64_t number) { return number & 0xffff'ffff; }

// For people: "3.1", or "1" where there is no term.
inline std::string ShowNumber(uint64_t number) {
  const std::string count = std::to_string(CountInTerm(number));
  return TermOfNumber(number) == 0 ? count : std::to_string(TermOfNumber(number)) + "." + count;
}

}  // namespace tidemill::driver
