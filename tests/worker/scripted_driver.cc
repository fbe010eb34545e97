#include "tests/worker/scripted_driver.h"

#include <gtest/gtest.h>

#include <chrono>
#include <utility>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"

namespace tidemill::testing {

namespace {

constexpr char kJob[] = "00000000-0000-4000-8000-000000000001";
constexpr std::chrono::seconds kPatience(30);
constexpr int kIoThreads = 2;

}  // namespace

ScriptedDriver::ScriptedDriver(int workers, int slots_per_worker, std::string checkpoint, Kind kind)
    : kind_(kind),
      slots_per_worker_(slots_per_worker),
      checkpoint_(std::move(checkpoint)),
      driver_executor_(MakeThreadExecutor("driver")),
      io_(MakePoolExecutor("io", kIoThreads)) {
  EXPECT_TRUE(FileSystem::Local()->CreateDirectories(JoinPath(checkpoint_, "state")).ok());
  if (kind_ == Kind::kGrpcCluster) {
    mesh_ = std::make_unique<GrpcMesh>(
        workers, [this](int worker, const worker::AttemptId& attempt, const arrow::Status& why) {
          workers_[worker]->OnAttemptBroken(attempt, why);
        });
  }
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
    environment.network =
        mesh_ == nullptr ? static_cast<worker::ExchangeNetwork*>(&network_) : mesh_->network(i);
    const std::string name = "w" + std::to_string(i);
    workers_.push_back(std::make_unique<worker::Worker>(
        worker::WorkerOptions{.name = name,
                              .slots = slots_per_worker,
                              .data_dir = JoinPath(checkpoint_, "local-" + name),
                              .incarnation = mesh_ == nullptr ? "" : mesh_->incarnation(i)},
        environment));
    streams_.emplace_back();
    Connect(i);
  }
}

void ScriptedDriver::Connect(size_t worker) {
  auto pair = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
  Stream::Handlers handlers;
  handlers.on_message = [this](proto::ToDriver message) {
    MutexLock lock(&mutex_);
    // How far a restore is, which only slow ones say, is nobody's answer.
    if (!message.has_register_worker() && !message.has_restoring()) {
      EXPECT_FALSE(message.job().empty()) << message.ShortDebugString();
      inbox_.push_back(std::move(message));
    }
    arrived_.NotifyAll();
  };
  handlers.on_close = [](const arrow::Status&) {};
  pair.first->Start(driver_executor_.get(), std::move(handlers));
  streams_[worker] = pair.first;
  worker::Worker* served = workers_[worker].get();
  if (kind_ == Kind::kOneProcess) return served->Serve(pair.second);
  RunOn(worker, [&] {
    served->Connect(pair.second);
    pair.second->Start(
        worker_executors_[worker].get(),
        {.on_message = [served](const proto::ToWorker& message) { served->Handle(message); },
         .on_close = nullptr});
  });
}

void ScriptedDriver::RunOn(size_t worker, const std::function<void()>& body) {
  std::promise<void> done;
  worker_executors_[worker]->Post([&] {
    body();
    done.set_value();
  });
  done.get_future().wait();
}

std::vector<proto::JobReport> ScriptedDriver::Reconnect(bool waits) {
  std::vector<proto::JobReport> reports;
  for (size_t worker = 0; worker < workers_.size(); ++worker) {
    streams_[worker]->Close();
    RunOn(worker, [&] { workers_[worker]->Disconnect(); });
    const size_t wanted = reports.size() + (waits ? 1 : 0);
    do {
      RunOn(worker, [&] {
        for (auto& report : workers_[worker]->Report()) reports.push_back(std::move(report));
      });
    } while (reports.size() < wanted);
    Connect(worker);
  }
  return reports;
}

void ScriptedDriver::Adopt(int64_t committed_epoch, uint64_t committed_attempt) {
  proto::ToWorker message;
  message.set_term(++term_);
  message.mutable_adopt()->set_job(kJob);
  message.mutable_adopt()->set_committed_epoch(committed_epoch);
  message.mutable_adopt()->set_committed_attempt(committed_attempt);
  SendToAll(message);
}

void ScriptedDriver::ReportBroken(int worker, int64_t epoch, uint64_t attempt) {
  workers_[worker]->OnAttemptBroken({kJob, epoch, attempt},
                                    MakeError(ErrorKind::kUnavailable, "CONNECTION_LOST", "gone"));
}

std::shared_ptr<std::promise<void>> ScriptedDriver::Hold(Executor* executor, int threads) {
  auto go = std::make_shared<std::promise<void>>();
  const std::shared_future<void> ready = go->get_future().share();
  for (int i = 0; i < threads; ++i) executor->Post([ready] { ready.wait(); });
  return go;
}

std::shared_ptr<std::promise<void>> ScriptedDriver::HoldSlot() {
  return Hold(slot_executors_.back().get(), 1);
}
std::shared_ptr<std::promise<void>> ScriptedDriver::HoldIo() { return Hold(io_.get(), kIoThreads); }

ScriptedDriver::~ScriptedDriver() {
  for (const auto& stream : streams_) stream->Close();
  if (mesh_ != nullptr) mesh_->Stop();
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
  const auto answers = TryDeploy(plan, key_groups, [&](proto::Deploy* deploy) {
    deploy->set_snapshot_min_bytes(snapshot_min_bytes);
    if (snapshot_min_bytes > 0) deploy->set_snapshot_ratio(1e-6);
  });
  for (const proto::Deployed& answer : answers)
    EXPECT_FALSE(answer.has_error()) << answer.ShortDebugString();
}

std::vector<proto::Deployed> ScriptedDriver::TryDeploy(
    const proto::PhysicalPlan& plan, int key_groups,
    const std::function<void(proto::Deploy*)>& change) {
  num_key_groups_ = key_groups;
  proto::ToWorker message;
  message.set_term(term_);
  proto::Deploy* deploy = message.mutable_deploy();
  deploy->set_job(kJob);
  deploy->set_job_name("scripted");
  *deploy->mutable_plan() = plan;
  deploy->set_checkpoint(checkpoint_);
  deploy->set_key_groups(key_groups);
  change(deploy);
  SendToAll(message);
  std::vector<proto::Deployed> answers;
  for (size_t i = 0; i < streams_.size(); ++i) {
    const proto::ToDriver answer = Next();
    EXPECT_TRUE(answer.has_deployed()) << answer.ShortDebugString();
    answers.push_back(answer.deployed());
  }
  return answers;
}

void ScriptedDriver::SendAssign(const std::vector<proto::Snapshot>& snapshots,
                                const std::vector<proto::Extent>& extents,
                                int64_t committed_epoch) {
  proto::ToWorker message;
  message.set_term(term_);
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
    assign->add_key_group_slot(owners_.empty() ? group * assign->slots_size() / num_key_groups_
                                               : owners_[group % owners_.size()]);
  }
  for (const proto::Snapshot& snapshot : snapshots) *assign->add_snapshots() = snapshot;
  for (const proto::Extent& extent : extents) *assign->add_extents() = extent;
  if (mesh_ != nullptr) mesh_->AddTo(assign);
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
  const auto go = HoldSlot();
  SendAssign({}, {}, -1);
  // The worker comes to this one after the Assign, and refuses it without its slots.
  proto::ToWorker message;
  message.set_term(term_);
  message.mutable_deploy()->set_job("another");
  message.mutable_deploy()->mutable_plan()->add_sources()->set_schema("no schema");
  SendToAll(message);
  const bool waits = Next().has_deployed();
  go->set_value();
  const proto::ToDriver second = Next();
  EXPECT_TRUE(waits ? second.has_assigned() : second.has_deployed());
  return waits;
}

void ScriptedDriver::SendRun(const proto::EpochPlan& plan, uint64_t attempt,
                             int64_t committed_epoch, uint64_t committed_attempt) {
  proto::ToWorker message;
  message.set_term(term_);
  proto::RunEpoch* run = message.mutable_run_epoch();
  run->set_job(kJob);
  run->set_attempt(attempt);
  run->set_assignment_version(assignment_version_);
  *run->mutable_plan() = plan;
  run->set_committed_epoch(committed_epoch);
  run->set_committed_attempt(committed_attempt);
  SendToAll(message);
}

std::vector<proto::Prepared> ScriptedDriver::RunEpoch(const proto::EpochPlan& plan,
                                                      uint64_t attempt, int64_t committed_epoch,
                                                      uint64_t committed_attempt) {
  SendRun(plan, attempt, committed_epoch, committed_attempt);
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
  message.set_term(term_);
  message.mutable_committed()->set_job(kJob);
  message.mutable_committed()->set_epoch(epoch);
  message.mutable_committed()->set_attempt(attempt);
  SendToAll(message);
}

void ScriptedDriver::Abort(int64_t epoch, uint64_t attempt) {
  proto::ToWorker message;
  message.set_term(term_);
  message.mutable_abort_epoch()->set_job(kJob);
  message.mutable_abort_epoch()->set_epoch(epoch);
  message.mutable_abort_epoch()->set_attempt(attempt);
  SendToAll(message);
}

void ScriptedDriver::Undeploy() {
  proto::ToWorker message;
  message.set_term(term_);
  message.mutable_undeploy()->set_job(kJob);
  SendToAll(message);
}

proto::Failed ScriptedDriver::BreakExchangeTo(int worker) {
  mesh_->BreakStreamsTo(worker);
  return Next().failed();
}

proto::Snapshot ScriptedDriver::WaitForSnapshot() { return Next(true).snapshot_done().snapshot(); }

}  // namespace tidemill::testing
