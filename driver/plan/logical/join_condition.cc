#include "driver/plan/logical/join_condition.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "common/types/interval/interval.h"
#include "driver/plan/logical/conjuncts.h"

namespace tidemill::driver {

namespace {

bool HasEventTime(const ExprPtr& key, const LogicalPlan& side) {
  return key->kind == Expr::Kind::kColumn && side.output[key->column].event_time.has_value();
}

// Columns of a sum of times and intervals, with their signs, and the sum of what is constant.
struct Terms {
  std::vector<std::pair<int, bool>> columns;  // column, is negative
  int64_t constant_us = 0;
};

std::optional<int64_t> MicrosOf(const arrow::Scalar& literal) {
  if (!literal.is_valid) return std::nullopt;
  const arrow::DataType& type = *literal.type;
  if (IsDayTimeInterval(type)) {
    const int64_t value = static_cast<const arrow::DurationScalar&>(literal).value;
    return IsDayInterval(type) ? value * 1'000'000 : value;
  }
  if (IsCalendarInterval(type)) {
    const auto& value = static_cast<const arrow::MonthDayNanoIntervalScalar&>(literal).value;
    if (value.months != 0) return std::nullopt;  // No fixed length.
    return value.days * int64_t{86'400'000'000} + value.nanoseconds / kNanosPerMicro;
  }
  if (type.id() == arrow::Type::TIMESTAMP) {
    return static_cast<const arrow::TimestampScalar&>(literal).value;
  }
  // A number of seconds: of conditions on CAST(ts AS DOUBLE) and the like.
  if (arrow::is_integer(type.id()) || arrow::is_floating(type.id())) {
    const auto seconds = literal.CastTo(arrow::float64());
    if (!seconds.ok()) return std::nullopt;
    return std::llround(static_cast<const arrow::DoubleScalar&>(**seconds).value * 1e6);
  }
  return std::nullopt;
}

// False where the expression has another form than a sum.
bool CollectTerms(const Expr& expr, bool is_negative, Terms* terms) {
  switch (expr.kind) {
    case Expr::Kind::kColumn:
      terms->columns.emplace_back(expr.column, is_negative);
      return true;
    case Expr::Kind::kLiteral: {
      const std::optional<int64_t> micros = MicrosOf(*expr.literal);
      if (micros) terms->constant_us += is_negative ? -*micros : *micros;
      return micros.has_value();
    }
    case Expr::Kind::kParameter:
    case Expr::Kind::kLambda:
      return false;
    case Expr::Kind::kCall:
      break;
    default:
      return false;
  }
  if (expr.name == "+" || expr.name == "-") {
    const bool flips = expr.name == "-";
    return CollectTerms(*expr.args[0], is_negative, terms) &&
           CollectTerms(*expr.args[1], is_negative != flips, terms);
  }
  if (expr.name == "negative") return CollectTerms(*expr.args[0], !is_negative, terms);
  const bool keeps_value = expr.type->id() == arrow::Type::TIMESTAMP ||
                           arrow::is_numeric(expr.type->id()) || IsDayTimeInterval(*expr.type);
  if (expr.name == "cast" && keeps_value) return CollectTerms(*expr.args[0], is_negative, terms);
  return false;
}

// `lesser < greater` as a bound on rows of the side of columns [begin, end): it must say that the
// other side's event time, plus something, is less than the row's time.
std::optional<JoinBound> BoundOf(const JoinNode& join, const Expr& lesser, const Expr& greater,
                                 bool is_left) {
  Terms terms;
  if (!CollectTerms(lesser, false, &terms) || !CollectTerms(greater, true, &terms)) return {};
  const auto left_width = static_cast<int>(join.left().output.size());
  int own = 0;
  int other = 0;
  for (const auto& [column, is_negative] : terms.columns) {
    const bool is_own = (column < left_width) == is_left;
    if (is_own) {
      if (++own > 1 || !is_negative) return {};
      continue;
    }
    const LogicalPlan& side = is_left ? join.right() : join.left();
    const PlanField& field = side.output[is_left ? column - left_width : column];
    if (++other > 1 || is_negative || !field.event_time) return {};
  }
  if (own != 1 || other != 1) return {};
  return JoinBound{terms.constant_us, false};
}

}  // namespace

JoinCondition SplitJoinCondition(const JoinNode& join) {
  JoinCondition split;
  if (join.condition == nullptr) return split;
  const auto left_width = static_cast<int>(join.left().output.size());
  const auto width = left_width + static_cast<int>(join.right().output.size());
  const auto is_left = [&](const Expr& expr) { return ReadsOnly(expr, 0, left_width, width); };
  const auto is_right = [&](const Expr& expr) { return ReadsOnly(expr, left_width, width, width); };
  std::vector<ExprPtr> conjuncts;
  SplitConjuncts(join.condition, &conjuncts);
  for (const ExprPtr& conjunct : conjuncts) {
    if (is_left(*conjunct)) {
      split.left_only.push_back(conjunct);
      continue;
    }
    if (is_right(*conjunct)) {
      split.right_only.push_back(ShiftColumns(conjunct, left_width));
      continue;
    }
    if (IsEquality(*conjunct) && IsDeterministic(*conjunct)) {
      ExprPtr left = conjunct->args[0];
      ExprPtr right = conjunct->args[1];
      if (is_right(*left) && is_left(*right)) std::swap(left, right);
      if (is_left(*left) && is_right(*right)) {
        split.left_keys.push_back(left);
        split.right_keys.push_back(ShiftColumns(right, left_width));
        split.is_null_safe.push_back(conjunct->name == "<=>");
        continue;
      }
    }
    split.rest.push_back(conjunct);
  }
  return split;
}

int EventTimeKey(const JoinNode& join, const JoinCondition& condition) {
  for (size_t i = 0; i < condition.left_keys.size(); ++i) {
    if (HasEventTime(condition.left_keys[i], join.left())) return static_cast<int>(i);
  }
  for (size_t i = 0; i < condition.right_keys.size(); ++i) {
    if (HasEventTime(condition.right_keys[i], join.right())) return static_cast<int>(i);
  }
  return -1;
}

std::vector<JoinBound> StateBoundsOf(const JoinNode& join, bool is_left) {
  std::vector<JoinBound> bounds;
  if (join.condition == nullptr) return bounds;
  std::vector<ExprPtr> conjuncts;
  SplitConjuncts(join.condition, &conjuncts);
  for (const ExprPtr& conjunct : conjuncts) {
    if (conjunct->kind != Expr::Kind::kCall || conjunct->args.size() != 2) continue;
    const std::string_view name = conjunct->name;
    const bool is_less = name == "<" || name == "<=";
    if (!is_less && name != ">" && name != ">=") continue;
    const Expr& lesser = *conjunct->args[is_less ? 0 : 1];
    const Expr& greater = *conjunct->args[is_less ? 1 : 0];
    if (auto bound = BoundOf(join, lesser, greater, is_left)) {
      bound->is_inclusive = name.ends_with('=');
      bounds.push_back(*bound);
    }
  }
  return bounds;
}

JoinSideRule StateRuleOf(const JoinNode& join, const JoinCondition& condition, bool is_left) {
  if (EventTimeKey(join, condition) >= 0) return {JoinSideRule::Kind::kKey, {}};
  const LogicalPlan& side = is_left ? join.left() : join.right();
  if (EventTimeColumn(side.output) < 0) return {};
  std::vector<JoinBound> bounds = StateBoundsOf(join, is_left);
  if (bounds.empty()) return {};
  return {JoinSideRule::Kind::kValue, std::move(bounds)};
}

}  // namespace tidemill::driver
