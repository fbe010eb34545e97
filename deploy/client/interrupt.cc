#include "deploy/client/interrupt.h"

#include <pthread.h>
#include <signal.h>

#include <utility>

namespace tidemill::deploy {

namespace {

sigset_t HandledSignals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);  // our own: ends the thread
  return set;
}

}  // namespace

Interrupt::Interrupt() {
  const sigset_t set = HandledSignals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  thread_ = std::thread([this, set] {
    pthread_setname_np(pthread_self(), "signals");
    int received = 0;
    while (sigwait(&set, &received) == 0 && received != SIGUSR1) Take(received);
  });
}

Interrupt::~Interrupt() {
  pthread_kill(thread_.native_handle(), SIGUSR1);
  thread_.join();
}

void Interrupt::Take(int signal_number) {
  MutexLock lock(&mutex_);
  if (signal_ != 0) return;
  signal_ = signal_number;
  came_.NotifyAll();
  if (callback_) std::exchange(callback_, nullptr)();
}

int Interrupt::signal() const {
  MutexLock lock(&mutex_);
  return signal_;
}

bool Interrupt::Sleep(std::chrono::milliseconds duration) {
  const auto deadline = std::chrono::steady_clock::now() + duration;
  MutexLock lock(&mutex_);
  while (signal_ == 0 && came_.WaitUntil(&mutex_, deadline)) {
  }
  return signal_ == 0;
}

void Interrupt::SetCallback(std::function<void()> callback) {
  MutexLock lock(&mutex_);
  if (signal_ != 0 && callback) return callback();
  callback_ = std::move(callback);
}

}  // namespace tidemill::deploy
