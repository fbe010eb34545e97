#include "state/table/cold_filter.h"

#include <algorithm>

#include "common/base/check.h"

namespace tidemill::state {

namespace {

// A block is half a cache line; a key sets one bit of each of its words.
constexpr size_t kBlockWords = 8;
constexpr size_t kBlockKeys = kBlockWords * 32 / 10;
constexpr size_t kMinKeys = 1024;
constexpr uint32_t kSalts[kBlockWords] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                          0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

// Spreads a tag over 64 bits: the high half picks the block, the low one the bits.
uint64_t Spread(uint32_t tag) {
  uint64_t hash = tag * 0x9e3779b97f4a7c15ULL;
  hash ^= hash >> 32;
  return hash * 0xd6e8feb86659fd93ULL;
}

const uint32_t* BlockOf(const PodVector<uint32_t>& words, uint64_t hash) {
  const uint64_t blocks = words.size() / kBlockWords;
  return words.data() + ((hash >> 32) * blocks >> 32) * kBlockWords;
}

uint32_t BitOf(uint64_t hash, size_t word) {
  return uint32_t{1} << ((static_cast<uint32_t>(hash) * kSalts[word]) >> 27);
}

bool HasBits(const uint32_t* block, uint64_t hash) {
  uint32_t missing = 0;
  for (size_t word = 0; word < kBlockWords; ++word) missing |= BitOf(hash, word) & ~block[word];
  return missing == 0;
}

}  // namespace

void ColdFilter::Reserve(size_t keys) {
  if (!levels_.empty() && levels_.back().room >= keys) return;
  Level level;
  level.room = std::max({kMinKeys, keys, keys_});
  level.words.ResizeZeroed((level.room / kBlockKeys + 1) * kBlockWords);
  levels_.push_back(std::move(level));
}

void ColdFilter::Add(uint32_t tag) {
  if (MayContain(tag)) return;
  Level& level = levels_.back();
  TIDEMILL_CHECK(level.room > 0);
  const uint64_t hash = Spread(tag);
  auto* block = const_cast<uint32_t*>(BlockOf(level.words, hash));
  for (size_t word = 0; word < kBlockWords; ++word) block[word] |= BitOf(hash, word);
  --level.room;
  ++keys_;
}

bool ColdFilter::MayContain(uint32_t tag) const {
  const uint64_t hash = Spread(tag);
  return std::any_of(levels_.begin(), levels_.end(), [hash](const Level& level) {
    return HasBits(BlockOf(level.words, hash), hash);
  });
}

void ColdFilter::Clear() {
  levels_.clear();
  keys_ = 0;
}

int64_t ColdFilter::memory_bytes() const {
  int64_t bytes = 0;
  for (const Level& level : levels_) bytes += level.words.memory_bytes();
  return bytes;
}

}  // namespace tidemill::state
