#pragma once

#include <condition_variable>
#include <mutex>

// Abseil, which comes with gRPC's headers, has macros of the same names and meaning.
#undef GUARDED_BY
#undef NO_THREAD_SAFETY_ANALYSIS
// Clang's thread-safety attributes; nothing with other compilers.
#if defined(__clang__)
#define TIDEMILL_ATTRIBUTE(x) __attribute__((x))
#else
#define TIDEMILL_ATTRIBUTE(x)
#endif
#define CAPABILITY(x) TIDEMILL_ATTRIBUTE(capability(x))
#define SCOPED_CAPABILITY TIDEMILL_ATTRIBUTE(scoped_lockable)
#define GUARDED_BY(x) TIDEMILL_ATTRIBUTE(guarded_by(x))
#define REQUIRES(...) TIDEMILL_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) TIDEMILL_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) TIDEMILL_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) TIDEMILL_ATTRIBUTE(release_capability(__VA_ARGS__))
#define NO_THREAD_SAFETY_ANALYSIS TIDEMILL_ATTRIBUTE(no_thread_safety_analysis)

namespace tidemill {

// A std::mutex that clang's -Wthread-safety understands. *Thread-safe.*
class CAPABILITY("mutex") Mutex {
 public:
  void Lock() ACQUIRE() { mutex_.lock(); }
  void Unlock() RELEASE() { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex* mutex) ACQUIRE(mutex) : mutex_(mutex) { mutex_->Lock(); }
  ~MutexLock() RELEASE() { mutex_->Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex* const mutex_;
};

// A condition of the mutex held by the caller. *Thread-safe.*
class CondVar {
 public:
  void Wait(Mutex* mutex) REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False where the time was up first.
  template <class TimePoint>
  bool WaitUntil(Mutex* mutex, const TimePoint& deadline)
      REQUIRES(mutex) NO_THREAD_SAFETY_ANALYSIS {
    std::unique_lock<std::mutex> lock(mutex->mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release();
    return in_time;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace tidemill
