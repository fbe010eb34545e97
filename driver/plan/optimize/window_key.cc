#include "driver/plan/optimize/window_key.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <optional>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "common/types/interval/interval.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

struct FixedWindow {
  ExprPtr start;
  ExprPtr length;  // literal
  int64_t length_us = 0;
};

bool IsText(const Expr& expr, std::string_view text) {
  return expr.kind == Expr::Kind::kLiteral && expr.type->id() == arrow::Type::STRING &&
         expr.literal->is_valid &&
         static_cast<const arrow::StringScalar&>(*expr.literal).view() == text;
}

// named_struct('start', x, 'end', x + length)
std::optional<FixedWindow> FixedWindowOf(const Expr& key) {
  if (key.kind != Expr::Kind::kCall || key.name != "named_struct" || key.args.size() != 4)
    return {};
  if (!IsText(*key.args[0], "start") || !IsText(*key.args[2], "end")) return {};
  const Expr& end = *key.args[3];
  if (end.kind != Expr::Kind::kCall || end.name != "+" || end.args.size() != 2) return {};
  if (!ExprEquals(*end.args[0], *key.args[1])) return {};
  const Expr& length = *end.args[1];
  const bool is_constant = length.kind == Expr::Kind::kLiteral && length.literal->is_valid &&
                           IsDayTimeInterval(*length.type) && !IsDayInterval(*length.type);
  if (!is_constant) return {};
  const int64_t micros = static_cast<const arrow::DurationScalar&>(*length.literal).value;
  return FixedWindow{key.args[1], end.args[1], micros};
}

}  // namespace

arrow::Result<LogicalPlanPtr> GroupByWindowStart(const LogicalPlanPtr& plan) {
  const auto& node = As<AggregateNode>(*plan);
  std::vector<ExprPtr> keys = node.keys;
  std::vector<std::optional<EventTime>> event_times = node.event_times;
  std::vector<std::optional<FixedWindow>> windows(keys.size());
  bool has_window = false;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (static_cast<int>(i) == node.session_key) continue;
    windows[i] = FixedWindowOf(*keys[i]);
    if (!windows[i]) continue;
    has_window = true;
    keys[i] = windows[i]->start;
    if (event_times[i]) event_times[i]->span_us += windows[i]->length_us;
  }
  if (!has_window) return plan;
  const LogicalPlanPtr compact =
      WithSessionKey(MakeAggregate(node.children[0], std::move(keys), node.calls,
                                   std::move(event_times), plan->span),
                     node.session_key);
  std::vector<ExprPtr> exprs;
  for (size_t i = 0; i < compact->output.size(); ++i) {
    const PlanField& field = compact->output[i];
    ExprPtr column = MakeColumn(static_cast<int>(i), field.name, field.type);
    if (i < windows.size() && windows[i]) {
      const auto& names = node.keys[i]->args;
      ARROW_ASSIGN_OR_RAISE(ExprPtr end, MakeCall("+", {column, windows[i]->length}, plan->span));
      ARROW_ASSIGN_OR_RAISE(
          column,
          MakeCall("named_struct", {names[0], column, names[2], std::move(end)}, plan->span));
    }
    exprs.push_back(std::move(column));
  }
  return MakeProject(compact, std::move(exprs), plan->output, plan->span);
}

}  // namespace tidemill::driver
