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

// Runs `work` on the strand, then `then` with its result on `executor`.
template <class Work, class Then>
void RunOnStrand(const std::shared_ptr<IoStrand>& strand, Executor* executor, Work work,
                 Then then) {
  strand->Post([executor, work = std::move(work), then = std::move(then)]() mutable {
    auto result = std::make_shared<decltype(work())>(work());
    executor->Post([result, then = std::move(then)] { then(std::move(*result)); });
  });
}

}  // namespace tidemill::driver
