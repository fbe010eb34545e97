#pragma once

#include <cstdint>

namespace tidemill::worker {

// What the state of all jobs of a worker takes, beside what it may take. *Thread-compatible*: the
// worker's thread.
class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t limit) : limit_(limit) {}  // 0: none

  void Add(int64_t bytes) { used_ += bytes; }  // negative: given back
  bool is_exceeded() const { return limit_ > 0 && used_ > limit_; }
  int64_t used() const { return used_; }
  int64_t limit() const { return limit_; }

 private:
  const int64_t limit_;
  int64_t used_ = 0;
};

}  // namespace tidemill::worker
