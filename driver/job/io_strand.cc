#include "driver/job/io_strand.h"

namespace tidemill::driver {

void IoStrand::Post(Task task) {
  {
    MutexLock lock(&mutex_);
    tasks_.push_back(std::move(task));
    if (is_running_) return;
    is_running_ = true;
  }
  io_->Post([self = shared_from_this()] { self->RunOne(); });
}

void IoStrand::Drop() {
  std::deque<Task> dropped;  // Dies after the lock is released.
  MutexLock lock(&mutex_);
  dropped.swap(tasks_);
}

void IoStrand::RunOne() {
  Task task;
  {
    MutexLock lock(&mutex_);
    if (tasks_.empty()) {
      is_running_ = false;
      return;
    }
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  task = nullptr;  // What it holds dies before the next begins.
  {
    MutexLock lock(&mutex_);
    if (tasks_.empty()) {
      is_running_ = false;
      return;
    }
  }
  io_->Post([self = shared_from_this()] { self->RunOne(); });
}

}  // namespace tidemill::driver
