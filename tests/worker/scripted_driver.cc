#include "tests/worker/scripted_driver.h"

#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <utility>

#include "common/base/random.h"
#include "common/fs/file_system.h"

namespace tidemill::testing {

namespace {

constexpr char kJob[] = "00000000-0000-4000-8000-000000000001";
constexpr std::chrono::seconds kPatience(30);

}  // namespace

ScriptedDriver::ScriptedDriver(int workers, int slots_per_worker, std::string checkpoint)
    : slots_per_worker_(slots_per_worker),
      checkpoint_(std::move(checkpoint)),
      driver_executor_(MakeThreadExecutor("driver")),
      io_(MakePoolExecutor("io", 2)) {
  EXPECT_TRUE(FileSystem::Local()->CreateDirectories(JoinPath(checkpoint_, "state")).ok());
  for (int i = 0; i < workers; ++i) {
    worker::WorkerEnvironment environment;
    environment.fs = FileSystem::Local();
    environment.random = Random::System();
    worker_executors_.push_back(MakeThreadExecutor("worker"));
    environment.executor = worker_executors_.back().get();
    for (int slot = 0; slot < slots_per_worker; ++slot) {
      slot_executors_.push_back(MakeThreadExecutor("slot"));
      environment.slot_executors.push_back(slot_executors_.back().get());
    }
    environment.io = io_.get();
    environment.network = &network_;
    const std::string name = "w" + std::to_string(i);
    workers_.push_back(std::make_unique<worker::Worker>(
        worker::WorkerOptions{name, slots_per_worker, JoinPath(checkpoint_, "local-" + name)},
        environment));
    auto pair = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
    workers_.back()->Serve(pair.second);
    Stream::Handlers handlers;
    handlers.on_message = [this](proto::ToDriver message) {
      MutexLock lock(&mutex_);
      if (!message.has_register_worker()) inbox_.push_back(std::move(message));
      arrived_.NotifyAll();
    };
    handlers.on_close = [](const arrow::Status&) {};
    pair.first->Start(driver_executor_.get(), std::move(handlers));
    streams_.push_back(pair.first);
  }
}

ScriptedDriver::~ScriptedDriver() {
  for (const auto& stream : streams_) stream->Close();
  // All are stopped before any goes: a snapshot may still be on its way from one to the other.
  driver_executor_->Stop();
  for (const auto& executor : worker_executors_) executor->Stop();
  for (const auto& executor : slot_executors_) executor->Stop();
  io_->Stop();
  workers_.clear();
}

void ScriptedDriver::SendToAll(const proto::ToWorker& message) {
  for (const auto& stream : streams_) stream->Send(message);
}

proto::ToDriver ScriptedDriver::Next(bool wants_snapshot) {
  MutexLock lock(&mutex_);
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (true) {
    for (auto message = inbox_.begin(); message != inbox_.end(); ++message) {
      if (message->has_snapshot_done() != wants_snapshot) continue;
      proto::ToDriver taken = std::move(*message);
      inbox_.erase(message);
      return taken;
    }
    if (!arrived_.WaitUntil(&mutex_, deadline)) {
      ADD_FAILURE() << "no answer from a worker";
      return {};
    }
  }
}

void ScriptedDriver::Deploy(const proto::PhysicalPlan& plan, int key_groups,
                            int64_t snapshot_min_bytes) {
  num_key_groups_ = key_groups;
  proto::ToWorker message;
  message.set_term(1);
  proto::Deploy* deploy = message.mutable_deploy();
  deploy->set_job(kJob);
  deploy->set_job_name("scripted");
  *deploy->mutable_plan() = plan;
  deploy->set_checkpoint(checkpoint_);
  deploy->set_key_groups(key_groups);
  deploy->set_snapshot_min_bytes(snapshot_min_bytes);
  if (snapshot_min_bytes > 0) deploy->set_snapshot_ratio(1e-6);
  SendToAll(message);
  for (size_t i = 0; i < streams_.size(); ++i) {
    const proto::ToDriver answer = Next();
    EXPECT_TRUE(answer.has_deployed() && !answer.deployed().has_error())
        << answer.ShortDebugString();
  }
}

void ScriptedDriver::SendAssign(const std::vector<proto::Snapshot>& snapshots,
                                const std::vector<proto::Extent>& extents,
                                int64_t committed_epoch) {
  proto::ToWorker message;
  message.set_term(1);
  proto::Assign* assign = message.mutable_assign();
  assign->set_job(kJob);
  assign->set_version(++assignment_version_);
  for (size_t worker = 0; worker < streams_.size(); ++worker) {
    for (int slot = 0; slot < slots_per_worker_; ++slot) {
      proto::SlotAddress* address = assign->add_slots();
      address->set_worker("w" + std::to_string(worker));
      address->set_slot(slot);
    }
  }
  for (int group = 0; group < num_key_groups_; ++group) {
    assign->add_key_group_slot(group * assign->slots_size() / num_key_groups_);
  }
  for (const proto::Snapshot& snapshot : snapshots) *assign->add_snapshots() = snapshot;
  for (const proto::Extent& extent : extents) *assign->add_extents() = extent;
  assign->set_committed_epoch(committed_epoch);
  SendToAll(message);
}

std::vector<proto::Assigned> ScriptedDriver::Assign(const std::vector<proto::Snapshot>& snapshots,
                                                    const std::vector<proto::Extent>& extents,
                                                    int64_t committed_epoch) {
  SendAssign(snapshots, extents, committed_epoch);
  std::vector<proto::Assigned> answers;
  for (size_t i = 0; i < streams_.size(); ++i) answers.push_back(Next().assigned());
  return answers;
}

bool ScriptedDriver::AssignmentWaitsForEverySlot() {
  std::promise<void> go;
  slot_executors_.back()->Post([ready = go.get_future().share()] { ready.wait(); });
  SendAssign({}, {}, -1);
  // The worker comes to this one after the Assign, and refuses it without its slots.
  proto::ToWorker message;
  message.set_term(1);
  message.mutable_deploy()->set_job("another");
  message.mutable_deploy()->mutable_plan()->add_sources()->set_schema("no schema");
  SendToAll(message);
  const bool waits = Next().has_deployed();
  go.set_value();
  const proto::ToDriver second = Next();
  EXPECT_TRUE(waits ? second.has_assigned() : second.has_deployed());
  return waits;
}

std::vector<proto::Prepared> ScriptedDriver::RunEpoch(const proto::EpochPlan& plan,
                                                      uint64_t attempt, int64_t committed_epoch,
                                                      uint64_t committed_attempt) {
  proto::ToWorker message;
  message.set_term(1);
  proto::RunEpoch* run = message.mutable_run_epoch();
  run->set_job(kJob);
  run->set_attempt(attempt);
  run->set_assignment_version(assignment_version_);
  *run->mutable_plan() = plan;
  run->set_committed_epoch(committed_epoch);
  run->set_committed_attempt(committed_attempt);
  SendToAll(message);
  std::vector<proto::Prepared> prepared;
  for (size_t i = 0; i < streams_.size(); ++i) {
    const proto::ToDriver answer = Next();
    if (answer.has_failed()) {
      last_failure_ = answer.failed();
      return {};
    }
    prepared.push_back(answer.prepared());
  }
  return prepared;
}

void ScriptedDriver::Commit(int64_t epoch, uint64_t attempt) {
  proto::ToWorker message;
  message.set_term(1);
  message.mutable_committed()->set_job(kJob);
  message.mutable_committed()->set_epoch(epoch);
  message.mutable_committed()->set_attempt(attempt);
  SendToAll(message);
}

void ScriptedDriver::Abort(int64_t epoch, uint64_t attempt) {
  proto::ToWorker message;
  message.set_term(1);
  message.mutable_abort_epoch()->set_job(kJob);
  message.mutable_abort_epoch()->set_epoch(epoch);
  message.mutable_abort_epoch()->set_attempt(attempt);
  SendToAll(message);
}

void ScriptedDriver::Undeploy() {
  proto::ToWorker message;
  message.set_term(1);
  message.mutable_undeploy()->set_job(kJob);
  SendToAll(message);
}

proto::Snapshot ScriptedDriver::WaitForSnapshot() { return Next(true).snapshot_done().snapshot(); }

}  // namespace tidemill::testing
