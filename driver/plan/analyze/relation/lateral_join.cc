#include "driver/plan/analyze/relation/lateral_join.h"

#include <fmt/format.h>

#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/relation/join_analyzer.h"
#include "driver/plan/analyze/relation/relation_analyzer.h"
#include "driver/plan/analyze/subquery/apply.h"
#include "driver/plan/analyze/subquery/subquery_joins.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;

std::string_view NameOf(sql::JoinType type) {
  switch (type) {
    case sql::JoinType::kRight:
      return "RIGHT OUTER";
    case sql::JoinType::kFull:
      return "FULL OUTER";
    case sql::JoinType::kLeftSemi:
      return "LEFT SEMI";
    case sql::JoinType::kLeftAnti:
      return "LEFT ANTI";
    default:
      return "";
  }
}

arrow::Status CheckJoin(const sql::Relation& relation) {
  const sql::JoinClause& join = relation.join;
  const sql::Relation& right = relation.children[1];
  if (join.is_natural) {
    return QueryError("INCOMPATIBLE_JOIN_TYPES",
                      "The join types LATERAL and NATURAL are incompatible.", relation.span);
  }
  if (!join.using_columns.empty()) {
    return QueryError("UNSUPPORTED_FEATURE.LATERAL_JOIN_USING",
                      "The feature is not supported: JOIN USING with LATERAL correlation.",
                      relation.span);
  }
  const std::string_view name = NameOf(join.type);
  if (!name.empty()) {
    return QueryError("INVALID_LATERAL_JOIN_TYPE",
                      fmt::format("The {} JOIN with LATERAL correlation is not allowed because an "
                                  "OUTER subquery cannot correlate to its join partner. Remove the "
                                  "LATERAL correlation or use an INNER JOIN, or LEFT OUTER JOIN "
                                  "instead.",
                                  name),
                      relation.span);
  }
  if (right.kind == sql::Relation::Kind::kSubquery ||
      right.kind == sql::Relation::Kind::kFunction) {
    return arrow::Status::OK();
  }
  return QueryError("INVALID_SQL_SYNTAX.LATERAL_WITHOUT_SUBQUERY_OR_TABLE_VALUED_FUNC",
                    "Invalid SQL syntax: LATERAL can only be used with subquery and table-valued "
                    "functions.",
                    right.span);
}

// Over the row of a SELECT without FROM: at least one row, whatever its expressions say.
bool GivesRows(const LogicalPlan& plan) {
  switch (plan.kind) {
    case Kind::kRead:
      return plan.output.empty();
    case Kind::kProject:
    case Kind::kSubqueryAlias:
      return GivesRows(plan.child());
    case Kind::kGenerate: {
      const ExprPtr& rows = As<GenerateNode>(plan).args[0];
      return rows->name == "array" && !rows->args.empty() && GivesRows(plan.child());
    }
    default:
      return false;
  }
}

class LateralJoin {
 public:
  LateralJoin(LogicalPlanPtr left, LogicalPlanPtr right, ExprPtr on, bool is_left, Span span)
      : left_(std::move(left)),
        right_(std::move(right)),
        on_(std::move(on)),
        is_left_(is_left),
        span_(span) {}

  arrow::Result<LogicalPlanPtr> Run() {
    const arrow::Result<Decorrelated> query = Decorrelate(right_);
    if (query.ok() && CanJoin(*query)) return JoinOn(*query);
    const bool has_every_row = !is_left_ || (on_ == nullptr && GivesRows(*right_));
    if (has_every_row && !NeedsDistinctRows(right_)) return ApplyToRows();
    return JoinByRows();
  }

 private:
  int LeftWidth() const { return static_cast<int>(left_->output.size()); }
  int RightWidth() const { return static_cast<int>(right_->output.size()); }

  // Values of missing groups are filled in behind the join, which ON does not see; that a group is
  // missing, its key tells.
  bool CanJoin(const Decorrelated& query) const {
    if (query.empty_values.empty()) return true;
    const CorrelatedEquality key = EqualityOf(*query.conditions[0]);
    return on_ == nullptr && !key.is_null_safe && key.inner != nullptr &&
           key.inner->kind == Expr::Kind::kColumn;
  }

  // The columns of both sides, under their names.
  LogicalPlanPtr Show(LogicalPlanPtr plan, std::vector<ExprPtr> exprs) const {
    std::vector<PlanField> fields = left_->output;
    fields.insert(fields.end(), right_->output.begin(), right_->output.end());
    return MakeProject(std::move(plan), std::move(exprs), std::move(fields), span_);
  }

  std::vector<ExprPtr> BothSides(const LogicalPlan& plan, int right_begin) const {
    std::vector<ExprPtr> exprs;
    for (int i = 0; i < LeftWidth() + RightWidth(); ++i) {
      const int column = i < LeftWidth() ? i : right_begin + i - LeftWidth();
      exprs.push_back(ColumnAt(plan, column, span_));
    }
    return exprs;
  }

  // The query without its conditions, joined on them.
  arrow::Result<LogicalPlanPtr> JoinOn(const Decorrelated& query) const {
    std::vector<ExprPtr> conditions;
    for (const ExprPtr& condition : query.conditions) {
      conditions.push_back(OverBothSides(condition, LeftWidth()));
    }
    if (on_ != nullptr) conditions.push_back(on_);
    ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(conditions));
    const bool is_outer = is_left_ || !query.empty_values.empty();
    LogicalPlanPtr plan = MakeJoin(left_, query.plan, is_outer ? JoinType::kLeft : JoinType::kInner,
                                   std::move(condition), span_);
    std::vector<ExprPtr> exprs = BothSides(*plan, LeftWidth());
    for (int i = 0; i < static_cast<int>(query.empty_values.size()) && i < RightWidth(); ++i) {
      if (query.empty_values[i] == nullptr) continue;
      const ExprPtr key = OverBothSides(EqualityOf(*query.conditions[0]).inner, LeftWidth());
      ARROW_ASSIGN_OR_RAISE(ExprPtr is_missing, MakeCall("isnull", {key}, span_));
      ExprPtr& value = exprs[LeftWidth() + i];
      ARROW_ASSIGN_OR_RAISE(
          value, MakeCall("if", {std::move(is_missing), query.empty_values[i], value}, span_));
    }
    return Show(std::move(plan), std::move(exprs));
  }

  // The query for every row of the left side.
  arrow::Result<LogicalPlanPtr> ApplyToRows() const {
    std::vector<int> places(left_->output.size());
    std::iota(places.begin(), places.end(), 0);
    ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, Apply(right_, left_, places));
    std::vector<ExprPtr> exprs = BothSides(*plan, LeftWidth());
    plan = Show(std::move(plan), std::move(exprs));
    if (on_ == nullptr) return plan;
    return MakeFilter(std::move(plan), on_, span_);
  }

  // The query for the different rows of what it names, joined with the left side on them.
  arrow::Result<LogicalPlanPtr> JoinByRows() const {
    ARROW_ASSIGN_OR_RAISE(Decorrelated query, ApplyToDomain(right_, left_->output));
    ARROW_ASSIGN_OR_RAISE(query.plan,
                          OverDistinctRows(query.plan, query.domain, left_,
                                           ColumnsAt(*left_, query.outer_columns, span_), span_));
    return JoinOn(query);
  }

  const LogicalPlanPtr left_;
  const LogicalPlanPtr right_;
  const ExprPtr on_;
  const bool is_left_;
  const Span span_;
};

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeLateralJoin(const sql::Relation& relation, LogicalPlanPtr left,
                                                 const QueryScope& scope) {
  ARROW_RETURN_NOT_OK(CheckJoin(relation));
  const sql::Relation& other = relation.children[1];
  left = DropHiddenColumns(std::move(left), relation.span);
  const NameScope names(left->output);
  OuterScope outer{names};
  QueryScope inner = scope;
  inner.outer = &outer;
  ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr right, AnalyzeRelation(other, inner));
  ARROW_ASSIGN_OR_RAISE(right, WithoutStreams(std::move(right), other.span));
  if (!outer.was_used) {
    return AnalyzeJoin(relation.join, left, right, relation.span, scope);
  }
  ExprPtr on;
  if (relation.join.on) {
    ARROW_ASSIGN_OR_RAISE(on, BindJoinCondition(*relation.join.on, *left, *right, scope));
  }
  const bool is_left = relation.join.type == sql::JoinType::kLeft;
  return LateralJoin(std::move(left), std::move(right), std::move(on), is_left, relation.span)
      .Run();
}

}  // namespace tidemill::driver
