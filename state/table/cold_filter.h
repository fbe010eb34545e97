#pragma once

#include <cstdint>
#include <vector>

#include "state/table/pod_vector.h"

namespace tidemill::state {

// Which keys of a table may have been evicted: a blocked Bloom filter over the tags of the table's
// index (KeyIndex::TagOf), about 10 bits a key and one cache miss a level. Keys cannot be taken
// out. It grows by levels, each as large as all before it together, because the keys are not here
// to be added again; it can be made smaller all the same, for fewer bits a key.
// *Thread-compatible.*
class ColdFilter {
 public:
  // Makes room for keys that are about to be added.
  void Reserve(size_t keys);
  // There must be room. Nothing where the key seems to be there: it would tell nothing more.
  void Add(uint32_t tag);
  // False where the key was never added; true also for about one key in a hundred that was not.
  bool MayContain(uint32_t tag) const;
  // Gives memory back until it takes no more than this, or cannot: then more keys seem to be there.
  void ShrinkTo(int64_t bytes);
  void Clear();
  int64_t memory_bytes() const;

 private:
  struct Level {
    PodVector<uint64_t> words;  // kBlockWords a block
    size_t room = 0;            // keys that it can still take
  };

  std::vector<Level> levels_;
  size_t keys_ = 0;
};

}  // namespace tidemill::state
