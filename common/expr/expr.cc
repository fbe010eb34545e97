#include "common/expr/expr.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "common/expr/function_registry.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

std::string JoinTexts(const std::vector<ExprPtr>& args, size_t begin = 0, size_t step = 1) {
  std::string text;
  for (size_t i = begin; i < args.size(); i += step) {
    if (i > begin) text += ", ";
    text += ExprText(*args[i]);
  }
  return text;
}

std::string HexText(std::string_view bytes) {
  std::string text;
  for (char c : bytes) text += fmt::format("{:02X}", static_cast<uint8_t>(c));
  return text;
}

std::string LiteralText(const arrow::Scalar& value) {
  if (!value.is_valid) return "NULL";
  const auto id = value.type->id();
  if (id == arrow::Type::STRING || id == arrow::Type::BINARY) {
    const std::string_view bytes = static_cast<const arrow::BaseBinaryScalar&>(value).view();
    return id == arrow::Type::STRING ? std::string(bytes) : fmt::format("X'{}'", HexText(bytes));
  }
  auto array = arrow::MakeArrayFromScalar(value, 1);
  auto zone = FindTimeZone("UTC");
  if (!array.ok() || !zone.ok()) return value.ToString();
  std::string text = CastToText(**array, 0, **zone);
  if (id == arrow::Type::DATE32) return fmt::format("DATE '{}'", text);
  if (id == arrow::Type::TIMESTAMP) {
    const auto& type = static_cast<const arrow::TimestampType&>(*value.type);
    return fmt::format("{} '{}'", type.timezone().empty() ? "TIMESTAMP_NTZ" : "TIMESTAMP", text);
  }
  return text;
}

bool IsRandom(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"rand", "randn", "randstr", "uniform",
                                                      "uuid"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string CaseText(const std::vector<ExprPtr>& args) {
  std::string text = "CASE";
  size_t i = 0;
  for (; i + 1 < args.size(); i += 2) {
    text += fmt::format(" WHEN {} THEN {}", ExprText(*args[i]), ExprText(*args[i + 1]));
  }
  if (i < args.size()) text += " ELSE " + ExprText(*args[i]);
  return text + " END";
}

bool IsInfix(std::string_view name) {
  constexpr std::array<std::string_view, 14> kNames = {"+",   "-", "*",  "/", "%",  "div", "=",
                                                       "<=>", "<", "<=", ">", ">=", "and", "or"};
  for (std::string_view candidate : kNames) {
    if (candidate == name) return true;
  }
  return false;
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

// What Spark adds to the text of a call that leaves arguments out.
struct DefaultArgument {
  std::string_view name;
  size_t given;  // arguments
  std::string_view text;
};

constexpr std::array<DefaultArgument, 16> kDefaultArguments = {
    {{"split", 2, ", -1"},
     {"substring", 2, ", 2147483647"},
     {"regexp_replace", 3, ", 1"},
     {"regexp_extract", 2, ", 1"},
     {"round", 1, ", 0"},
     {"bround", 1, ", 0"},
     {"locate", 2, ", 1"},
     {"lpad", 2, ",  "},
     {"rpad", 2, ",  "},
     {"from_unixtime", 1, ", yyyy-MM-dd HH:mm:ss"},
     {"unix_timestamp", 1, ", yyyy-MM-dd HH:mm:ss"},
     {"to_unix_timestamp", 1, ", yyyy-MM-dd HH:mm:ss"},
     {"months_between", 2, ", true"},
     {"sort_array", 1, ", true"},
     {"str_to_map", 1, ", ,, :"},
     {"str_to_map", 2, ", :"}}};

// name(arg, ...), as Spark spells it for functions without a form of their own.
std::string PlainCallText(const Expr& expr) {
  const std::string& name = expr.name;
  const size_t given = expr.args.size();
  if (given == 1 && (name == "ceil" || name == "floor")) {
    return fmt::format("{}({})", Upper(name), ExprText(*expr.args[0]));
  }
  if (given == 1 && name == "log") return fmt::format("LOG(E(), {})", ExprText(*expr.args[0]));
  if (given == 2 && (name == "trim" || name == "ltrim" || name == "rtrim")) {
    const char* side = name == "trim" ? "BOTH" : name == "ltrim" ? "LEADING" : "TRAILING";
    return fmt::format("TRIM({} {} FROM {})", side, ExprText(*expr.args[0]),
                       ExprText(*expr.args[1]));
  }
  // Spark names these by their text alone.
  constexpr std::array<std::string_view, 3> kOfText = {"from_json", "to_json", "schema_of_json"};
  if (given > 1 && std::find(kOfText.begin(), kOfText.end(), name) != kOfText.end()) {
    return fmt::format("{}({})", name, ExprText(*expr.args[0]));
  }
  if (name == "arrays_zip") {
    const std::vector<ExprPtr> arrays(expr.args.begin(), expr.args.begin() + given / 2);
    return fmt::format("{}({})", name, JoinTexts(arrays));
  }
  std::string_view omitted;
  for (const DefaultArgument& argument : kDefaultArguments) {
    if (argument.name == name && argument.given == given) omitted = argument.text;
  }
  return fmt::format("{}({}{})", name, JoinTexts(expr.args), omitted);
}

// timestamp + interval, which Spark prints without parentheses.
bool IsMoveInTime(const Expr& expr) {
  if (expr.type == nullptr || (expr.name != "+" && expr.name != "-")) return false;
  const bool is_point =
      expr.type->id() == arrow::Type::DATE32 || expr.type->id() == arrow::Type::TIMESTAMP;
  return is_point && (IsIntervalType(*expr.args[0]->type) || IsIntervalType(*expr.args[1]->type));
}

std::string CallText(const Expr& expr) {
  const std::vector<ExprPtr>& args = expr.args;
  const std::string& name = expr.name;
  auto arg = [&](size_t i) { return ExprText(*args[i]); };
  if (args.size() == 2 && IsMoveInTime(expr)) return fmt::format("{} {} {}", arg(0), name, arg(1));
  if (args.size() == 2 && IsInfix(name)) {
    const bool is_word = name == "and" || name == "or";
    return fmt::format("({} {} {})", arg(0), is_word ? Upper(name) : name, arg(1));
  }
  if (name == "!=" && args.size() == 2) return fmt::format("(NOT ({} = {}))", arg(0), arg(1));
  if (name == "like" && args.size() == 2) return fmt::format("{} LIKE {}", arg(0), arg(1));
  if (name == "rlike") return fmt::format("RLIKE({})", JoinTexts(args));
  if (name == "case") return CaseText(args);
  if (name == "if") return fmt::format("(IF({}))", JoinTexts(args));
  if (name == "in" && !args.empty()) {
    return fmt::format("({} IN ({}))", arg(0), JoinTexts(args, 1));
  }
  if (name == "named_struct" && expr.is_implicit) {
    return fmt::format("struct({})", JoinTexts(args, 1, 2));
  }
  if (IsRandom(name)) {
    // The last argument is the call's place, the one before it the seed, NULL where none is given.
    std::vector<ExprPtr> shown(args.begin(), args.end() - (args.empty() ? 0 : 1));
    if (!shown.empty() && shown.back()->literal && !shown.back()->literal->is_valid) {
      shown.pop_back();
    }
    return fmt::format("{}({})", name, JoinTexts(shown));
  }
  if (args.size() == 1) {
    if (name == "cast" || name == "try_cast") {
      if (expr.is_implicit) return arg(0);
      return fmt::format("{}({} AS {})", Upper(name), arg(0), SqlTypeName(*expr.type));
    }
    if (name == "not") return fmt::format("(NOT {})", arg(0));
    if (name == "negative") return fmt::format("(- {})", arg(0));
    if (name == "positive") return fmt::format("(+ {})", arg(0));
    if (name == "isnull") return fmt::format("({} IS NULL)", arg(0));
    if (name == "isnotnull") return fmt::format("({} IS NOT NULL)", arg(0));
  }
  if (name == "get_field" && args.size() == 2) return fmt::format("{}.{}", arg(0), arg(1));
  if (name == "get_item" && args.size() == 2) return fmt::format("{}[{}]", arg(0), arg(1));
  return PlainCallText(expr);
}

bool LiteralEquals(const Expr& a, const Expr& b) {
  if (!a.literal || !b.literal) return a.literal == b.literal;
  return a.literal->Equals(*b.literal, arrow::EqualOptions::Defaults().nans_equal(true));
}

}  // namespace

ExprPtr MakeColumn(int column, std::string name, std::shared_ptr<arrow::DataType> type, Span span) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kColumn;
  expr->column = column;
  expr->name = std::move(name);
  expr->type = std::move(type);
  expr->span = span;
  return expr;
}

ExprPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, Span span) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kLiteral;
  expr->type = value->type;
  expr->literal = std::move(value);
  expr->span = span;
  return expr;
}

ExprPtr MakeParameter(int number, std::string name, std::shared_ptr<arrow::DataType> type,
                      Span span) {
  auto expr = std::make_shared<Expr>(*MakeColumn(number, std::move(name), std::move(type), span));
  expr->kind = Expr::Kind::kParameter;
  return expr;
}

ExprPtr MakeLambda(ExprPtr body, std::vector<ExprPtr> parameters, Span span) {
  auto expr = std::make_shared<Expr>();
  expr->kind = Expr::Kind::kLambda;
  expr->type = body->type;
  expr->args = std::move(parameters);
  expr->args.insert(expr->args.begin(), std::move(body));
  expr->span = span;
  return expr;
}

std::string ExprText(const Expr& expr) {
  switch (expr.kind) {
    case Expr::Kind::kParameter:
      return "namedlambdavariable()";
    case Expr::Kind::kLambda:
      return fmt::format("lambdafunction({})", JoinTexts(expr.args));
    case Expr::Kind::kLiteral:
      return expr.name.empty() ? LiteralText(*expr.literal) : expr.name;
    case Expr::Kind::kColumn:
      return expr.name;
    case Expr::Kind::kCall:
      return CallText(expr);
  }
  return "";
}

bool ExprEquals(const Expr& a, const Expr& b) {
  if (&a == &b) return true;
  if (a.kind != b.kind || a.args.size() != b.args.size() || !a.type->Equals(*b.type)) return false;
  switch (a.kind) {
    case Expr::Kind::kLiteral:
      return LiteralEquals(a, b);
    case Expr::Kind::kColumn:
    case Expr::Kind::kParameter:
      return a.column == b.column;
    case Expr::Kind::kCall:
    case Expr::Kind::kLambda:
      break;
  }
  if (a.name != b.name) return false;
  for (size_t i = 0; i < a.args.size(); ++i) {
    if (!ExprEquals(*a.args[i], *b.args[i])) return false;
  }
  return true;
}

namespace {

// Whether `holds` is true for every function that the expression calls.
template <class Predicate>
bool ForAllFunctions(const Expr& expr, const Predicate& holds) {
  if (expr.kind == Expr::Kind::kCall) {
    const FunctionInfo* info = FindFunction(expr.name);
    if (info != nullptr && !holds(*info)) return false;
  }
  return std::all_of(expr.args.begin(), expr.args.end(),
                     [&](const ExprPtr& arg) { return ForAllFunctions(*arg, holds); });
}

}  // namespace

bool IsDeterministic(const Expr& expr) {
  return ForAllFunctions(expr, [](const FunctionInfo& info) { return info.is_deterministic; });
}

bool IsRepeatable(const Expr& expr) {
  return ForAllFunctions(
      expr, [](const FunctionInfo& info) { return info.is_deterministic && !info.reads_context; });
}

void CollectColumns(const Expr& expr, std::vector<bool>* used) {
  if (expr.kind == Expr::Kind::kColumn) {
    const auto column = static_cast<size_t>(expr.column);
    if (used->size() <= column) used->resize(column + 1);
    (*used)[column] = true;
  }
  for (const ExprPtr& arg : expr.args) CollectColumns(*arg, used);
}

ExprPtr SubstituteColumns(const ExprPtr& expr, const std::vector<ExprPtr>& replacement) {
  if (expr->kind == Expr::Kind::kColumn) return replacement[expr->column];
  if (expr->args.empty()) return expr;
  auto copy = std::make_shared<Expr>(*expr);
  for (ExprPtr& arg : copy->args) arg = SubstituteColumns(arg, replacement);
  return copy;
}

}  // namespace tidemill
