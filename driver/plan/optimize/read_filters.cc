#include "driver/plan/optimize/read_filters.h"

#include <arrow/scalar.h>
#include <arrow/type.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "connectors/column_filter.h"
#include "driver/plan/logical/conjuncts.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/optimize/rebuild.h"

namespace tidemill::driver {

namespace {

using connectors::ColumnFilter;
using Op = ColumnFilter::Op;

std::optional<Op> OpOf(std::string_view name) {
  if (name == "=" || name == "==") return Op::kEqual;
  if (name == "<") return Op::kLess;
  if (name == "<=") return Op::kLessEqual;
  if (name == ">") return Op::kGreater;
  if (name == ">=") return Op::kGreaterEqual;
  return std::nullopt;
}

// Of `literal op column` as `column op literal`.
Op Turned(Op op) {
  switch (op) {
    case Op::kLess:
      return Op::kGreater;
    case Op::kLessEqual:
      return Op::kGreaterEqual;
    case Op::kGreater:
      return Op::kLess;
    case Op::kGreaterEqual:
      return Op::kLessEqual;
    case Op::kEqual:
      return op;
  }
  return op;
}

std::optional<ColumnFilter::Value> ValueOf(const arrow::Scalar& literal) {
  if (!literal.is_valid) return std::nullopt;
  switch (literal.type->id()) {
    case arrow::Type::INT8:
      return static_cast<const arrow::Int8Scalar&>(literal).value;
    case arrow::Type::INT16:
      return static_cast<const arrow::Int16Scalar&>(literal).value;
    case arrow::Type::INT32:
      return static_cast<const arrow::Int32Scalar&>(literal).value;
    case arrow::Type::INT64:
      return static_cast<const arrow::Int64Scalar&>(literal).value;
    case arrow::Type::DATE32:
      return static_cast<const arrow::Date32Scalar&>(literal).value;
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampScalar&>(literal).value;
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringScalar&>(literal).view());
    default:
      return std::nullopt;
  }
}

std::optional<ColumnFilter> FilterOf(const Expr& expr, const ReadNode& read) {
  if (expr.kind != Expr::Kind::kCall || expr.args.size() != 2) return std::nullopt;
  const auto op = OpOf(expr.name);
  const bool is_turned = expr.args[0]->kind == Expr::Kind::kLiteral;
  const Expr& column = *expr.args[is_turned ? 1 : 0];
  const Expr& literal = *expr.args[is_turned ? 0 : 1];
  if (!op || column.kind != Expr::Kind::kColumn || literal.kind != Expr::Kind::kLiteral ||
      !connectors::IsFilterable(*column.type) || !column.type->Equals(*literal.type)) {
    return std::nullopt;
  }
  auto value = ValueOf(*literal.literal);
  if (!value) return std::nullopt;
  return ColumnFilter{.column = read.columns[column.column],
                      .op = is_turned ? Turned(*op) : *op,
                      .value = *std::move(value)};
}

}  // namespace

LogicalPlanPtr TellReader(const LogicalPlanPtr& filter_over_read) {
  const auto& filter = As<FilterNode>(*filter_over_read);
  const auto& read = As<ReadNode>(filter.child());
  if (read.source.format != "parquet" && read.source.format != "orc") return filter_over_read;
  std::vector<ExprPtr> conjuncts;
  SplitConjuncts(filter.condition, &conjuncts);
  std::vector<ColumnFilter> filters;
  for (const ExprPtr& conjunct : conjuncts) {
    if (auto found = FilterOf(*conjunct, read)) filters.push_back(*std::move(found));
  }
  const std::string text = connectors::EncodeFilters(filters);
  if (text == read.source.options.GetString(connectors::kFilterOption, "")) return filter_over_read;
  connectors::SourceSpec source = read.source;
  source.options.Set(std::string(connectors::kFilterOption), text);
  return MakeFilter(MakeRead(std::move(source), read.columns, read.span), filter.condition,
                    filter_over_read->span);
}

}  // namespace tidemill::driver
