#include "common/expr/function_registry.h"

#include <arrow/memory_pool.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/ascii.h"
#include "common/expr/expr_text.h"
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
    auto no_seed =
        std::make_shared<Expr>(*MakeLiteral(arrow::MakeNullScalar(arrow::int64()), span));
    no_seed->is_implicit = true;
    args.push_back(std::move(no_seed));
  }
  if (args.size() == most)
    args.push_back(MakeLiteral(arrow::MakeScalar(int64_t{span.begin}), span));
  return args;
}

// The name that a field has from its expression: that of a column, a lambda's variable or a field.
std::string FieldNameOf(const Expr& expr, std::string otherwise) {
  const bool is_name = expr.kind == Expr::Kind::kColumn || expr.kind == Expr::Kind::kParameter;
  if (is_name && expr.text.empty() && !expr.name.empty()) return expr.name;
  if (expr.kind == Expr::Kind::kCall && expr.name == "get_field") return ExprText(*expr.args[1]);
  return otherwise;
}

// struct(a, b) as named_struct('a', a, 'b', b): names are settled here, before columns move.
std::vector<ExprPtr> WithFieldNames(const std::vector<ExprPtr>& args) {
  std::vector<ExprPtr> named;
  for (size_t i = 0; i < args.size(); ++i) {
    std::string name = FieldNameOf(*args[i], fmt::format("col{}", i + 1));
    named.push_back(MakeLiteral(arrow::MakeScalar(std::move(name)), args[i]->span));
    named.push_back(args[i]);
  }
  return named;
}

// arrays_zip(a, b) with the names of its fields behind: a column's, else the number.
std::vector<ExprPtr> WithZippedNames(std::vector<ExprPtr> args) {
  const size_t count = args.size();
  for (size_t i = 0; i < count; ++i) {
    std::string name = FieldNameOf(*args[i], fmt::format("{}", i));
    args.push_back(MakeLiteral(arrow::MakeScalar(std::move(name)), args[i]->span));
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

// try_add of a date and a number of days, nullptr for others.
arrow::Result<ExprPtr> MakeTryMove(const std::string& name, const std::vector<ExprPtr>& args,
                                   Span span) {
  if (args.size() != 2) return nullptr;
  const bool is_swapped = name == "try_add" && args[1]->type->id() == arrow::Type::DATE32;
  const ExprPtr& date = args[is_swapped ? 1 : 0];
  const ExprPtr& days = args[is_swapped ? 0 : 1];
  const arrow::DataType& count = *days->type;
  if (date->type->id() != arrow::Type::DATE32 || !IsIntegralType(count) ||
      count.id() == arrow::Type::INT64) {
    return nullptr;
  }
  ARROW_ASSIGN_OR_RAISE(const ExprPtr moved,
                        MakeCall(name == "try_add" ? "date_add" : "date_sub", {date, days}, span));
  return WithText(moved, fmt::format("{}({}, {})", name, ExprText(*args[0]), ExprText(*args[1])));
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

bool IsOrdering(std::string_view name) {
  return name == "<" || name == "<=" || name == ">" || name == ">=";
}

// x > 1.5 with an integer x is x > 1, as Spark has it: no value between two integers is met.
void CompareAsIntegers(std::string_view name, std::vector<ExprPtr>* args) {
  const bool is_left = IsDecimalType(*(*args)[0]->type);
  const Expr& literal = *(*args)[is_left ? 0 : 1];
  const Expr& integer = *(*args)[is_left ? 1 : 0];
  const bool is_decimal =
      IsDecimalType(*literal.type) && IsLiteral(literal) && literal.literal->is_valid;
  if (!is_decimal || !IsIntegralType(*integer.type)) return;
  const auto& type = static_cast<const arrow::Decimal128Type&>(*literal.type);
  const auto& value = static_cast<const arrow::Decimal128Scalar&>(*literal.literal).value;
  // Down where the integer is to be greater, or not greater: x > 1.5, x <= 1.5, 1.5 < x, 1.5 >= x.
  const bool is_down = is_left == (name == "<" || name == ">=");
  arrow::BasicDecimal128 whole = value;
  arrow::BasicDecimal128 fraction;
  if (type.scale() > 0) value.GetWholeAndFraction(type.scale(), &whole, &fraction);
  if (is_down && fraction < 0) whole -= 1;
  if (!is_down && fraction > 0) whole += 1;
  const auto bounded = arrow::Decimal128(whole).ToInteger<int64_t>();
  if (!bounded.ok()) return;
  (*args)[is_left ? 0 : 1] = MakeLiteral(arrow::MakeScalar(*bounded), literal.span);
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
    ARROW_ASSIGN_OR_RAISE(const ExprPtr made, MakeCall("if", {condition, args[1], args[2]}, span));
    return WithText(made, fmt::format("nvl2({}, {}, {})", ExprText(*args[0]), ExprText(*args[1]),
                                      ExprText(*args[2])));
  }
  if (lower == "try_add" || lower == "try_subtract") {
    ARROW_ASSIGN_OR_RAISE(const ExprPtr moved, MakeTryMove(lower, args, span));
    if (moved != nullptr) return moved;
  }
  if (IsTypeName(lower)) return MakeTypeCall(lower, args, span);
  if (IsOrdering(lower) && args.size() == 2) CompareAsIntegers(lower, &args);
  const bool is_tuple = lower == kTuple;
  const bool is_struct = (lower == "struct" || is_tuple) && !args.empty();
  if (is_struct) args = WithFieldNames(args);
  if (lower == "arrays_zip") args = WithZippedNames(std::move(args));
  const bool is_minus = lower == "-" && args.size() == 1;
  const FunctionInfo* info = FindFunction(is_struct  ? "named_struct"
                                          : is_minus ? "negative"
                                                     : lower);
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
  call->is_implicit = is_struct && !is_tuple;
  if (!is_struct && lower != info->name) call->text = TextAs(*call, lower);
  return call;
}

arrow::Result<ExprPtr> MakeStruct(std::vector<ExprPtr> args,
                                  const std::vector<std::string>& aliases, Span span) {
  std::vector<ExprPtr> named = WithFieldNames(args);
  std::string text;
  for (size_t i = 0; i < args.size(); ++i) {
    text += (i == 0 ? "" : ", ") + ExprText(*args[i]);
    if (i >= aliases.size() || aliases[i].empty()) continue;
    text += " AS " + aliases[i];
    named[2 * i] = MakeLiteral(arrow::MakeScalar(aliases[i]), args[i]->span);
  }
  ARROW_ASSIGN_OR_RAISE(const ExprPtr made, MakeCall("named_struct", std::move(named), span));
  return WithText(made, fmt::format("struct({})", text));
}

ExprPtr WithText(const ExprPtr& expr, std::string text) {
  auto named = std::make_shared<Expr>(*expr);
  named->text = std::move(text);
  return named;
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
