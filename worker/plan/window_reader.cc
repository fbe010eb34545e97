#include "worker/plan/window_reader.h"

#include <utility>

#include "proto/plan.pb.h"
#include "worker/plan/compiled_exprs.h"

namespace tidemill::worker {

namespace {

arrow::Result<WindowFramePlan::Bound> ReadBound(const proto::WindowBound& message) {
  using Kind = WindowFramePlan::Bound::Kind;
  WindowFramePlan::Bound bound;
  switch (message.kind()) {
    case proto::WindowBound::ROWS:
      bound.kind = Kind::kRows;
      break;
    case proto::WindowBound::PEERS:
      bound.kind = Kind::kPeers;
      break;
    case proto::WindowBound::VALUE: {
      bound.kind = Kind::kValue;
      ARROW_ASSIGN_OR_RAISE(bound.value, CompileMessage(message.value()));
      break;
    }
    default:
      break;
  }
  bound.rows = message.rows();
  return bound;
}

WindowCallPlan::Kind ReadKind(proto::WindowCall::Kind kind) {
  switch (kind) {
    case proto::WindowCall::OFFSET:
      return WindowCallPlan::Kind::kOffset;
    case proto::WindowCall::FRAME_VALUE:
      return WindowCallPlan::Kind::kFrameValue;
    case proto::WindowCall::AGGREGATE:
      return WindowCallPlan::Kind::kAggregate;
    default:
      return WindowCallPlan::Kind::kRanking;
  }
}

arrow::Result<WindowCallPlan> ReadCall(const proto::WindowCall& message,
                                       const KernelReader& read_kernel) {
  WindowCallPlan call;
  call.kind = ReadKind(message.kind());
  call.function = message.function();
  call.number = message.number();
  call.ignore_nulls = message.ignore_nulls();
  if (call.kind == WindowCallPlan::Kind::kAggregate) {
    ARROW_ASSIGN_OR_RAISE(call.kernel, read_kernel(message.aggregate()));
    for (const int arg : call.kernel->signature().input_args) {
      ARROW_ASSIGN_OR_RAISE(auto expr, CompileMessage(message.aggregate().args(arg)));
      call.args.push_back(std::move(expr));
    }
  } else {
    for (const proto::Expr& arg : message.args()) {
      ARROW_ASSIGN_OR_RAISE(auto expr, CompileMessage(arg));
      call.args.push_back(std::move(expr));
    }
  }
  ARROW_ASSIGN_OR_RAISE(call.frame.begin, ReadBound(message.begin()));
  ARROW_ASSIGN_OR_RAISE(call.frame.end, ReadBound(message.end()));
  return call;
}

}  // namespace

arrow::Result<WindowPlan> ReadWindow(const proto::WindowOp& message,
                                     const KernelReader& read_kernel) {
  WindowPlan plan;
  plan.partition_columns.assign(message.partition_columns().begin(),
                                message.partition_columns().end());
  ARROW_ASSIGN_OR_RAISE(plan.order, ReadSort(message.order()));
  for (const proto::WindowCall& call : message.calls()) {
    ARROW_ASSIGN_OR_RAISE(WindowCallPlan read, ReadCall(call, read_kernel));
    plan.calls.push_back(std::move(read));
  }
  return plan;
}

}  // namespace tidemill::worker
