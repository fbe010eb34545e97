#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "common/expr/function_registry.h"
#include "common/expr/type_coercion.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

const std::vector<std::string>& AggregateNames() {
  static const auto* const names =
      new std::vector<std::string>{"avg", "count", "max", "mean", "min", "sum"};
  return *names;
}

std::string CanonicalName(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower == "mean" ? "avg" : lower;
}

TypePtr BoundedDecimal(const arrow::DataType& type, int more_precision, int more_scale) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(type);
  return arrow::decimal128(std::min(decimal.precision() + more_precision, 38),
                           std::min(decimal.scale() + more_scale, 38));
}

// The type whose values are added up, or nullptr where the argument is no number.
TypePtr SumArgument(const TypePtr& type) {
  if (IsIntegralType(*type)) return arrow::int64();
  if (IsDecimalType(*type)) return type;
  if (IsFloatingType(*type) || IsStringType(*type) || type->id() == arrow::Type::NA) {
    return arrow::float64();
  }
  return nullptr;
}

bool IsOrderable(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return false;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (!IsOrderable(*type.field(i)->type())) return false;
  }
  return true;
}

arrow::Result<AggregateSignature> ResolveSum(AggregateSignature signature,
                                             std::span<const ExprPtr> args) {
  TypePtr argument = SumArgument(args[0]->type);
  if (argument == nullptr) return UnexpectedInput(signature.name, args, 0, "\"NUMERIC\"");
  const bool is_decimal = IsDecimalType(*argument);
  if (signature.name == "sum") {
    signature.type = is_decimal ? BoundedDecimal(*argument, 10, 0) : argument;
    signature.arg_types = {argument};
    signature.state_types = {signature.type};
    return signature;
  }
  if (!is_decimal) argument = arrow::float64();
  signature.type = is_decimal ? BoundedDecimal(*argument, 4, 4) : argument;
  signature.arg_types = {argument};
  signature.state_types = {is_decimal ? BoundedDecimal(*argument, 10, 0) : argument,
                           arrow::int64()};
  return signature;
}

arrow::Result<AggregateSignature> Resolve(std::string_view name, std::span<const ExprPtr> args) {
  AggregateSignature signature;
  signature.name = CanonicalName(name);
  if (signature.name == "count") {
    if (args.empty()) return WrongNumArgs("count", "count(expr[, expr...])", "> 0", 0);
    for (const ExprPtr& arg : args) signature.arg_types.push_back(arg->type);
    signature.type = arrow::int64();
    signature.state_types = {signature.type};
    return signature;
  }
  ARROW_RETURN_NOT_OK(
      CheckArgCount(signature.name, fmt::format("{}(expr)", signature.name), args.size(), 1, 1));
  if (signature.name == "sum" || signature.name == "avg") {
    return ResolveSum(std::move(signature), args);
  }
  if (!IsOrderable(*args[0]->type)) {
    return MakeError(
        ErrorKind::kInvalid, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
        fmt::format("Cannot resolve \"{}({})\" due to data type mismatch: the `{}` does not "
                    "support ordering on type \"MAP\".",
                    signature.name, ExprText(*args[0]), signature.name));
  }
  signature.arg_types = {args[0]->type};
  signature.type = args[0]->type;
  signature.state_types = {signature.type};
  return signature;
}

}  // namespace

bool IsAggregateName(std::string_view name) {
  const std::string canonical = CanonicalName(name);
  return std::binary_search(AggregateNames().begin(), AggregateNames().end(), canonical);
}

arrow::Result<AggregateSignature> ResolveAggregate(std::string_view name,
                                                   std::span<const ExprPtr> args, Span span) {
  if (!IsAggregateName(name)) {
    return MakeError(
        ErrorKind::kInvalid, "UNRESOLVED_ROUTINE",
        fmt::format("Cannot resolve routine `{}` on search path [`system`.`builtin`].", name),
        span);
  }
  arrow::Result<AggregateSignature> signature = Resolve(name, args);
  return signature.ok() ? signature : WithSpan(signature.status(), span);
}

}  // namespace tidemill
