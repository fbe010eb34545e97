#include "common/functions/string/byte_scanner.h"

#ifdef __SSSE3__
#include <tmmintrin.h>
#endif

#include <algorithm>
#include <bit>

namespace tidemill {

namespace {

constexpr int64_t kBlock = 64;

#ifdef __SSSE3__

struct SingleMatcher {
  __m128i wanted;
  explicit SingleMatcher(char byte) : wanted(_mm_set1_epi8(byte)) {}
  uint64_t Match16(const char* data) const {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
    return static_cast<uint32_t>(_mm_movemask_epi8(_mm_cmpeq_epi8(block, wanted)));
  }
};

struct SetMatcher {
  __m128i low, high, nibble = _mm_set1_epi8(0x0F);
  uint32_t high_bytes;  // all ones where bytes above 127 are in the set
  SetMatcher(const uint8_t* low_table, const uint8_t* high_table, bool has_high_bytes)
      : low(_mm_load_si128(reinterpret_cast<const __m128i*>(low_table))),
        high(_mm_load_si128(reinterpret_cast<const __m128i*>(high_table))),
        high_bytes(has_high_bytes ? 0xFFFF : 0) {}
  uint64_t Match16(const char* data) const {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
    // A byte above 127 selects 0 from the low table.
    const __m128i rows = _mm_shuffle_epi8(low, block);
    const __m128i row = _mm_shuffle_epi8(high, _mm_and_si128(_mm_srli_epi16(block, 4), nibble));
    const __m128i hit = _mm_and_si128(rows, row);
    const __m128i miss = _mm_cmpeq_epi8(hit, _mm_setzero_si128());
    const auto found = static_cast<uint32_t>(_mm_movemask_epi8(miss)) ^ 0xFFFF;
    return found | (static_cast<uint32_t>(_mm_movemask_epi8(block)) & high_bytes);
  }
};

template <class Matcher>
uint64_t Match64(const Matcher& matcher, const char* data) {
  return matcher.Match16(data) | matcher.Match16(data + 16) << 16 |
         matcher.Match16(data + 32) << 32 | matcher.Match16(data + 48) << 48;
}

#endif

struct TableMatcher {
  const ByteClass& bytes;
  uint64_t Match(const char* data, int64_t size) const {
    uint64_t mask = 0;
    for (int64_t i = 0; i < size; ++i) mask |= static_cast<uint64_t>(bytes.Has(data[i])) << i;
    return mask;
  }
};

#ifndef __SSSE3__
uint64_t Match64(const TableMatcher& matcher, const char* data) {
  return matcher.Match(data, kBlock);
}
#endif

// Writes the set bits. Eight at a time without asking, which is why there must be slack.
inline int32_t* WritePositions(uint64_t mask, int32_t base, int32_t* out) {
  int32_t* const end = out + std::popcount(mask);
  while (mask != 0) {
    for (int i = 0; i < 8; ++i) {
      *out++ = base + std::countr_zero(mask);
      mask &= mask - 1;
    }
  }
  return end;
}

}  // namespace

ByteScanner::ByteScanner(const ByteClass& bytes) : bytes_(bytes) {
  is_single_ = std::count(bytes.bytes.begin(), bytes.bytes.end(), true) == 1;
  for (int byte = 0; byte < 128; ++byte) {
    if (!bytes.bytes[byte]) continue;
    if (is_single_) single_ = static_cast<char>(byte);
    low_[byte & 15] |= static_cast<uint8_t>(1 << (byte >> 4));
  }
  for (int i = 0; i < 8; ++i) high_[i] = static_cast<uint8_t>(1 << i);
  is_single_ = is_single_ && !bytes.bytes[255];
}

template <class Matcher>
int64_t ByteScanner::FindWith(const Matcher& matcher, const char* data, int64_t size,
                              int32_t* positions) const {
  int32_t* out = positions;
  int64_t at = 0;
  for (; at + kBlock <= size; at += kBlock) {
    out = WritePositions(Match64(matcher, data + at), static_cast<int32_t>(at), out);
  }
  const uint64_t rest = TableMatcher{bytes_}.Match(data + at, size - at);
  return WritePositions(rest, static_cast<int32_t>(at), out) - positions;
}

template <class Matcher>
int64_t ByteScanner::CountWith(const Matcher& matcher, const char* data, int64_t size) const {
  int64_t count = 0, at = 0;
  for (; at + kBlock <= size; at += kBlock) count += std::popcount(Match64(matcher, data + at));
  return count + std::popcount(TableMatcher{bytes_}.Match(data + at, size - at));
}

int64_t ByteScanner::Find(const char* data, int64_t size, int32_t* positions) const {
#ifdef __SSSE3__
  if (is_single_) return FindWith(SingleMatcher(single_), data, size, positions);
  return FindWith(SetMatcher(low_.data(), high_.data(), bytes_.bytes[255]), data, size, positions);
#else
  return FindWith(TableMatcher{bytes_}, data, size, positions);
#endif
}

int64_t ByteScanner::Count(const char* data, int64_t size) const {
#ifdef __SSSE3__
  if (is_single_) return CountWith(SingleMatcher(single_), data, size);
  return CountWith(SetMatcher(low_.data(), high_.data(), bytes_.bytes[255]), data, size);
#else
  return CountWith(TableMatcher{bytes_}, data, size);
#endif
}

}  // namespace tidemill
