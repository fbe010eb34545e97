#include "driver/plan/analyze/relation/set_operations.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/analyze/literal_binder.h"
#include "driver/plan/analyze/query_clauses.h"
#include "driver/plan/analyze/relation/relation_analyzer.h"
#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

std::string_view NameOf(sql::SetOperator op) {
  switch (op) {
    case sql::SetOperator::kUnion:
      return "UNION";
    case sql::SetOperator::kIntersect:
      return "INTERSECT";
    case sql::SetOperator::kExcept:
      return "EXCEPT";
  }
  return "";
}

// "first", "second", ..., "11th", as Spark counts.
std::string Ordinal(size_t index) {
  constexpr std::array<std::string_view, 10> kWords = {"first", "second", "third",   "fourth",
                                                       "fifth", "sixth",  "seventh", "eighth",
                                                       "ninth", "tenth"};
  if (index < kWords.size()) return std::string(kWords[index]);
  return fmt::format("{}th", index + 1);
}

class SetOperation {
 public:
  SetOperation(const sql::Query& query, const QueryScope& scope) : query_(query), scope_(scope) {}

  arrow::Result<LogicalPlanPtr> Run() {
    for (const sql::Query& operand : query_.operands) {
      ARROW_ASSIGN_OR_RAISE(LogicalPlanPtr plan, AnalyzeIn(operand, scope_));
      operands_.push_back(DropHiddenColumns(std::move(plan), operand.span));
    }
    ARROW_RETURN_NOT_OK(Widen());
    if (query_.set_operator == sql::SetOperator::kUnion) {
      LogicalPlanPtr all = MakeUnion(operands_, query_.span);
      if (query_.is_all) return all;
      ARROW_RETURN_NOT_OK(CheckComparable());
      return Distinct(std::move(all));
    }
    ARROW_RETURN_NOT_OK(CheckComparable());
    if (arrow::Status why = RefusalOfStreams(); !why.ok()) {
      return MakeRefused(operands_, std::move(why), query_.span);
    }
    LogicalPlanPtr left = operands_[0];
    for (size_t i = 1; i < operands_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(left, CompareCounts(std::move(left), operands_[i]));
    }
    return left;
  }

 private:
  std::string_view name() const { return NameOf(query_.set_operator); }
  size_t width() const { return operands_[0]->output.size(); }

  // Projects all operands to common types and the names of the first one.
  arrow::Status Widen() {
    std::vector<PlanField> fields = operands_[0]->output;
    for (size_t i = 1; i < operands_.size(); ++i) {
      const std::vector<PlanField>& other = operands_[i]->output;
      if (other.size() != fields.size()) {
        return QueryError("NUM_COLUMNS_MISMATCH",
                          fmt::format("{} can only be performed on inputs with the same number of "
                                      "columns, but the first input has {} columns and the {} "
                                      "input has {} columns.",
                                      name(), fields.size(), Ordinal(i), other.size()),
                          query_.operands[i].span);
      }
      for (size_t j = 0; j < fields.size(); ++j) {
        auto type = CommonType(fields[j].type, other[j].type);
        if (type == nullptr) return IncompatibleTypes(fields[j], other[j], i, j);
        fields[j].type = std::move(type);
      }
    }
    for (PlanField& field : fields) field.qualifier.clear();
    for (size_t i = 0; i < operands_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(operands_[i], CastTo(fields, operands_[i], query_.operands[i].span));
    }
    return arrow::Status::OK();
  }

  arrow::Status IncompatibleTypes(const PlanField& first, const PlanField& other, size_t operand,
                                  size_t column) const {
    return QueryError(
        "INCOMPATIBLE_COLUMN_TYPE",
        fmt::format("{} can only be performed on tables with compatible column types. The {} "
                    "column of the {} table is {} type which is not compatible with {} at the "
                    "same column of the first table..",
                    name(), Ordinal(column), Ordinal(operand), QuotedType(*other.type),
                    QuotedType(*first.type)),
        query_.operands[operand].span);
  }

  static arrow::Result<LogicalPlanPtr> CastTo(const std::vector<PlanField>& fields,
                                              LogicalPlanPtr plan, Span span) {
    std::vector<ExprPtr> exprs;
    bool is_same = true;
    for (int i = 0; i < static_cast<int>(fields.size()); ++i) {
      const PlanField& field = plan->output[i];
      is_same = is_same && field.name == fields[i].name && field.type->Equals(*fields[i].type);
      ARROW_ASSIGN_OR_RAISE(
          ExprPtr expr, ImplicitCast(MakeColumn(i, field.name, field.type, span), fields[i].type));
      exprs.push_back(std::move(expr));
    }
    if (is_same) return plan;
    return MakeProject(std::move(plan), std::move(exprs), fields, span);
  }

  arrow::Status CheckComparable() const {
    for (const PlanField& field : operands_[0]->output) {
      if (!HasMap(*field.type)) continue;
      return QueryError("UNSUPPORTED_FEATURE.SET_OPERATION_ON_MAP_TYPE",
                        fmt::format("The feature is not supported: Cannot have MAP type columns in "
                                    "a set operation (INTERSECT, EXCEPT, etc.), but the type of "
                                    "column {} is {}.",
                                    QuotedName(field.name), QuotedType(*field.type)),
                        query_.span);
    }
    return arrow::Status::OK();
  }

  arrow::Status RefusalOfStreams() const {
    const auto stream = [](const LogicalPlanPtr& operand) { return IsStreaming(operand); };
    if (std::none_of(operands_.begin(), operands_.end(), stream)) return arrow::Status::OK();
    if (query_.set_operator == sql::SetOperator::kIntersect) {
      return QueryError("UNSUPPORTED_STREAMING_OPERATION",
                        "Intersect of streaming DataFrames/Datasets is not supported", query_.span);
    }
    if (std::any_of(operands_.begin() + 1, operands_.end(), stream)) {
      return QueryError("UNSUPPORTED_STREAMING_OPERATION",
                        "Except on a streaming DataFrame/Dataset on the right is not supported",
                        query_.span);
    }
    return NotSupportedYet("STREAMING_EXCEPT", "EXCEPT on a stream", query_.span,
                           "write LEFT ANTI JOIN");
  }

  LogicalPlanPtr Distinct(LogicalPlanPtr plan) const {
    std::vector<PlanField> fields = plan->output;
    std::vector<ExprPtr> keys = ColumnsOf(fields, query_.span);
    LogicalPlanPtr distinct = MakeAggregate(std::move(plan), keys, {}, query_.span);
    return MakeProject(std::move(distinct), std::move(keys), std::move(fields), query_.span);
  }

  // The plan's columns, then how often its row counts for the left and for the right.
  LogicalPlanPtr WithCounts(LogicalPlanPtr plan, bool is_left) const {
    std::vector<PlanField> fields = plan->output;
    std::vector<ExprPtr> exprs = ColumnsOf(fields, query_.span);
    exprs.push_back(LongLiteral(is_left ? 1 : 0, query_.span));
    exprs.push_back(LongLiteral(is_left ? 0 : 1, query_.span));
    fields.push_back({"", "left_count", arrow::int64()});
    fields.push_back({"", "right_count", arrow::int64()});
    return MakeProject(std::move(plan), std::move(exprs), std::move(fields), query_.span);
  }

  // Rows are equal as grouping has it (NULL is NULL), so both sides are counted in one aggregation
  // and the counts say how often a row is in the result.
  arrow::Result<LogicalPlanPtr> CompareCounts(LogicalPlanPtr left, LogicalPlanPtr right) const {
    const std::vector<PlanField> fields = left->output;
    const auto columns = static_cast<int>(width());
    LogicalPlanPtr plan = MakeUnion(
        {WithCounts(std::move(left), true), WithCounts(std::move(right), false)}, query_.span);
    std::vector<ExprPtr> keys = ColumnsOf(fields, query_.span);
    std::vector<AggregateCall> calls;
    for (int i = columns; i < columns + 2; ++i) {
      const ExprPtr count = MakeColumn(i, plan->output[i].name, arrow::int64(), query_.span);
      ARROW_ASSIGN_OR_RAISE(AggregateCall call, MakeAggregateCall("sum", {count}, query_.span));
      calls.push_back(std::move(call));
    }
    plan = MakeAggregate(std::move(plan), keys, std::move(calls), query_.span);
    std::vector<ExprPtr> names = keys;
    for (int i = columns; i < columns + 2; ++i) {
      names.push_back(MakeColumn(i, plan->output[i].name, arrow::int64(), query_.span));
    }
    ARROW_ASSIGN_OR_RAISE(const ExprPtr copies, Copies(names[columns], names[columns + 1]));
    ARROW_ASSIGN_OR_RAISE(ExprPtr is_there,
                          MakeCall(">", {copies, LongLiteral(0, query_.span)}, query_.span));
    plan = MakeFilter(std::move(plan), std::move(is_there), query_.span);
    if (query_.is_all) {
      std::vector<int> kept(columns);
      std::iota(kept.begin(), kept.end(), 0);
      plan = MakeGenerate(std::move(plan), "replicate", {copies}, std::move(kept), {}, query_.span);
    }
    return MakeProject(std::move(plan), std::move(keys), fields, query_.span);
  }

  // INTERSECT: the smaller count. EXCEPT ALL: the difference; EXCEPT: the left's where the right
  // has none.
  arrow::Result<ExprPtr> Copies(const ExprPtr& left, const ExprPtr& right) const {
    const Span span = query_.span;
    if (query_.set_operator == sql::SetOperator::kIntersect) {
      ARROW_ASSIGN_OR_RAISE(ExprPtr is_less, MakeCall("<", {left, right}, span));
      return MakeCall("if", {std::move(is_less), left, right}, span);
    }
    if (query_.is_all) return MakeCall("-", {left, right}, span);
    ARROW_ASSIGN_OR_RAISE(ExprPtr is_alone, MakeCall("=", {right, LongLiteral(0, span)}, span));
    return MakeCall("if", {std::move(is_alone), left, LongLiteral(0, span)}, span);
  }

  const sql::Query& query_;
  const QueryScope& scope_;
  std::vector<LogicalPlanPtr> operands_;
};

}  // namespace

arrow::Result<LogicalPlanPtr> AnalyzeSetOperation(const sql::Query& query,
                                                  const QueryScope& scope) {
  return SetOperation(query, scope).Run();
}

}  // namespace tidemill::driver
