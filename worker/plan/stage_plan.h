#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "common/expr/evaluator.h"
#include "connectors/sink.h"
#include "connectors/source.h"
#include "worker/aggregates/aggregate_kernel.h"
#include "worker/join/join_plan.h"
#include "worker/operators/event_time.h"

namespace tidemill::proto {
class PhysicalPlan;
}

namespace tidemill::worker {

using CompiledExprPtr = std::shared_ptr<const CompiledExpr>;

// The operators of a plan with their kernels bound; shared by all slots of a worker. *Immutable.*
struct FilterPlan {
  CompiledExprPtr condition;
};
struct ProjectPlan {
  std::vector<CompiledExprPtr> exprs;
};
struct GeneratePlan {
  std::string function;
  std::vector<CompiledExprPtr> args;
  std::vector<int> kept_columns;
};
struct PartialAggregatePlan {
  std::vector<CompiledExprPtr> keys;
  std::vector<std::shared_ptr<arrow::DataType>> key_types;
  std::vector<std::vector<CompiledExprPtr>> inputs;  // by aggregate, as its signature says
  std::vector<CompiledExprPtr> filters;              // by aggregate; nullptr for none
  bool is_per_batch = false;  // behind an exchange: nothing is kept between batches
  std::vector<std::shared_ptr<const AggregateKernel>> kernels;
};
struct WatermarkPlan {
  int number = 0;  // of the plan's watermarks
  EventTimeColumn event_time;
};
struct FinalAggregatePlan {
  int operator_id = 0;
  EventTimeColumn event_key;  // among the keys
  bool is_ephemeral = false;
  std::vector<std::shared_ptr<arrow::DataType>> key_types;
  std::vector<std::shared_ptr<const AggregateKernel>> kernels;
  connectors::OutputMode output_mode = connectors::OutputMode::kAppend;
  int64_t ttl_us = 0;  // 0: keys stay. Else the last value column says when the key goes
};
// Of sessions: `session_key` is the place of the struct<start,end> among the keys.
struct SessionAggregatePlan : FinalAggregatePlan {
  int session_key = 0;
};
struct DeduplicatePlan {
  int operator_id = 0;
  std::vector<int> key_columns;  // of the input
  std::vector<std::shared_ptr<arrow::DataType>> key_types;
  EventTimeColumn event_time;       // of the input: says which rows are late
  EventTimeColumn event_key;        // among the keys: says when they are forgotten
  std::optional<int64_t> delay_us;  // within the watermark: how long after their first row
  bool is_ephemeral = false;
  int64_t ttl_us = 0;  // 0: no time to live
};
struct GlobalLimitPlan {
  int operator_id = 0;
  int64_t count = 0;
};
struct SortPlan {
  std::vector<CompiledExprPtr> keys;
  std::vector<bool> descending;
  std::vector<bool> nulls_first;
};
struct LimitPlan {
  int64_t count = 0;
  int64_t offset = 0;  // rows that are left out before
};

// The rows of a window that a function sees.
struct WindowFramePlan {
  struct Bound {
    enum class Kind {
      kUnbounded,
      kRows,   // `rows` behind the row, in front of it where negative
      kPeers,  // with the rows that the order does not tell from this one
      kValue,  // where the one order key reaches `value`
    };
    Kind kind = Kind::kUnbounded;
    int64_t rows = 0;
    CompiledExprPtr value;
  };
  Bound begin;
  Bound end;
};
struct WindowCallPlan {
  enum class Kind {
    kRanking,     // `number`: of ntile's buckets
    kOffset,      // args: the value, and what stands for a missing row; `number`: how far
    kFrameValue,  // `number`: which row of the frame, from 1 or, negative, from its end
    kAggregate,
  };
  Kind kind = Kind::kRanking;
  std::string function;
  int64_t number = 0;
  bool ignore_nulls = false;
  std::vector<CompiledExprPtr> args;
  std::shared_ptr<const AggregateKernel> kernel;
  WindowFramePlan frame;
};
struct WindowPlan {
  std::vector<int> partition_columns;
  SortPlan order;
  std::vector<WindowCallPlan> calls;
};

struct OperatorPlan {
  std::shared_ptr<arrow::Schema> schema;  // of the output
  std::variant<FilterPlan, ProjectPlan, GeneratePlan, PartialAggregatePlan, FinalAggregatePlan,
               SortPlan, LimitPlan, WatermarkPlan, DeduplicatePlan, GlobalLimitPlan,
               SessionAggregatePlan, WindowPlan, JoinPlan>
      op;
};

enum class StageOutput { kHash, kGather, kSink, kBroadcast };

// What a stage, or a broadcast, takes from another one; side 1 is the right side of the join that
// it begins with.
struct StageInputPlan {
  int stage = 0;  // the producing stage
  int side = 0;
  bool is_build = false;  // taken to its end before the other inputs
  bool is_kept = false;   // EpochInfo::keeps_builds is about it
  std::shared_ptr<arrow::Schema> schema;
};

struct StagePlan {
  int id = 0;
  int source = -1;                     // index into sources, or -1
  std::vector<StageInputPlan> inputs;  // of a stage without source
  std::vector<int> broadcasts;         // that its joins look up in
  std::shared_ptr<arrow::Schema> input_schema;
  std::vector<OperatorPlan> operators;
  StageOutput output = StageOutput::kSink;
  std::vector<int> output_keys;
  bool is_gathered = false;
  bool is_kept = false;  // of a source stage: it leads to an input that is

  const std::shared_ptr<arrow::Schema>& output_schema() const {
    return operators.empty() ? input_schema : operators.back().schema;
  }
};

// Rows that every slot gets whole: the build side of joins that stand anywhere in other stages.
struct BroadcastPlan {
  std::vector<StageInputPlan> inputs;
  JoinPlan join;  // one of them: what a row's key is, and which rows can have partners
};

// What a stateful operator keeps: names its tables in the state.
struct StatefulOperator {
  int operator_id = 0;
  std::string name;  // Spark's, for progress
  std::vector<std::shared_ptr<arrow::DataType>> key_types;
  std::vector<std::shared_ptr<arrow::DataType>> value_types;
  bool is_ephemeral = false;  // begins every epoch empty: of a query's bounded part
  int progress_id = -1;       // the operator that it is a part of, where it is one
  bool is_evictable = false;  // asks for rows by key only, so that they need not be in memory
};

// Ids of those that are evictable.
std::set<int> EvictableIds(const std::vector<StatefulOperator>& operators);

struct JobPlan {
  std::vector<connectors::SourceSpec> sources;
  std::vector<std::shared_ptr<connectors::SourceReader>> readers;
  std::vector<StagePlan> stages;  // a producer before its consumer
  std::vector<BroadcastPlan> broadcasts;
  std::vector<StatefulOperator> stateful;
  connectors::SinkSpec sink;
  std::shared_ptr<const TimeZone> zone;
};

// Binds a plan from the wire. Errors: kBug PLAN_INVALID for what the driver should not have sent.
arrow::Result<std::shared_ptr<const JobPlan>> ReadPlan(const proto::PhysicalPlan& message,
                                                       std::string job_uuid, std::string job_name);

}  // namespace tidemill::worker
