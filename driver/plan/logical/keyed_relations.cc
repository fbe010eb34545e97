#include "driver/plan/logical/keyed_relations.h"

#include <arrow/type.h>

#include <memory>
#include <utility>

#include "common/base/check.h"
#include "driver/plan/logical/new_node.h"

namespace tidemill::driver {

LogicalPlanPtr MakeAggregate(LogicalPlanPtr child, std::vector<ExprPtr> keys,
                             std::vector<AggregateCall> calls, Span span) {
  std::vector<std::optional<EventTime>> event_times;
  for (const ExprPtr& key : keys) {
    const bool is_column =
        key->kind == Expr::Kind::kColumn && key->column < static_cast<int>(child->output.size());
    event_times.push_back(is_column ? child->output[key->column].event_time : std::nullopt);
  }
  return MakeAggregate(std::move(child), std::move(keys), std::move(calls), std::move(event_times),
                       span);
}

LogicalPlanPtr MakeAggregate(LogicalPlanPtr child, std::vector<ExprPtr> keys,
                             std::vector<AggregateCall> calls,
                             std::vector<std::optional<EventTime>> event_times, Span span) {
  TIDEMILL_CHECK(event_times.size() == keys.size());
  auto node = NewNode<AggregateNode>(std::move(child), span);
  node->output.clear();
  for (size_t i = 0; i < keys.size(); ++i) {
    node->output.push_back({"", ExprText(*keys[i]), keys[i]->type, event_times[i]});
  }
  for (const AggregateCall& call : calls) {
    node->output.push_back({"", call.text, call.signature.type});
  }
  node->keys = std::move(keys);
  node->calls = std::move(calls);
  node->event_times = std::move(event_times);
  return node;
}

LogicalPlanPtr WithSessionKey(LogicalPlanPtr aggregate, int session_key) {
  if (session_key < 0) return aggregate;
  auto node = std::make_shared<AggregateNode>(As<AggregateNode>(*aggregate));
  node->session_key = session_key;
  return node;
}

LogicalPlanPtr MakeJoin(LogicalPlanPtr left, LogicalPlanPtr right, JoinType type, ExprPtr condition,
                        Span span) {
  auto node = NewNode<JoinNode>(nullptr, span);
  const bool is_left_only = type == JoinType::kLeftSemi || type == JoinType::kLeftAnti;
  node->output = is_left_only ? left->output : SideBySide(*left, *right);
  node->children = {std::move(left), std::move(right)};
  node->type = type;
  node->condition = std::move(condition);
  return node;
}

LogicalPlanPtr AsSubquery(LogicalPlanPtr join) {
  auto node = std::make_shared<JoinNode>(As<JoinNode>(*join));
  node->is_subquery = true;
  return node;
}

LogicalPlanPtr MakeDeduplicate(LogicalPlanPtr child, std::vector<int> columns,
                               bool within_watermark, Span span) {
  auto node = NewNode<DeduplicateNode>(std::move(child), span);
  node->columns = std::move(columns);
  node->within_watermark = within_watermark;
  return node;
}

LogicalPlanPtr MakeWithWatermark(LogicalPlanPtr child, int column, int64_t delay_us,
                                 std::string definition, Span span) {
  auto node = NewNode<WithWatermarkNode>(std::move(child), span);
  for (PlanField& field : node->output) field.event_time.reset();
  node->output[column].event_time = EventTime{delay_us, 0};
  node->column = column;
  node->delay_us = delay_us;
  node->definition = std::move(definition);
  return node;
}

bool IsOuterSide(JoinType type, bool is_left) {
  return type == JoinType::kFull || type == (is_left ? JoinType::kLeft : JoinType::kRight);
}

int EventTimeColumn(const std::vector<PlanField>& fields) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].event_time) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace tidemill::driver
