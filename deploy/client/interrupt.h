#pragma once

#include <chrono>
#include <functional>
#include <thread>

#include "common/base/mutex.h"

namespace tidemill::deploy {

// Takes SIGINT and SIGTERM for the process, so that a command that waits can end in order. Made
// before any other thread, so that all of them inherit the blocked mask. *Thread-safe.*
class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // The first signal that came, or 0.
  int signal() const;
  // 128 + signal.
  int exit_code() const { return 128 + signal(); }
  // Waits; false where a signal came first, or had come.
  bool Sleep(std::chrono::milliseconds duration);
  // Is called once, on the first signal (at once where it has come), from any thread. An empty one
  // takes back the one before; it is not running any more when this returns.
  void SetCallback(std::function<void()> callback);

 private:
  void Take(int signal_number);

  mutable Mutex mutex_;
  CondVar came_;
  int signal_ GUARDED_BY(mutex_) = 0;
  std::function<void()> callback_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace tidemill::deploy
