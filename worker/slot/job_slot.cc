#include "worker/slot/job_slot.h"

#include <arrow/memory_pool.h>

#include <algorithm>

#include "common/base/check.h"
#include "common/base/failpoint.h"

namespace tidemill::worker {

namespace {

bool IsLater(const AttemptId& a, const AttemptId& b) {
  return std::pair(a.epoch, a.attempt) > std::pair(b.epoch, b.attempt);
}

}  // namespace

JobSlot::JobSlot(int slot, std::shared_ptr<const DeployedJob> job, SlotEnvironment environment,
                 SlotListener* listener, std::function<void()> wake)
    : slot_(slot),
      job_(std::move(job)),
      environment_(environment),
      listener_(listener),
      wake_(std::move(wake)),
      last_{job_->job, -1, 0} {}

arrow::Result<std::unique_ptr<JobSlot>> JobSlot::Make(int slot,
                                                      std::shared_ptr<const DeployedJob> job,
                                                      SlotEnvironment environment,
                                                      SlotListener* listener,
                                                      std::function<void()> wake) {
  auto made = std::unique_ptr<JobSlot>(
      new JobSlot(slot, std::move(job), environment, listener, std::move(wake)));
  const JobPlan& plan = *made->job_->plan;
  ARROW_ASSIGN_OR_RAISE(made->states_,
                        OperatorStates::Make(plan.stateful, made->job_->num_key_groups));
  for (const BroadcastPlan& broadcast : plan.broadcasts) {
    ARROW_ASSIGN_OR_RAISE(made->broadcasts_.emplace_back(), BuildTable::Make(&broadcast.join));
  }
  made->pipelines_ = std::make_unique<PipelinePool>(made->states_.get(), &made->broadcasts_);
  connectors::WriterContext context;
  context.fs = environment.fs;
  context.io = environment.io;
  context.random = environment.random;
  context.wake = made->wake_;
  context.zone = plan.zone;
  context.is_durable = made->job_->is_durable;
  ARROW_ASSIGN_OR_RAISE(made->writer_, connectors::MakeSinkWriter(plan.sink, std::move(context)));
  return made;
}

arrow::Status JobSlot::Assign(std::shared_ptr<const Assignment> assignment, int self,
                              std::vector<RestoredTable> tables) {
  TIDEMILL_CHECK(run_ == nullptr);
  assignment_ = std::move(assignment);
  self_ = self;
  const std::vector<uint32_t> owned = states_->key_groups();
  for (uint32_t group : owned) {
    if (static_cast<int>(assignment_->key_group_slot[group]) != self) states_->DropKeyGroup(group);
  }
  for (RestoredTable& restored : tables) {
    states_->AddTable(restored.operator_id, restored.key_group, std::move(restored.table));
  }
  return MakePartitioners();
}

arrow::Status JobSlot::MakePartitioners() {
  partitioners_.clear();
  for (const StagePlan& stage : job_->plan->stages) {
    if (stage.output != StageOutput::kHash) continue;
    std::vector<std::shared_ptr<arrow::DataType>> types;
    for (int column : stage.output_keys)
      types.push_back(stage.output_schema()->field(column)->type());
    ARROW_ASSIGN_OR_RAISE(
        partitioners_[stage.id],
        HashPartitioner::Make(std::move(types), stage.output_keys, assignment_->key_group_slot,
                              assignment_->num_slots()));
  }
  return arrow::Status::OK();
}

void JobSlot::RunEpoch(std::shared_ptr<const EpochTask> task, uint64_t capture) {
  SettleOpenEpoch(task->committed_epoch, task->committed_attempt);
  if (capture != 0) Capture(capture);
  if (arrow::Status started = Start(std::move(task)); !started.ok()) Fail(started);
}

void JobSlot::Commit(int64_t epoch, uint64_t attempt, uint64_t capture) {
  SettleOpenEpoch(epoch, attempt);
  if (capture != 0) Capture(capture);
}

void JobSlot::Abort() {
  if (is_open_) SettleOpenEpoch(-2, 0);
}

void JobSlot::Evict(const Eviction& eviction) {
  TIDEMILL_CHECK(!is_open_);
  states_->EvictClean(eviction.kept_share, eviction.cold_bytes, *eviction.tier);
  EvictionReport report;
  report.number = eviction.number;
  for (const StatefulOperator& op : states_->operators()) {
    const OperatorStates::Summary summary = states_->Summarise(op.operator_id);
    report.memory_bytes += summary.memory_bytes;
    if (op.is_evictable) report.evictable_bytes += summary.memory_bytes - summary.cold_bytes;
    report.cold_rows += summary.cold_rows;
  }
  listener_->OnEvicted(slot_, job_->job, report);
}

void JobSlot::Adopt(int64_t committed_epoch, uint64_t committed_attempt, bool forgets_captures) {
  SettleOpenEpoch(committed_epoch, committed_attempt);
  if (forgets_captures) states_->MarkAllDirty();
}

void JobSlot::SettleOpenEpoch(int64_t committed_epoch, uint64_t committed_attempt) {
  if (!is_open_) return;
  is_open_ = false;
  const bool is_committed = last_.epoch == committed_epoch && last_.attempt == committed_attempt;
  if (run_ != nullptr) {
    TIDEMILL_CHECK(!is_committed);  // Prepared was sent, so the run had ended.
    run_.reset();
  }
  if (is_committed) {
    states_->CommitEpoch(committed_epoch);
  } else {
    writer_->Abort();
    states_->UndoEpoch();
  }
}

void JobSlot::Capture(uint64_t capture) {
  auto batch = std::make_unique<state::FlushBatch>();
  states_->CaptureDirty(batch.get());
  listener_->OnCaptured(slot_, job_->job, capture, std::move(batch));
}

bool JobSlot::RunsHere(const StagePlan& stage) const {
  if (stage.source >= 0) return true;
  return stage.is_gathered ? assignment_->gather_slot() == self_
                           : assignment_->OwnsKeyGroups(self_);
}

arrow::Status JobSlot::Start(std::shared_ptr<const EpochTask> task) {
  last_ = task->id;
  is_open_ = true;
  const auto& stages = job_->plan->stages;
  const bool has_sink = std::any_of(stages.begin(), stages.end(), [&](const StagePlan& stage) {
    return stage.output == StageOutput::kSink && RunsHere(stage);
  });
  EpochRun::Wiring wiring;
  wiring.plan = job_->plan.get();
  wiring.assignment = assignment_.get();
  wiring.self = self_;
  wiring.partitioners = &partitioners_;
  wiring.writer = has_sink ? writer_.get() : nullptr;
  wiring.pipelines = pipelines_.get();
  wiring.broadcasts = &broadcasts_;
  wiring.network = environment_.network;
  for (uint32_t group = 0; group < assignment_->key_group_slot.size(); ++group) {
    if (static_cast<int>(assignment_->key_group_slot[group]) == self_)
      wiring.key_groups.push_back(group);
  }
  wiring.reader.fs = environment_.fs;
  wiring.reader.io = environment_.io;
  wiring.reader.wake = wake_;
  wiring.reader.zone = job_->plan->zone;
  wiring.reader.pool = arrow::default_memory_pool();
  if (has_sink) {
    ARROW_RETURN_NOT_OK(writer_->Begin({task->id.epoch, task->term, task->id.attempt}, self_));
  }
  ARROW_ASSIGN_OR_RAISE(run_, EpochRun::Make(std::move(task), std::move(wiring)));
  Failpoint("worker.epoch_started");

  for (auto& [id, frame] : std::exchange(early_frames_, {})) {
    if (id == last_) {
      ARROW_RETURN_NOT_OK(run_->AddFrame(std::move(frame)));
    } else if (IsLater(id, last_)) {
      early_frames_.emplace_back(id, std::move(frame));
    }
  }
  for (auto& [id, progress] : std::exchange(early_progress_, {})) {
    if (id == last_) {
      run_->AddProgress(progress);
    } else if (IsLater(id, last_)) {
      early_progress_.emplace_back(id, progress);
    }
  }
  return arrow::Status::OK();
}

void JobSlot::AddFrames(const AttemptId& id, std::vector<ExchangeFrame> frames) {
  if (run_ != nullptr && id == last_) {
    for (ExchangeFrame& frame : frames) {
      const arrow::Status added = run_->AddFrame(std::move(frame));
      if (!added.ok()) return Fail(added);
    }
  } else if (IsLater(id, last_)) {
    for (ExchangeFrame& frame : frames) early_frames_.emplace_back(id, std::move(frame));
  }
}

void JobSlot::AddProgress(const AttemptId& id, const ExchangeProgress& progress) {
  if (run_ != nullptr && id == last_) {
    run_->AddProgress(progress);
  } else if (IsLater(id, last_)) {
    early_progress_.emplace_back(id, progress);
  }
}

bool JobSlot::Step() {
  if (run_ == nullptr) return false;
  const arrow::Result<StepResult> result = run_->Step();
  if (!result.ok()) {
    Fail(result.status());
    return false;
  }
  if (*result == StepResult::kDone) Finish();
  return *result == StepResult::kProgress;
}

// An operator with several tables is one for people.
void JobSlot::ReportOperators(const EpochCounters& counters, SlotReport* report) {
  for (const StatefulOperator& op : states_->operators()) {
    if (op.is_ephemeral) continue;
    const OperatorStates::Summary summary = states_->Summarise(op.operator_id);
    if (op.progress_id >= 0 && op.progress_id != op.operator_id) {
      report->operators.back().rows_total += summary.rows;
      report->operators.back().memory_bytes += summary.memory_bytes;
      continue;
    }
    const auto counted = counters.operators.find(op.operator_id);
    const auto of_operator =
        counted == counters.operators.end() ? EpochCounters::OfOperator{} : counted->second;
    report->operators.push_back({op.operator_id, op.name, summary.rows, of_operator.rows_updated,
                                 summary.memory_bytes, of_operator.rows_removed,
                                 of_operator.rows_dropped_late, of_operator.custom});
    const auto cold = states_->TakeColdCounters(op.operator_id);
    if (summary.cold_rows == 0 && cold.lookups == 0) continue;
    std::map<std::string, int64_t>& custom = report->operators.back().custom;
    custom["coldRows"] = summary.cold_rows;
    custom["coldFilterBytes"] = summary.cold_bytes;
    custom["coldKeys"] = cold.keys;
    custom["coldLookups"] = cold.lookups;
    custom["coldLookupsFound"] = cold.found;
  }
}

void JobSlot::Finish() {
  SlotReport report;
  report.id = last_;
  report.source_rows = run_->source_rows();
  report.output_rows = run_->output_rows();
  report.has_writer = run_->has_writer();
  const EpochCounters counters = run_->counters();
  run_.reset();
  for (const auto& [watermark, stats] : counters.events) report.event_times.push_back(stats);
  report.changes = state::ChangelogSections(job_->changelog_codec);
  states_->CollectChanges(&report.changes);
  if (const arrow::Status packed = report.changes.Seal(); !packed.ok()) return Fail(packed);
  ReportOperators(counters, &report);
  const bool has_writer = report.has_writer;
  listener_->OnComputed(slot_, std::move(report));
  if (!has_writer) return;
  writer_->Prepare([listener = listener_, slot = slot_,
                    id = last_](arrow::Result<connectors::StagedOutput> staged) {
    listener->OnStaged(slot, id, std::move(staged));
  });
}

// What the attempt changed stays until the driver's answer (abort or another attempt) undoes it.
void JobSlot::Fail(const arrow::Status& error) {
  run_.reset();
  listener_->OnFailed(slot_, last_, error);
}

}  // namespace tidemill::worker
