#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

#include "connectors/sink.h"
#include "driver/plan/logical/logical_plan.h"

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
  };
  Kind kind = Kind::kFilter;
  LogicalPlanPtr node;
  std::shared_ptr<arrow::Schema> schema;  // of the output
  int operator_id = -1;                   // of a stateful operator: counted from the sources up
};

enum class StageOutput { kHash, kGather, kSink };

// A pipeline between exchanges: it reads a source (once per lane) or what another stage sends.
struct StageSpec {
  int id = 0;
  int source = -1;          // index into StagedPlan::reads, or -1
  int exchange_stage = -1;  // id of the producer, or -1
  std::shared_ptr<arrow::Schema> input_schema;
  std::vector<StageOperator> operators;
  StageOutput output = StageOutput::kSink;
  std::vector<int> output_keys;  // of kHash: columns of the output
  bool is_gathered = false;      // all rows are at the owner of key group 0

  const std::shared_ptr<arrow::Schema>& output_schema() const {
    return operators.empty() ? input_schema : operators.back().schema;
  }
};

// Stages in topological order, the last one outputs to the sink. *Plain data.*
struct StagedPlan {
  std::vector<LogicalPlanPtr> reads;  // the ReadNodes, one for each source stage
  std::vector<StageSpec> stages;
};

// Cuts an optimized plan at its exchanges: before an aggregation by hash of its keys (with a
// partial aggregation in front), before the first sort or limit, and before a sink with a single
// writer, to one place.
arrow::Result<StagedPlan> SplitIntoStages(const LogicalPlanPtr& plan,
                                          const connectors::SinkNeeds& needs);

}  // namespace tidemill::driver
