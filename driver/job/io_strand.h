#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "common/base/executor.h"
#include "common/base/mutex.h"

namespace tidemill::driver {

// Blocking calls on an I/O pool, one at a time and in order: one strand per thing that allows one
// call at a time (the log, the sources, the sink). *Thread-safe.*
class IoStrand : public std::enable_shared_from_this<IoStrand> {
 public:
  using Task = Executor::Task;

  // `io` must outlive the tasks.
  explicit IoStrand(Executor* io) : io_(io) {}

  void Post(Task task);
  // Forgets the tasks that have not begun; for the end of a process, when `io` has stopped.
  void Drop();

 private:
  void RunOne();

  Executor* const io_;
  Mutex mutex_;
  std::deque<Task> tasks_ GUARDED_BY(mutex_);
  bool is_running_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemill::driver
