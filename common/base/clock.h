#pragma once

#include <chrono>

namespace tidemill {

using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;  // microseconds since 1970 UTC
using SteadyTime = std::chrono::steady_clock::time_point;

// Reads time. Everything that needs time takes a Clock*, so that a test or a simulation can own it.
// *Thread-safe.*
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp Now() const = 0;         // wall clock
  virtual SteadyTime SteadyNow() const = 0;  // never goes back

  // The real clock of the machine; lives for ever.
  static Clock* System();
};

}  // namespace tidemill
