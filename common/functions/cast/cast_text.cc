#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <limits>
#include <string>
#include <utility>

#include "common/expr/type_coercion.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/decimal.h"
#include "common/functions/text_writer.h"
#include "common/types/value_format.h"
#include "common/types/value_parse.h"

namespace tidemill {

namespace {

// A kernel from `parse(context, text, &value)`, which says whether the text is well formed.
template <class T, class Parse>
Kernel ParsingKernel(const CastRule& rule, Parse parse) {
  return [rule, parse](const EvalContext& context, std::span<const arrow::Datum> args,
                       int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(args[0]);
    return ComputeFixedChecked<T>(
        context, args, rows, rule.to, [&](int64_t row, T* out) -> arrow::Result<bool> {
          if (parse(context, text[row], out)) return true;
          if (rule.is_try) return false;
          return CastInvalidInput(QuotedText(text[row]), *rule.from, *rule.to);
        });
  };
}

template <class T>
Kernel ParseIntegers(const CastRule& rule) {
  return ParsingKernel<T>(rule, [](const EvalContext&, std::string_view text, T* out) {
    int64_t value = 0;
    if (!ParseInt64(text, &value)) return false;
    *out = static_cast<T>(value);
    return *out == value;
  });
}

template <class T>
Kernel ParseFloats(const CastRule& rule) {
  return ParsingKernel<T>(rule, [](const EvalContext&, std::string_view text, T* out) {
    double value = 0;
    if (!ParseDouble(text, &value)) return false;
    *out = static_cast<T>(value);
    return true;
  });
}

Kernel ParseBooleans(const CastRule& rule) {
  return [rule](const EvalContext& context, std::span<const arrow::Datum> args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(args[0]);
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                          arrow::AllocateEmptyBitmap(rows, context.pool));
    for (int64_t row = 0; row < rows; ++row) {
      if (!validity[row]) continue;
      bool value = false;
      if (ParseBoolean(text[row], &value)) {
        arrow::bit_util::SetBitTo(bits->mutable_data(), row, value);
      } else if (rule.is_try) {
        ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
      } else {
        return CastInvalidInput(QuotedText(text[row]), *rule.from, *rule.to);
      }
    }
    return MakeColumnData(rule.to, rows, validity, {std::move(bits)});
  };
}

Kernel ParseDecimals(const CastRule& rule) {
  const auto& type = static_cast<const arrow::DecimalType&>(*rule.to);
  return [rule, precision = type.precision(), scale = type.scale()](
             const EvalContext& context, std::span<const arrow::Datum> args,
             int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(args[0]);
    return ComputeFixedChecked<Int128>(
        context, args, rows, rule.to, [&](int64_t row, Int128* out) -> arrow::Result<bool> {
          const DecimalParse result = ParseDecimal(text[row], precision, scale, out);
          if (result == DecimalParse::kOk) return true;
          if (rule.is_try) return false;
          if (result == DecimalParse::kOutOfRange) {
            return DecimalOutOfRange(text[row], precision, scale);
          }
          return CastInvalidInput(QuotedText(text[row]), *rule.from, *rule.to);
        });
  };
}

// STRING and BINARY have the same buffers.
Kernel Reinterpret(const TypePtr& type) {
  return [type](const EvalContext& context, std::span<const arrow::Datum> args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
    auto data = array->data()->Copy();
    data->type = type;
    return arrow::Datum(std::move(data));
  };
}

template <class T>
Kernel IntegerTexts(const TypePtr& type) {
  return [type](const EvalContext& context, std::span<const arrow::Datum> args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<T> value(args[0]);
    return ComputeText(
        context, args, rows, type, rows * 8,
        [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
          char digits[24];
          const auto end = std::to_chars(digits, digits + sizeof(digits), value[row]).ptr;
          ARROW_RETURN_NOT_OK(out->Append({digits, static_cast<size_t>(end - digits)}));
          return true;
        });
  };
}

Kernel BooleanTexts(const TypePtr& type) {
  return [type](const EvalContext& context, std::span<const arrow::Datum> args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    const BoolColumn value(args[0]);
    return ComputeText(context, args, rows, type, rows * 5,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(out->Append(value[row] ? "true" : "false"));
                         return true;
                       });
  };
}

// Types whose text is not plain digits: rendered value by value.
Kernel RenderedTexts(const TypePtr& type) {
  return [type](const EvalContext& context, std::span<const arrow::Datum> args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
    const arrow::Datum arg(array);
    const TimeZone& zone = ZoneOf(context);
    return ComputeText(context, std::span(&arg, 1), rows, type, rows * 20,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(out->Append(CastToText(*array, row, zone)));
                         return true;
                       });
  };
}

bool IsBlank(char c) { return static_cast<unsigned char>(c) <= ' '; }

std::string_view Trimmed(std::string_view text) {
  while (!text.empty() && IsBlank(text.front())) text.remove_prefix(1);
  while (!text.empty() && IsBlank(text.back())) text.remove_suffix(1);
  return text;
}

// "e-12" behind a number; false where malformed.
bool ParseExponent(std::string_view text, int64_t* exponent) {
  if (text.empty()) return true;
  if (text[0] != 'e' && text[0] != 'E') return false;
  text.remove_prefix(1);
  if (!text.empty() && text[0] == '+') text.remove_prefix(1);
  int32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  *exponent = value;
  return true;
}

}  // namespace

DecimalParse ParseDecimal(std::string_view text, int precision, int scale, Int128* out) {
  text = Trimmed(text);
  const bool is_negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  Int128 value = 0;
  int64_t point = 0;  // digits behind the point, less digits that were dropped before it
  int kept = 0, round_digit = -1;
  bool has_digit = false, behind_point = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !behind_point) {
      behind_point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    has_digit = true;
    if (kept < 38) {
      value = value * 10 + (c - '0');
      if (value != 0) ++kept;
      if (behind_point) ++point;
      continue;
    }
    if (round_digit < 0) round_digit = c - '0';
    if (!behind_point) --point;
  }
  int64_t exponent = 0;
  if (!has_digit || !ParseExponent(text.substr(i), &exponent)) return DecimalParse::kMalformed;
  if (round_digit >= 5) ++value;
  *out = 0;
  if (value == 0) return DecimalParse::kOk;
  const int64_t from_scale = point - exponent;
  if (from_scale - scale > 40) return DecimalParse::kOk;
  if (scale - from_scale > 40) return DecimalParse::kOutOfRange;
  const Int128 signed_value = is_negative ? -value : value;
  return RescaleDecimal(signed_value, static_cast<int>(from_scale), scale, precision, out)
             ? DecimalParse::kOk
             : DecimalParse::kOutOfRange;
}

std::string DecimalText(Int128 value, int scale) {
  const bool is_negative = value < 0;
  auto rest = static_cast<unsigned __int128>(is_negative ? -value : value);
  std::string reversed;
  for (int digit = 0; rest != 0 || digit <= scale; ++digit) {
    if (digit == scale && scale > 0) reversed += '.';
    reversed += static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (is_negative) reversed += '-';
  return {reversed.rbegin(), reversed.rend()};
}

arrow::Result<Kernel> CastFromText(const CastRule& rule) {
  switch (rule.to->id()) {
    case arrow::Type::INT8:
      return ParseIntegers<int8_t>(rule);
    case arrow::Type::INT16:
      return ParseIntegers<int16_t>(rule);
    case arrow::Type::INT32:
      return ParseIntegers<int32_t>(rule);
    case arrow::Type::INT64:
      return ParseIntegers<int64_t>(rule);
    case arrow::Type::FLOAT:
      return ParseFloats<float>(rule);
    case arrow::Type::DOUBLE:
      return ParseFloats<double>(rule);
    case arrow::Type::BOOL:
      return ParseBooleans(rule);
    case arrow::Type::DECIMAL128:
      return ParseDecimals(rule);
    case arrow::Type::DATE32:
      return ParsingKernel<int32_t>(rule, [](const EvalContext&, std::string_view text,
                                             int32_t* out) { return ParseDate(text, out); });
    case arrow::Type::TIMESTAMP:
      break;
    default:
      return Reinterpret(rule.to);
  }
  const bool has_zone = !static_cast<const arrow::TimestampType&>(*rule.to).timezone().empty();
  return ParsingKernel<int64_t>(
      rule, [has_zone](const EvalContext& context, std::string_view text, int64_t* out) {
        return has_zone ? ParseTimestamp(text, ZoneOf(context), out) : ParseTimestampNtz(text, out);
      });
}

arrow::Result<Kernel> CastToTextKernel(const CastRule& rule) {
  switch (rule.from->id()) {
    case arrow::Type::INT8:
      return IntegerTexts<int8_t>(rule.to);
    case arrow::Type::INT16:
      return IntegerTexts<int16_t>(rule.to);
    case arrow::Type::INT32:
      return IntegerTexts<int32_t>(rule.to);
    case arrow::Type::INT64:
      return IntegerTexts<int64_t>(rule.to);
    case arrow::Type::BOOL:
      return BooleanTexts(rule.to);
    case arrow::Type::BINARY:
      return Reinterpret(rule.to);
    default:
      return RenderedTexts(rule.to);
  }
}

}  // namespace tidemill
