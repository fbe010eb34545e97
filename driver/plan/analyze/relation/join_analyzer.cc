#include "driver/plan/analyze/relation/join_analyzer.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

JoinType TypeOf(sql::JoinType type) {
  switch (type) {
    case sql::JoinType::kInner:
    case sql::JoinType::kCross:
      return JoinType::kInner;
    case sql::JoinType::kLeft:
      return JoinType::kLeft;
    case sql::JoinType::kRight:
      return JoinType::kRight;
    case sql::JoinType::kFull:
      return JoinType::kFull;
    case sql::JoinType::kLeftSemi:
      return JoinType::kLeftSemi;
    case sql::JoinType::kLeftAnti:
      return JoinType::kLeftAnti;
  }
  return JoinType::kInner;
}

bool KeepsLeftOnly(JoinType type) {
  return type == JoinType::kLeftSemi || type == JoinType::kLeftAnti;
}

// A column that both sides have.
struct SharedColumn {
  std::string name;
  int left = 0;
  int right = 0;  // of the right side alone
};

arrow::Result<int> FindShared(const std::string& name, const LogicalPlan& side,
                              std::string_view side_name, Span span) {
  int found = -1;
  std::vector<std::string> names;
  for (int i = 0; i < static_cast<int>(side.output.size()); ++i) {
    const PlanField& field = side.output[i];
    if (field.is_hidden) continue;
    names.push_back(QuotedName(field.name));
    if (!EqualsIgnoreCase(field.name, name)) continue;
    if (found >= 0) {
      const NameScope scope(side.output);
      return scope.Ambiguous({name}, scope.Matches({name}), span);
    }
    found = i;
  }
  if (found >= 0) return found;
  std::sort(names.begin(), names.end());
  return QueryError("UNRESOLVED_USING_COLUMN_FOR_JOIN",
                    fmt::format("USING column {} cannot be resolved on the {} side of the join. "
                                "The {}-side columns: [{}].",
                                QuotedName(name), side_name, side_name, fmt::join(names, ", ")),
                    span);
}

arrow::Result<std::vector<SharedColumn>> SharedColumns(const sql::JoinClause& join,
                                                       const LogicalPlan& left,
                                                       const LogicalPlan& right, Span span) {
  std::vector<std::string> names = join.using_columns;
  if (join.is_natural) {
    for (const PlanField& field : left.output) {
      if (field.is_hidden) continue;
      const bool is_shared =
          std::any_of(right.output.begin(), right.output.end(), [&](const PlanField& other) {
            return !other.is_hidden && EqualsIgnoreCase(field.name, other.name);
          });
      if (is_shared) names.push_back(field.name);
    }
  }
  std::vector<SharedColumn> shared;
  for (const std::string& name : names) {
    SharedColumn column{name};
    ARROW_ASSIGN_OR_RAISE(column.left, FindShared(name, left, "left", span));
    ARROW_ASSIGN_OR_RAISE(column.right, FindShared(name, right, "right", span));
    shared.push_back(std::move(column));
  }
  return shared;
}

// Of one side of a join, whose columns begin at `offset`.
ExprPtr ColumnOfSide(const LogicalPlan& side, int column, int offset, Span span) {
  return ColumnOf(side.output[column], column + offset, span);
}

// The columns of a USING join in Spark's order: the shared ones, the left's, the right's, and
// hidden what the shared ones were made of.
class MergedColumns {
 public:
  MergedColumns(LogicalPlanPtr joined, const LogicalPlan& left, const LogicalPlan& right, Span span)
      : joined_(std::move(joined)), left_(left), right_(right), span_(span) {}

  arrow::Result<LogicalPlanPtr> Project(const std::vector<SharedColumn>& shared, JoinType type) {
    const bool keeps_right = !KeepsLeftOnly(type);
    std::vector<bool> is_left_key(left_.output.size());
    std::vector<bool> is_right_key(right_.output.size());
    for (const SharedColumn& column : shared) {
      is_left_key[column.left] = true;
      is_right_key[column.right] = true;
      ARROW_RETURN_NOT_OK(AddShared(column, type));
    }
    AddSide(left_, 0, is_left_key, /*keys=*/false);
    if (keeps_right) AddSide(right_, LeftWidth(), is_right_key, /*keys=*/false);
    if (type == JoinType::kRight || type == JoinType::kFull) {
      AddSide(left_, 0, is_left_key, /*keys=*/true);
    }
    if (keeps_right && type != JoinType::kRight) {
      AddSide(right_, LeftWidth(), is_right_key, /*keys=*/true);
    }
    return MakeProject(std::move(joined_), std::move(exprs_), std::move(fields_), span_);
  }

 private:
  int LeftWidth() const { return static_cast<int>(left_.output.size()); }

  arrow::Status AddShared(const SharedColumn& column, JoinType type) {
    if (type != JoinType::kFull) {
      const bool is_right = type == JoinType::kRight;
      const LogicalPlan& side = is_right ? right_ : left_;
      const int index = is_right ? column.right : column.left;
      exprs_.push_back(ColumnOfSide(side, index, is_right ? LeftWidth() : 0, span_));
      fields_.push_back(side.output[index]);
      return arrow::Status::OK();
    }
    ARROW_ASSIGN_OR_RAISE(ExprPtr merged,
                          MakeCall("coalesce",
                                   {ColumnOfSide(left_, column.left, 0, span_),
                                    ColumnOfSide(right_, column.right, LeftWidth(), span_)},
                                   span_));
    fields_.push_back({"", left_.output[column.left].name, merged->type});
    exprs_.push_back(std::move(merged));
    return arrow::Status::OK();
  }

  // The key columns as hidden ones, or the others as they are.
  void AddSide(const LogicalPlan& side, int offset, const std::vector<bool>& is_key, bool keys) {
    for (int i = 0; i < static_cast<int>(side.output.size()); ++i) {
      if (is_key[i] != keys) continue;
      exprs_.push_back(ColumnOfSide(side, i, offset, span_));
      fields_.push_back(side.output[i]);
      fields_.back().is_hidden |= keys;
    }
  }

  LogicalPlanPtr joined_;
  const LogicalPlan& left_;
  const LogicalPlan& right_;
  const Span span_;
  std::vector<ExprPtr> exprs_;
  std::vector<PlanField> fields_;
};

}  // namespace

arrow::Result<ExprPtr> BindJoinCondition(const sql::AstExpr& on, const LogicalPlan& left,
                                         const LogicalPlan& right, const QueryScope& scope) {
  const NameScope names(SideBySide(left, right));
  ExprBinder binder(
      names,
      {.query = scope.context.query, .zone = scope.context.zone.get(), .outer = scope.outer});
  ARROW_ASSIGN_OR_RAISE(ExprPtr condition, binder.Bind(on));
  if (condition->type->id() == arrow::Type::BOOL) return condition;
  if (condition->type->id() == arrow::Type::NA) {
    return ImplicitCast(std::move(condition), arrow::boolean());
  }
  return QueryError("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
                    fmt::format("The join condition {} has the invalid type {}, expected "
                                "\"BOOLEAN\".",
                                QuotedSql(ExprText(*condition)), QuotedType(*condition->type)),
                    on.span);
}

arrow::Result<LogicalPlanPtr> AnalyzeJoin(const sql::JoinClause& join, const LogicalPlanPtr& left,
                                          const LogicalPlanPtr& right, Span span,
                                          const QueryScope& scope) {
  const JoinType type = TypeOf(join.type);
  ExprPtr condition;
  if (join.on) {
    ARROW_ASSIGN_OR_RAISE(condition, BindJoinCondition(*join.on, *left, *right, scope));
  }
  ARROW_ASSIGN_OR_RAISE(const auto shared, SharedColumns(join, *left, *right, span));
  const auto left_width = static_cast<int>(left->output.size());
  for (const SharedColumn& column : shared) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr equality,
                          MakeCall("=",
                                   {ColumnOfSide(*left, column.left, 0, span),
                                    ColumnOfSide(*right, column.right, left_width, span)},
                                   span));
    if (condition == nullptr) {
      condition = std::move(equality);
    } else {
      ARROW_ASSIGN_OR_RAISE(condition,
                            MakeCall("and", {std::move(condition), std::move(equality)}, span));
    }
  }
  LogicalPlanPtr joined = MakeJoin(left, right, type, std::move(condition), span);
  if (shared.empty()) return joined;
  return MergedColumns(std::move(joined), *left, *right, span).Project(shared, type);
}

}  // namespace tidemill::driver
