#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/expr/expr.h"
#include "common/expr/function_registry.h"
#include "common/types/value_format.h"
#include "driver/plan/analyze/name_scope.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

struct TimeColumn;

// Columns that do not exist yet while a SELECT is being bound stand at these indices: the results
// of aggregate calls, and what the generator of the select list gives. The select analyzer replaces
// them once it knows where they end up.
inline constexpr int kAggregateColumns = 1'000'000;
inline constexpr int kGeneratedColumns = 2'000'000;

// The columns of a select list by name, for HAVING and ORDER BY.
struct SelectOutputs {
  NameScope names;
  std::vector<ExprPtr> exprs;
};

class ExprBinder;
struct OuterScope;

// Columns of the query around a subquery stand at this index and above while the subquery is
// analysed; decorrelation replaces them.
inline constexpr int kOuterColumns = 5'000'000;

// Takes what an expression of a SELECT may hold beside functions and aggregates; each gives what
// stands for it in the expression. `binder` is the one that has met it.
class BindHook {
 public:
  virtual ~BindHook() = default;
  // A call with OVER.
  virtual arrow::Result<ExprPtr> BindWindow(const sql::AstExpr& call, ExprBinder* binder) = 0;
  // (query), EXISTS (query), x [NOT] IN (query).
  virtual arrow::Result<ExprPtr> BindSubquery(const sql::AstExpr& ast, ExprBinder* binder) = 0;
  // monotonically_increasing_id().
  virtual arrow::Result<ExprPtr> BindRowId(const sql::AstExpr& call, ExprBinder* binder) = 0;
  // grouping(x), grouping_id(...).
  virtual arrow::Result<ExprPtr> BindGrouping(const sql::AstExpr& call, ExprBinder* binder) = 0;
  // A name that is no column: what an alias before it in the select list means, or nullptr.
  virtual arrow::Result<ExprPtr> FindAlias(const sql::AstExpr& name) = 0;
};

// Resolves expressions of one clause. *Thread-compatible.*
class ExprBinder {
 public:
  struct Options {
    std::string_view query;  // its text, for messages
    const TimeZone* zone = nullptr;
    // Where aggregate calls go; the caller has refused them where they may not stand.
    std::vector<AggregateCall>* calls = nullptr;
    // Names that come before those of the scope, but not inside an aggregate call.
    const SelectOutputs* outputs = nullptr;
    // The calls of window() and the like that are columns of the input.
    const std::vector<TimeColumn>* time_columns = nullptr;
    // Names that come after those of the scope: columns of the query around a subquery.
    OuterScope* outer = nullptr;
    BindHook* hook = nullptr;  // nullptr where these things may not stand
  };

  // `scope` and what the options point to must outlive this.
  ExprBinder(const NameScope& scope, const Options& options) : scope_(scope), options_(options) {}

  // Errors: those of names, literals and functions; UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS,
  // NESTED_AGGREGATE_FUNCTION, INVALID_USAGE_OF_STAR_OR_REGEX.
  arrow::Result<ExprPtr> Bind(const sql::AstExpr& ast);
  arrow::Result<std::vector<ExprPtr>> BindAll(const std::vector<sql::AstExpr>& asts);
  // An aggregate call on its own; its arguments are over the scope.
  arrow::Result<AggregateCall> BindAggregateCall(const sql::AstExpr& ast);

  bool is_in_aggregate() const { return is_in_aggregate_; }
  std::string_view query() const { return options_.query; }

 private:
  arrow::Result<ExprPtr> BindName(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> FindOutput(const sql::AstExpr& ast) const;
  arrow::Result<ExprPtr> BindCall(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindArranged(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindIdentifier(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindCase(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindHigherOrder(const sql::AstExpr& ast, const FunctionInfo& function);
  arrow::Result<ExprPtr> BindLambda(const sql::AstExpr& ast, const LambdaShape& shape);
  ExprPtr FindParameter(const sql::AstExpr& ast) const;
  arrow::Result<ExprPtr> BindAggregate(const sql::AstExpr& ast);
  arrow::Status BindIgnoreNulls(const sql::AstExpr& ast, std::string* name,
                                std::vector<ExprPtr>* args) const;
  arrow::Status BindFilter(const sql::AstExpr& filter, AggregateCall* call);
  arrow::Result<ExprPtr> BindCast(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindTimeColumn(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> FindOuter(const sql::AstExpr& ast) const;
  arrow::Result<ExprPtr> BindSubquery(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindWindow(const sql::AstExpr& ast);
  std::string TextOf(const sql::AstExpr& ast) const;

  const NameScope& scope_;
  const Options options_;
  bool is_in_aggregate_ = false;
  std::vector<ExprPtr> parameters_;  // of the lambdas around, outermost first
};

// An aggregate call that no query wrote.
arrow::Result<AggregateCall> MakeAggregateCall(std::string_view name, std::vector<ExprPtr> args,
                                               Span span);

// The first aggregate, generator or window call in an expression, or nullptr. A call with OVER is
// no aggregate, but its arguments may hold one; subqueries are not looked into.
const sql::AstExpr* FindAggregateCall(const sql::AstExpr& ast);
const sql::AstExpr* FindWindowCall(const sql::AstExpr& ast);
const sql::AstExpr* FindGeneratorCall(const sql::AstExpr& ast);
bool IsGeneratorCall(const sql::AstExpr& ast);

bool IsWindowCall(const sql::AstExpr& ast);  // with OVER

// INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX.
arrow::Status UnsupportedSyntax(const sql::AstExpr& call, std::string_view syntax);

// WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE.
arrow::Status WindowNotAllowed(const sql::AstExpr& call, std::string_view clause);

// The text that a span covers.
std::string_view TextAt(std::string_view query, Span span);

}  // namespace tidemill::driver
