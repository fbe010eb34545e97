#include "common/expr/function_registry.h"

#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/ascii.h"
#include "common/expr/type_coercion.h"
#include "common/functions/cast/cast.h"
#include "common/functions/codec/codec.h"
#include "common/functions/columns.h"
#include "common/functions/format/format.h"
#include "common/functions/hash/hash.h"
#include "common/functions/misc/misc.h"
#include "common/functions/signature.h"
#include "common/types/ddl.h"

namespace tidemill {

namespace {

const FunctionCatalog& Catalog() {
  static const FunctionCatalog* const catalog = [] {
    EnsureArrowCompute();
    auto* filled = new FunctionCatalog();
    AddArithmeticFunctions(filled);
    AddBaseTextFunctions(filled);
    AddBinaryFormatFunctions(filled);
    AddCharsetFunctions(filled);
    AddCheckFunctions(filled);
    AddCollectionFunctions(filled);
    AddComparisonFunctions(filled);
    AddConditionalFunctions(filled);
    AddDatetimeFunctions(filled);
    AddDigestFunctions(filled);
    AddFormatNumberFunctions(filled);
    AddFormatStringFunctions(filled);
    AddHashFunctions(filled);
    AddCsvFunctions(filled);
    AddJsonFunctions(filled);
    AddLogicFunctions(filled);
    AddMathFunctions(filled);
    AddNumberPatternFunctions(filled);
    AddRadixTextFunctions(filled);
    AddRandomFunctions(filled);
    AddRegexFunctions(filled);
    AddSearchFunctions(filled);
    AddSessionFunctions(filled);
    AddSplitFunctions(filled);
    AddStringFunctions(filled);
    AddTimeWindowFunctions(filled);
    AddUrlFunctions(filled);
    AddUtf8Functions(filled);
    return filled;
  }();
  return *catalog;
}

std::shared_ptr<Expr> NewCall(std::string name, TypePtr type, std::vector<ExprPtr> args,
                              Span span) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kCall;
  expr->name = std::move(name);
  expr->type = std::move(type);
  expr->args = std::move(args);
  expr->span = span;
  return expr;
}

bool NeedsTimeZone(const arrow::DataType& type) { return type.id() == arrow::Type::TIMESTAMP; }

// A literal cast now, so that functions still find a literal there; nullptr where the value depends
// on the session's time zone or the cast fails (which is then reported at run time, as Spark does).
ExprPtr CastLiteral(const Expr& literal, const TypePtr& type) {
  std::shared_ptr<arrow::Scalar> value;
  if (!literal.literal->is_valid) {
    value = arrow::MakeNullScalar(type);
  } else {
    if (NeedsTimeZone(*literal.type) || NeedsTimeZone(*type)) return nullptr;
    auto kernel = MakeCastKernel(literal.type, type, /*is_try=*/false);
    if (!kernel.ok()) return nullptr;
    EvalContext context;
    context.pool = arrow::default_memory_pool();
    const arrow::Datum arg(literal.literal);
    auto result = (*kernel)(context, std::span(&arg, 1), 1);
    if (!result.ok()) return nullptr;
    if (result->is_scalar()) {
      value = result->scalar();
    } else {
      auto scalar = result->make_array()->GetScalar(0);
      if (!scalar.ok()) return nullptr;
      value = *scalar;
    }
  }
  auto folded = std::make_shared<Expr>(literal);
  folded->name = ExprText(literal);
  folded->literal = std::move(value);
  folded->type = type;
  return folded;
}

arrow::Status CannotCast(const Expr& arg, const TypePtr& type, bool is_try) {
  return MakeError(
      ErrorKind::kInvalid, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
      fmt::format("Cannot resolve \"{}({} AS {})\" due to data type mismatch: cannot cast \"{}\" "
                  "to \"{}\".",
                  is_try ? "TRY_CAST" : "CAST", ExprText(arg), SqlTypeName(*type),
                  SqlTypeName(*arg.type), SqlTypeName(*type)));
}

// Whether text that is no number makes the function NULL instead of failing its cast.
bool TriesCasts(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"try_add", "try_subtract", "try_multiply",
                                                      "try_divide", "try_mod"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// How many arguments a random function has at most, its seed being the last one; 0 for others.
size_t RandomArgCount(std::string_view name) {
  if (name == "rand" || name == "randn" || name == "uuid") return 1;
  if (name == "randstr") return 2;
  return name == "uniform" ? 3 : 0;
}

// Random functions carry their place in the query, which is their ordinal in the random stream.
std::vector<ExprPtr> WithOrdinal(std::vector<ExprPtr> args, size_t most, Span span) {
  if (args.size() == most - 1) {
    args.push_back(MakeLiteral(arrow::MakeNullScalar(arrow::int64()), span));
  }
  if (args.size() == most)
    args.push_back(MakeLiteral(arrow::MakeScalar(int64_t{span.begin}), span));
  return args;
}

// struct(a, b) as named_struct('a', a, 'b', b): names are settled here, before columns move.
std::vector<ExprPtr> WithFieldNames(const std::vector<ExprPtr>& args) {
  std::vector<ExprPtr> named;
  for (size_t i = 0; i < args.size(); ++i) {
    const Expr& arg = *args[i];
    std::string name = fmt::format("col{}", i + 1);
    if (arg.kind == Expr::Kind::kColumn) name = arg.name;
    if (arg.kind == Expr::Kind::kCall && arg.name == "get_field") name = ExprText(*arg.args[1]);
    named.push_back(MakeLiteral(arrow::MakeScalar(std::move(name)), arg.span));
    named.push_back(args[i]);
  }
  return named;
}

// arrays_zip(a, b) with the names of its fields behind: a column's, else the number.
std::vector<ExprPtr> WithZippedNames(std::vector<ExprPtr> args) {
  const size_t count = args.size();
  for (size_t i = 0; i < count; ++i) {
    const Expr& arg = *args[i];
    std::string name = fmt::format("{}", i);
    if (arg.kind == Expr::Kind::kColumn || arg.kind == Expr::Kind::kParameter) name = arg.name;
    if (arg.kind == Expr::Kind::kCall && arg.name == "get_field") name = ExprText(*arg.args[1]);
    args.push_back(MakeLiteral(arrow::MakeScalar(std::move(name)), arg.span));
  }
  return args;
}

// date + 1 is date_add(date, 1); other names stand for themselves.
std::string CanonicalName(const std::string& name, const std::vector<ExprPtr>* args) {
  if ((name == "+" || name == "-") && args->size() == 2) {
    const bool is_date = (*args)[0]->type->id() == arrow::Type::DATE32;
    const arrow::DataType& count = *(*args)[1]->type;
    if (is_date && IsIntegralType(count) && count.id() != arrow::Type::INT64) {
      return name == "+" ? "date_add" : "date_sub";
    }
  }
  return name;
}

// The functions that are named as the type they cast to.
bool IsTypeName(std::string_view name) {
  constexpr std::array<std::string_view, 12> kNames = {
      "boolean", "tinyint", "smallint", "int",       "bigint", "float",
      "double",  "decimal", "date",     "timestamp", "binary", "string"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// int(x) is CAST(x AS INT), but Spark leaves it out of names.
arrow::Result<ExprPtr> MakeTypeCall(const std::string& name, const std::vector<ExprPtr>& args,
                                    Span span) {
  const arrow::Status counted =
      CheckArgCount(name, fmt::format("{}(expr)", name), args.size(), 1, 1);
  if (!counted.ok()) return WithSpan(counted, span);
  ARROW_ASSIGN_OR_RAISE(TypePtr type, ParseDdlType(name));
  if (!CanCast(*args[0]->type, *type)) return WithSpan(CannotCast(*args[0], type, false), span);
  auto cast = NewCall("cast", std::move(type), args, span);
  cast->is_implicit = true;
  return cast;
}

arrow::Status UnknownFunction(std::string_view name) {
  const std::string nearest = NearestName(name, FunctionNames());
  arrow::Status status = MakeError(
      ErrorKind::kInvalid, "UNRESOLVED_ROUTINE",
      fmt::format("Cannot resolve routine `{}` on search path [`system`.`builtin`].", name));
  return nearest.empty() ? status : WithHint(status, fmt::format("did you mean `{}`?", nearest));
}

}  // namespace

const FunctionInfo* FindFunction(std::string_view name) { return Catalog().Find(AsciiLower(name)); }

std::vector<std::string> FunctionNames() { return Catalog().Names(); }

arrow::Result<ExprPtr> MakeCall(std::string_view name, std::vector<ExprPtr> args, Span span) {
  const std::string lower = CanonicalName(AsciiLower(name), &args);
  if (lower == "nvl2" && args.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(ExprPtr condition, MakeCall("isnotnull", {args[0]}, span));
    return MakeCall("if", {condition, args[1], args[2]}, span);
  }
  if (IsTypeName(lower)) return MakeTypeCall(lower, args, span);
  const bool is_struct = lower == "struct" && !args.empty();
  if (is_struct) args = WithFieldNames(args);
  if (lower == "arrays_zip") args = WithZippedNames(std::move(args));
  const FunctionInfo* info = FindFunction(is_struct ? "named_struct" : lower);
  if (info == nullptr) return WithSpan(UnknownFunction(name), span);
  if (const size_t most = RandomArgCount(info->name))
    args = WithOrdinal(std::move(args), most, span);

  arrow::Result<BoundFunction> bound = info->bind(args);
  if (!bound.ok()) return WithSpan(bound.status(), span);
  const bool tries_casts = TriesCasts(info->name);
  for (size_t i = 0; i < args.size(); ++i) {
    if (tries_casts && IsStringType(*args[i]->type)) {
      args[i] = NewCall("try_cast", bound->arg_types[i], {args[i]}, args[i]->span);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(args[i], ImplicitCast(std::move(args[i]), bound->arg_types[i]));
  }
  auto call = NewCall(info->name, bound->type, std::move(args), span);
  call->is_implicit = is_struct;
  return call;
}

arrow::Result<ExprPtr> MakeCast(ExprPtr arg, std::shared_ptr<arrow::DataType> type, bool is_try,
                                Span span) {
  if (!CanCast(*arg->type, *type)) return WithSpan(CannotCast(*arg, type, is_try), span);
  return NewCall(is_try ? "try_cast" : "cast", std::move(type), {std::move(arg)}, span);
}

arrow::Result<ExprPtr> ImplicitCast(ExprPtr arg, std::shared_ptr<arrow::DataType> type) {
  if (arg->type->Equals(*type)) return arg;
  if (!CanCast(*arg->type, *type)) return WithSpan(CannotCast(*arg, type, false), arg->span);
  if (IsLiteral(*arg)) {
    if (ExprPtr folded = CastLiteral(*arg, type)) return folded;
  }
  const Span span = arg->span;
  auto cast = NewCall("cast", std::move(type), {std::move(arg)}, span);
  cast->is_implicit = true;
  return cast;
}

}  // namespace tidemill
