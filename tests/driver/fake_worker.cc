#include "tests/driver/fake_worker.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"
#include "common/transport/in_memory_stream.h"
#include "driver/epoch/term_number.h"

namespace tidemill::driver {

namespace {

void WriteError(const arrow::Status& error, proto::Error* message) {
  message->set_kind(static_cast<int>(KindOf(error)));
  message->set_error_class(ErrorClassOf(error));
  message->set_message(error.message());
}

template <class Groups>
bool Names(const Groups& groups, uint32_t group) {
  return std::find(groups.begin(), groups.end(), group) != groups.end();
}

// Extents are there from the older of a key group's two newest snapshots on.
bool HasExtentsSince(const proto::Assign& assign, uint32_t group, int64_t epoch) {
  return std::count_if(assign.snapshots().begin(), assign.snapshots().end(),
                       [&](const proto::Snapshot& snapshot) {
                         return snapshot.epoch() > epoch && Names(snapshot.key_groups(), group);
                       }) < 2;
}

}  // namespace

WorkerLink FakeWorker::Connect(Executor* executor) {
  EXPECT_EQ(stream_, nullptr);
  auto streams = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
  executor_ = executor;
  stream_ = streams.second;
  was_closed_ = false;
  const std::weak_ptr<FakeWorker> weak = shared_from_this();
  stream_->Start(executor, {.on_message =
                                [weak](const proto::ToWorker& message) {
                                  if (const auto self = weak.lock()) self->On(message);
                                },
                            .on_close =
                                [weak, stream = stream_.get()](const arrow::Status&) {
                                  const auto self = weak.lock();
                                  if (self == nullptr || self->stream_.get() != stream) return;
                                  self->Disconnect();
                                  self->was_closed_ = true;
                                }});
  WorkerLink link{.name = name_,
                  .slots = slots_,
                  .stream = streams.first,
                  .incarnation = name_ + "-incarnation",
                  .exchange_address = name_ + ":1"};
  if (job_.has_value()) link.report = std::make_shared<const proto::JobReport>(Report());
  return link;
}

void FakeWorker::Disconnect() {
  if (stream_ == nullptr) return;
  std::exchange(stream_, nullptr)->Close();
  newest_assign_ = newest_warm_up_ = 0;  // What is being restored is given up.
  warm_.clear();
}

std::vector<uint32_t> FakeWorker::key_groups() const {
  std::vector<uint32_t> groups;
  for (const auto& [group, table] : tables_) groups.push_back(group);
  return groups;
}

proto::JobReport FakeWorker::Report() const {
  proto::JobReport report;
  report.set_job(job_->job());
  report.set_plan_fingerprint(job_->plan_fingerprint());
  report.set_committed_epoch(committed_);
  report.set_open_epoch(open_.has_value() ? open_->epoch : -1);
  report.set_open_attempt(open_.has_value() ? open_->attempt : 0);
  report.set_is_prepared(open_.has_value() && open_->is_prepared);
  for (uint32_t group = 0; group < job_->key_groups(); ++group) {
    const auto found = tables_.find(group);
    report.add_key_group_slot(found == tables_.end() ? -1 : found->second.slot);
  }
  return report;
}

void FakeWorker::On(const proto::ToWorker& message) {
  if (message.has_deploy()) {
    OnDeploy(message.deploy());
  } else if (message.has_adopt()) {
    const proto::Adopt& adopt = message.adopt();
    received.push_back(fmt::format("Adopt {}.{}", adopt.committed_epoch(),
                                   CountInTerm(adopt.committed_attempt())));
    Settle(adopt.committed_epoch(), adopt.committed_attempt());
    EXPECT_EQ(committed_, adopt.committed_epoch());
    segment_.clear();
  } else if (message.has_assign()) {
    OnAssign(message.assign());
  } else if (message.has_warm_up()) {
    OnWarmUp(message.warm_up().next());
  } else if (message.has_run_epoch()) {
    OnRun(message.run_epoch());
  } else if (message.has_committed()) {
    const proto::Committed& committed = message.committed();
    received.push_back(
        fmt::format("Committed {}.{}", committed.epoch(), CountInTerm(committed.attempt())));
    Settle(committed.epoch(), committed.attempt());
  } else if (message.has_abort_epoch()) {
    const proto::AbortEpoch& abort = message.abort_epoch();
    received.push_back(fmt::format("Abort {}.{}", abort.epoch(), CountInTerm(abort.attempt())));
    Undo();
  } else if (message.has_undeploy()) {
    received.push_back("Undeploy");
    job_.reset();
    tables_.clear();
    warm_.clear();
    newest_warm_up_ = 0;
    open_.reset();
    segment_.clear();
  }
}

void FakeWorker::OnDeploy(const proto::Deploy& deploy) {
  received.push_back("Deploy");
  deploys.push_back(deploy);
  proto::ToDriver answer;
  answer.mutable_deployed()->set_job(deploy.job());
  if (fail_deploy.has_value()) {
    WriteError(*std::exchange(fail_deploy, std::nullopt),
               answer.mutable_deployed()->mutable_error());
  } else {
    EXPECT_FALSE(job_.has_value()) << "deployed twice";
    job_ = deploy;
    committed_ = -1;
  }
  Send(std::move(answer));
}

void FakeWorker::OnAssign(const proto::Assign& assign) {
  received.push_back(fmt::format("Assign {}", CountInTerm(assign.version())));
  assigns.push_back(assign);
  if (!job_.has_value()) return;
  newest_assign_ = assign.version();
  assignment_ = 0;
  Undo();
  if (tables_.empty()) committed_ = assign.committed_epoch();
  EXPECT_EQ(committed_, assign.committed_epoch());
  std::map<uint32_t, Table> restored;
  std::map<uint32_t, Table> kept;
  for (int group = 0; group < assign.key_group_slot_size(); ++group) {
    const auto& slot = assign.slots(static_cast<int>(assign.key_group_slot(group)));
    if (slot.worker() != name_) continue;
    const auto found = tables_.find(group);
    if (found != tables_.end() && found->second.slot == slot.slot()) {
      kept[group] = std::move(found->second);
    } else {
      restored[group] = Restore(assign, group, slot.slot());
    }
  }
  tables_ = std::move(kept);
  warm_.clear();
  newest_warm_up_ = 0;
  const uint64_t version = assign.version();
  if (restore_time.count() == 0) return FinishAssign(version, std::move(restored));
  executor_->PostAfter(restore_time, [weak = weak_from_this(), version, restored] {
    if (const auto self = weak.lock()) self->FinishAssign(version, restored);
  });
}

FakeWorker::Table FakeWorker::Restore(const proto::Assign& assign, uint32_t group, int slot) const {
  Table table{.slot = slot};
  const auto expect_file = [&](const std::string& name) {
    EXPECT_TRUE(fs_->Stat(JoinPath(job_->checkpoint(), "state/" + name)).ok())
        << name << " is gone, which " << name_ << " needs";
  };
  const auto warm = warm_.find(group);
  const bool is_warm = warm != warm_.end() && warm->second.slot == slot &&
                       HasExtentsSince(assign, group, warm->second.epochs.back());
  if (is_warm) table = warm->second;
  for (const proto::Snapshot& snapshot : assign.snapshots()) {  // newest first
    if (is_warm) break;
    if (!Names(snapshot.key_groups(), group)) continue;
    for (const proto::SnapshotFile& file : snapshot.files()) expect_file(file.name());
    for (int64_t epoch = 0; epoch <= snapshot.epoch(); ++epoch) table.epochs.push_back(epoch);
    break;
  }
  for (const proto::Extent& extent : assign.extents()) {
    if (!Names(extent.key_groups(), group)) continue;
    if (!table.epochs.empty() && extent.epoch() <= table.epochs.back()) continue;
    expect_file(extent.file());
    table.epochs.push_back(extent.epoch());
  }
  return table;
}

void FakeWorker::OnWarmUp(const proto::Assign& next) {
  received.push_back("WarmUp");
  if (!job_.has_value()) return;
  newest_warm_up_ = next.version();
  if (restore_time.count() == 0) return FinishWarmUp(next);
  executor_->PostAfter(restore_time, [weak = weak_from_this(), next] {
    if (const auto self = weak.lock()) self->FinishWarmUp(next);
  });
}

void FakeWorker::FinishWarmUp(const proto::Assign& next) {
  if (next.version() != newest_warm_up_ || stream_ == nullptr) return;
  proto::ToDriver answer;
  answer.mutable_warmed_up()->set_number(next.version());
  if (fail_warm_up.has_value()) {
    WriteError(*std::exchange(fail_warm_up, std::nullopt),
               answer.mutable_warmed_up()->mutable_error());
    return Send(std::move(answer));
  }
  std::map<uint32_t, Table> warm;
  for (int group = 0; group < next.key_group_slot_size(); ++group) {
    const auto& slot = next.slots(static_cast<int>(next.key_group_slot(group)));
    const auto found = tables_.find(group);
    const bool has_it = found != tables_.end() && found->second.slot == slot.slot();
    if (slot.worker() == name_ && !has_it) warm[group] = Restore(next, group, slot.slot());
  }
  std::erase_if(warm, [](const auto& entry) { return entry.second.epochs.empty(); });
  warm_ = std::move(warm);
  Send(std::move(answer));
}

void FakeWorker::FinishAssign(uint64_t version, std::map<uint32_t, Table> tables) {
  if (version != newest_assign_ || stream_ == nullptr) return;
  proto::ToDriver answer;
  answer.mutable_assigned()->set_version(version);
  if (fail_assign.has_value()) {
    WriteError(*std::exchange(fail_assign, std::nullopt),
               answer.mutable_assigned()->mutable_error());
    return Send(std::move(answer));
  }
  tables_.merge(std::move(tables));
  assignment_ = version;
  Send(std::move(answer));
}

void FakeWorker::OnRun(const proto::RunEpoch& run) {
  const int64_t epoch = run.plan().epoch();
  received.push_back(fmt::format("Run {}.{}", epoch, CountInTerm(run.attempt())));
  runs.push_back(run);
  Settle(run.committed_epoch(), run.committed_attempt());
  EXPECT_EQ(run.assignment_version(), assignment_) << name_;
  EXPECT_EQ(run.committed_epoch(), committed_) << name_;
  std::vector<int64_t> all;
  for (int64_t e = 0; e < epoch; ++e) all.push_back(e);
  for (auto& [group, table] : tables_) {
    EXPECT_EQ(table.epochs, all) << "key group " << group << " of " << name_;
    table.epochs.push_back(epoch);
  }
  open_ = OpenAttempt{.epoch = epoch, .attempt = run.attempt()};
  if (is_silent) return;
  if (const auto failing = fail_epoch.find(epoch); failing != fail_epoch.end()) {
    SendFailed(epoch, run.attempt(), failing->second);
    fail_epoch.erase(failing);
    return;
  }
  proto::ToDriver answer;
  proto::Prepared* prepared = answer.mutable_prepared();
  prepared->set_epoch(epoch);
  prepared->set_attempt(run.attempt());
  int64_t rows = 0;
  proto::StagedOutput* output = prepared->add_outputs();
  // The worker with key group 0 reads for all.
  if (tables_.contains(0)) {
    for (const proto::Split& split : run.plan().sources(0).splits()) {
      *output->mutable_rows() += fmt::format("{}-{};", split.begin(), split.end());
      rows += split.end() - split.begin();
    }
  }
  prepared->add_source_rows(rows);
  prepared->set_output_rows(rows);
  if (!tables_.empty()) {
    if (segment_.empty()) segment_ = NewFile("segment");
    proto::Extent* extent = prepared->add_extents();
    extent->set_file(segment_);
    extent->set_epoch(epoch);
    for (const auto& [group, table] : tables_) extent->add_key_groups(group);
  }
  open_->is_prepared = true;
  Send(std::move(answer));
}

void FakeWorker::SendFailed(int64_t epoch, uint64_t attempt, const arrow::Status& error) {
  proto::ToDriver answer;
  answer.mutable_failed()->set_epoch(epoch);
  answer.mutable_failed()->set_attempt(attempt);
  WriteError(error, answer.mutable_failed()->mutable_error());
  Send(std::move(answer));
}

void FakeWorker::Settle(int64_t committed_epoch, uint64_t committed_attempt) {
  if (!open_.has_value()) return;
  if (open_->epoch != committed_epoch || open_->attempt != committed_attempt) return Undo();
  EXPECT_TRUE(open_->is_prepared);
  open_.reset();
  NoteCommitted(committed_epoch);
}

void FakeWorker::Undo() {
  if (!std::exchange(open_, std::nullopt).has_value() || forgets_undo) return;
  for (auto& [group, table] : tables_) table.epochs.pop_back();
}

void FakeWorker::NoteCommitted(int64_t epoch) {
  committed_ = epoch;
  if (snapshot_every == 0 || (epoch + 1) % snapshot_every != 0 || tables_.empty()) return;
  segment_.clear();
  proto::ToDriver message;
  proto::Snapshot* snapshot = message.mutable_snapshot_done()->mutable_snapshot();
  snapshot->set_id(fmt::format("{}@{}", name_, epoch));
  snapshot->set_epoch(epoch);
  for (const auto& [group, table] : tables_) snapshot->add_key_groups(group);
  snapshot->add_files()->set_name(NewFile("snapshot"));
  Send(std::move(message));
}

std::string FakeWorker::NewFile(const std::string& kind) {
  // Another process of the name makes files of its own.
  const std::string file =
      fmt::format("{}-{:x}-{}-{}", name_, random_->Next() >> 32, next_file_++, kind);
  const auto created = fs_->Create(JoinPath(job_->checkpoint(), "state/" + file));
  EXPECT_TRUE(created.ok()) << created.status();
  return file;
}

void FakeWorker::Send(proto::ToDriver message) {
  message.set_worker(name_);
  if (stream_ != nullptr) stream_->Send(std::move(message));
}

}  // namespace tidemill::driver
