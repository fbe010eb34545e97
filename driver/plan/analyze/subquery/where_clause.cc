#include "driver/plan/analyze/subquery/where_clause.h"

#include <arrow/scalar.h>
#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/subquery/apply.h"
#include "driver/plan/analyze/subquery/subquery_joins.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

arrow::Status InvalidCondition(const sql::AstExpr& where, const sql::AstExpr& wrong,
                               const QueryScope& scope) {
  const std::string_view query = scope.context.query;
  return QueryError("INVALID_WHERE_CONDITION",
                    fmt::format("The WHERE condition {} contains invalid expressions: {}. Rewrite "
                                "the query to avoid window functions, aggregate functions, and "
                                "generator functions in the WHERE clause.",
                                QuotedSql(TextAt(query, where.span)), TextAt(query, wrong.span)),
                    wrong.span,
                    IsGeneratorCall(wrong) ? "" : "conditions on groups belong into HAVING");
}

// The part of a condition that is a join of its own.
struct JoinedSubquery {
  const sql::AstExpr* ast = nullptr;
  bool is_negated = false;
};

class WhereClause final : public BindHook {
 public:
  WhereClause(LogicalPlanPtr input, const QueryScope& scope)
      : plan_(std::move(input)), scope_(scope), names_(plan_->output), subqueries_(names_, scope) {}

  arrow::Result<LogicalPlanPtr> Run(const sql::AstExpr& where) {
    Split(where);
    std::vector<ExprPtr> conditions;
    for (const sql::AstExpr* conjunct : conjuncts_) {
      ExprBinder binder(names_, Options());
      ARROW_ASSIGN_OR_RAISE(ExprPtr condition, binder.Bind(*conjunct));
      ARROW_ASSIGN_OR_RAISE(condition, RequireBoolean(std::move(condition), conjunct->span));
      conditions.push_back(std::move(condition));
    }
    ARROW_RETURN_NOT_OK(Filter(conditions, where.span));
    for (const JoinedSubquery& join : joins_) ARROW_RETURN_NOT_OK(AddJoin(join));
    return std::move(plan_);
  }

  arrow::Result<ExprPtr> BindSubquery(const sql::AstExpr& ast, ExprBinder* binder) override {
    return subqueries_.Add(ast, binder);
  }
  arrow::Result<ExprPtr> BindWindow(const sql::AstExpr& call, ExprBinder* binder) override {
    return WindowNotAllowed(call, "WHERE");
  }
  arrow::Result<ExprPtr> BindRowId(const sql::AstExpr& call, ExprBinder* binder) override {
    return NotSupportedYet("ROW_ID_IN_WHERE", "monotonically_increasing_id() in WHERE", call.span,
                           "select it in a subquery");
  }
  arrow::Result<ExprPtr> BindGrouping(const sql::AstExpr& call, ExprBinder* binder) override {
    return QueryError("UNSUPPORTED_GROUPING_EXPRESSION",
                      "grouping()/grouping_id() can only be used with GroupingSets/Cube/Rollup.",
                      call.span);
  }
  arrow::Result<ExprPtr> FindAlias(const sql::AstExpr& name) override { return nullptr; }

 private:
  ExprBinder::Options Options() {
    return {.query = scope_.context.query,
            .zone = scope_.context.zone.get(),
            .outer = scope_.outer,
            .hook = this};
  }

  void Split(const sql::AstExpr& ast) {
    if (ast.kind == Kind::kCall && ast.name == "and") {
      for (const sql::AstExpr& arg : ast.args) Split(arg);
      return;
    }
    const bool is_not = ast.kind == Kind::kCall && ast.name == "not";
    const sql::AstExpr& inner = is_not ? ast.args[0] : ast;
    const bool is_joined =
        inner.kind == Kind::kExists || (inner.kind == Kind::kInSubquery && !is_not);
    if (is_joined) {
      joins_.push_back({&inner, is_not});
    } else {
      conjuncts_.push_back(&ast);
    }
  }

  // Joins what the conditions need, filters, and drops the joined columns again.
  arrow::Status Filter(const std::vector<ExprPtr>& conditions, Span span) {
    if (conditions.empty()) return arrow::Status::OK();
    const std::vector<PlanField> fields = plan_->output;
    const auto width = static_cast<int>(fields.size());
    ARROW_ASSIGN_OR_RAISE(
        plan_, subqueries_.Join(std::move(plan_), [](const ExprPtr& expr) { return expr; }));
    ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(conditions));
    plan_ = MakeFilter(std::move(plan_), PlaceJoined(condition, width), span);
    if (subqueries_.empty()) return arrow::Status::OK();
    plan_ = MakeProject(std::move(plan_), ColumnsOf(fields, span), fields, span);
    return arrow::Status::OK();
  }

  static ExprPtr PlaceJoined(const ExprPtr& expr, int width) {
    if (expr->kind == Expr::Kind::kColumn) {
      if (expr->column < kSubqueryColumns) return expr;
      return MakeColumn(expr->column - kSubqueryColumns + width, expr->name, expr->type,
                        expr->span);
    }
    if (expr->args.empty()) return expr;
    auto copy = std::make_shared<Expr>(*expr);
    for (ExprPtr& arg : copy->args) arg = PlaceJoined(arg, width);
    return copy;
  }

  arrow::Status AddJoin(const JoinedSubquery& join) {
    const sql::AstExpr& ast = *join.ast;
    ARROW_ASSIGN_OR_RAISE(Decorrelated query,
                          AnalyzeSubquery(*ast.query, names_, scope_,
                                          {.no_empty_values = ast.kind == Kind::kInSubquery}));
    if (query.domain != nullptr) {
      ARROW_ASSIGN_OR_RAISE(
          query.plan, OverDistinctRows(query.plan, query.domain, plan_,
                                       ColumnsAt(*plan_, query.outer_columns, ast.span), ast.span));
    }
    if (!query.empty_values.empty()) return AddAlwaysThere(join);
    const auto width = static_cast<int>(plan_->output.size());
    std::vector<ExprPtr> conditions;
    for (const ExprPtr& condition : query.conditions) {
      conditions.push_back(OverBothSides(condition, width));
    }
    if (ast.kind == Kind::kInSubquery) {
      ExprBinder binder(names_, Options());
      ARROW_ASSIGN_OR_RAISE(const std::vector<ExprPtr> left, binder.BindAll(ast.args));
      ARROW_RETURN_NOT_OK(CheckInWidth(ast, left, query.width));
      for (size_t i = 0; i < left.size(); ++i) {
        const PlanField& field = query.plan->output[i];
        ExprPtr right = MakeColumn(width + static_cast<int>(i), field.name, field.type, ast.span);
        ARROW_ASSIGN_OR_RAISE(ExprPtr equality,
                              MakeCall("=", {left[i], std::move(right)}, ast.span));
        conditions.push_back(std::move(equality));
      }
    }
    ARROW_ASSIGN_OR_RAISE(ExprPtr condition, JoinConjuncts(conditions));
    plan_ = AsSubquery(MakeJoin(std::move(plan_), std::move(query.plan),
                                join.is_negated ? JoinType::kLeftAnti : JoinType::kLeftSemi,
                                std::move(condition), ast.span));
    return arrow::Status::OK();
  }

  // An aggregation without groups gives a row whatever the query around says.
  arrow::Status AddAlwaysThere(const JoinedSubquery& join) {
    ExprPtr is_there =
        MakeLiteral(std::make_shared<arrow::BooleanScalar>(!join.is_negated), join.ast->span);
    plan_ = MakeFilter(std::move(plan_), std::move(is_there), join.ast->span);
    return arrow::Status::OK();
  }

  LogicalPlanPtr plan_;
  const QueryScope& scope_;
  const NameScope names_;
  SubqueryJoins subqueries_;
  std::vector<const sql::AstExpr*> conjuncts_;
  std::vector<JoinedSubquery> joins_;
};

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeWhere(const sql::AstExpr& where, LogicalPlanPtr input,
                                           const QueryScope& scope) {
  const sql::AstExpr* wrong = FindAggregateCall(where);
  if (wrong == nullptr) wrong = FindGeneratorCall(where);
  if (wrong != nullptr) return InvalidCondition(where, *wrong, scope);
  if (const sql::AstExpr* window = FindWindowCall(where)) return WindowNotAllowed(*window, "WHERE");
  return WhereClause(std::move(input), scope).Run(where);
}

}  // namespace tidemill::driver
