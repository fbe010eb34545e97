#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/executor.h"
#include "common/fs/file_system.h"
#include "connectors/source.h"
#include "tests/testing/scratch_dir.h"

namespace tidemill::connectors {

// Runs tasks when asked, on the caller's thread. *Thread-compatible.*
class StepExecutor final : public Executor {
 public:
  void Post(Task task) override { tasks_.push_back(std::move(task)); }
  void PostAfter(std::chrono::nanoseconds delay, Task task) override { Post(std::move(task)); }
  void Stop() override { tasks_.clear(); }
  void RunAll() {
    while (!tasks_.empty()) {
      auto tasks = std::exchange(tasks_, {});
      for (Task& task : tasks) task();
    }
  }

 private:
  std::vector<Task> tasks_;
};

}  // namespace tidemill::connectors
