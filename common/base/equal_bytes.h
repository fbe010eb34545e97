#pragma once

#include <cstdint>
#include <cstring>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tidemill {

// Whether two pieces of memory of one size are equal. Made for keys and names of some ten bytes,
// where a call of memcmp, or a branch that depends on the size, costs more than the comparison.
#if defined(__SSE2__)
// Reads 16 bytes at once where they do not cross into another page, which may not be there; what
// stands behind the pieces is not compared.
__attribute__((no_sanitize("address", "thread"))) inline bool EqualBytes(const void* left,
                                                                         const void* right,
                                                                         size_t size) {
  constexpr size_t kPageBytes = 4096;
  constexpr size_t kWordBytes = 16;
  if (size == 0) return true;  // There may be no memory at all.
  const auto is_within_page = [](const void* at) {
    return reinterpret_cast<uintptr_t>(at) % kPageBytes <= kPageBytes - kWordBytes;
  };
  if (size > kWordBytes || !is_within_page(left) || !is_within_page(right)) {
    return std::memcmp(left, right, size) == 0;
  }
  const __m128i a = _mm_loadu_si128(static_cast<const __m128i*>(left));
  const __m128i b = _mm_loadu_si128(static_cast<const __m128i*>(right));
  const auto equal = static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(a, b)));
  return (~equal & ((uint32_t{1} << size) - 1)) == 0;
}
#else
inline bool EqualBytes(const void* left, const void* right, size_t size) {
  return std::memcmp(left, right, size) == 0;
}
#endif

}  // namespace tidemill
