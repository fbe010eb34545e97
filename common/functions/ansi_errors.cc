#include "common/functions/ansi_errors.h"

#include <fmt/format.h>

#include "common/base/error.h"
#include "common/types/ddl.h"

namespace tidemill {

namespace {

constexpr std::string_view kBypass =
    "If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error";

arrow::Status Failed(std::string_view error_class, std::string message) {
  return MakeError(ErrorKind::kJobFailed, std::string(error_class), std::move(message));
}

}  // namespace

arrow::Status ArithmeticOverflow(std::string_view message, std::string_view try_name) {
  std::string alternative;
  if (!try_name.empty()) {
    alternative = fmt::format(" Use '{}' to tolerate overflow and return NULL instead.", try_name);
  }
  return Failed("ARITHMETIC_OVERFLOW", fmt::format("{}.{} {}.", message, alternative, kBypass));
}

arrow::Status BinaryArithmeticOverflow(std::string_view left, std::string_view symbol,
                                       std::string_view right, std::string_view try_name) {
  return Failed("BINARY_ARITHMETIC_OVERFLOW",
                fmt::format("{} {} {} caused overflow. Use `{}` to ignore overflow problem and "
                            "return NULL.",
                            left, symbol, right, try_name));
}

arrow::Status DivideByZero() {
  return Failed("DIVIDE_BY_ZERO",
                fmt::format("Division by zero. Use `try_divide` to tolerate divisor being 0 and "
                            "return NULL instead. {}.",
                            kBypass));
}

arrow::Status RemainderByZero() {
  return Failed("REMAINDER_BY_ZERO",
                fmt::format("Remainder by zero. Use `try_mod` to tolerate divisor being 0 and "
                            "return NULL instead. {}.",
                            kBypass));
}

arrow::Status DecimalOutOfRange(std::string_view value, int precision, int scale) {
  return Failed("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
                fmt::format("{} cannot be represented as Decimal({}, {}). {}, and return NULL "
                            "instead.",
                            value, precision, scale, kBypass));
}

arrow::Status CastInvalidInput(std::string_view value, const arrow::DataType& from,
                               const arrow::DataType& to) {
  return Failed("CAST_INVALID_INPUT",
                fmt::format("The value {} of the type \"{}\" cannot be cast to \"{}\" because it "
                            "is malformed. Correct the value as per the syntax, or change its "
                            "target type. Use `try_cast` to tolerate malformed input and return "
                            "NULL instead.",
                            value, SqlTypeName(from), SqlTypeName(to)));
}

arrow::Status CastOverflow(std::string_view value, const arrow::DataType& from,
                           const arrow::DataType& to) {
  return Failed("CAST_OVERFLOW",
                fmt::format("The value {} of the type \"{}\" cannot be cast to \"{}\" due to an "
                            "overflow. Use `try_cast` to tolerate overflow and return NULL "
                            "instead.",
                            value, SqlTypeName(from), SqlTypeName(to)));
}

std::string QuotedText(std::string_view text) {
  std::string quoted = "'";
  for (char c : text) {
    if (c == '\'' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + "'";
}

}  // namespace tidemill
