#include "driver/plan/stages/window_writer.h"

#include "driver/plan/stages/plan_writer.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

namespace {

arrow::Status WriteBound(const WindowBound& bound, proto::WindowBound* message) {
  switch (bound.kind) {
    case WindowBound::Kind::kUnbounded:
      message->set_kind(proto::WindowBound::UNBOUNDED);
      break;
    case WindowBound::Kind::kRows:
      message->set_kind(proto::WindowBound::ROWS);
      message->set_rows(bound.rows);
      break;
    case WindowBound::Kind::kPeers:
      message->set_kind(proto::WindowBound::PEERS);
      break;
    case WindowBound::Kind::kValue:
      message->set_kind(proto::WindowBound::VALUE);
      return WriteExpr(*bound.value, message->mutable_value());
  }
  return arrow::Status::OK();
}

proto::WindowCall::Kind WireKind(WindowCall::Kind kind) {
  switch (kind) {
    case WindowCall::Kind::kOffset:
      return proto::WindowCall::OFFSET;
    case WindowCall::Kind::kFrameValue:
      return proto::WindowCall::FRAME_VALUE;
    case WindowCall::Kind::kAggregate:
      return proto::WindowCall::AGGREGATE;
    default:
      return proto::WindowCall::RANKING;
  }
}

}  // namespace

arrow::Status WriteWindow(const WindowNode& node, const WindowParts& parts,
                          proto::WindowOp* message) {
  for (const int column : node.partition) message->add_partition_columns(column);
  ARROW_RETURN_NOT_OK(parts.write_order(node.order, message->mutable_order()));
  for (const WindowCall& call : node.calls) {
    proto::WindowCall* entry = message->add_calls();
    entry->set_kind(WireKind(call.kind));
    entry->set_function(call.function);
    entry->set_number(call.number);
    entry->set_ignore_nulls(call.ignore_nulls);
    for (const ExprPtr& arg : call.args) ARROW_RETURN_NOT_OK(WriteExpr(*arg, entry->add_args()));
    if (call.aggregate) {
      ARROW_RETURN_NOT_OK(parts.write_aggregate(*call.aggregate, entry->mutable_aggregate()));
    }
    ARROW_RETURN_NOT_OK(WriteBound(call.begin, entry->mutable_begin()));
    ARROW_RETURN_NOT_OK(WriteBound(call.end, entry->mutable_end()));
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::driver
