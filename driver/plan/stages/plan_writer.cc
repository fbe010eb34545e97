#include "driver/plan/stages/plan_writer.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <utility>
#include <vector>

#include "common/base/hash.h"
#include "common/types/ddl.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/stages/window_writer.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

namespace {

// "1.50": all digits of the scale, never an exponent.
std::string DecimalText(const arrow::Decimal128& value, int32_t scale) {
  std::string digits = value.ToIntegerString();
  const std::string sign = digits.starts_with('-') ? "-" : "";
  digits.erase(0, sign.size());
  if (scale <= 0) return sign + digits;
  const auto wanted = static_cast<size_t>(scale) + 1;
  if (digits.size() < wanted) digits.insert(0, wanted - digits.size(), '0');
  digits.insert(digits.size() - scale, ".");
  return sign + digits;
}

template <class Scalar>
const auto& ValueOf(const arrow::Scalar& scalar) {
  return static_cast<const Scalar&>(scalar).value;
}

arrow::Status WriteLiteral(const arrow::Scalar& scalar, proto::Literal* message) {
  if (!scalar.is_valid) return arrow::Status::OK();
  switch (scalar.type->id()) {
    case arrow::Type::BOOL:
      message->set_bool_value(ValueOf<arrow::BooleanScalar>(scalar));
      break;
    case arrow::Type::INT8:
      message->set_int_value(ValueOf<arrow::Int8Scalar>(scalar));
      break;
    case arrow::Type::INT16:
      message->set_int_value(ValueOf<arrow::Int16Scalar>(scalar));
      break;
    case arrow::Type::INT32:
      message->set_int_value(ValueOf<arrow::Int32Scalar>(scalar));
      break;
    case arrow::Type::INT64:
      message->set_int_value(ValueOf<arrow::Int64Scalar>(scalar));
      break;
    case arrow::Type::DATE32:
      message->set_int_value(ValueOf<arrow::Date32Scalar>(scalar));
      break;
    case arrow::Type::TIMESTAMP:
      message->set_int_value(ValueOf<arrow::TimestampScalar>(scalar));
      break;
    case arrow::Type::INTERVAL_MONTHS:
      message->set_int_value(ValueOf<arrow::MonthIntervalScalar>(scalar));
      break;
    case arrow::Type::DURATION:
      message->set_int_value(ValueOf<arrow::DurationScalar>(scalar));
      break;
    case arrow::Type::FLOAT:
      message->set_double_value(ValueOf<arrow::FloatScalar>(scalar));
      break;
    case arrow::Type::DOUBLE:
      message->set_double_value(ValueOf<arrow::DoubleScalar>(scalar));
      break;
    case arrow::Type::STRING:
      message->set_string_value(ValueOf<arrow::StringScalar>(scalar)->ToString());
      break;
    case arrow::Type::BINARY:
      message->set_bytes_value(ValueOf<arrow::BinaryScalar>(scalar)->ToString());
      break;
    case arrow::Type::DECIMAL128: {
      const auto& type = static_cast<const arrow::Decimal128Type&>(*scalar.type);
      message->set_decimal_value(
          DecimalText(ValueOf<arrow::Decimal128Scalar>(scalar), type.scale()));
      break;
    }
    default:
      return MakeError(
          ErrorKind::kBug, "INTERNAL_ERROR",
          fmt::format("write plan: no form for a constant: type={}", scalar.type->ToString()));
  }
  return arrow::Status::OK();
}

template <class Repeated>
arrow::Status WriteExprs(const std::vector<ExprPtr>& exprs, Repeated* messages) {
  for (const ExprPtr& expr : exprs) ARROW_RETURN_NOT_OK(WriteExpr(*expr, messages->Add()));
  return arrow::Status::OK();
}

arrow::Status WriteCall(const AggregateCall& call, proto::Aggregate* message) {
  message->set_function(call.signature.name);
  message->set_type(SqlTypeName(*call.signature.type));
  message->set_is_distinct(call.is_distinct);
  message->set_span_begin(call.span.begin);
  message->set_span_end(call.span.end);
  auto expr = call.args.begin();
  for (size_t i = 0; i < call.signature.arg_types.size(); ++i) {
    ARROW_RETURN_NOT_OK(WriteExpr(**expr++, message->add_args()));
  }
  for (const AggregateOrder& key : call.signature.order) {
    ARROW_RETURN_NOT_OK(WriteExpr(**expr++, message->add_order_keys()));
    message->add_order_descending(key.is_descending);
    message->add_order_nulls_first(key.nulls_first);
  }
  if (call.has_filter) ARROW_RETURN_NOT_OK(WriteExpr(**expr, message->mutable_filter()));
  return arrow::Status::OK();
}

template <class Repeated>
arrow::Status WriteCalls(const std::vector<AggregateCall>& calls, Repeated* messages) {
  for (const AggregateCall& call : calls) ARROW_RETURN_NOT_OK(WriteCall(call, messages->Add()));
  return arrow::Status::OK();
}

arrow::Status WriteSort(const std::vector<SortKey>& keys, proto::SortOp* message) {
  for (const SortKey& key : keys) {
    ARROW_RETURN_NOT_OK(WriteExpr(*key.expr, message->add_keys()));
    message->add_descending(key.is_descending);
    message->add_nulls_first(key.nulls_first);
  }
  return arrow::Status::OK();
}

arrow::Status WriteGenerate(const GenerateNode& node, proto::GenerateOp* message) {
  message->set_function(node.function);
  for (int column : node.kept) message->add_kept_columns(column);
  return WriteExprs(node.args, message->mutable_args());
}

proto::OutputMode WireMode(connectors::OutputMode mode) {
  switch (mode) {
    case connectors::OutputMode::kUpdate:
      return proto::UPDATE;
    case connectors::OutputMode::kComplete:
      return proto::COMPLETE;
    default:
      return proto::APPEND;
  }
}

void WriteEventTime(int column, const EventTime& time, proto::EventTimeColumn* message) {
  message->set_column(column);
  message->set_span_us(time.span_us);
}

arrow::Status WriteFinalAggregate(const StageOperator& op, proto::FinalAggregateOp* message) {
  const auto& node = As<AggregateNode>(*op.node);
  message->set_operator_id(op.operator_id);
  for (const ExprPtr& key : node.keys) message->add_key_types(SqlTypeName(*key->type));
  message->set_mode(WireMode(op.mode));
  message->set_is_ephemeral(op.is_ephemeral);
  message->set_ttl_us(op.ttl_us);
  for (size_t i = 0; i < node.event_times.size(); ++i) {
    if (!node.event_times[i] || message->has_event_key()) continue;
    WriteEventTime(static_cast<int>(i), *node.event_times[i], message->mutable_event_key());
  }
  return WriteCalls(node.calls, message->mutable_aggregates());
}

void WriteDeduplicate(const StageOperator& op, proto::DeduplicateOp* message) {
  const auto& node = As<DeduplicateNode>(*op.node);
  message->set_operator_id(op.operator_id);
  message->set_is_ephemeral(op.is_ephemeral);
  message->set_ttl_us(op.ttl_us);
  const std::vector<PlanField>& input = node.child().output;
  const int event_time = EventTimeColumn(input);
  if (event_time >= 0) {
    WriteEventTime(event_time, *input[event_time].event_time, message->mutable_event_time());
    if (node.within_watermark) message->set_delay_us(input[event_time].event_time->delay_us);
  }
  for (const int column : node.columns) {
    if (column == event_time && !node.within_watermark) {
      WriteEventTime(message->key_columns_size(), *input[column].event_time,
                     message->mutable_event_key());
    }
    message->add_key_columns(column);
    message->add_key_types(SqlTypeName(*input[column].type));
  }
}

arrow::Status WriteOperator(const StageOperator& op, proto::Operator* message) {
  message->set_schema(DdlOf(*op.schema));
  switch (op.kind) {
    case StageOperator::Kind::kFilter:
      return WriteExpr(*As<FilterNode>(*op.node).condition,
                       message->mutable_filter()->mutable_condition());
    case StageOperator::Kind::kProject:
      return WriteExprs(As<ProjectNode>(*op.node).exprs,
                        message->mutable_project()->mutable_exprs());
    case StageOperator::Kind::kGenerate:
      return WriteGenerate(As<GenerateNode>(*op.node), message->mutable_generate());
    case StageOperator::Kind::kPartialAggregate: {
      const auto& node = As<AggregateNode>(*op.node);
      proto::PartialAggregateOp* partial = message->mutable_partial_aggregate();
      ARROW_RETURN_NOT_OK(WriteExprs(node.keys, partial->mutable_keys()));
      return WriteCalls(node.calls, partial->mutable_aggregates());
    }
    case StageOperator::Kind::kFinalAggregate:
      return WriteFinalAggregate(op, message->mutable_final_aggregate());
    case StageOperator::Kind::kSessionAggregate:
      message->mutable_session_aggregate()->set_session_key(
          As<AggregateNode>(*op.node).session_key);
      return WriteFinalAggregate(op, message->mutable_session_aggregate()->mutable_aggregate());
    case StageOperator::Kind::kSort:
      return WriteSort(As<SortNode>(*op.node).keys, message->mutable_sort());
    case StageOperator::Kind::kLimit:
      message->mutable_limit()->set_count(As<LimitNode>(*op.node).count);
      message->mutable_limit()->set_offset(As<LimitNode>(*op.node).offset);
      return arrow::Status::OK();
    case StageOperator::Kind::kGlobalLimit:
      message->mutable_global_limit()->set_operator_id(op.operator_id);
      message->mutable_global_limit()->set_count(As<LimitNode>(*op.node).count);
      return arrow::Status::OK();
    case StageOperator::Kind::kDeduplicate:
      WriteDeduplicate(op, message->mutable_deduplicate());
      return arrow::Status::OK();
    case StageOperator::Kind::kWindow:
      return WriteWindow(As<WindowNode>(*op.node), {WriteCall, WriteSort},
                         message->mutable_window());
    case StageOperator::Kind::kJoin:
      return WriteJoin(*op.node, *op.join, op.operator_id, op.broadcast, message->mutable_join());
    case StageOperator::Kind::kWatermark:
      message->mutable_watermark()->set_number(op.watermark);
      message->mutable_watermark()->set_column(As<WithWatermarkNode>(*op.node).column);
      return arrow::Status::OK();
  }
  return arrow::Status::OK();
}

arrow::Status WriteStage(const StageSpec& stage, proto::Stage* message) {
  message->set_id(stage.id);
  if (stage.source >= 0) message->set_source(stage.source);
  for (const StageInput& input : stage.inputs) {
    proto::StageInput* entry = message->add_inputs();
    entry->set_stage(input.stage);
    entry->set_side(input.side);
    entry->set_is_build(input.is_build);
    entry->set_is_kept(input.is_kept);
  }
  message->set_input_schema(DdlOf(*stage.input_schema));
  for (const StageOperator& op : stage.operators) {
    ARROW_RETURN_NOT_OK(WriteOperator(op, message->add_operators()));
  }
  for (int key : stage.output_keys) message->add_output_keys(key);
  message->set_is_gathered(stage.is_gathered);
  switch (stage.output) {
    case StageOutput::kHash:
      message->set_output(proto::Stage::HASH);
      break;
    case StageOutput::kGather:
      message->set_output(proto::Stage::GATHER);
      break;
    case StageOutput::kSink:
      message->set_output(proto::Stage::SINK);
      break;
    case StageOutput::kBroadcast:
      message->set_output(proto::Stage::BROADCAST);
      break;
  }
  return arrow::Status::OK();
}

template <class Map>
void WriteOptions(const Options& options, Map* message) {
  for (const auto& [key, value] : options.values()) (*message)[key] = value;
}

void WriteSource(const ReadNode& node, proto::Source* message) {
  message->set_name(node.source.name);
  message->set_format(node.source.format);
  WriteOptions(node.source.options, message->mutable_options());
  message->set_schema(DdlOf(*node.source.schema));
  message->set_is_streaming(node.source.is_streaming);
  for (int column : node.columns) message->add_columns(column);
}

void ClearPlaces(proto::Expr* expr) {
  expr->clear_span_begin();
  expr->clear_span_end();
  for (proto::Expr& arg : *expr->mutable_args()) ClearPlaces(&arg);
}

template <class Repeated>
void ClearAll(Repeated* exprs) {
  for (proto::Expr& expr : *exprs) ClearPlaces(&expr);
}

void ClearCall(proto::Aggregate* call) {
  call->clear_span_begin();
  call->clear_span_end();
  ClearAll(call->mutable_args());
  ClearAll(call->mutable_order_keys());
  if (call->has_filter()) ClearPlaces(call->mutable_filter());
}

template <class Repeated>
void ClearCalls(Repeated* calls) {
  for (proto::Aggregate& call : *calls) ClearCall(&call);
}

void ClearPlaces(proto::Operator* op) {
  switch (op->op_case()) {
    case proto::Operator::kFilter:
      return ClearPlaces(op->mutable_filter()->mutable_condition());
    case proto::Operator::kProject:
      return ClearAll(op->mutable_project()->mutable_exprs());
    case proto::Operator::kGenerate:
      return ClearAll(op->mutable_generate()->mutable_args());
    case proto::Operator::kPartialAggregate:
      ClearAll(op->mutable_partial_aggregate()->mutable_keys());
      return ClearCalls(op->mutable_partial_aggregate()->mutable_aggregates());
    case proto::Operator::kFinalAggregate:
      return ClearCalls(op->mutable_final_aggregate()->mutable_aggregates());
    case proto::Operator::kSessionAggregate:
      return ClearCalls(op->mutable_session_aggregate()->mutable_aggregate()->mutable_aggregates());
    case proto::Operator::kSort:
      return ClearAll(op->mutable_sort()->mutable_keys());
    case proto::Operator::kWindow:
      ClearAll(op->mutable_window()->mutable_order()->mutable_keys());
      for (auto& call : *op->mutable_window()->mutable_calls()) {
        ClearAll(call.mutable_args());
        ClearCall(call.mutable_aggregate());
        ClearPlaces(call.mutable_begin()->mutable_value());
        ClearPlaces(call.mutable_end()->mutable_value());
      }
      return;
    case proto::Operator::kJoin:
      for (proto::JoinSide* side :
           {op->mutable_join()->mutable_left(), op->mutable_join()->mutable_right()}) {
        if (side->has_filter()) ClearPlaces(side->mutable_filter());
      }
      if (op->join().has_condition()) ClearPlaces(op->mutable_join()->mutable_condition());
      return;
    default:
      return;
  }
}

}  // namespace

arrow::Status WriteExpr(const Expr& expr, proto::Expr* message) {
  message->set_type(SqlTypeName(*expr.type));
  message->set_span_begin(expr.span.begin);
  message->set_span_end(expr.span.end);
  switch (expr.kind) {
    case Expr::Kind::kLiteral:
      message->set_kind(proto::Expr::LITERAL);
      return WriteLiteral(*expr.literal, message->mutable_literal());
    case Expr::Kind::kColumn:
      message->set_kind(proto::Expr::COLUMN);
      message->set_column(expr.column);
      message->set_name(expr.name);
      return arrow::Status::OK();
    case Expr::Kind::kParameter:
      message->set_kind(proto::Expr::PARAMETER);
      message->set_column(expr.column);
      message->set_name(expr.name);
      return arrow::Status::OK();
    case Expr::Kind::kLambda:
      message->set_kind(proto::Expr::LAMBDA);
      return WriteExprs(expr.args, message->mutable_args());
    case Expr::Kind::kCall:
      message->set_kind(proto::Expr::CALL);
      message->set_name(expr.name);
      return WriteExprs(expr.args, message->mutable_args());
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<proto::PhysicalPlan>> WritePlan(const StagedPlan& plan,
                                                              const connectors::SinkSpec& sink,
                                                              const connectors::SinkNeeds& needs,
                                                              const std::string& time_zone,
                                                              const std::string& query) {
  auto message = std::make_shared<proto::PhysicalPlan>();
  for (const LogicalPlanPtr& read : plan.reads) {
    WriteSource(As<ReadNode>(*read), message->add_sources());
  }
  for (const StageSpec& stage : plan.stages) {
    ARROW_RETURN_NOT_OK(WriteStage(stage, message->add_stages()));
  }
  for (const BroadcastSpec& broadcast : plan.broadcasts) {
    proto::Broadcast* entry = message->add_broadcasts();
    entry->mutable_stages()->Add(broadcast.stages.begin(), broadcast.stages.end());
    entry->set_is_kept(broadcast.is_kept);
  }
  message->mutable_sink()->set_format(sink.format);
  WriteOptions(sink.options, message->mutable_sink()->mutable_options());
  message->mutable_sink()->set_schema(DdlOf(*sink.schema));
  message->mutable_sink()->set_single_writer(needs.single_writer);
  message->set_output_mode(WireMode(sink.output_mode));
  message->set_time_zone(time_zone);
  message->set_query_text(query);
  return message;
}

uint64_t FingerprintOf(const proto::PhysicalPlan& plan) {
  proto::PhysicalPlan bare = plan;
  bare.clear_query_text();
  for (proto::Stage& stage : *bare.mutable_stages()) {
    for (proto::Operator& op : *stage.mutable_operators()) ClearPlaces(&op);
  }
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream text(&bytes);
    google::protobuf::io::CodedOutputStream coded(&text);
    coded.SetSerializationDeterministic(true);
    bare.SerializeToCodedStream(&coded);
  }
  return Hash64(bytes);
}

}  // namespace tidemill::driver
