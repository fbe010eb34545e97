#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

#include "connectors/sink.h"
#include "driver/epoch/watermark.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/plan/stages/join_steps.h"

namespace tidemill::driver {

// One step of a stage. `node` holds the expressions; an aggregation is two steps with the same
// node.
struct StageOperator {
  enum class Kind {
    kFilter,
    kProject,
    kGenerate,
    kPartialAggregate,
    kFinalAggregate,
    kSort,
    kLimit,
    kWatermark,
    kDeduplicate,
    kSessionAggregate,  // in the place of kFinalAggregate
    kGlobalLimit,       // over all epochs of a stream
    kWindow,
    kJoin,
  };
  Kind kind = Kind::kFilter;
  LogicalPlanPtr node;
  std::shared_ptr<arrow::Schema> schema;  // of the output
  int operator_id = -1;                   // of a stateful operator: counted from the sources up
  int watermark = -1;                     // of kWatermark: counted likewise
  // Of a stateful operator: when it emits, and whether its state begins every epoch empty (it is
  // over bounded input).
  connectors::OutputMode mode = connectors::OutputMode::kAppend;
  bool is_ephemeral = false;
  int64_t ttl_us =
      0;  // of a stateful operator: how long its keys live without a change; 0: for ever
  std::shared_ptr<const JoinSteps> join = nullptr;  // of kJoin
  int broadcast = -1;  // of one with a broadcast: index into StagedPlan::broadcasts
};

enum class StageOutput { kHash, kGather, kSink, kBroadcast };

// What a stage takes from another one. `side` says which input of the stage's first operator it is:
// 1 for the right side of a join, else 0.
struct StageInput {
  int stage = 0;  // id of the producer
  int side = 0;
  bool is_build = false;  // taken to its end before the other inputs
  bool is_kept = false;   // of a build side: its rows depend on the splits of a static table alone
};

// A pipeline between exchanges: it reads a source (once per lane) or what other stages send.
struct StageSpec {
  int id = 0;
  int source = -1;                              // index into StagedPlan::reads, or -1
  std::vector<StageInput> inputs;               // of a stage without source
  std::shared_ptr<arrow::Schema> input_schema;  // of every input on side 0
  std::vector<StageOperator> operators;
  StageOutput output = StageOutput::kSink;
  std::vector<int> output_keys;  // of kHash: columns of the output
  bool is_gathered = false;      // all rows are at the owner of key group 0

  const std::shared_ptr<arrow::Schema>& output_schema() const {
    return operators.empty() ? input_schema : operators.back().schema;
  }
};

// A build side that every slot gets whole.
struct BroadcastSpec {
  std::vector<int> stages;  // that put it out
  bool is_kept = false;     // as StageInput::is_kept
};

// Stages in topological order, numbered in it; those that no other one reads output to the sink
// (several under a union). *Plain data.*
struct StagedPlan {
  std::vector<LogicalPlanPtr> reads;  // the ReadNodes, one for each source stage
  std::vector<StageSpec> stages;
  std::vector<BroadcastSpec> broadcasts;
  WatermarkGraph watermarks;
};

// Cuts an optimized plan at its exchanges: before an aggregation by hash of its keys (with a
// partial aggregation in front), before the first sort or limit, and before a sink with a single
// writer, to one place; both sides of a join by hash of its keys, unless one is bounded and no
// larger than `broadcast_bytes`: that one is broadcast, and the join runs in the stage of the
// other. A union costs no stage: what stands above it runs behind each of its branches.
arrow::Result<StagedPlan> SplitIntoStages(const LogicalPlanPtr& plan,
                                          connectors::OutputMode output_mode,
                                          const connectors::SinkNeeds& needs,
                                          int64_t broadcast_bytes);

}  // namespace tidemill::driver
