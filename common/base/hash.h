#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tidemill {

// XXH3-64 with seed 0: the hash of keys, of file contents and of log records. Part of the
// checkpoint format ("hash version 1"): never change it. Source: xxHash 0.8 specification.
uint64_t Hash64(const void* data, size_t size);
inline uint64_t Hash64(std::string_view bytes) { return Hash64(bytes.data(), bytes.size()); }

// 16 lower-case hexadecimal digits.
std::string HexOf(uint64_t value);

}  // namespace tidemill
