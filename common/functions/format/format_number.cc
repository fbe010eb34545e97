#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/columns.h"
#include "common/functions/decimal.h"
#include "common/functions/format/decimal_pattern.h"
#include "common/functions/format/format.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr int kMostPlaces = 340;  // as java.text.DecimalFormat

std::string Formatted(double value, const DecimalPattern& pattern) {
  if (std::isnan(value)) return "NaN";
  value *= pattern.factor;
  if (std::isinf(value)) {
    return value < 0 ? pattern.negative_prefix + "∞" + pattern.negative_suffix
                     : pattern.prefix + "∞" + pattern.suffix;
  }
  std::array<char, 1024> digits;
  const char* end = std::to_chars(digits.data(), digits.data() + digits.size(), std::fabs(value),
                                  std::chars_format::fixed)
                        .ptr;
  size_t size = end - digits.data();
  const size_t point = std::string_view(digits.data(), size).find('.');
  const size_t places = point == std::string_view::npos ? 0 : size - point - 1;
  if (static_cast<int>(places) > pattern.most_fraction) {
    // The C library rounds the exact binary value, a tie to the even digit, as Java does.
    size = std::snprintf(digits.data(), digits.size(), "%.*f",
                         std::min(pattern.most_fraction, kMostPlaces), std::fabs(value));
  }
  return pattern.Format({digits.data(), size}, std::signbit(value));
}

// A decimal of `scale` digits behind the point.
std::string Formatted(Int128 value, int scale, const DecimalPattern& pattern) {
  const bool is_negative = value < 0;
  Int128 magnitude = is_negative ? -value : value;
  if (pattern.factor == 100) scale -= 2;
  for (; scale < 0; ++scale) magnitude *= 10;
  if (const int drop = scale - pattern.most_fraction; drop > 0) {
    const Int128 power = PowerOfTen(drop), rest = magnitude % power;
    magnitude /= power;
    const bool is_tie = rest == power - rest;
    if (rest > power - rest || (is_tie && magnitude % 2 == 1)) ++magnitude;
    scale = pattern.most_fraction;
  }
  std::string text;
  AppendDecimalText(
      arrow::Decimal128(static_cast<int64_t>(magnitude >> 64), static_cast<uint64_t>(magnitude)),
      scale, &text);
  return pattern.Format(text, is_negative);
}

// The number on a row, by the pattern.
using FormatRow = std::function<std::string(int64_t row, const DecimalPattern& pattern)>;

FormatRow NumbersOf(const arrow::Datum& datum) {
  const arrow::DataType& type = *datum.type();
  if (IsDecimalType(type)) {
    const int scale = static_cast<const arrow::DecimalType&>(type).scale();
    return [values = FixedColumn<Int128>(datum), scale](int64_t row, const DecimalPattern& p) {
      return Formatted(values[row], scale, p);
    };
  }
  if (type.id() == arrow::Type::INT64) {
    return [values = FixedColumn<int64_t>(datum)](int64_t row, const DecimalPattern& p) {
      return Formatted(Int128{values[row]}, 0, p);
    };
  }
  return [values = FixedColumn<double>(datum)](int64_t row, const DecimalPattern& p) {
    return Formatted(values[row], p);
  };
}

// format_number(number, places): NULL for fewer than 0.
arrow::Result<arrow::Datum> WithPlaces(const EvalContext& context, Args args, int64_t rows) {
  const FormatRow numbers = NumbersOf(args[0]);
  const FixedColumn<int32_t> places(args[1]);
  return ComputeText(context, args, rows, arrow::utf8(), rows * 16,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       if (places[row] < 0) return false;
                       const auto pattern = DecimalPattern::WithPlaces(places[row]);
                       ARROW_RETURN_NOT_OK(out->Append(numbers(row, pattern)));
                       return true;
                     });
}

// format_number(number, pattern)
arrow::Result<arrow::Datum> WithPattern(const EvalContext& context, Args args, int64_t rows) {
  const FormatRow numbers = NumbersOf(args[0]);
  const TextColumn patterns(args[1]);
  std::optional<DecimalPattern> pattern;
  std::string_view parsed;
  return ComputeText(context, args, rows, arrow::utf8(), rows * 16,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       if (!pattern || patterns[row] != parsed) {
                         parsed = patterns[row];
                         ARROW_ASSIGN_OR_RAISE(pattern, DecimalPattern::Parse(parsed));
                       }
                       ARROW_RETURN_NOT_OK(out->Append(numbers(row, *pattern)));
                       return true;
                     });
}

arrow::Result<BoundFunction> BindFormatNumber(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount("format_number", "format_number(expr1, expr2)", args.size(), 2, 2));
  TypePtr number = args[0]->type;
  if (number->id() == arrow::Type::NA) number = arrow::float64();
  if (!IsNumericType(*number)) return UnexpectedInput("format_number", args, 0, "\"NUMERIC\"");
  if (IsIntegralType(*number)) number = arrow::int64();
  if (number->id() == arrow::Type::FLOAT) number = arrow::float64();
  const arrow::DataType& style = *args[1]->type;
  if (IsStringType(style)) {
    return BoundFunction{{number, arrow::utf8()}, arrow::utf8(), WithPattern};
  }
  if (!CanCastImplicitly(style, *arrow::int32())) {
    return UnexpectedInput("format_number", args, 1, "(\"INT\" or \"STRING\")");
  }
  return BoundFunction{{number, arrow::int32()}, arrow::utf8(), WithPlaces};
}

}  // namespace

void AddFormatNumberFunctions(FunctionCatalog* catalog) {
  FunctionInfo info;
  info.name = "format_number";
  info.usage = "format_number(expr1, expr2)";
  info.bind = BindFormatNumber;
  catalog->Add(std::move(info));
}

}  // namespace tidemill
