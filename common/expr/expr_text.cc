#include "common/expr/expr_text.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>
#include <vector>

#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "common/types/value_format.h"

// Expressions as Spark's toPrettySQL writes them: Expression.sql of each class of Catalyst's, with
// literals bare and casts that nobody wrote left out.

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

template <size_t n>
bool IsOneOf(std::string_view name, const std::array<std::string_view, n>& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool IsRandom(std::string_view name) {
  constexpr std::array<std::string_view, 5> kNames = {"rand", "randn", "randstr", "uniform",
                                                      "uuid"};
  return IsOneOf(name, kNames);
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
  constexpr std::array<std::string_view, 20> kNames = {"+",   "-", "*",  "/",  "%",  "div", "=",
                                                       "<=>", "<", "<=", ">",  ">=", "and", "or",
                                                       "&",   "|", "^",  "<<", ">>", ">>>"};
  return IsOneOf(name, kNames);
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

constexpr auto kDefaultArguments = std::to_array<DefaultArgument>(
    {{"split", 2, ", -1"},
     {"substring", 2, ", 2147483647"},
     {"regexp_replace", 3, ", 1"},
     {"regexp_extract", 2, ", 1"},
     {"regexp_extract_all", 2, ", 1"},
     {"regexp_instr", 2, ", 0"},
     {"round", 1, ", 0"},
     {"bround", 1, ", 0"},
     {"locate", 2, ", 1"},
     {"lpad", 2, ",  "},
     {"rpad", 2, ",  "},
     {"mask", 1, ", X, x, n, NULL"},
     {"mask", 2, ", x, n, NULL"},
     {"mask", 3, ", n, NULL"},
     {"mask", 4, ", NULL"},
     {"overlay", 3, ", -1"},
     {"sentences", 1, ", , "},
     {"sentences", 2, ", "},
     {"hmac", 2, ", SHA-256"},
     {"from_unixtime", 1, ", yyyy-MM-dd HH:mm:ss"},
     {"unix_timestamp", 0, "current_timestamp(), yyyy-MM-dd HH:mm:ss"},
     {"unix_timestamp", 1, ", yyyy-MM-dd HH:mm:ss"},
     {"to_unix_timestamp", 1, ", yyyy-MM-dd HH:mm:ss"},
     {"months_between", 2, ", true"},
     {"sort_array", 1, ", true"},
     {"str_to_map", 1, ", ,, :"},
     {"str_to_map", 2, ", :"},
     {"make_ym_interval", 0, "0, 0"},
     {"make_ym_interval", 1, ", 0"},
     {"make_dt_interval", 0, "0, 0, 0, 0.000000"},
     {"make_dt_interval", 1, ", 0, 0, 0.000000"},
     {"make_dt_interval", 2, ", 0, 0.000000"},
     {"make_dt_interval", 3, ", 0.000000"},
     {"make_interval", 0, "0, 0, 0, 0, 0, 0, 0.000000"},
     {"make_interval", 1, ", 0, 0, 0, 0, 0, 0.000000"},
     {"make_interval", 2, ", 0, 0, 0, 0, 0.000000"},
     {"make_interval", 3, ", 0, 0, 0, 0.000000"},
     {"make_interval", 4, ", 0, 0, 0.000000"},
     {"make_interval", 5, ", 0, 0.000000"},
     {"make_interval", 6, ", 0.000000"},
     {"aggregate", 3, ", lambdafunction(namedlambdavariable(), namedlambdavariable())"},
     {"reduce", 3, ", lambdafunction(namedlambdavariable(), namedlambdavariable())"},
     {"array_sort", 1,
      ", lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), "
      "0, (IF((namedlambdavariable() IS NULL), 1, (IF((namedlambdavariable() IS NULL), -1, "
      "(IF((namedlambdavariable() < namedlambdavariable()), -1, (IF((namedlambdavariable() > "
      "namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())"},
     {"instr", 3, ", 1"}});

std::string DefaultsOf(const Expr& call) {
  const size_t given = call.args.size();
  std::string_view name = call.name;
  if (name.starts_with("try_make_")) name.remove_prefix(4);
  if ((name == "lpad" || name == "rpad") && given == 2 &&
      call.args[0]->type->id() == arrow::Type::BINARY) {
    return ", X'00'";
  }
  if (name == "assert_true" && given == 1) {
    return fmt::format(", '{}' is not true!", ExprText(*call.args[0]));
  }
  for (const DefaultArgument& argument : kDefaultArguments) {
    if (argument.name == name && argument.given == given) return std::string(argument.text);
  }
  return "";
}

// to_char is replaced by what the type of its value asks for.
std::string ToCharText(const Expr& call, std::string_view shown) {
  const std::vector<ExprPtr>& args = call.args;
  const auto id = args[0]->type->id();
  if (id == arrow::Type::DATE32 || id == arrow::Type::TIMESTAMP) {
    return fmt::format("date_format({})", JoinTexts(args));
  }
  if (id != arrow::Type::BINARY) return fmt::format("to_char({})", JoinTexts(args));
  std::string format = ExprText(*args[1]);
  for (char& c : format) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const bool is_alias = shown != "to_char";
  if (format == "base64" || format == "hex") {
    return fmt::format("{}({})", is_alias ? shown : format, ExprText(*args[0]));
  }
  return fmt::format("{}({})", is_alias ? shown : "decode", JoinTexts(args));
}

// name(arg, ...), as Spark spells it for functions without a form of their own.
std::string PlainCallText(const Expr& expr, std::string_view shown) {
  const std::string& name = expr.name;
  const size_t given = expr.args.size();
  if ((name == "ceil" || name == "floor") && given == 2 && shown == Upper(name)) shown = name;
  if (given == 1 && name == "log") return fmt::format("LOG(E(), {})", ExprText(*expr.args[0]));
  if (given == 2 && (name == "trim" || name == "ltrim" || name == "rtrim")) {
    const char* side = name == "trim" ? "BOTH" : name == "ltrim" ? "LEADING" : "TRAILING";
    return fmt::format("TRIM({} {} FROM {})", side, ExprText(*expr.args[0]),
                       ExprText(*expr.args[1]));
  }
  if (given == 2 && (shown == "extract" || shown == "datepart")) {
    return fmt::format("{}({} FROM {})", shown, ExprText(*expr.args[0]), ExprText(*expr.args[1]));
  }
  if (given == 1 && name == "raise_error") {
    return fmt::format("raise_error(USER_RAISED_EXCEPTION, map(errorMessage, {}))",
                       ExprText(*expr.args[0]));
  }
  if (given == 2 && name == "to_char") return ToCharText(expr, shown);
  if (given == 2 && name == "convert_timezone") {
    return fmt::format("{}(current_timezone(), {})", shown, JoinTexts(expr.args));
  }
  // Spark names these by their text alone.
  constexpr std::array<std::string_view, 5> kOfText = {"from_json", "to_json", "schema_of_json",
                                                       "from_csv", "to_csv"};
  if (given > 1 && IsOneOf(name, kOfText)) {
    return fmt::format("{}({})", shown, ExprText(*expr.args[0]));
  }
  const bool hides_last =
      (name == "try_make_timestamp" && given == 7) || (name == "ilike" && given == 3);
  const bool has_names = name == "arrays_zip";  // of fields, behind the arrays
  if (hides_last || has_names) {
    const std::vector<ExprPtr> args(
        expr.args.begin(), has_names ? expr.args.begin() + given / 2 : expr.args.end() - 1);
    return fmt::format("{}({})", shown, JoinTexts(args));
  }
  return fmt::format("{}({}{})", shown, JoinTexts(expr.args), DefaultsOf(expr));
}

// timestamp + interval, which Spark prints without parentheses, and date + days.
std::string MoveInTimeText(const Expr& expr) {
  const bool is_swapped = IsIntervalType(*expr.args[0]->type);
  const Expr& point = *expr.args[is_swapped ? 1 : 0];
  const Expr& interval = *expr.args[is_swapped ? 0 : 1];
  if (point.type->id() == arrow::Type::DATE32 && IsDayInterval(*interval.type)) {
    const std::string days = fmt::format("extractansiintervaldays({})", ExprText(interval));
    return fmt::format(fmt::runtime(expr.name == "-" ? "date_add({}, (- {}))" : "date_add({}, {})"),
                       ExprText(point), days);
  }
  return fmt::format("{} {} {}", ExprText(*expr.args[0]), expr.name, ExprText(*expr.args[1]));
}

bool IsMoveInTime(const Expr& expr) {
  if (expr.type == nullptr || (expr.name != "+" && expr.name != "-")) return false;
  const bool is_point =
      expr.type->id() == arrow::Type::DATE32 || expr.type->id() == arrow::Type::TIMESTAMP;
  return is_point && (IsIntervalType(*expr.args[0]->type) || IsIntervalType(*expr.args[1]->type));
}

std::string RandomText(const Expr& expr, std::string_view shown) {
  // The last argument is the call's place, the one before it the seed, our own where none is given.
  std::vector<ExprPtr> args(expr.args.begin(), expr.args.end() - (expr.args.empty() ? 0 : 1));
  if (!args.empty() && args.back()->is_implicit) args.pop_back();
  return fmt::format("{}({})", shown, JoinTexts(args));
}

std::string LikeText(const Expr& expr) {
  std::string text = fmt::format("{} LIKE {}", ExprText(*expr.args[0]), ExprText(*expr.args[1]));
  if (expr.args.size() < 3) return text;
  const std::string escape = ExprText(*expr.args[2]);
  return escape == "\\" ? text : fmt::format("{} ESCAPE '{}'", text, escape);
}

std::string CastText(const Expr& expr) {
  std::string arg = ExprText(*expr.args[0]);
  const auto id = expr.type->id();
  const bool is_nested =
      id == arrow::Type::LIST || id == arrow::Type::MAP || id == arrow::Type::STRUCT;
  // Spark forgets that somebody wrote these.
  if (expr.is_implicit || is_nested) return arg;
  return fmt::format("{}({} AS {})", Upper(expr.name), arg, SqlTypeName(*expr.type));
}

std::string UnaryText(const Expr& expr, std::string_view shown) {
  const std::string arg = ExprText(*expr.args[0]);
  const std::string& name = expr.name;
  if (name == "not") return fmt::format("(NOT {})", arg);
  if (shown == "-") return fmt::format("(- {})", arg);
  if (name == "positive") return fmt::format("(+ {})", arg);
  if (name == "~") return "~" + arg;
  if (name == "isnull") return fmt::format("({} IS NULL)", arg);
  if (name == "isnotnull") return fmt::format("({} IS NOT NULL)", arg);
  return PlainCallText(expr, shown);
}

std::string CallText(const Expr& expr, std::string_view shown) {
  const std::vector<ExprPtr>& args = expr.args;
  const std::string& name = expr.name;
  auto arg = [&](size_t i) { return ExprText(*args[i]); };
  if (args.size() == 2 && IsMoveInTime(expr)) return MoveInTimeText(expr);
  if (args.size() == 2 && IsInfix(shown)) {
    const bool is_word = shown == "and" || shown == "or";
    return fmt::format("({} {} {})", arg(0), is_word ? Upper(shown) : shown, arg(1));
  }
  if (name == "!=" && args.size() == 2) return fmt::format("(NOT ({} = {}))", arg(0), arg(1));
  if (name == "like" && args.size() >= 2) return LikeText(expr);
  if (name == "case") return CaseText(args);
  if (name == "if") return fmt::format("(IF({}))", JoinTexts(args));
  if (name == "in" && !args.empty()) {
    return fmt::format("({} IN ({}))", arg(0), JoinTexts(args, 1));
  }
  if (name == "named_struct" && expr.is_implicit) {
    return fmt::format("struct({})", JoinTexts(args, 1, 2));
  }
  if (IsRandom(name)) return RandomText(expr, shown);
  if (args.size() == 1 && (name == "cast" || name == "try_cast")) return CastText(expr);
  if (args.size() == 1) return UnaryText(expr, shown);
  if (name == "get_field" && args.size() == 2) return fmt::format("{}.{}", arg(0), arg(1));
  if (name == "get_item" && args.size() == 2) return fmt::format("{}[{}]", arg(0), arg(1));
  return PlainCallText(expr, shown);
}

}  // namespace

std::string ShownName(std::string_view name) {
  constexpr auto kShouted = std::to_array<std::string_view>(
      {"acos", "acosh",  "asin",  "asinh", "atan", "atan2", "atanh",       "cbrt",   "ceil",
       "cos",  "cosh",   "cot",   "csc",   "e",    "exp",   "expm1",       "floor",  "hypot",
       "log",  "log10",  "log1p", "log2",  "pi",   "power", "radians",     "regexp", "rlike",
       "sec",  "signum", "sin",   "sinh",  "sqrt", "tan",   "regexp_like", "tanh",   "degrees"});
  constexpr auto kOtherNames = std::to_array<std::pair<std::string_view, std::string_view>>(
      {{"||", "concat"},
       {"curdate", "current_date"},
       {"current_database", "current_schema"},
       {"dateadd", "date_add"},
       {"random", "rand"},
       {"[]", "get_item"},
       {"spark_partition_id", "SPARK_PARTITION_ID"}});
  if (IsOneOf(name, kShouted)) return Upper(name);
  for (const auto& [called, shown] : kOtherNames) {
    if (called == name) return std::string(shown);
  }
  return std::string(name);
}

std::string TextAs(const Expr& call, std::string_view name) {
  return CallText(call, ShownName(name));
}

std::string ExprText(const Expr& expr) {
  if (!expr.text.empty()) return expr.text;
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
      return TextAs(expr, expr.name);
  }
  return "";
}

}  // namespace tidemill
