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
  };

  // `scope` and what the options point to must outlive this.
  ExprBinder(const NameScope& scope, const Options& options) : scope_(scope), options_(options) {}

  // Errors: those of names, literals and functions; UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS,
  // NESTED_AGGREGATE_FUNCTION, INVALID_USAGE_OF_STAR_OR_REGEX.
  arrow::Result<ExprPtr> Bind(const sql::AstExpr& ast);
  arrow::Result<std::vector<ExprPtr>> BindAll(const std::vector<sql::AstExpr>& asts);

 private:
  arrow::Result<ExprPtr> BindName(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> FindOutput(const sql::AstExpr& ast) const;
  arrow::Result<ExprPtr> BindCall(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindCase(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindHigherOrder(const sql::AstExpr& ast, const FunctionInfo& function);
  arrow::Result<ExprPtr> BindLambda(const sql::AstExpr& ast, const LambdaShape& shape);
  ExprPtr FindParameter(const sql::AstExpr& ast) const;
  arrow::Result<ExprPtr> BindAggregate(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindCast(const sql::AstExpr& ast);
  arrow::Result<ExprPtr> BindTimeColumn(const sql::AstExpr& ast);
  std::string TextOf(const sql::AstExpr& ast) const;

  const NameScope& scope_;
  const Options options_;
  bool is_in_aggregate_ = false;
  std::vector<ExprPtr> parameters_;  // of the lambdas around, outermost first
};

// The first aggregate or generator call in an expression, or nullptr.
const sql::AstExpr* FindAggregateCall(const sql::AstExpr& ast);
const sql::AstExpr* FindGeneratorCall(const sql::AstExpr& ast);
bool IsGeneratorCall(const sql::AstExpr& ast);

// The text that a span covers.
std::string_view TextAt(std::string_view query, Span span);

}  // namespace tidemill::driver
