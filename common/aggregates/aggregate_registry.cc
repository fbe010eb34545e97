#include "common/aggregates/aggregate_registry.h"

#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "common/aggregates/aggregate_catalog.h"
#include "common/base/ascii.h"
#include "common/base/check.h"
#include "common/expr/evaluator.h"
#include "common/expr/function_registry.h"
#include "common/functions/signature.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "common/types/time_zone.h"

namespace tidemill {

namespace {

const AggregateCatalog& Catalog() {
  static const AggregateCatalog* const catalog = [] {
    auto* filled = new AggregateCatalog;
    AddBitAggregates(filled);
    AddCollectionAggregates(filled);
    AddMomentAggregates(filled);
    AddPercentileAggregates(filled);
    AddSketchAggregates(filled);
    AddSumAggregates(filled);
    AddValueAggregates(filled);
    return filled;
  }();
  return *catalog;
}

arrow::Status CheckOrder(const AggregateInfo& info, const AggregateRequest& request) {
  using Order = AggregateInfo::Order;
  if (request.order.empty()) {
    if (info.order != Order::kRequired) return arrow::Status::OK();
    return MakeError(ErrorKind::kInvalid, "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING",
                     fmt::format("Invalid function `{}` with WITHIN GROUP. WITHIN GROUP is "
                                 "required for the function.",
                                 info.name));
  }
  if (info.order == Order::kNone) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
                     fmt::format("Invalid SQL syntax: The function `{}` does not support WITHIN "
                                 "GROUP (ORDER BY ...).",
                                 info.name));
  }
  if (request.is_distinct && info.order == Order::kRequired) {
    return MakeError(ErrorKind::kInvalid, "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED",
                     fmt::format("Invalid function `{}` with WITHIN GROUP. Cannot use DISTINCT "
                                 "with WITHIN GROUP.",
                                 info.name));
  }
  if (request.order.size() > 1 && info.name != "listagg") {
    return MakeError(ErrorKind::kInvalid, "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS",
                     fmt::format("Invalid function `{}` with WITHIN GROUP. The function requires 1 "
                                 "orderings in WITHIN GROUP but got {}.",
                                 info.name, request.order.size()));
  }
  return arrow::Status::OK();
}

arrow::Result<BoundAggregate> Bind(const AggregateInfo& info, const AggregateRequest& request) {
  ARROW_RETURN_NOT_OK(CheckOrder(info, request));
  BoundAggregate signature;
  ARROW_ASSIGN_OR_RAISE(signature, info.bind(request));
  if (request.is_distinct && info.name == "listagg" && !request.order.empty() &&
      !ExprEquals(*request.order[0].expr, *request.args[0])) {
    return MakeError(
        ErrorKind::kInvalid, "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT",
        fmt::format("Invalid function `listagg` with WITHIN GROUP. The function is "
                    "invoked with DISTINCT and WITHIN GROUP but expressions \"{}\" and "
                    "\"{}\" do not match. The WITHIN GROUP ordering expression must be "
                    "picked from the function inputs.",
                    ExprText(*request.args[0]), ExprText(*request.order[0].expr)));
  }
  if (request.is_distinct && !info.ignores_duplicates) {
    signature.is_distinct = true;
    signature.inner_state_types =
        std::exchange(signature.state_types, {arrow::binary(), arrow::int64()});
  }
  return signature;
}

}  // namespace

const AggregateInfo* FindAggregate(std::string_view name) {
  return Catalog().Find(AsciiLower(name));
}

std::vector<std::string> AggregateNames() { return Catalog().Names(); }

arrow::Result<BoundAggregate> ResolveAggregateCall(const AggregateRequest& request, Span span) {
  const AggregateInfo* info = FindAggregate(request.name);
  if (info == nullptr) {
    return MakeError(ErrorKind::kInvalid, "UNRESOLVED_ROUTINE",
                     fmt::format("Cannot resolve routine `{}` on search path [`system`.`builtin`].",
                                 request.name),
                     span);
  }
  arrow::Result<BoundAggregate> signature = Bind(*info, request);
  if (!signature.ok()) return WithSpan(signature.status(), span);
  if (signature->text.empty()) signature->text = TextOf(request);
  signature->span = span;
  return signature;
}

void AggregateCatalog::Add(AggregateInfo info, std::initializer_list<std::string_view> aliases) {
  auto entry = std::make_shared<const AggregateInfo>(std::move(info));
  TIDEMILL_CHECK(by_name_.emplace(entry->name, entry).second);
  for (const std::string_view alias : aliases) {
    TIDEMILL_CHECK(by_name_.emplace(std::string(alias), entry).second);
  }
}

const AggregateInfo* AggregateCatalog::Find(const std::string& lower_name) const {
  const auto found = by_name_.find(lower_name);
  return found == by_name_.end() ? nullptr : found->second.get();
}

std::vector<std::string> AggregateCatalog::Names() const {
  std::vector<std::string> names;
  for (const auto& [name, info] : by_name_) names.push_back(name);
  return names;
}

BoundAggregate MakeSignature(std::string name, std::vector<TypePtr> arg_types, TypePtr type,
                             std::vector<TypePtr> state_types) {
  BoundAggregate signature;
  signature.name = std::move(name);
  signature.input_types = arg_types;
  signature.input_args.resize(arg_types.size());
  std::iota(signature.input_args.begin(), signature.input_args.end(), 0);
  signature.arg_types = std::move(arg_types);
  signature.type = std::move(type);
  signature.state_types = std::move(state_types);
  return signature;
}

std::string TextOf(const AggregateRequest& request, std::string_view more, int shown) {
  const size_t count = shown < 0 ? request.args.size() : static_cast<size_t>(shown);
  std::string args;
  for (size_t i = 0; i < count; ++i) {
    args += (i == 0 ? "" : ", ") + ExprText(*request.args[i]);
  }
  return fmt::format("{}({}{}{})", AsciiLower(request.name), request.is_distinct ? "DISTINCT " : "",
                     args, more);
}

arrow::Status CheckCasts(const AggregateRequest& request, size_t argument, const TypePtr& type,
                         std::string_view wanted) {
  if (CanCastImplicitly(*request.args[argument]->type, *type)) return arrow::Status::OK();
  const std::string name = fmt::format("\"{}\"", SqlTypeName(*type));
  return UnexpectedInput(AsciiLower(request.name), request.args, argument,
                         wanted.empty() ? std::string_view(name) : wanted);
}

arrow::Status RefuseCall(std::string_view call, std::string_view subclass,
                         std::string_view reason) {
  return MakeError(
      ErrorKind::kInvalid, fmt::format("DATATYPE_MISMATCH.{}", subclass),
      fmt::format("Cannot resolve \"{}\" due to data type mismatch: {}", call, reason));
}

bool IsOrderable(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return false;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (!IsOrderable(*type.field(i)->type())) return false;
  }
  return true;
}

bool IsMeasurable(const arrow::DataType& type) {
  return IsNumericType(type) || IsDatetimeType(type) || IsYearMonthInterval(type) ||
         IsDayTimeInterval(type);
}

arrow::Status CheckOrderable(const AggregateRequest& request, const arrow::DataType& type) {
  if (IsOrderable(type)) return arrow::Status::OK();
  return RefuseCall(TextOf(request), "INVALID_ORDERING_TYPE",
                    fmt::format("The `{}` does not support ordering on type \"{}\".",
                                AsciiLower(request.name), SqlTypeName(type)));
}

arrow::Result<std::shared_ptr<arrow::Scalar>> ConstantOf(const ExprPtr& arg, const TypePtr& type) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr cast, ImplicitCast(arg, type));
  EvalContext context;
  ARROW_ASSIGN_OR_RAISE(context.zone, FindTimeZone("UTC"));
  context.pool = arrow::default_memory_pool();
  const ExprPtr value = FoldConstant(cast, context);
  return value == nullptr ? nullptr : value->literal;
}

arrow::Status NotConstant(std::string_view call, std::string_view what, std::string_view type,
                          const Expr& arg) {
  return RefuseCall(call, "NON_FOLDABLE_INPUT",
                    fmt::format("the input `{}` should be a foldable \"{}\" expression; however, "
                                "got \"{}\".",
                                what, type, ExprText(arg)));
}

}  // namespace tidemill
