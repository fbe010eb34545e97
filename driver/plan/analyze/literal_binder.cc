#include "driver/plan/analyze/literal_binder.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include "common/base/ascii.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"
#include "common/types/value_parse.h"
#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

using Kind = sql::AstExpr::Kind;

constexpr int kMaxPrecision = 38;

template <class Number>
arrow::Status OutOfRange(const std::string& text, std::string_view type, Number lowest,
                         Number highest, Span span) {
  return QueryError(
      "INVALID_NUMERIC_LITERAL_RANGE",
      fmt::format("Numeric literal {} is outside the valid range for {} with minimum value of {} "
                  "and maximum value of {}. Please adjust the value accordingly.",
                  text, type, lowest, highest),
      span);
}

// The digits of "12.50" as an integer with a scale.
arrow::Result<ExprPtr> DecimalLiteral(const std::string& text, Span span) {
  std::string digits;
  int32_t scale = 0;
  bool is_fraction = false;
  int exponent = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.') {
      is_fraction = true;
    } else if (c == 'e' || c == 'E') {
      const size_t begin = i + 1 + (i + 1 < text.size() && text[i + 1] == '+' ? 1 : 0);
      std::from_chars(text.data() + begin, text.data() + text.size(), exponent);
      break;
    } else {
      digits += c;
      if (is_fraction) ++scale;
    }
  }
  const std::string sign = digits.starts_with('-') ? "-" : "";
  if (!sign.empty()) digits.erase(0, 1);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  const int64_t wanted_scale = static_cast<int64_t>(scale) - exponent;
  if (wanted_scale < 0 && -wanted_scale <= kMaxPrecision) digits.append(-wanted_scale, '0');
  scale = static_cast<int32_t>(std::max<int64_t>(wanted_scale, 0));
  const auto precision = static_cast<int32_t>(std::max<int64_t>(digits.size(), scale));
  if (precision > kMaxPrecision || -wanted_scale > kMaxPrecision) {
    return QueryError(
        "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
        fmt::format("Decimal precision {} exceeds max precision {}.", precision, kMaxPrecision),
        span);
  }
  ARROW_ASSIGN_OR_RAISE(auto value, arrow::Decimal128::FromString(sign + digits));
  return MakeLiteral(
      std::make_shared<arrow::Decimal128Scalar>(value, arrow::decimal128(precision, scale)), span);
}

template <class Scalar, class Number>
arrow::Result<ExprPtr> SmallInteger(const std::string& text, std::string_view type, Span span) {
  Number value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) {
    return OutOfRange<int64_t>(text, type, std::numeric_limits<Number>::min(),
                               std::numeric_limits<Number>::max(), span);
  }
  return MakeLiteral(std::make_shared<Scalar>(value), span);
}

arrow::Result<ExprPtr> IntegerLiteral(const std::string& text, const std::string& suffix,
                                      Span span) {
  if (suffix == "Y") return SmallInteger<arrow::Int8Scalar, int8_t>(text, "tinyint", span);
  if (suffix == "S") return SmallInteger<arrow::Int16Scalar, int16_t>(text, "smallint", span);
  if (suffix == "L") return SmallInteger<arrow::Int64Scalar, int64_t>(text, "bigint", span);
  if (suffix == "BD") return DecimalLiteral(text, span);
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc()) return DecimalLiteral(text, span);
  if (value >= std::numeric_limits<int32_t>::min() &&
      value <= std::numeric_limits<int32_t>::max()) {
    return MakeLiteral(std::make_shared<arrow::Int32Scalar>(static_cast<int32_t>(value)), span);
  }
  return LongLiteral(value, span);
}

arrow::Result<ExprPtr> DoubleLiteral(const std::string& text, const std::string& suffix,
                                     Span span) {
  double value = 0;
  const bool is_number = ParseDouble(text, &value);
  if (suffix == "F") {
    const auto narrow = static_cast<float>(value);
    if (!is_number || narrow > std::numeric_limits<float>::max() ||
        narrow < std::numeric_limits<float>::lowest()) {
      return OutOfRange(text, "float", std::numeric_limits<float>::lowest(),
                        std::numeric_limits<float>::max(), span);
    }
    return MakeLiteral(std::make_shared<arrow::FloatScalar>(narrow), span);
  }
  if (!is_number || value > std::numeric_limits<double>::max() ||
      value < std::numeric_limits<double>::lowest()) {
    return OutOfRange(text, "double", std::numeric_limits<double>::lowest(),
                      std::numeric_limits<double>::max(), span);
  }
  return MakeLiteral(std::make_shared<arrow::DoubleScalar>(value), span);
}

arrow::Result<ExprPtr> BinaryLiteral(std::string digits, Span span) {
  if (digits.size() % 2 == 1) digits.insert(digits.begin(), '0');
  std::string bytes;
  for (size_t i = 0; i < digits.size(); i += 2) {
    uint8_t byte = 0;
    const auto parsed = std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + i + 2) {
      return QueryError(
          "INVALID_TYPED_LITERAL",
          fmt::format("The value of the typed literal \"X\" is invalid: '{}'.", digits), span);
    }
    bytes += static_cast<char>(byte);
  }
  return MakeLiteral(std::make_shared<arrow::BinaryScalar>(bytes), span);
}

arrow::Result<ExprPtr> TypedLiteral(const sql::AstExpr& ast, const TimeZone& zone) {
  const std::string keyword = AsciiLower(ast.name);
  if (keyword == "x") return BinaryLiteral(ast.text, ast.span);
  std::shared_ptr<arrow::Scalar> value;
  int32_t days = 0;
  int64_t micros = 0;
  if (keyword == "date") {
    if (ParseDate(ast.text, &days)) value = std::make_shared<arrow::Date32Scalar>(days);
  } else if (keyword == "timestamp" || keyword == "timestamp_ltz") {
    if (ParseTimestamp(ast.text, zone, &micros)) {
      value = std::make_shared<arrow::TimestampScalar>(micros, TimestampType());
    }
  } else if (keyword == "timestamp_ntz") {
    if (ParseTimestampNtz(ast.text, &micros)) {
      value = std::make_shared<arrow::TimestampScalar>(micros, TimestampNtzType());
    }
  } else {
    return QueryError("UNSUPPORTED_TYPED_LITERAL",
                      fmt::format("Literals of the type \"{}\" are not supported. Supported types "
                                  "are \"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", "
                                  "\"TIMESTAMP\", \"X\".",
                                  ast.name),
                      ast.span);
  }
  if (value != nullptr) return MakeLiteral(std::move(value), ast.span);
  std::string type = keyword;
  for (char& c : type) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return QueryError(
      "INVALID_TYPED_LITERAL",
      fmt::format("The value of the typed literal \"{}\" is invalid: '{}'.", type, ast.text),
      ast.span);
}

// Named as Spark prints it; its type keeps whole days apart only.
arrow::Result<ExprPtr> IntervalLiteralExpr(const sql::AstExpr& ast) {
  arrow::Result<IntervalLiteral> literal = ParseIntervalLiteral(ast.text);
  if (!literal.ok()) return WithSpan(literal.status(), ast.span);
  std::shared_ptr<arrow::Scalar> value;
  if (literal->range.is_year_month()) {
    value = std::make_shared<arrow::MonthIntervalScalar>(static_cast<int32_t>(literal->value));
  } else if (literal->range == kDayOnly) {
    value = std::make_shared<arrow::DurationScalar>(literal->value / kMicrosPerSecond,
                                                    DayIntervalType());
  } else {
    value = std::make_shared<arrow::DurationScalar>(literal->value, DayTimeIntervalType());
  }
  auto expr = std::make_shared<Expr>(*MakeLiteral(std::move(value), ast.span));
  AppendIntervalText(literal->value, literal->range, &expr->name);
  return expr;
}

}  // namespace

ExprPtr LongLiteral(int64_t value, Span span) {
  return MakeLiteral(std::make_shared<arrow::Int64Scalar>(value), span);
}

bool IsLiteral(const sql::AstExpr& ast) {
  return ast.kind == Kind::kInteger || ast.kind == Kind::kDecimal || ast.kind == Kind::kDouble ||
         ast.kind == Kind::kNull || ast.kind == Kind::kBool || ast.kind == Kind::kString ||
         ast.kind == Kind::kTypedLiteral || ast.kind == Kind::kInterval;
}

arrow::Result<ExprPtr> BindLiteral(const sql::AstExpr& ast, const TimeZone& zone) {
  const std::string& number = ast.text;
  switch (ast.kind) {
    case Kind::kBool:
      return MakeLiteral(std::make_shared<arrow::BooleanScalar>(AsciiLower(ast.text) == "true"),
                         ast.span);
    case Kind::kInteger:
      if (ast.literal_type == "D" || ast.literal_type == "F") {
        return DoubleLiteral(number, ast.literal_type, ast.span);
      }
      return IntegerLiteral(number, ast.literal_type, ast.span);
    case Kind::kDecimal:
      if (ast.literal_type == "D" || ast.literal_type == "F") {
        return DoubleLiteral(number, ast.literal_type, ast.span);
      }
      return DecimalLiteral(number, ast.span);
    case Kind::kDouble:
      if (ast.literal_type == "BD") return DecimalLiteral(number, ast.span);
      return DoubleLiteral(number, ast.literal_type, ast.span);
    case Kind::kString:
      return MakeLiteral(std::make_shared<arrow::StringScalar>(ast.text), ast.span);
    case Kind::kTypedLiteral:
      return TypedLiteral(ast, zone);
    case Kind::kInterval:
      return IntervalLiteralExpr(ast);
    default:
      return MakeLiteral(std::make_shared<arrow::NullScalar>(), ast.span);
  }
}

}  // namespace tidemill::driver
