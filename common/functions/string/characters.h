#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "common/functions/string/pattern.h"

namespace tidemill {

// Text counted in characters (code points), as Spark does; ASCII text takes the short way.

inline bool IsAscii(std::string_view text) {
  const char* data = text.data();
  size_t size = text.size();
  uint64_t seen = 0;
  for (; size >= 8; size -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    seen |= word;
  }
  for (; size > 0; --size, ++data) seen |= static_cast<uint64_t>(static_cast<unsigned char>(*data));
  return (seen & 0x8080808080808080ULL) == 0;
}

inline int64_t CountCharacters(std::string_view text) {
  const char* data = text.data();
  size_t size = text.size();
  int64_t continuations = 0;
  for (; size >= 8; size -= 8, data += 8) {
    uint64_t word;
    std::memcpy(&word, data, 8);
    // The lowest bit of each byte: the byte begins with the bits 10.
    continuations += std::popcount((word >> 7) & (~word >> 6) & 0x0101010101010101ULL);
  }
  for (; size > 0; --size, ++data) continuations += (*data & 0xC0) == 0x80 ? 1 : 0;
  return static_cast<int64_t>(text.size()) - continuations;
}

// Bytes of the first `characters` characters, or of all.
inline size_t BytesOfCharacters(std::string_view text, int64_t characters) {
  if (characters <= 0) return 0;
  if (static_cast<uint64_t>(characters) >= text.size()) return text.size();
  size_t at = 0;
  for (; characters > 0 && at < text.size(); --characters) at += CharacterSize(text[at]);
  return std::min(at, text.size());
}

// Characters begin (0 based, may be negative) to end of the text.
inline std::string_view CharacterRange(std::string_view text, int64_t begin, int64_t end) {
  if (end <= begin || begin >= static_cast<int64_t>(text.size())) return {};
  const size_t from = BytesOfCharacters(text, begin);
  text.remove_prefix(from);
  return text.substr(0, BytesOfCharacters(text, end - std::max<int64_t>(begin, 0)));
}

// Spark's substring: positions count from 1, 0 is as 1, negative ones from the end.
inline std::string_view SubstringSql(std::string_view text, int64_t position, int64_t length) {
  int64_t begin = position > 0 ? position - 1 : 0;
  if (position < 0)
    begin = (IsAscii(text) ? static_cast<int64_t>(text.size()) : CountCharacters(text)) + position;
  return CharacterRange(text, begin, begin + length);
}

}  // namespace tidemill
