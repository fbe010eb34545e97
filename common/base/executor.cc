#include "common/base/executor.h"

#include <pthread.h>

#include <deque>
#include <map>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/mutex.h"

namespace tidemill {

namespace {

// Serves both kinds: a serial executor is a pool of one thread.
class ThreadPool final : public Executor {
 public:
  ThreadPool(std::string name, int threads) : name_(std::move(name)) {
    threads_.reserve(threads);
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  }

  ~ThreadPool() override { Stop(); }

  void Stop() override {
    {
      MutexLock lock(&mutex_);
      is_stopped_ = true;
    }
    wake_.NotifyAll();
    for (std::thread& thread : threads_) {
      if (thread.joinable()) thread.join();
    }
    std::deque<Task> dropped;  // Destroyed without the lock: a task may own what posts again.
    std::multimap<std::chrono::steady_clock::time_point, Task> dropped_delayed;
    MutexLock lock(&mutex_);
    dropped.swap(ready_);
    dropped_delayed.swap(delayed_);
  }

  void Post(Task task) override {
    {
      MutexLock lock(&mutex_);
      if (is_stopped_) return;
      ready_.push_back(std::move(task));
    }
    wake_.NotifyOne();
  }

  void PostAfter(std::chrono::nanoseconds delay, Task task) override {
    {
      MutexLock lock(&mutex_);
      if (is_stopped_) return;
      delayed_.emplace(std::chrono::steady_clock::now() + delay, std::move(task));
    }
    wake_.NotifyOne();
  }

 private:
  void Run() {
    pthread_setname_np(pthread_self(), name_.substr(0, 15).c_str());
    while (true) {
      Task task;
      {
        MutexLock lock(&mutex_);
        while (!TakeReady(&task)) {
          if (is_stopped_) return;
          if (delayed_.empty()) {
            wake_.Wait(&mutex_);
          } else {
            const auto deadline = delayed_.begin()->first;
            wake_.WaitUntil(&mutex_, deadline);
          }
        }
        if (is_stopped_) return;
      }
      task();
    }
  }

  bool TakeReady(Task* task) REQUIRES(mutex_) {
    const auto now = std::chrono::steady_clock::now();
    while (!delayed_.empty() && delayed_.begin()->first <= now) {
      ready_.push_back(std::move(delayed_.begin()->second));
      delayed_.erase(delayed_.begin());
    }
    if (ready_.empty()) return false;
    *task = std::move(ready_.front());
    ready_.pop_front();
    return true;
  }

  const std::string name_;
  Mutex mutex_;
  std::deque<Task> ready_ GUARDED_BY(mutex_);
  std::multimap<std::chrono::steady_clock::time_point, Task> delayed_ GUARDED_BY(mutex_);
  bool is_stopped_ GUARDED_BY(mutex_) = false;
  CondVar wake_;
  std::vector<std::thread> threads_;
};

}  // namespace

std::unique_ptr<Executor> MakeThreadExecutor(std::string name) {
  return std::make_unique<ThreadPool>(std::move(name), 1);
}

std::unique_ptr<Executor> MakePoolExecutor(std::string name, int threads) {
  return std::make_unique<ThreadPool>(std::move(name), threads);
}

}  // namespace tidemill
