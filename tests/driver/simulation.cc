#include "tests/driver/simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "common/base/error.h"

namespace tidemill::driver {

namespace {

class NumberSource final : public connectors::SourceDriver {
 public:
  explicit NumberSource(World* world) : world_(world) {}

  arrow::Result<connectors::EpochInput> Next(connectors::ReadLimit limit) override {
    const int64_t end = std::min(fixed_end_.value_or(world_->available), world_->available);
    const int64_t most = limit.everything ? end : std::min(end, position_ + world_->per_epoch);
    connectors::EpochInput input{.start_offset = Text(position_)};
    if (most > position_) input.splits.push_back({.begin = position_, .end = most});
    position_ = std::max(most, position_);
    input.end_offset = Text(position_);
    input.latest_offset = Text(world_->available);
    return input;
  }
  arrow::Status FixEnd() override {
    fixed_end_ = world_->available;
    return arrow::Status::OK();
  }
  arrow::Status Commit(const connectors::EpochInput& input) override {
    world_->source_commits.push_back(std::stoll(input.end_offset));
    return arrow::Status::OK();
  }
  std::string Snapshot() const override { return Text(position_); }
  arrow::Status Restore(std::string_view snapshot) override {
    position_ = std::stoll(std::string(snapshot));
    return arrow::Status::OK();
  }
  arrow::Result<std::vector<connectors::Split>> Replay(
      const connectors::EpochInput& input) override {
    EXPECT_EQ(input.start_offset, Text(position_)) << "inputs are replayed in order";
    position_ = std::stoll(input.end_offset);
    return input.splits;
  }
  std::string Description() const override { return "NumberSource"; }

 private:
  static std::string Text(int64_t position) { return fmt::format("{}", position); }

  World* const world_;
  int64_t position_ = 0;
  std::optional<int64_t> fixed_end_;
};

class MapSink final : public connectors::SinkDriver {
 public:
  explicit MapSink(World* world) : world_(world) {}

  arrow::Status Open(uint64_t) override { return arrow::Status::OK(); }
  arrow::Result<std::optional<Published>> Recover(int64_t) override {
    if (world_->epochs.empty()) return std::nullopt;
    const auto& [epoch, published] = *world_->epochs.rbegin();
    return Published{epoch, published.plan_hash};
  }
  arrow::Status Commit(const connectors::EpochId& id, uint64_t plan_hash,
                       std::vector<connectors::StagedOutput> outputs,
                       const std::function<bool()>& still_mine) override {
    if (const auto found = world_->epochs.find(id.epoch); found != world_->epochs.end()) {
      EXPECT_EQ(found->second.plan_hash, plan_hash);
      return arrow::Status::OK();
    }
    if (!still_mine()) return MakeError(ErrorKind::kFenced, "FENCED", "a newer term");
    World::Published published{.plan_hash = plan_hash};
    for (const auto& output : outputs) published.rows += output.rows;
    world_->epochs[id.epoch] = std::move(published);
    return arrow::Status::OK();
  }
  std::string Description() const override { return "MapSink"; }

 private:
  World* const world_;
};

}  // namespace

void Simulation::PostAfter(std::chrono::nanoseconds delay, Task task) {
  delayed_.emplace(now_ + std::chrono::ceil<std::chrono::microseconds>(delay), std::move(task));
}

bool Simulation::RunOne() {
  if (ready_.empty()) {
    if (delayed_.empty()) return false;
    now_ = std::max(now_, delayed_.begin()->first);
    ready_.push_back(std::move(delayed_.begin()->second));
    delayed_.erase(delayed_.begin());
  }
  const Task task = std::move(ready_.front());
  ready_.pop_front();
  now_ += std::chrono::microseconds(1);
  task();
  return true;
}

void Simulation::DropAll() {
  std::exchange(ready_, {});
  std::exchange(delayed_, {});
}

std::string World::Rows() const {
  std::string rows;
  for (const auto& [epoch, published] : epochs) rows += published.rows;
  return rows;
}

std::string World::Holes() const {
  std::string holes;
  std::string end = "0";
  std::string before = "0-0;";
  std::istringstream rows(Rows());
  for (std::string range; std::getline(rows, range, ';');) {
    const size_t dash = range.find('-');
    if (range.substr(0, dash) != end) holes += before + range + " ";
    end = range.substr(dash + 1);
    before = range + ";";
  }
  return holes;
}

bool JobRun::Finish(Simulation* simulation) {
  while (!result.has_value()) {
    if (!simulation->RunOne()) return false;
  }
  return true;
}

void JobRun::Crash(Simulation* simulation) {
  simulation->DropAll();
  runner.reset();
  workers.clear();
  simulation->DropAll();
}

void JobRun::CrashDriver(Simulation* simulation) {
  simulation->DropAll();
  for (const auto& worker : workers) worker->Disconnect();
  runner.reset();
  simulation->DropAll();
}

JobDefinition SomeJob(const std::string& checkpoint, TriggerKind trigger) {
  auto plan = std::make_shared<proto::PhysicalPlan>();
  proto::Source* source = plan->add_sources();
  source->set_format("numbers");
  source->set_schema("value BIGINT");
  plan->mutable_sink()->set_format("map");
  plan->mutable_sink()->set_schema("value BIGINT");
  return {.name = "numbers",
          .plan = plan,
          .trigger = {.kind = trigger},
          .settings = {.key_groups = 4},
          .checkpoint = checkpoint,
          .is_durable = false};
}

JobEnvironment FakeEnvironment(Simulation* simulation, FileSystem* fs, World* world) {
  JobEnvironment environment{.fs = fs,
                             .clock = simulation,
                             .random = simulation,
                             .executor = simulation,
                             .io = simulation,
                             .holder = "pid=1 host=simulation"};
  environment.make_source = [world](const connectors::SourceSpec&,
                                    const connectors::SourceDriverContext&) {
    return std::make_unique<NumberSource>(world);
  };
  environment.make_sink = [world](const connectors::SinkSpec&,
                                  const connectors::SinkDriverContext&) {
    return std::make_unique<MapSink>(world);
  };
  environment.on_fatal = [](const arrow::Status& status) { FAIL() << status; };
  return environment;
}

void AddWorkers(Simulation* simulation, FileSystem* fs, int count, JobRun* run,
                JobEnvironment* environment) {
  for (int i = 0; i < count; ++i) {
    const std::string name = fmt::format("w{}-{:x}", i, simulation->Next() >> 40);
    run->workers.push_back(std::make_shared<FakeWorker>(name, fs));
    environment->workers.push_back(run->workers.back()->Connect(simulation));
  }
}

std::unique_ptr<JobRun> StartJob(Simulation* simulation, FileSystem* fs, World* world,
                                 JobDefinition definition, int workers) {
  auto run = std::make_unique<JobRun>();
  JobEnvironment environment = FakeEnvironment(simulation, fs, world);
  AddWorkers(simulation, fs, workers, run.get(), &environment);
  run->runner =
      JobRunner::Start(std::move(definition), std::move(environment),
                       [raw = run.get()](JobResult result) { raw->result = std::move(result); });
  return run;
}

}  // namespace tidemill::driver
