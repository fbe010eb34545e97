#pragma once

#include <chrono>
#include <deque>
#include <utility>

#include "common/base/executor.h"

namespace tidemill {

// Collects tasks for the thread that waits for them: reading with what never blocks, where blocking
// is fine. *Thread-compatible.*
class OwnThreadExecutor final : public Executor {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  void PostAfter(std::chrono::nanoseconds delay, Task task) override { Post(std::move(task)); }
  void Stop() override { tasks_.clear(); }
  void RunAll() {
    while (!tasks_.empty()) {
      Task task = std::move(tasks_.front());
      tasks_.pop_front();
      task();
    }
  }

 private:
  std::deque<Task> tasks_;
};

}  // namespace tidemill
