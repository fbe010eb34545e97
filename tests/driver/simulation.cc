#include "tests/driver/simulation.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"
#include "common/transport/in_memory_stream.h"
#include "driver/epoch/term_number.h"

namespace tidemill::driver {

namespace {

class NumberSource final : public connectors::SourceDriver {
 public:
  explicit NumberSource(World* world) : world_(world) {}

  arrow::Result<connectors::EpochInput> Next(connectors::ReadLimit limit) override {
    const int64_t end = std::min(fixed_end_.value_or(world_->available), world_->available);
    const int64_t most =
        limit == connectors::ReadLimit::kAll ? end : std::min(end, position_ + world_->per_epoch);
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

void FakeWorker::Start(Executor* executor) {
  const std::weak_ptr<FakeWorker> weak = shared_from_this();
  stream_->Start(executor, {.on_message =
                                [weak](const proto::ToWorker& message) {
                                  if (const auto self = weak.lock()) self->On(message);
                                },
                            .on_close = nullptr});
}

void FakeWorker::On(const proto::ToWorker& message) {
  if (message.has_deploy()) {
    received.push_back("Deploy");
    checkpoint_ = message.deploy().checkpoint();
    proto::ToDriver answer;
    answer.mutable_deployed()->set_job(message.deploy().job());
    Send(std::move(answer));
  } else if (message.has_assign()) {
    const proto::Assign& assign = message.assign();
    received.push_back(fmt::format("Assign {}", CountInTerm(assign.version())));
    assigns.push_back(assign);
    committed_ = assign.committed_epoch();
    key_groups_.clear();
    for (int group = 0; group < assign.key_group_slot_size(); ++group) {
      const auto slot = static_cast<int>(assign.key_group_slot(group));
      if (assign.slots(slot).worker() == name_) key_groups_.push_back(group);
    }
    proto::ToDriver answer;
    answer.mutable_assigned()->set_version(assign.version());
    Send(std::move(answer));
  } else if (message.has_run_epoch()) {
    received.push_back(fmt::format("Run {}.{}", message.run_epoch().plan().epoch(),
                                   CountInTerm(message.run_epoch().attempt())));
    runs.push_back(message.run_epoch());
    NoteCommitted(message.run_epoch().committed_epoch());
    Run(message.run_epoch());
  } else if (message.has_committed()) {
    received.push_back(fmt::format("Committed {}.{}", message.committed().epoch(),
                                   CountInTerm(message.committed().attempt())));
    NoteCommitted(message.committed().epoch());
  } else if (message.has_abort_epoch()) {
    received.push_back(fmt::format("Abort {}.{}", message.abort_epoch().epoch(),
                                   CountInTerm(message.abort_epoch().attempt())));
  } else if (message.has_undeploy()) {
    received.push_back("Undeploy");
  }
}

void FakeWorker::Run(const proto::RunEpoch& run) {
  if (is_silent) return;
  const int64_t epoch = run.plan().epoch();
  proto::ToDriver answer;
  if (const auto failing = fail_epoch.find(epoch); failing != fail_epoch.end()) {
    proto::Failed* failed = answer.mutable_failed();
    failed->set_epoch(epoch);
    failed->set_attempt(run.attempt());
    failed->mutable_error()->set_kind(static_cast<int>(KindOf(failing->second)));
    failed->mutable_error()->set_error_class(ErrorClassOf(failing->second));
    failed->mutable_error()->set_message(failing->second.message());
    fail_epoch.erase(failing);
    return Send(std::move(answer));
  }
  proto::Prepared* prepared = answer.mutable_prepared();
  prepared->set_epoch(epoch);
  prepared->set_attempt(run.attempt());
  int64_t rows = 0;
  proto::StagedOutput* output = prepared->add_outputs();
  // The worker with key group 0 reads for all.
  if (!key_groups_.empty() && key_groups_.front() == 0) {
    for (const proto::Split& split : run.plan().sources(0).splits()) {
      *output->mutable_rows() += fmt::format("{}-{};", split.begin(), split.end());
      rows += split.end() - split.begin();
    }
  }
  prepared->add_source_rows(rows);
  prepared->set_output_rows(rows);
  if (segment_.empty()) {
    segment_ = fmt::format("{}-{}-segment", name_, next_file_++);
    EXPECT_TRUE(fs_->Create(JoinPath(checkpoint_, "state/" + segment_)).ok());
  }
  proto::Extent* extent = prepared->add_extents();
  extent->set_file(segment_);
  extent->set_epoch(epoch);
  for (const uint32_t group : key_groups_) extent->add_key_groups(group);
  Send(std::move(answer));
}

void FakeWorker::NoteCommitted(int64_t epoch) {
  if (epoch <= committed_) return;
  committed_ = epoch;
  if (snapshot_every == 0 || (epoch + 1) % snapshot_every != 0) return;
  segment_.clear();
  proto::ToDriver message;
  proto::Snapshot* snapshot = message.mutable_snapshot_done()->mutable_snapshot();
  snapshot->set_id(fmt::format("{}@{}", name_, epoch));
  snapshot->set_epoch(epoch);
  for (const uint32_t group : key_groups_) snapshot->add_key_groups(group);
  const std::string file = fmt::format("{}-{}-snapshot", name_, next_file_++);
  EXPECT_TRUE(fs_->Create(JoinPath(checkpoint_, "state/" + file)).ok());
  snapshot->add_files()->set_name(file);
  Send(std::move(message));
}

void FakeWorker::Send(proto::ToDriver message) {
  message.set_worker(name_);
  stream_->Send(std::move(message));
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
    auto streams = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
    const std::string name = fmt::format("w{}-{:x}", i, simulation->Next() >> 40);
    run->workers.push_back(std::make_shared<FakeWorker>(name, fs, streams.second));
    run->workers.back()->Start(simulation);
    environment->workers.push_back({.name = name, .slots = 2, .stream = streams.first});
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
