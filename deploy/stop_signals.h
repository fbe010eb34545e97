#pragma once

#include <signal.h>

#include <atomic>
#include <functional>
#include <thread>

namespace tidemill::deploy {

// Takes SIGINT and SIGTERM for the process: the first one asks for a drain, the second one for an
// end now. Made before any other thread, so that all of them inherit the blocked mask.
// *Thread-compatible.*
class StopSignals {
 public:
  StopSignals();
  ~StopSignals() { Finish(); }

  // Calls `on_signal` for each signal, on a thread of its own; `is_first` asks for the drain.
  void Start(std::function<void(bool is_first)> on_signal);
  // No call comes after this.
  void Finish();

  // 130 or 143 where a second signal came, else 0.
  int exit_code() const { return forced_by_.load() == 0 ? 0 : 128 + forced_by_.load(); }

 private:
  sigset_t set_;
  std::atomic<int> forced_by_{0};  // sequentially consistent: read after the work is done
  std::thread thread_;
};

}  // namespace tidemill::deploy
