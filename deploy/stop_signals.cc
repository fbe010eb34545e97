#include "deploy/stop_signals.h"

#include <pthread.h>

#include <utility>

namespace tidemill::deploy {

StopSignals::StopSignals() {
  sigemptyset(&set_);
  sigaddset(&set_, SIGINT);
  sigaddset(&set_, SIGTERM);
  sigaddset(&set_, SIGUSR1);  // our own: ends the thread
  pthread_sigmask(SIG_BLOCK, &set_, nullptr);
}

void StopSignals::Start(std::function<void(bool is_first)> on_signal) {
  thread_ = std::thread([this, on_signal = std::move(on_signal)] {
    pthread_setname_np(pthread_self(), "signals");
    int received = 0;
    for (int count = 0; sigwait(&set_, &received) == 0 && received != SIGUSR1; ++count) {
      if (count == 1) forced_by_.store(received);
      on_signal(count == 0);
    }
  });
}

void StopSignals::Finish() {
  if (!thread_.joinable()) return;
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

}  // namespace tidemill::deploy
