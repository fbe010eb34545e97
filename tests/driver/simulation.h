#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "driver/job/job_runner.h"
#include "proto/plan.pb.h"
#include "tests/driver/fake_worker.h"

namespace tidemill::driver {

// All actors and I/O of a test in one thread, on virtual time. *Thread-compatible.*
class Simulation final : public Executor, public Clock, public Random {
 public:
  explicit Simulation(uint64_t seed = 1) : seed_(seed) {}

  void Post(Task task) override { ready_.push_back(std::move(task)); }
  void PostAfter(std::chrono::nanoseconds delay, Task task) override;
  void Stop() override { DropAll(); }
  Timestamp Now() const override { return Timestamp(now_); }
  SteadyTime SteadyNow() const override { return SteadyTime(now_); }
  uint64_t Next() override { return SplitMix64(seed_, index_++); }

  // Runs one task, passing time when nothing is ready. False where there is none left.
  bool RunOne();
  // Everything that was going on is lost, as in a crash.
  void DropAll();

 private:
  const uint64_t seed_;
  uint64_t index_ = 0;
  std::chrono::microseconds now_{1'700'000'000'000'000};
  std::deque<Task> ready_;
  std::multimap<std::chrono::microseconds, Task> delayed_;
};

// What outlives a crash beside the checkpoint: a source of numbered records and a sink that holds
// each epoch once.
struct World {
  int64_t available = 0;  // records 0 .. available - 1 exist
  int64_t per_epoch = 3;  // limit of one input
  struct Published {
    uint64_t plan_hash = 0;
    std::string rows;  // "0-3;": the ranges that were read
  };
  std::map<int64_t, Published> epochs;
  std::vector<int64_t> source_commits;  // end positions

  // All rows in epoch order: "0-3;3-6;" means that 0 to 5 are there once.
  std::string Rows() const;
  // Where a range does not begin where the one before it ended: "3-6;9-12"; "" for nowhere.
  std::string Holes() const;
};

// One start of a job on a simulation: the runner, its workers and what came out.
struct JobRun {
  std::vector<std::shared_ptr<FakeWorker>> workers;
  std::unique_ptr<JobRunner> runner;
  std::optional<JobResult> result;

  // Until the job is done. False where it has nothing left to do.
  bool Finish(Simulation* simulation);
  // Until `condition` holds; the test fails where it never does.
  template <class Condition>
  void RunUntil(Simulation* simulation, Condition condition) {
    while (!condition()) ASSERT_TRUE(simulation->RunOne());
  }
  // The process dies, with its workers.
  void Crash(Simulation* simulation);
  // The driver's process dies; the workers keep what they have.
  void CrashDriver(Simulation* simulation);
};

// Everything in memory but the checkpoint, on the simulation's thread; without workers.
JobEnvironment FakeEnvironment(Simulation* simulation, FileSystem* fs, World* world);
void AddWorkers(Simulation* simulation, FileSystem* fs, int count, JobRun* run,
                JobEnvironment* environment);
JobDefinition SomeJob(const std::string& checkpoint, TriggerKind trigger);
std::unique_ptr<JobRun> StartJob(Simulation* simulation, FileSystem* fs, World* world,
                                 JobDefinition definition, int workers = 1);

}  // namespace tidemill::driver
