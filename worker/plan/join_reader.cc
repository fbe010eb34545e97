#include "worker/plan/join_reader.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "proto/plan.pb.h"
#include "worker/plan/expr_reader.h"
#include "worker/stateful/row_store.h"

namespace tidemill::worker {

namespace {

arrow::Status Invalid(std::string_view what) {
  return MakeError(ErrorKind::kBug, "PLAN_INVALID",
                   fmt::format("plan from the driver: join: {}", what));
}

JoinType ReadType(proto::JoinOp::Type type) {
  switch (type) {
    case proto::JoinOp::LEFT:
      return JoinType::kLeft;
    case proto::JoinOp::RIGHT:
      return JoinType::kRight;
    case proto::JoinOp::FULL:
      return JoinType::kFull;
    case proto::JoinOp::LEFT_SEMI:
      return JoinType::kLeftSemi;
    case proto::JoinOp::LEFT_ANTI:
      return JoinType::kLeftAnti;
    default:
      return JoinType::kInner;
  }
}

arrow::Result<std::shared_ptr<const CompiledExpr>> Compile(const proto::Expr& message) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr expr, ReadExpr(message));
  return CompiledExpr::Make(expr);
}

EventTimeColumn ReadEventTime(const proto::EventTimeColumn& message) {
  return {message.column(), message.span_us()};
}

arrow::Result<JoinSidePlan> ReadSide(const proto::JoinSide& message, const arrow::Schema& input) {
  JoinSidePlan side;
  if (message.columns() > input.num_fields()) return Invalid("columns");
  for (int i = 0; i < message.columns(); ++i) side.types.push_back(input.field(i)->type());
  for (const int key : message.keys()) {
    if (key < 0 || key >= input.num_fields()) return Invalid("key");
    side.keys.push_back(key);
    side.key_types.push_back(input.field(key)->type());
  }
  if (message.has_filter()) {
    ARROW_ASSIGN_OR_RAISE(side.filter, Compile(message.filter()));
  }
  if (message.has_event_time()) side.event_time = ReadEventTime(message.event_time());
  if (message.has_state_time()) side.state_time = ReadEventTime(message.state_time());
  if (message.has_state_key()) side.state_key = message.state_key();
  return side;
}

}  // namespace

arrow::Result<JoinPlan> ReadJoin(const proto::JoinOp& message, const JoinInputs& inputs) {
  JoinPlan plan;
  plan.type = ReadType(message.type());
  arrow::FieldVector fields;
  for (int i = 0; i < 2; ++i) {
    if (inputs[i] == nullptr) return Invalid("a side has no input");
    ARROW_ASSIGN_OR_RAISE(plan.sides[i],
                          ReadSide(i == 0 ? message.left() : message.right(), *inputs[i]));
    for (int column = 0; column < plan.sides[i].columns(); ++column) {
      fields.push_back(inputs[i]->field(column));
    }
  }
  plan.is_null_safe.assign(message.null_safe().begin(), message.null_safe().end());
  if (plan.sides[0].keys.size() != plan.sides[1].keys.size() ||
      plan.is_null_safe.size() != plan.sides[0].keys.size()) {
    return Invalid("the sides have different keys");
  }
  if (message.has_condition()) {
    ARROW_ASSIGN_OR_RAISE(plan.condition, Compile(message.condition()));
  }
  plan.joined_schema = arrow::schema(std::move(fields));
  plan.is_symmetric = message.is_symmetric();
  plan.operator_id = plan.is_symmetric ? message.operator_id() : -1;
  plan.build_side = message.build_side() == 0 ? 0 : 1;
  if (message.has_broadcast()) plan.broadcast = message.broadcast();
  return plan;
}

void AddJoinState(const JoinPlan& plan, std::vector<StatefulOperator>* stateful) {
  if (!plan.is_symmetric) return;
  for (int i = 0; i < 2; ++i) {
    const JoinSidePlan& side = plan.sides[i];
    StatefulOperator entry{plan.operator_id + i, "symmetricHashJoin",
                           RowStore::KeyTypes(side.key_types), side.types};
    entry.value_types.push_back(arrow::boolean());  // Has had a partner.
    entry.progress_id = plan.operator_id;
    stateful->push_back(std::move(entry));
  }
}

}  // namespace tidemill::worker
