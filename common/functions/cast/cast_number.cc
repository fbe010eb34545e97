#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <utility>

#include "common/expr/type_coercion.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/decimal.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

template <class T>
std::string SqlLiteral(T value) {
  if constexpr (std::is_same_v<T, double>) {
    return JavaDoubleText(value) + "D";
  } else if constexpr (std::is_same_v<T, float>) {
    return fmt::format("CAST('{}' AS FLOAT)", JavaFloatText(value));
  } else {
    constexpr const char* kSuffix = sizeof(T) == 1   ? "Y"
                                    : sizeof(T) == 2 ? "S"
                                    : sizeof(T) == 8 ? "L"
                                                     : "";
    return fmt::format("{}{}", value, kSuffix);
  }
}

// Truncates towards zero; false where the integer type does not hold the value.
template <class From, class To>
bool ToInteger(From value, To* out) {
  if constexpr (std::is_floating_point_v<From>) {
    const double x = value;
    const auto most = static_cast<double>(std::numeric_limits<To>::max());
    const auto least = static_cast<double>(std::numeric_limits<To>::min());
    if (!(std::floor(x) <= most && std::ceil(x) >= least)) return false;
    // The bound of BIGINT rounds up to 2^63, which Java's cast cuts to the maximum.
    *out = sizeof(To) == 8 && x >= most ? std::numeric_limits<To>::max() : static_cast<To>(x);
    return true;
  } else {
    *out = static_cast<To>(value);  // NOLINT(bugprone-signed-char-misuse): TINYINT is a number
    return *out == value;
  }
}

template <class From, class To>
Kernel IntegerKernel(const CastRule& rule) {
  return [rule](const EvalContext& context, std::span<const arrow::Datum> args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<From> value(args[0]);
    if constexpr (std::is_integral_v<From> && sizeof(From) <= sizeof(To)) {
      return ComputeFixed<To>(context, args, rows, rule.to,
                              [&](int64_t row) { return static_cast<To>(value[row]); });
    }
    return ComputeFixedChecked<To>(
        context, args, rows, rule.to, [&](int64_t row, To* out) -> arrow::Result<bool> {
          if (ToInteger(value[row], out)) return true;
          if (rule.is_try) return false;
          return CastOverflow(SqlLiteral(value[row]), *rule.from, *rule.to);
        });
  };
}

template <class From, class To>
Kernel FloatKernel(const CastRule& rule) {
  return [rule](const EvalContext& context, std::span<const arrow::Datum> args, int64_t rows) {
    const FixedColumn<From> value(args[0]);
    return ComputeFixed<To>(context, args, rows, rule.to,
                            [&](int64_t row) { return static_cast<To>(value[row]); });
  };
}

template <class From>
Kernel ToBoolean() {
  return [](const EvalContext& context, std::span<const arrow::Datum> args, int64_t rows) {
    const FixedColumn<From> value(args[0]);
    return ComputeBool(context, args, rows, [&](int64_t row) { return value[row] != From{0}; });
  };
}

template <class From>
Kernel ToDecimal(const CastRule& rule) {
  const auto& type = static_cast<const arrow::DecimalType&>(*rule.to);
  return [rule, precision = type.precision(), scale = type.scale()](
             const EvalContext& context, std::span<const arrow::Datum> args,
             int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<From> value(args[0]);
    return ComputeFixedChecked<Int128>(
        context, args, rows, rule.to, [&](int64_t row, Int128* out) -> arrow::Result<bool> {
          const From x = value[row];
          if constexpr (std::is_floating_point_v<From>) {
            if (!std::isfinite(x)) return false;
            // As BigDecimal.valueOf: the shortest text that reads back as the same number.
            char text[40];
            const auto end = std::to_chars(text, text + sizeof(text), x).ptr;
            const std::string_view digits(text, end - text);
            if (ParseDecimal(digits, precision, scale, out) == DecimalParse::kOk) return true;
            if (rule.is_try) return false;
            return DecimalOutOfRange(digits, precision, scale);
          } else {
            if (RescaleDecimal(x, 0, scale, precision, out)) return true;
            if (rule.is_try) return false;
            return DecimalOutOfRange(fmt::format("{}", x), precision, scale);
          }
        });
  };
}

template <class To>
Kernel FloatOfDecimal(const CastRule& rule, int scale) {
  return [rule, scale](const EvalContext& context, std::span<const arrow::Datum> args,
                       int64_t rows) -> arrow::Result<arrow::Datum> {
    constexpr int64_t kExact = int64_t{1} << 53;
    const FixedColumn<Int128> value(args[0]);
    return ComputeFixedChecked<To>(
        context, args, rows, rule.to, [&](int64_t row, To* out) -> arrow::Result<bool> {
          const Int128 x = value[row];
          if (scale <= 22 && x <= kExact && x >= -kExact) {
            // Both operands are exact, so the quotient is rounded once.
            *out = static_cast<To>(static_cast<double>(x) / static_cast<double>(PowerOfTen(scale)));
            return true;
          }
          const std::string text = DecimalText(x, scale);
          double number = 0;
          std::from_chars(text.data(), text.data() + text.size(), number);
          *out = static_cast<To>(number);
          return true;
        });
  };
}

template <class To>
Kernel IntegerOfDecimal(const CastRule& rule, int scale) {
  return [rule, scale](const EvalContext& context, std::span<const arrow::Datum> args,
                       int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<Int128> value(args[0]);
    const Int128 power = PowerOfTen(scale);
    return ComputeFixedChecked<To>(
        context, args, rows, rule.to, [&](int64_t row, To* out) -> arrow::Result<bool> {
          const Int128 whole = value[row] / power;
          *out = static_cast<To>(whole);
          if (*out == whole) return true;
          if (rule.is_try) return false;
          return CastOverflow(DecimalText(value[row], scale) + "BD", *rule.from, *rule.to);
        });
  };
}

Kernel DecimalOfDecimal(const CastRule& rule, int from_scale) {
  const auto& type = static_cast<const arrow::DecimalType&>(*rule.to);
  return [rule, from_scale, precision = type.precision(), scale = type.scale()](
             const EvalContext& context, std::span<const arrow::Datum> args,
             int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<Int128> value(args[0]);
    return ComputeFixedChecked<Int128>(
        context, args, rows, rule.to, [&](int64_t row, Int128* out) -> arrow::Result<bool> {
          if (RescaleDecimal(value[row], from_scale, scale, precision, out)) return true;
          if (rule.is_try) return false;
          return DecimalOutOfRange(DecimalText(value[row], from_scale), precision, scale);
        });
  };
}

Kernel FromDecimal(const CastRule& rule) {
  const int scale = static_cast<const arrow::DecimalType&>(*rule.from).scale();
  switch (rule.to->id()) {
    case arrow::Type::INT8:
      return IntegerOfDecimal<int8_t>(rule, scale);
    case arrow::Type::INT16:
      return IntegerOfDecimal<int16_t>(rule, scale);
    case arrow::Type::INT32:
      return IntegerOfDecimal<int32_t>(rule, scale);
    case arrow::Type::INT64:
      return IntegerOfDecimal<int64_t>(rule, scale);
    case arrow::Type::FLOAT:
      return FloatOfDecimal<float>(rule, scale);
    case arrow::Type::DOUBLE:
      return FloatOfDecimal<double>(rule, scale);
    case arrow::Type::BOOL:
      return ToBoolean<Int128>();
    default:
      return DecimalOfDecimal(rule, scale);
  }
}

template <class From>
Kernel FromNumber(const CastRule& rule) {
  switch (rule.to->id()) {
    case arrow::Type::INT8:
      return IntegerKernel<From, int8_t>(rule);
    case arrow::Type::INT16:
      return IntegerKernel<From, int16_t>(rule);
    case arrow::Type::INT32:
      return IntegerKernel<From, int32_t>(rule);
    case arrow::Type::INT64:
      return IntegerKernel<From, int64_t>(rule);
    case arrow::Type::FLOAT:
      return FloatKernel<From, float>(rule);
    case arrow::Type::DOUBLE:
      return FloatKernel<From, double>(rule);
    case arrow::Type::BOOL:
      return ToBoolean<From>();
    default:
      return ToDecimal<From>(rule);
  }
}

template <class To>
Kernel NumberOfBoolean(const TypePtr& type, To one) {
  return [type, one](const EvalContext& context, std::span<const arrow::Datum> args, int64_t rows) {
    const BoolColumn value(args[0]);
    return ComputeFixed<To>(context, args, rows, type,
                            [&](int64_t row) { return value[row] ? one : To{0}; });
  };
}

arrow::Result<Kernel> FromBoolean(const CastRule& rule) {
  switch (rule.to->id()) {
    case arrow::Type::INT8:
      return NumberOfBoolean<int8_t>(rule.to, 1);
    case arrow::Type::INT16:
      return NumberOfBoolean<int16_t>(rule.to, 1);
    case arrow::Type::INT32:
      return NumberOfBoolean<int32_t>(rule.to, 1);
    case arrow::Type::INT64:
      return NumberOfBoolean<int64_t>(rule.to, 1);
    case arrow::Type::FLOAT:
      return NumberOfBoolean<float>(rule.to, 1);
    case arrow::Type::DOUBLE:
      return NumberOfBoolean<double>(rule.to, 1);
    default: {
      const auto& type = static_cast<const arrow::DecimalType&>(*rule.to);
      if (type.precision() > type.scale()) {
        return NumberOfBoolean<Int128>(rule.to, PowerOfTen(type.scale()));
      }
      return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE",
                       fmt::format("casting BOOLEAN to a decimal without whole digits is not "
                                   "supported: type={}",
                                   type.ToString()));
    }
  }
}

}  // namespace

arrow::Result<Kernel> CastNumber(const CastRule& rule) {
  switch (rule.from->id()) {
    case arrow::Type::INT8:
      return FromNumber<int8_t>(rule);
    case arrow::Type::INT16:
      return FromNumber<int16_t>(rule);
    case arrow::Type::INT32:
      return FromNumber<int32_t>(rule);
    case arrow::Type::INT64:
      return FromNumber<int64_t>(rule);
    case arrow::Type::FLOAT:
      return FromNumber<float>(rule);
    case arrow::Type::DOUBLE:
      return FromNumber<double>(rule);
    case arrow::Type::BOOL:
      return FromBoolean(rule);
    default:
      return FromDecimal(rule);
  }
}

}  // namespace tidemill
