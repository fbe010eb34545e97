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
#include "proto/control.pb.h"
#include "proto/plan.pb.h"

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
};

// A worker that reads by the book: answers everything, its rows are the ranges of its splits.
class FakeWorker : public std::enable_shared_from_this<FakeWorker> {
 public:
  using Stream = MessageStream<proto::ToDriver, proto::ToWorker>;

  FakeWorker(std::string name, FileSystem* fs, std::shared_ptr<Stream> stream)
      : name_(std::move(name)), fs_(fs), stream_(std::move(stream)) {}
  void Start(Executor* executor);

  // What it was sent: "Deploy", "Assign 1", "Run 0.1", "Committed 0.1", "Abort 0.1", "Undeploy".
  std::vector<std::string> received;
  std::vector<proto::Assign> assigns;
  std::vector<proto::RunEpoch> runs;

  // Answers to come: an error instead of Prepared, once; silence instead of Prepared.
  std::map<int64_t, arrow::Status> fail_epoch;
  bool is_silent = false;
  int64_t snapshot_every = 0;  // commits; 0 for never
  void Die() { stream_->Close(); }

 private:
  void On(const proto::ToWorker& message);
  void Run(const proto::RunEpoch& run);
  void NoteCommitted(int64_t epoch);
  void Send(proto::ToDriver message);

  const std::string name_;
  FileSystem* const fs_;
  const std::shared_ptr<Stream> stream_;
  std::string checkpoint_;
  std::vector<uint32_t> key_groups_;
  int64_t committed_ = -1;
  int next_file_ = 0;
  std::string segment_;
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
  // The process dies.
  void Crash(Simulation* simulation);
};

// Everything in memory but the checkpoint, on the simulation's thread; without workers.
JobEnvironment FakeEnvironment(Simulation* simulation, FileSystem* fs, World* world);
void AddWorkers(Simulation* simulation, FileSystem* fs, int count, JobRun* run,
                JobEnvironment* environment);
JobDefinition SomeJob(const std::string& checkpoint, TriggerKind trigger);
std::unique_ptr<JobRun> StartJob(Simulation* simulation, FileSystem* fs, World* world,
                                 JobDefinition definition, int workers = 1);

}  // namespace tidemill::driver
