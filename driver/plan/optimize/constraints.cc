#include "driver/plan/optimize/constraints.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>

#include "common/expr/function_registry.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/null_intolerance.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;
using Exprs = std::vector<ExprPtr>;

// Aliases multiply constraints; no query that a person wrote comes near.
constexpr size_t kMost = 256;

bool IsColumn(const Expr& expr) { return expr.kind == Expr::Kind::kColumn; }
bool IsCastColumn(const Expr& expr) { return IsCall(expr, "cast") && IsColumn(*expr.args[0]); }

std::vector<int> ColumnsIn(const Expr& expr) {
  std::vector<bool> used;
  CollectColumns(expr, &used);
  std::vector<int> columns;
  for (size_t i = 0; i < used.size(); ++i) {
    if (used[i]) columns.push_back(static_cast<int>(i));
  }
  return columns;
}

// The expression with `to` in every place of `from`; itself where there is none.
ExprPtr Replace(const ExprPtr& expr, const Expr& from, const ExprPtr& to) {
  if (ExprEquals(*expr, from)) return to;
  std::shared_ptr<Expr> copy;
  for (size_t i = 0; i < expr->args.size(); ++i) {
    ExprPtr replaced = Replace(expr->args[i], from, to);
    if (replaced == expr->args[i]) continue;
    if (copy == nullptr) copy = std::make_shared<Expr>(*expr);
    copy->args[i] = std::move(replaced);
  }
  return copy == nullptr ? expr : copy;
}

// Over other columns: places[i] is where column i is, -1 for nowhere. Constraints on columns that
// are nowhere are left out.
Constraints Moved(const Constraints& constraints, const std::vector<int>& places) {
  Constraints moved;
  for (const ExprPtr& constraint : constraints) {
    const std::vector<int> columns = ColumnsIn(*constraint);
    if (std::any_of(columns.begin(), columns.end(), [&](int i) { return places[i] < 0; })) continue;
    const std::function<ExprPtr(const ExprPtr&)> move = [&](const ExprPtr& expr) -> ExprPtr {
      if (expr->kind == Expr::Kind::kColumn) {
        return MakeColumn(places[expr->column], expr->name, expr->type, expr->span);
      }
      if (expr->args.empty()) return expr;
      auto copy = std::make_shared<Expr>(*expr);
      for (ExprPtr& arg : copy->args) arg = move(arg);
      return copy;
    };
    AddConstraint(move(constraint), &moved);
  }
  return moved;
}

Constraints ConjunctsOf(const ExprPtr& condition) {
  Constraints conjuncts;
  if (condition == nullptr) return conjuncts;
  Exprs all;
  SplitConjuncts(condition, &all);
  for (ExprPtr& conjunct : all) AddConstraint(std::move(conjunct), &conjuncts);
  return conjuncts;
}

void AddAll(const Constraints& more, Constraints* constraints) {
  for (const ExprPtr& constraint : more) AddConstraint(constraint, constraints);
}

arrow::Result<Constraints> Valid(const LogicalPlan& plan);

// Of columns that are expressions over the child's (nullptr for one that nothing is known of).
// While they are made, the new columns stand behind the child's.
arrow::Result<Constraints> OfExprs(const LogicalPlan& plan, const Exprs& exprs) {
  ARROW_ASSIGN_OR_RAISE(Constraints all, Valid(plan.child()));
  const auto width = static_cast<int>(plan.child().output.size());
  std::vector<int> places(width + exprs.size(), -1);
  for (int i = 0; i < static_cast<int>(exprs.size()); ++i) {
    const ExprPtr& expr = exprs[i];
    places[width + i] = i;
    if (expr == nullptr || !IsDeterministic(*expr)) continue;
    if (IsColumn(*expr) && places[expr->column] < 0) {
      places[expr->column] = i;  // The same column; further ones are aliases of it.
      continue;
    }
    const ExprPtr alias = ColumnOf(plan.output[i], width + i);
    if (expr->kind == Expr::Kind::kLiteral) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr is_literal, MakeCall("<=>", {alias, expr}, plan.span));
      AddConstraint(std::move(is_literal), &all);
      continue;
    }
    const Constraints before = all;
    for (const ExprPtr& constraint : before) {
      AddConstraint(Replace(constraint, *expr, alias), &all);
    }
  }
  return Moved(all, places);
}

// What holds in both of two branches: conditions of both, and for a column that both know
// something of: one or the other.
arrow::Result<Constraints> OfBoth(const Constraints& a, const Constraints& b) {
  Constraints both;
  const auto others = [&](const Constraints& from,
                          const Constraints& other) -> arrow::Result<std::map<int, ExprPtr>> {
    std::map<int, ExprPtr> by_column;
    for (const ExprPtr& constraint : from) {
      const std::vector<int> columns = ColumnsIn(*constraint);
      if (columns.size() != 1 || Contains(other, *constraint)) continue;
      ExprPtr& all = by_column[columns[0]];
      if (all == nullptr) {
        all = constraint;
      } else {
        ARROW_ASSIGN_OR_RAISE(all, MakeCall("and", {all, constraint}, constraint->span));
      }
    }
    return by_column;
  };
  for (const ExprPtr& constraint : a) {
    if (Contains(b, *constraint)) AddConstraint(constraint, &both);
  }
  ARROW_ASSIGN_OR_RAISE(const auto of_a, others(a, b));
  ARROW_ASSIGN_OR_RAISE(const auto of_b, others(b, a));
  for (const auto& [column, condition] : of_a) {
    const auto other = of_b.find(column);
    if (other == of_b.end()) continue;
    ARROW_ASSIGN_OR_RAISE(ExprPtr either,
                          MakeCall("or", {condition, other->second}, condition->span));
    AddConstraint(std::move(either), &both);
  }
  return both;
}

arrow::Result<Constraints> OfUnion(const LogicalPlan& plan) {
  Constraints all;
  for (size_t i = 0; i < plan.children.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(Constraints of_child, ConstraintsOf(*plan.children[i]));
    if (i == 0) {
      all = std::move(of_child);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(all, OfBoth(all, of_child));
  }
  return all;
}

arrow::Result<Constraints> OfJoin(const JoinNode& join) {
  const int left_width = WidthOf(join.left());
  Constraints all;
  if (join.type != JoinType::kRight && join.type != JoinType::kFull) {
    ARROW_ASSIGN_OR_RAISE(all, ConstraintsOf(join.left()));
  }
  if (join.type == JoinType::kInner || join.type == JoinType::kRight) {
    ARROW_ASSIGN_OR_RAISE(const Constraints right, ConstraintsOf(join.right()));
    for (const ExprPtr& constraint : right) {
      AddConstraint(ShiftColumns(constraint, -left_width), &all);
    }
  }
  if (join.type == JoinType::kInner || join.type == JoinType::kLeftSemi) {
    AddAll(ConjunctsOf(join.condition), &all);
  }
  // Of a semi join's condition, the left columns are there.
  std::vector<int> places(left_width + WidthOf(join.right()), -1);
  std::iota(places.begin(), places.begin() + WidthOf(join), 0);
  return Moved(all, places);
}

// Catalyst's validConstraints.
arrow::Result<Constraints> Valid(const LogicalPlan& plan) {
  switch (plan.kind) {
    case Kind::kFilter: {
      ARROW_ASSIGN_OR_RAISE(Constraints all, ConstraintsOf(plan.child()));
      AddAll(ConjunctsOf(As<FilterNode>(plan).condition), &all);
      return all;
    }
    case Kind::kProject:
      return OfExprs(plan, As<ProjectNode>(plan).exprs);
    case Kind::kAggregate: {
      Exprs keys = As<AggregateNode>(plan).keys;
      // The session of a group is another one than those of its rows.
      if (As<AggregateNode>(plan).session_key >= 0) {
        keys[As<AggregateNode>(plan).session_key] = nullptr;
      }
      return OfExprs(plan, keys);
    }
    case Kind::kGenerate: {
      ARROW_ASSIGN_OR_RAISE(const Constraints all, ConstraintsOf(plan.child()));
      std::vector<int> places(plan.child().output.size(), -1);
      const std::vector<int>& kept = As<GenerateNode>(plan).kept;
      for (size_t i = 0; i < kept.size(); ++i) places[kept[i]] = static_cast<int>(i);
      return Moved(all, places);
    }
    case Kind::kUnion:
      return OfUnion(plan);
    case Kind::kJoin:
      return OfJoin(As<JoinNode>(plan));
    default:
      if (plan.children.empty()) return Constraints{};
      return ConstraintsOf(plan.child());
  }
}

}  // namespace

void AddConstraint(ExprPtr condition, Constraints* constraints) {
  if (constraints->size() >= kMost || Contains(*constraints, *condition)) return;
  constraints->push_back(std::move(condition));
}

arrow::Result<Constraints> InferFromEqualities(const Constraints& constraints) {
  Constraints inferred;
  const auto replace_all = [&](const Expr& equality, const Expr& from, const ExprPtr& to) {
    for (const ExprPtr& constraint : constraints) {
      const bool is_same =
          ExprEquals(*constraint, equality) ||
          (IsCall(*constraint, "<=>") && ExprEquals(*constraint->args[0], *equality.args[0]) &&
           ExprEquals(*constraint->args[1], *equality.args[1]));
      if (is_same || IsCall(*constraint, "isnotnull")) continue;
      ExprPtr replaced = Replace(constraint, from, to);
      if (!Contains(constraints, *replaced)) AddConstraint(std::move(replaced), &inferred);
    }
  };
  for (const ExprPtr& constraint : constraints) {
    if (!IsCall(*constraint, "=")) continue;
    const ExprPtr& left = constraint->args[0];
    const ExprPtr& right = constraint->args[1];
    if (IsColumn(*left) && (IsColumn(*right) || IsCastColumn(*right))) {
      replace_all(*constraint, *left, right);
    }
    if (IsColumn(*right) && (IsColumn(*left) || IsCastColumn(*left))) {
      replace_all(*constraint, *right, left);
    }
  }
  return inferred;
}

arrow::Result<Constraints> InferNotNull(const Constraints& constraints) {
  Constraints inferred;
  for (const ExprPtr& constraint : constraints) {
    Exprs columns;
    CollectNullIntolerant(IsCall(*constraint, "isnotnull") ? constraint->args[0] : constraint,
                          &columns);
    for (const ExprPtr& column : columns) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr is_there, MakeCall("isnotnull", {column}, constraint->span));
      if (!Contains(constraints, *is_there)) AddConstraint(std::move(is_there), &inferred);
    }
  }
  return inferred;
}

arrow::Result<Constraints> ConstraintsOf(const LogicalPlan& plan) {
  ARROW_ASSIGN_OR_RAISE(Constraints all, Valid(plan));
  ARROW_ASSIGN_OR_RAISE(const Constraints equal, InferFromEqualities(all));
  ARROW_ASSIGN_OR_RAISE(const Constraints not_null, InferNotNull(all));
  AddAll(equal, &all);
  AddAll(not_null, &all);
  // Random conditions, too, say what is not NULL; of themselves they say nothing.
  std::erase_if(all, [](const ExprPtr& constraint) {
    return !IsDeterministic(*constraint) || ColumnsIn(*constraint).empty();
  });
  return all;
}

}  // namespace tidemill::driver
