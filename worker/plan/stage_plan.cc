#include "worker/plan/stage_plan.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/types/ddl.h"
#include "proto/plan.pb.h"
#include "worker/aggregates/accumulators.h"
#include "worker/plan/compiled_exprs.h"
#include "worker/plan/expr_reader.h"
#include "worker/plan/join_reader.h"
#include "worker/plan/window_reader.h"
#include "worker/stateful/session_aggregate.h"

namespace tidemill::worker {

namespace {

connectors::OutputMode ReadOutputMode(proto::OutputMode mode) {
  switch (mode) {
    case proto::UPDATE:
      return connectors::OutputMode::kUpdate;
    case proto::COMPLETE:
      return connectors::OutputMode::kComplete;
    default:
      return connectors::OutputMode::kAppend;
  }
}

Options ReadOptions(const google::protobuf::Map<std::string, std::string>& map) {
  Options options;
  for (const auto& [key, value] : map) options.Set(key, value);
  return options;
}

arrow::Result<std::shared_ptr<const AggregateKernel>> ReadKernel(const proto::Aggregate& message) {
  std::vector<ExprPtr> args;
  for (const proto::Expr& arg : message.args()) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr expr, ReadExpr(arg));
    args.push_back(std::move(expr));
  }
  std::vector<AggregateOrder> order(message.order_keys_size());
  for (int i = 0; i < message.order_keys_size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(order[i].expr, ReadExpr(message.order_keys(i)));
    order[i].is_descending = message.order_descending(i);
    order[i].nulls_first = message.order_nulls_first(i);
  }
  ARROW_ASSIGN_OR_RAISE(BoundAggregate signature,
                        ResolveAggregateCall({.name = message.function(),
                                              .args = args,
                                              .order = order,
                                              .is_distinct = message.is_distinct()},
                                             {message.span_begin(), message.span_end()}));
  return MakeAggregateKernel(signature);
}

arrow::Result<std::vector<std::shared_ptr<arrow::DataType>>> ReadTypes(
    const google::protobuf::RepeatedPtrField<std::string>& texts) {
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const std::string& text : texts) {
    ARROW_ASSIGN_OR_RAISE(auto type, ParseDdlType(text));
    types.push_back(std::move(type));
  }
  return types;
}

EventTimeColumn ReadEventTime(const proto::EventTimeColumn& message) {
  return {message.column(), message.span_us()};
}

arrow::Result<FinalAggregatePlan> ReadFinalAggregate(const proto::FinalAggregateOp& message) {
  FinalAggregatePlan plan;
  plan.operator_id = message.operator_id();
  plan.output_mode = ReadOutputMode(message.mode());
  plan.is_ephemeral = message.is_ephemeral();
  if (message.has_event_key()) plan.event_key = ReadEventTime(message.event_key());
  plan.ttl_us = message.ttl_us();
  ARROW_ASSIGN_OR_RAISE(plan.key_types, ReadTypes(message.key_types()));
  for (const proto::Aggregate& call : message.aggregates()) {
    ARROW_ASSIGN_OR_RAISE(auto kernel, ReadKernel(call));
    plan.kernels.push_back(std::move(kernel));
  }
  return plan;
}

arrow::Result<DeduplicatePlan> ReadDeduplicate(const proto::DeduplicateOp& message) {
  DeduplicatePlan plan;
  plan.operator_id = message.operator_id();
  plan.key_columns.assign(message.key_columns().begin(), message.key_columns().end());
  ARROW_ASSIGN_OR_RAISE(plan.key_types, ReadTypes(message.key_types()));
  if (message.has_event_time()) plan.event_time = ReadEventTime(message.event_time());
  if (message.has_event_key()) plan.event_key = ReadEventTime(message.event_key());
  if (message.has_delay_us()) plan.delay_us = message.delay_us();
  plan.is_ephemeral = message.is_ephemeral();
  plan.ttl_us = message.ttl_us();
  return plan;
}

bool IsNotNullLiteral(const Expr& expr) {
  return expr.kind == Expr::Kind::kLiteral && expr.literal->is_valid;
}

arrow::Status ReadCall(const proto::Aggregate& message, PartialAggregatePlan* plan) {
  ARROW_ASSIGN_OR_RAISE(auto kernel, ReadKernel(message));
  std::vector<CompiledExprPtr>& inputs = plan->inputs.emplace_back();
  for (const int arg : kernel->signature().input_args) {
    ARROW_ASSIGN_OR_RAISE(auto input, CompileMessage(message.args(arg)));
    const bool is_counted_always =
        kernel->signature().name == "count" && IsNotNullLiteral(*input->expr());
    if (!is_counted_always) inputs.push_back(std::move(input));
  }
  ARROW_ASSIGN_OR_RAISE(auto keys, CompileAll(message.order_keys()));
  inputs.insert(inputs.end(), keys.begin(), keys.end());
  CompiledExprPtr filter;
  if (message.has_filter()) {
    ARROW_ASSIGN_OR_RAISE(filter, CompileMessage(message.filter()));
  }
  plan->filters.push_back(std::move(filter));
  plan->kernels.push_back(std::move(kernel));
  return arrow::Status::OK();
}

arrow::Result<OperatorPlan> ReadOperator(const proto::Operator& message) {
  OperatorPlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.schema, ParseDdlSchema(message.schema()));
  switch (message.op_case()) {
    case proto::Operator::kFilter: {
      ARROW_ASSIGN_OR_RAISE(auto condition, CompileMessage(message.filter().condition()));
      plan.op = FilterPlan{std::move(condition)};
      return plan;
    }
    case proto::Operator::kProject: {
      ARROW_ASSIGN_OR_RAISE(auto exprs, CompileAll(message.project().exprs()));
      plan.op = ProjectPlan{std::move(exprs)};
      return plan;
    }
    case proto::Operator::kGenerate: {
      ARROW_ASSIGN_OR_RAISE(auto args, CompileAll(message.generate().args()));
      const auto& kept = message.generate().kept_columns();
      plan.op =
          GeneratePlan{message.generate().function(), std::move(args), {kept.begin(), kept.end()}};
      return plan;
    }
    case proto::Operator::kPartialAggregate: {
      PartialAggregatePlan aggregate;
      ARROW_ASSIGN_OR_RAISE(aggregate.keys, CompileAll(message.partial_aggregate().keys()));
      for (const auto& key : aggregate.keys) aggregate.key_types.push_back(key->expr()->type);
      for (const proto::Aggregate& call : message.partial_aggregate().aggregates()) {
        ARROW_RETURN_NOT_OK(ReadCall(call, &aggregate));
      }
      plan.op = std::move(aggregate);
      return plan;
    }
    case proto::Operator::kFinalAggregate: {
      ARROW_ASSIGN_OR_RAISE(plan.op, ReadFinalAggregate(message.final_aggregate()));
      return plan;
    }
    case proto::Operator::kSessionAggregate: {
      const proto::SessionAggregateOp& sessions = message.session_aggregate();
      ARROW_ASSIGN_OR_RAISE(auto aggregate, ReadFinalAggregate(sessions.aggregate()));
      plan.op = SessionAggregatePlan{std::move(aggregate), sessions.session_key()};
      return plan;
    }
    case proto::Operator::kSort: {
      ARROW_ASSIGN_OR_RAISE(SortPlan sort, ReadSort(message.sort()));
      plan.op = std::move(sort);
      return plan;
    }
    case proto::Operator::kLimit:
      plan.op = LimitPlan{message.limit().count(), message.limit().offset()};
      return plan;
    case proto::Operator::kWatermark:
      plan.op = WatermarkPlan{message.watermark().number(), {message.watermark().column(), 0}};
      return plan;
    case proto::Operator::kDeduplicate: {
      ARROW_ASSIGN_OR_RAISE(plan.op, ReadDeduplicate(message.deduplicate()));
      return plan;
    }
    case proto::Operator::kGlobalLimit:
      plan.op =
          GlobalLimitPlan{message.global_limit().operator_id(), message.global_limit().count()};
      return plan;
    case proto::Operator::kWindow: {
      ARROW_ASSIGN_OR_RAISE(plan.op, ReadWindow(message.window(), ReadKernel));
      return plan;
    }
    case proto::Operator::kJoin:  // PlanReader: needs to know where it stands.
    case proto::Operator::OP_NOT_SET:
      break;
  }
  return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                   fmt::format("plan from the driver: unknown operator: case={}",
                               static_cast<int>(message.op_case())));
}

// What a stateful operator keeps; nothing for the others. Names are Spark's.
std::optional<StatefulOperator> StateOf(const OperatorPlan& plan) {
  if (const auto* aggregate = std::get_if<FinalAggregatePlan>(&plan.op)) {
    StatefulOperator entry{aggregate->operator_id, "stateStoreSave", aggregate->key_types,
                           Accumulators::TypesOf(aggregate->kernels), aggregate->is_ephemeral};
    if (aggregate->ttl_us > 0) entry.value_types.push_back(arrow::int64());
    entry.is_evictable = !aggregate->is_ephemeral && !aggregate->key_types.empty() &&
                         !aggregate->event_key.exists() && aggregate->ttl_us == 0 &&
                         aggregate->output_mode == connectors::OutputMode::kUpdate;
    return entry;
  }
  if (const auto* sessions = std::get_if<SessionAggregatePlan>(&plan.op)) {
    return StatefulOperator{sessions->operator_id, "sessionWindowStateStoreSaveExec",
                            SessionAggregate::KeyTypes(*sessions),
                            SessionAggregate::ValueTypes(*sessions), sessions->is_ephemeral};
  }
  if (const auto* deduplicate = std::get_if<DeduplicatePlan>(&plan.op)) {
    StatefulOperator entry{
        deduplicate->operator_id, "dedupe", deduplicate->key_types, {}, deduplicate->is_ephemeral};
    if (deduplicate->delay_us) entry.name = "dedupeWithinWatermark";
    if (deduplicate->delay_us || deduplicate->ttl_us > 0)
      entry.value_types.push_back(arrow::int64());  // when the key goes, in microseconds
    entry.is_evictable =
        !deduplicate->is_ephemeral && entry.value_types.empty() && !deduplicate->event_key.exists();
    return entry;
  }
  if (const auto* limit = std::get_if<GlobalLimitPlan>(&plan.op)) {
    return StatefulOperator{limit->operator_id, "globalLimit", {}, {arrow::int64()}, false};
  }
  return std::nullopt;
}

arrow::Status Invalid(std::string_view what, int stage) {
  return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                   fmt::format("plan from the driver: {}: stage={}", what, stage));
}

// Reads stages in their order, and with them what they broadcast.
class StageReader {
 public:
  StageReader(const proto::PhysicalPlan& message, JobPlan* plan) : message_(message), plan_(plan) {}

  arrow::Status Read() {
    for (const proto::Broadcast& broadcast : message_.broadcasts()) {
      if (broadcast.stages().empty()) return Invalid("a broadcast of nothing", -1);
      plan_->broadcasts.emplace_back();
    }
    for (const proto::Stage& stage : message_.stages()) ARROW_RETURN_NOT_OK(ReadStage(stage));
    for (const BroadcastPlan& broadcast : plan_->broadcasts) {
      if (broadcast.inputs.empty()) return Invalid("a broadcast that no join takes", -1);
    }
    return arrow::Status::OK();
  }

 private:
  arrow::Status ReadStage(const proto::Stage& message);
  // The output of a stage before `consumer`, which learns whether it is kept.
  arrow::Result<StageInputPlan> ReadInput(int stage, bool is_kept, int consumer);
  arrow::Result<JoinPlan> ReadJoin(const proto::JoinOp& message, const StagePlan& stage);
  arrow::Result<JoinPlan> ReadBroadcastJoin(const proto::JoinOp& message, const StagePlan& stage);

  const proto::PhysicalPlan& message_;
  JobPlan* const plan_;
};

arrow::Result<StageInputPlan> StageReader::ReadInput(int stage, bool is_kept, int consumer) {
  for (StagePlan& candidate : plan_->stages) {
    if (candidate.id != stage) continue;
    candidate.is_kept = is_kept;
    StageInputPlan input;
    input.stage = stage;
    input.is_kept = is_kept;
    input.schema = candidate.output_schema();
    return input;
  }
  return Invalid(fmt::format("no stage {} before its consumer", stage), consumer);
}

arrow::Result<JoinPlan> StageReader::ReadJoin(const proto::JoinOp& message,
                                              const StagePlan& stage) {
  if (message.has_broadcast()) return ReadBroadcastJoin(message, stage);
  if (!stage.operators.empty()) return Invalid("a join behind other operators", stage.id);
  JoinInputs inputs;
  bool is_kept = false;
  for (const StageInputPlan& input : stage.inputs) {
    inputs[input.side == 1 ? 1 : 0] = input.schema;
    is_kept = is_kept || input.is_kept;
  }
  ARROW_ASSIGN_OR_RAISE(JoinPlan join, worker::ReadJoin(message, inputs));
  join.keeps_build = is_kept;
  return join;
}

arrow::Result<JoinPlan> StageReader::ReadBroadcastJoin(const proto::JoinOp& message,
                                                       const StagePlan& stage) {
  const int number = message.broadcast();
  if (number < 0 || number >= message_.broadcasts_size()) {
    return Invalid("a join with an unknown broadcast", stage.id);
  }
  const proto::Broadcast& from = message_.broadcasts(number);
  BroadcastPlan& broadcast = plan_->broadcasts[number];
  const bool is_new = broadcast.inputs.empty();
  if (is_new) {
    for (const int producer : from.stages()) {
      ARROW_ASSIGN_OR_RAISE(broadcast.inputs.emplace_back(),
                            ReadInput(producer, from.is_kept(), stage.id));
    }
  }
  const int build = message.build_side() == 0 ? 0 : 1;
  JoinInputs inputs;
  inputs[build] = broadcast.inputs[0].schema;
  inputs[1 - build] = stage.output_schema();
  ARROW_ASSIGN_OR_RAISE(JoinPlan join, worker::ReadJoin(message, inputs));
  if (join.is_symmetric || join.keeps_unmatched(build)) {
    return Invalid("a join that cannot take a broadcast", stage.id);
  }
  join.keeps_build = from.is_kept();
  if (is_new) broadcast.join = join;
  return join;
}

arrow::Status StageReader::ReadStage(const proto::Stage& message) {
  StagePlan stage;
  stage.id = message.id();
  if (message.has_source()) stage.source = message.source();
  ARROW_ASSIGN_OR_RAISE(stage.input_schema, ParseDdlSchema(message.input_schema()));
  for (const proto::StageInput& from : message.inputs()) {
    ARROW_ASSIGN_OR_RAISE(StageInputPlan input, ReadInput(from.stage(), from.is_kept(), stage.id));
    input.side = from.side();
    input.is_build = from.is_build();
    stage.inputs.push_back(std::move(input));
  }
  for (const proto::Operator& op : message.operators()) {
    OperatorPlan plan;
    if (op.has_join()) {
      ARROW_ASSIGN_OR_RAISE(plan.schema, ParseDdlSchema(op.schema()));
      ARROW_ASSIGN_OR_RAISE(JoinPlan join, ReadJoin(op.join(), stage));
      if (join.broadcast >= 0) stage.broadcasts.push_back(join.broadcast);
      AddJoinState(join, &plan_->stateful);
      plan.op = std::move(join);
    } else {
      ARROW_ASSIGN_OR_RAISE(plan, ReadOperator(op));
    }
    auto* partial = std::get_if<PartialAggregatePlan>(&plan.op);
    if (partial != nullptr) partial->is_per_batch = stage.source < 0;
    if (auto entry = StateOf(plan)) plan_->stateful.push_back(*std::move(entry));
    stage.operators.push_back(std::move(plan));
  }
  switch (message.output()) {
    case proto::Stage::HASH:
      stage.output = StageOutput::kHash;
      break;
    case proto::Stage::GATHER:
      stage.output = StageOutput::kGather;
      break;
    case proto::Stage::BROADCAST:
      stage.output = StageOutput::kBroadcast;
      break;
    default:
      stage.output = StageOutput::kSink;
  }
  stage.output_keys.assign(message.output_keys().begin(), message.output_keys().end());
  stage.is_gathered = message.is_gathered();
  plan_->stages.push_back(std::move(stage));
  return arrow::Status::OK();
}

}  // namespace

std::set<int> EvictableIds(const std::vector<StatefulOperator>& operators) {
  std::set<int> ids;
  for (const StatefulOperator& op : operators) {
    if (op.is_evictable) ids.insert(op.operator_id);
  }
  return ids;
}

arrow::Result<std::shared_ptr<const JobPlan>> ReadPlan(const proto::PhysicalPlan& message,
                                                       std::string job_uuid, std::string job_name) {
  auto plan = std::make_shared<JobPlan>();
  ARROW_ASSIGN_OR_RAISE(plan->zone, FindTimeZone(message.time_zone()));
  for (const proto::Source& source : message.sources()) {
    connectors::SourceSpec spec{source.name(), source.format(), ReadOptions(source.options()),
                                nullptr, source.is_streaming()};
    ARROW_ASSIGN_OR_RAISE(spec.schema, ParseDdlSchema(source.schema()));
    const std::vector<int> columns(source.columns().begin(), source.columns().end());
    ARROW_ASSIGN_OR_RAISE(auto reader, connectors::MakeSourceReader(spec, columns));
    plan->readers.push_back(std::move(reader));
    plan->sources.push_back(std::move(spec));
  }
  const connectors::OutputMode output_mode = ReadOutputMode(message.output_mode());
  ARROW_RETURN_NOT_OK(StageReader(message, plan.get()).Read());
  plan->sink.format = message.sink().format();
  plan->sink.options = ReadOptions(message.sink().options());
  plan->sink.output_mode = output_mode;
  plan->sink.job_uuid = std::move(job_uuid);
  plan->sink.job_name = std::move(job_name);
  ARROW_ASSIGN_OR_RAISE(plan->sink.schema, ParseDdlSchema(message.sink().schema()));
  return plan;
}

}  // namespace tidemill::worker
