#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/random.h"

namespace tidemill::testing {

using Micros = std::chrono::microseconds;

// A process of the simulated cluster: what dies and stops together. Its tasks do not run while it
// is paused and never after its death; what it writes and sends then is lost too. *Plain data.*
struct Process {
  std::string name;
  int id = 0;
  bool is_dead = false;
  bool is_paused = false;
  // It dies at one of its next steps (a call of the file system, a message sent); -1 for no plan.
  int64_t steps_to_death = -1;
};
using ProcessPtr = std::shared_ptr<Process>;

// Time, chance and order of everything that happens in a simulated cluster: tasks wait until their
// time and then run one by one. Everything follows from the seed. *Thread-compatible.*
class VirtualTime final : public Clock, public Random {
 public:
  using Task = std::function<void()>;

  explicit VirtualTime(uint64_t seed);
  ~VirtualTime() override;

  Timestamp Now() const override { return Timestamp(now_); }
  SteadyTime SteadyNow() const override { return SteadyTime(now_); }
  Micros now() const { return now_; }
  // Since the beginning.
  Micros elapsed() const;

  uint64_t Next() override;
  // Uniform below `bound` (at least 1).
  uint64_t Draw(uint64_t bound) { return Next() % bound; }
  Micros Draw(Micros low, Micros high);
  bool Chance(double probability);

  // `process` may be null: the network, the outside world.
  void At(Micros when, const ProcessPtr& process, Task task);
  void After(Micros delay, const ProcessPtr& process, Task task);
  // Runs the next task. False where there is none.
  bool RunOne();

  // The process runs nothing more. What its tasks own is destroyed by Bury, which the caller calls
  // when none of them is running.
  void Kill(const ProcessPtr& process, std::string_view why);
  void Bury(const ProcessPtr& process);
  void Pause(const ProcessPtr& process);
  void Resume(const ProcessPtr& process);
  // A step of the process; false where it is dead, or died just now.
  bool Step(const ProcessPtr& process);

  // What happened, for people and for the comparison of two runs.
  void Trace(std::string_view event);
  uint64_t trace_hash() const { return trace_hash_; }
  uint64_t tasks_run() const { return tasks_run_; }
  void PrintTrace(bool prints) { prints_ = prints; }

 private:
  using Key = std::pair<Micros, uint64_t>;
  struct Entry {
    ProcessPtr process;
    Task task;
  };

  const uint64_t seed_;
  uint64_t draws_ = 0;
  uint64_t sequence_ = 0;
  uint64_t tasks_run_ = 0;
  Micros now_;
  std::map<Key, Entry> queue_;
  std::map<ProcessPtr, std::map<Key, Entry>> held_;  // of paused processes
  bool prints_ = false;
  uint64_t trace_hash_ = 0;
};

// An executor of one process. A serial one keeps the order of Post; a pool's tasks take a random
// time each and overtake each other. *Thread-compatible.*
class SimulatedExecutor final : public Executor {
 public:
  enum class Kind { kSerial, kPool };

  // Both must outlive this.
  SimulatedExecutor(VirtualTime* time, ProcessPtr process, Kind kind)
      : time_(time), process_(std::move(process)), kind_(kind) {}

  void Post(Task task) override;
  void PostAfter(std::chrono::nanoseconds delay, Task task) override;
  void Stop() override { is_stopped_ = true; }

 private:
  VirtualTime* const time_;
  const ProcessPtr process_;
  const Kind kind_;
  Micros last_{0};
  bool is_stopped_ = false;
};

}  // namespace tidemill::testing
