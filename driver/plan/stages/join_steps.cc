#include "driver/plan/stages/join_steps.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/types/ddl.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/join_condition.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/stages/broadcast.h"
#include "driver/plan/stages/plan_writer.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

namespace {

// Keys that are columns stay where they are; others are computed into columns behind the side's.
void PlaceKeys(const LogicalPlanPtr& side, const std::vector<ExprPtr>& keys, JoinSideSteps* steps) {
  std::vector<PlanField> fields = side->output;
  std::vector<ExprPtr> exprs = ColumnsOf(fields);
  const size_t width = exprs.size();
  for (const ExprPtr& key : keys) {
    if (key->kind == Expr::Kind::kColumn) {
      steps->keys.push_back(key->column);
      continue;
    }
    steps->keys.push_back(static_cast<int>(exprs.size()));
    fields.push_back({"", fmt::format("key{}", steps->keys.size() - 1), key->type});
    exprs.push_back(key);
  }
  if (exprs.size() == width) return;
  steps->projection = MakeProject(side, std::move(exprs), std::move(fields), side->span);
}

void PlaceTimes(const JoinNode& join, const JoinCondition& condition, JoinSteps* steps) {
  const int key = EventTimeKey(join, condition);
  for (int i = 0; i < 2; ++i) {
    JoinSideSteps& side = steps->sides[i];
    const std::vector<PlanField>& fields = join.children[i]->output;
    side.rule = StateRuleOf(join, condition, i == 0);
    side.event_time = EventTimeColumn(fields);
    if (side.event_time >= 0) side.event_span_us = fields[side.event_time].event_time->span_us;
    if (side.rule.kind == JoinSideRule::Kind::kKey) {
      side.state_key = key;
      side.state_time = side.keys[key];
    } else if (side.rule.kind == JoinSideRule::Kind::kValue) {
      side.state_time = side.event_time;
      side.state_span_us = side.event_span_us;
    }
  }
}

proto::JoinOp::Type WireType(JoinType type) {
  switch (type) {
    case JoinType::kInner:
      return proto::JoinOp::INNER;
    case JoinType::kLeft:
      return proto::JoinOp::LEFT;
    case JoinType::kRight:
      return proto::JoinOp::RIGHT;
    case JoinType::kFull:
      return proto::JoinOp::FULL;
    case JoinType::kLeftSemi:
      return proto::JoinOp::LEFT_SEMI;
    case JoinType::kLeftAnti:
      return proto::JoinOp::LEFT_ANTI;
  }
  return proto::JoinOp::INNER;
}

arrow::Status WriteSide(const JoinSideSteps& steps, const LogicalPlan& side,
                        proto::JoinSide* message) {
  const LogicalPlan& input = steps.projection == nullptr ? side : *steps.projection;
  for (const int key : steps.keys) {
    message->add_keys(key);
    message->add_key_types(SqlTypeName(*input.output[key].type));
  }
  for (const PlanField& field : side.output) message->add_types(SqlTypeName(*field.type));
  message->set_columns(static_cast<int>(side.output.size()));
  if (steps.event_time >= 0) {
    message->mutable_event_time()->set_column(steps.event_time);
    message->mutable_event_time()->set_span_us(steps.event_span_us);
  }
  if (steps.state_time >= 0) {
    message->mutable_state_time()->set_column(steps.state_time);
    message->mutable_state_time()->set_span_us(steps.state_span_us);
  }
  if (steps.state_key >= 0) message->set_state_key(steps.state_key);
  return steps.filter == nullptr ? arrow::Status::OK()
                                 : WriteExpr(*steps.filter, message->mutable_filter());
}

}  // namespace

arrow::Result<std::shared_ptr<const JoinSteps>> PlanJoin(const LogicalPlanPtr& node,
                                                         int64_t broadcast_bytes) {
  const auto& join = As<JoinNode>(*node);
  const JoinCondition condition = SplitJoinCondition(join);
  auto steps = std::make_shared<JoinSteps>();
  const bool left_streams = IsStreaming(join.children[0]);
  const bool right_streams = IsStreaming(join.children[1]);
  steps->is_symmetric = left_streams && right_streams;
  steps->build_side = right_streams && !left_streams ? 0 : 1;
  if (const std::optional<int> side = BroadcastSide(join, broadcast_bytes)) {
    steps->build_side = *side;
    steps->is_broadcast = true;
  }
  steps->is_null_safe = condition.is_null_safe;
  PlaceKeys(join.children[0], condition.left_keys, &steps->sides[0]);
  PlaceKeys(join.children[1], condition.right_keys, &steps->sides[1]);
  ARROW_ASSIGN_OR_RAISE(steps->sides[0].filter, JoinConjuncts(condition.left_only));
  ARROW_ASSIGN_OR_RAISE(steps->sides[1].filter, JoinConjuncts(condition.right_only));
  ARROW_ASSIGN_OR_RAISE(steps->condition, JoinConjuncts(condition.rest));
  if (steps->is_symmetric) PlaceTimes(join, condition, steps.get());
  return std::shared_ptr<const JoinSteps>(std::move(steps));
}

arrow::Status WriteJoin(const LogicalPlan& node, const JoinSteps& steps, int operator_id,
                        int broadcast, proto::JoinOp* message) {
  const auto& join = As<JoinNode>(node);
  message->set_type(WireType(join.type));
  ARROW_RETURN_NOT_OK(WriteSide(steps.sides[0], join.left(), message->mutable_left()));
  ARROW_RETURN_NOT_OK(WriteSide(steps.sides[1], join.right(), message->mutable_right()));
  for (const bool is_null_safe : steps.is_null_safe) message->add_null_safe(is_null_safe);
  message->set_is_symmetric(steps.is_symmetric);
  message->set_operator_id(operator_id);
  message->set_build_side(steps.build_side);
  if (broadcast >= 0) message->set_broadcast(broadcast);
  return steps.condition == nullptr ? arrow::Status::OK()
                                    : WriteExpr(*steps.condition, message->mutable_condition());
}

}  // namespace tidemill::driver
