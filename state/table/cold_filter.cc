#include "state/table/cold_filter.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace tidemill::state {

namespace {

// A block is half a cache line; a key sets one bit of each of its words.
constexpr size_t kBlockWords = 4;
constexpr size_t kBlockKeys = kBlockWords * 64 / 10;
constexpr size_t kMinKeys = 4096;
constexpr size_t kDivisor = 64;  // of a level's blocks: it can be halved six times

// Spreads a tag over 64 bits: the high half picks the block, the low one the bits.
uint64_t Spread(uint32_t tag) {
  uint64_t hash = tag * 0x9e3779b97f4a7c15ULL;
  hash ^= hash >> 32;
  return hash * 0xd6e8feb86659fd93ULL;
}

const uint64_t* BlockOf(const PodVector<uint64_t>& words, uint64_t hash) {
  const uint64_t blocks = words.size() / kBlockWords;
  return words.data() + ((hash >> 32) * blocks >> 32) * kBlockWords;
}

uint64_t BitOf(uint64_t hash, size_t word) { return uint64_t{1} << (hash >> (6 * word) & 63); }

bool HasBits(const uint64_t* block, uint64_t hash) {
  uint64_t missing = 0;
  for (size_t word = 0; word < kBlockWords; ++word) missing |= BitOf(hash, word) & ~block[word];
  return missing == 0;
}

// Puts each two neighbours together: the number of blocks says where a key's is, as before. False
// where one has no neighbour.
bool Halve(PodVector<uint64_t>* words) {
  const size_t blocks = words->size() / kBlockWords;
  if (blocks % 2 != 0) return false;
  PodVector<uint64_t> halved;
  halved.ResizeZeroed(blocks / 2 * kBlockWords);
  for (size_t i = 0; i < words->size(); ++i)
    halved[i / (2 * kBlockWords) * kBlockWords + i % kBlockWords] |= (*words)[i];
  *words = std::move(halved);
  return true;
}

}  // namespace

void ColdFilter::Reserve(size_t keys) {
  if (!levels_.empty() && levels_.back().room >= keys) return;
  Level level;
  level.room = std::max({kMinKeys, keys, keys_});
  const size_t blocks = (level.room / kBlockKeys / kDivisor + 1) * kDivisor;
  level.words.ResizeZeroed(blocks * kBlockWords);
  levels_.push_back(std::move(level));
}

void ColdFilter::Add(uint32_t tag) {
  if (MayContain(tag)) return;
  Level& level = levels_.back();
  TIDEMILL_CHECK(level.room > 0);
  const uint64_t hash = Spread(tag);
  auto* block = const_cast<uint64_t*>(BlockOf(level.words, hash));
  for (size_t word = 0; word < kBlockWords; ++word) block[word] |= BitOf(hash, word);
  --level.room;
  ++keys_;
}

bool ColdFilter::MayContain(uint32_t tag) const {
  const uint64_t hash = Spread(tag);
  return std::any_of(levels_.rbegin(), levels_.rend(), [hash](const Level& level) {
    return HasBits(BlockOf(level.words, hash), hash);
  });
}

void ColdFilter::ShrinkTo(int64_t bytes) {
  while (memory_bytes() > bytes) {
    const auto largest = std::max_element(
        levels_.begin(), levels_.end(),
        [](const Level& a, const Level& b) { return a.words.size() < b.words.size(); });
    if (largest == levels_.end() || !Halve(&largest->words)) return;
  }
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
