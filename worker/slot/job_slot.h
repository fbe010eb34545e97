#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/executor.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "worker/operators/operator_states.h"
#include "worker/plan/stage_plan.h"
#include "worker/slot/epoch_run.h"
#include "worker/slot/epoch_task.h"

namespace tidemill::worker {

struct SlotEnvironment {
  FileSystem* fs = nullptr;
  Executor* io = nullptr;
  Random* random = nullptr;
  ExchangeNetwork* network = nullptr;
};

// What a job needs to know on every slot of a worker. *Immutable.*
struct DeployedJob {
  std::string job;
  std::shared_ptr<const JobPlan> plan;
  int num_key_groups = 0;
  bool is_durable = true;
  state::ChangelogCodec changelog_codec = state::ChangelogCodec::kNone;
};

// A hot table that restore has filled for this slot.
struct RestoredTable {
  int operator_id = 0;
  uint32_t key_group = 0;
  std::unique_ptr<state::HotTable> table;
};

// One job on one slot: its tables, its pipelines and the attempt that runs. *Thread-compatible*:
// touched by the slot's thread only.
class JobSlot {
 public:
  // `wake` makes the slot call Step again; callable from any thread, also after this is gone.
  static arrow::Result<std::unique_ptr<JobSlot>> Make(int slot,
                                                      std::shared_ptr<const DeployedJob> job,
                                                      SlotEnvironment environment,
                                                      SlotListener* listener,
                                                      std::function<void()> wake);

  // Between epochs. `self` is this slot's index in assignment->slots.
  arrow::Status Assign(std::shared_ptr<const Assignment> assignment, int self,
                       std::vector<RestoredTable> tables);

  // Settles the open epoch as the task says and starts the attempt. Where `capture` is not 0, the
  // rows changed since the last capture go to the listener before anything of the new epoch touches
  // them.
  void RunEpoch(std::shared_ptr<const EpochTask> task, uint64_t capture);
  void Commit(int64_t epoch, uint64_t attempt, uint64_t capture);
  void Abort();
  // Between epochs, once what was captured is flushed; the listener learns of it.
  void Evict(const Eviction& eviction);
  // Settles the open epoch and forgets all captures: what they were for may be gone.
  void Adopt(int64_t committed_epoch, uint64_t committed_attempt, bool forgets_captures);

  void AddFrames(const AttemptId& id, std::vector<ExchangeFrame> frames);
  void AddProgress(const AttemptId& id, const ExchangeProgress& progress);

  // Does one piece of every ready runner; true when there was something to do.
  bool Step();

 private:
  JobSlot(int slot, std::shared_ptr<const DeployedJob> job, SlotEnvironment environment,
          SlotListener* listener, std::function<void()> wake);

  void SettleOpenEpoch(int64_t committed_epoch, uint64_t committed_attempt);
  void Capture(uint64_t capture);
  arrow::Status Start(std::shared_ptr<const EpochTask> task);
  bool RunsHere(const StagePlan& stage) const;
  void ReportOperators(const EpochCounters& counters, SlotReport* report);
  void Finish();
  void Fail(const arrow::Status& error);
  arrow::Status MakePartitioners();

  const int slot_;
  const std::shared_ptr<const DeployedJob> job_;
  const SlotEnvironment environment_;
  SlotListener* const listener_;
  const std::function<void()> wake_;

  std::shared_ptr<const Assignment> assignment_;
  int self_ = -1;
  std::unique_ptr<OperatorStates> states_;
  std::map<int, std::unique_ptr<HashPartitioner>> partitioners_;  // by producing stage
  BroadcastTables broadcasts_;
  std::unique_ptr<PipelinePool> pipelines_;
  std::unique_ptr<connectors::SinkWriter> writer_;

  AttemptId last_;  // newest attempt started
  bool is_open_ = false;
  std::unique_ptr<EpochRun> run_;
  // Of attempts that other slots have begun before this one.
  std::vector<std::pair<AttemptId, ExchangeFrame>> early_frames_;
  std::vector<std::pair<AttemptId, ExchangeProgress>> early_progress_;
};

}  // namespace tidemill::worker
