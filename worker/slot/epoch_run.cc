#include "worker/slot/epoch_run.h"

#include <arrow/memory_pool.h>

#include <algorithm>
#include <utility>

#include "common/base/random.h"

namespace tidemill::worker {

arrow::Result<std::unique_ptr<Pipeline>> PipelinePool::Take(const StagePlan& stage) {
  auto& idle = idle_[stage.id];
  if (idle.empty()) return Pipeline::Make(stage, states_, broadcasts_);
  std::unique_ptr<Pipeline> pipeline = std::move(idle.back());
  idle.pop_back();
  return pipeline;
}

void PipelinePool::GiveBack(const StagePlan& stage, std::unique_ptr<Pipeline> pipeline) {
  pipeline->Reset();
  idle_[stage.id].push_back(std::move(pipeline));
}

EpochRun::EpochRun(std::shared_ptr<const EpochTask> task, Wiring wiring)
    : task_(std::move(task)), wiring_(std::move(wiring)) {}

EpochRun::~EpochRun() {
  for (Lane& lane : lanes_) {
    lane.runner.reset();
    wiring_.pipelines->GiveBack(*lane.stage, std::move(lane.pipeline));
  }
  for (KeyedStage& stage : stages_) {
    stage.runner.reset();
    wiring_.pipelines->GiveBack(*stage.stage, std::move(stage.pipeline));
  }
}

arrow::Result<std::unique_ptr<EpochRun>> EpochRun::Make(std::shared_ptr<const EpochTask> task,
                                                        Wiring wiring) {
  auto run = std::unique_ptr<EpochRun>(new EpochRun(std::move(task), std::move(wiring)));
  run->AddBroadcasts();
  const auto& stages = run->wiring_.plan->stages;
  for (auto stage = stages.rbegin(); stage != stages.rend(); ++stage)
    ARROW_RETURN_NOT_OK(run->AddStage(*stage));
  return run;
}

void EpochRun::AddBroadcasts() {
  for (size_t i = 0; i < wiring_.broadcasts->size(); ++i) {
    const BroadcastPlan& plan = wiring_.plan->broadcasts[i];
    BuildTable* table = (*wiring_.broadcasts)[i].get();
    table->Begin(task_->info);
    StageInputs inputs(&plan.inputs, {plan.inputs[0].stage, wiring_.self, LanesOf(plan.inputs), {}},
                       task_->id, wiring_.assignment, wiring_.network);
    broadcasts_.emplace_back(&plan, std::move(inputs), MakeContext(), table);
    ++running_;
  }
}

arrow::Status EpochRun::AddStage(const StagePlan& stage) {
  const bool runs_here =
      stage.source >= 0 || (stage.is_gathered ? wiring_.assignment->gather_slot() == wiring_.self
                                              : wiring_.assignment->OwnsKeyGroups(wiring_.self));
  if (!runs_here) return arrow::Status::OK();
  std::unique_ptr<RowOutput> output = MakeOutput(stage);
  if (stage.output == StageOutput::kSink) sinks_.push_back(static_cast<SinkOutput*>(output.get()));
  RowOutput* borrowed = output.get();
  outputs_[stage.id] = std::move(output);
  return stage.source >= 0 ? AddLanes(stage, borrowed) : AddKeyedStage(stage, borrowed);
}

std::unique_ptr<RowOutput> EpochRun::MakeOutput(const StagePlan& stage) const {
  if (stage.output == StageOutput::kSink) return std::make_unique<SinkOutput>(wiring_.writer);
  HashPartitioner* partitioner =
      stage.output == StageOutput::kHash ? wiring_.partitioners->at(stage.id).get() : nullptr;
  return std::make_unique<ExchangeOutput>(stage, task_->id, wiring_.assignment, partitioner,
                                          wiring_.network);
}

EvalContext EpochRun::MakeContext() const {
  EvalContext context;
  context.epoch_time_us = task_->info.epoch_time_us;
  context.zone = wiring_.plan->zone;
  context.seed = task_->seed;
  context.pool = arrow::default_memory_pool();
  return context;
}

arrow::Status EpochRun::AddLanes(const StagePlan& stage, RowOutput* output) {
  const auto& splits = task_->splits[stage.source];
  const bool is_kept = stage.is_kept && task_->info.keeps_builds;
  for (int lane = 0; lane < task_->lanes; ++lane) {
    if (wiring_.assignment->lane_slot(lane) != wiring_.self) continue;
    std::vector<LaneSplit> own;
    for (size_t split = lane; !is_kept && split < splits.size(); split += task_->lanes) {
      const uint64_t seed = SplitMix64(SplitMix64(task_->seed, stage.source), split);
      own.push_back({splits[split], seed});
    }
    Lane entry;
    entry.stage = &stage;
    ARROW_ASSIGN_OR_RAISE(entry.pipeline, wiring_.pipelines->Take(stage));
    entry.pipeline->Begin(task_->info);
    connectors::ReaderContext reader = wiring_.reader;
    reader.epoch_time_us = task_->info.epoch_time_us;
    entry.runner = std::make_unique<LaneRunner>(
        lane, std::move(own), wiring_.plan->readers[stage.source], std::move(reader), MakeContext(),
        entry.pipeline.get(), output);
    // Lanes without a split leave cores idle.
    if (splits.size() < static_cast<size_t>(task_->lanes)) entry.runner->ReadAhead();
    lanes_.push_back(std::move(entry));
    ++running_;
  }
  return arrow::Status::OK();
}

arrow::Status EpochRun::AddKeyedStage(const StagePlan& stage, RowOutput* output) {
  KeyedStage entry;
  entry.stage = &stage;
  ARROW_ASSIGN_OR_RAISE(entry.pipeline, wiring_.pipelines->Take(stage));
  entry.pipeline->Begin(task_->info);
  StageRunner::Place place{wiring_.self, stage.is_gathered, LanesOf(stage.inputs),
                           wiring_.key_groups};
  entry.runner =
      std::make_unique<StageRunner>(&stage, std::move(place), task_->id, wiring_.assignment,
                                    MakeContext(), entry.pipeline.get(), output, wiring_.network);
  stages_.push_back(std::move(entry));
  ++running_;
  return arrow::Status::OK();
}

// How many lanes a stage puts out: those of its source, one per key group, or one.
int EpochRun::LanesOf(int stage_id) const {
  for (const StagePlan& stage : wiring_.plan->stages) {
    if (stage.id != stage_id) continue;
    if (stage.source >= 0) return task_->lanes;
    return stage.is_gathered ? 1 : wiring_.assignment->num_key_groups();
  }
  return 0;
}

std::vector<int> EpochRun::LanesOf(const std::vector<StageInputPlan>& inputs) const {
  std::vector<int> lanes;
  lanes.reserve(inputs.size());
  for (const StageInputPlan& input : inputs) lanes.push_back(LanesOf(input.stage));
  return lanes;
}

bool EpochRun::MayRun(const StagePlan& stage) const {
  return std::all_of(stage.broadcasts.begin(), stage.broadcasts.end(),
                     [this](int broadcast) { return broadcasts_[broadcast].is_done(); });
}

arrow::Status EpochRun::AddFrame(ExchangeFrame frame) {
  for (KeyedStage& stage : stages_) {
    for (const StageInputPlan& input : stage.stage->inputs) {
      if (input.stage == frame.stage) return stage.runner->AddFrame(std::move(frame));
    }
  }
  for (BroadcastRunner& broadcast : broadcasts_) {
    for (const StageInputPlan& input : broadcast.plan().inputs) {
      if (input.stage == frame.stage) return broadcast.AddFrame(std::move(frame));
    }
  }
  return arrow::Status::OK();
}

void EpochRun::AddProgress(const ExchangeProgress& progress) {
  if (auto output = outputs_.find(progress.stage); output != outputs_.end())
    output->second->OnProgress(progress);
}

arrow::Status EpochRun::StepBroadcasts(bool* made_progress) {
  for (BroadcastRunner& broadcast : broadcasts_) {
    if (broadcast.is_done()) continue;
    ARROW_ASSIGN_OR_RAISE(const StepResult result, broadcast.Step());
    *made_progress |= result != StepResult::kBlocked;
    if (result == StepResult::kDone) --running_;
  }
  return arrow::Status::OK();
}

arrow::Result<StepResult> EpochRun::Step() {
  if (running_ == 0) return StepResult::kDone;
  bool made_progress = false;
  ARROW_RETURN_NOT_OK(StepBroadcasts(&made_progress));
  for (KeyedStage& stage : stages_) {
    if (stage.is_done || !MayRun(*stage.stage)) continue;
    ARROW_ASSIGN_OR_RAISE(StepResult result, stage.runner->Step());
    made_progress |= result != StepResult::kBlocked;
    if (result == StepResult::kDone) {
      stage.is_done = true;
      --running_;
    }
  }
  // A lane that is ahead of another one waits for its turn, so that consumers can interleave them.
  for (Lane& lane : lanes_) {
    if (lane.is_done || !MayRun(*lane.stage)) continue;
    ARROW_ASSIGN_OR_RAISE(StepResult result, lane.runner->Step());
    made_progress |= result != StepResult::kBlocked;
    if (result == StepResult::kDone) {
      lane.is_done = true;
      --running_;
    }
  }
  for (auto& [stage, output] : outputs_) output->Flush();
  if (running_ == 0) return StepResult::kDone;
  return made_progress ? StepResult::kProgress : StepResult::kBlocked;
}

std::vector<int64_t> EpochRun::source_rows() const {
  std::vector<int64_t> rows(wiring_.plan->sources.size(), 0);
  for (const Lane& lane : lanes_) rows[lane.stage->source] += lane.runner->rows_read();
  return rows;
}

EpochCounters EpochRun::counters() const {
  EpochCounters counters;
  for (const Lane& lane : lanes_) lane.pipeline->Report(&counters);
  for (const KeyedStage& stage : stages_) stage.pipeline->Report(&counters);
  return counters;
}

int64_t EpochRun::output_rows() const {
  int64_t rows = 0;
  for (const SinkOutput* sink : sinks_) rows += sink->rows_written();
  return rows;
}

}  // namespace tidemill::worker
