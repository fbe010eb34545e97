#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "worker/exchange/exchange_network.h"
#include "worker/plan/stage_plan.h"
#include "worker/slot/broadcast_runner.h"
#include "worker/slot/epoch_task.h"
#include "worker/slot/lane_runner.h"
#include "worker/slot/stage_runner.h"

namespace tidemill::worker {

// Pipelines of a job on a slot, kept from epoch to epoch. *Thread-compatible.*
class PipelinePool {
 public:
  // Both must outlive this.
  PipelinePool(OperatorStates* states, const BroadcastTables* broadcasts)
      : states_(states), broadcasts_(broadcasts) {}

  arrow::Result<std::unique_ptr<Pipeline>> Take(const StagePlan& stage);
  void GiveBack(const StagePlan& stage, std::unique_ptr<Pipeline> pipeline);

 private:
  OperatorStates* const states_;
  const BroadcastTables* const broadcasts_;
  std::map<int, std::vector<std::unique_ptr<Pipeline>>> idle_;  // by stage
};

// One attempt of an epoch on one slot: the lanes and stages that fall to it, wired to their
// outputs, and the broadcasts that they look up in. *Thread-compatible.*
class EpochRun {
 public:
  struct Wiring {
    const JobPlan* plan = nullptr;
    const Assignment* assignment = nullptr;
    int self = 0;
    std::vector<uint32_t> key_groups;  // owned
    const std::map<int, std::unique_ptr<HashPartitioner>>* partitioners = nullptr;
    connectors::SinkWriter* writer = nullptr;  // null where no sink stage runs here
    PipelinePool* pipelines = nullptr;
    const BroadcastTables* broadcasts = nullptr;
    ExchangeNetwork* network = nullptr;
    connectors::ReaderContext reader;  // all but the epoch time
  };

  // Everything in `wiring` must outlive this.
  static arrow::Result<std::unique_ptr<EpochRun>> Make(std::shared_ptr<const EpochTask> task,
                                                       Wiring wiring);
  ~EpochRun();

  // Errors: a frame that does not fit the job or its lane; the attempt cannot go on.
  arrow::Status AddFrame(ExchangeFrame frame);
  void AddProgress(const ExchangeProgress& progress);

  // One piece of work for everything that is ready; kDone once, when all input is consumed.
  arrow::Result<StepResult> Step();

  const EpochTask& task() const { return *task_; }
  bool has_writer() const { return wiring_.writer != nullptr; }
  std::vector<int64_t> source_rows() const;  // by source
  int64_t output_rows() const;
  EpochCounters counters() const;

 private:
  struct Lane {
    const StagePlan* stage = nullptr;
    std::unique_ptr<Pipeline> pipeline;
    std::unique_ptr<LaneRunner> runner;
    bool is_done = false;
  };
  struct KeyedStage {
    const StagePlan* stage = nullptr;
    std::unique_ptr<Pipeline> pipeline;
    std::unique_ptr<StageRunner> runner;
    bool is_done = false;
  };

  EpochRun(std::shared_ptr<const EpochTask> task, Wiring wiring);

  void AddBroadcasts();
  arrow::Status AddStage(const StagePlan& stage);
  arrow::Status AddLanes(const StagePlan& stage, RowOutput* output);
  arrow::Status AddKeyedStage(const StagePlan& stage, RowOutput* output);
  std::unique_ptr<RowOutput> MakeOutput(const StagePlan& stage) const;
  EvalContext MakeContext() const;
  int LanesOf(int stage_id) const;
  std::vector<int> LanesOf(const std::vector<StageInputPlan>& inputs) const;
  // Whether the broadcasts that the stage looks up in are here.
  bool MayRun(const StagePlan& stage) const;
  arrow::Status StepBroadcasts(bool* made_progress);

  const std::shared_ptr<const EpochTask> task_;
  const Wiring wiring_;
  std::map<int, std::unique_ptr<RowOutput>> outputs_;  // by stage
  std::vector<BroadcastRunner> broadcasts_;
  std::vector<Lane> lanes_;
  std::vector<KeyedStage> stages_;  // consumers before producers: a full exchange drains first
  std::vector<SinkOutput*> sinks_;
  int running_ = 0;
};

}  // namespace tidemill::worker
