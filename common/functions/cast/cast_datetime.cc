#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>

#include "common/expr/type_coercion.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/decimal.h"
#include "common/types/civil_time.h"

namespace tidemill {

namespace {

bool HasZone(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

Kernel FromDate(const CastRule& rule) {
  const bool has_zone = HasZone(*rule.to);
  return [rule, has_zone](const EvalContext& context, std::span<const arrow::Datum> args,
                          int64_t rows) {
    const FixedColumn<int32_t> days(args[0]);
    const TimeZone& zone = ZoneOf(context);
    return ComputeFixedChecked<int64_t>(
        context, args, rows, rule.to, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          if (__builtin_mul_overflow(int64_t{days[row]}, kMicrosPerDay, out)) {
            if (rule.is_try) return false;
            return CastOverflow(fmt::format("{}", days[row]), *rule.from, *rule.to);
          }
          if (has_zone) *out = LocalToUtcMicros(zone, *out);
          return true;
        });
  };
}

Kernel FromTimestamp(const CastRule& rule) {
  const bool from_zone = HasZone(*rule.from), to_zone = HasZone(*rule.to);
  const bool to_date = rule.to->id() == arrow::Type::DATE32;
  return [=](const EvalContext& context, std::span<const arrow::Datum> args,
             int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<int64_t> micros(args[0]);
    const TimeZone& zone = ZoneOf(context);
    auto local = [&](int64_t row) {
      const int64_t value = micros[row];
      return from_zone ? value + UtcOffsetSeconds(zone, value) * kMicrosPerSecond : value;
    };
    if (to_date) {
      return ComputeFixed<int32_t>(context, args, rows, rule.to, [&](int64_t row) {
        return static_cast<int32_t>(FloorDiv(local(row), kMicrosPerDay));
      });
    }
    return ComputeFixed<int64_t>(context, args, rows, rule.to, [&](int64_t row) {
      return to_zone ? LocalToUtcMicros(zone, micros[row]) : local(row);
    });
  };
}

// Seconds since the epoch, then as any number: DOUBLE and DECIMAL keep the microseconds.
arrow::Result<Kernel> TimestampToNumber(const CastRule& rule) {
  if (IsFloatingType(*rule.to)) {
    const bool is_float = rule.to->id() == arrow::Type::FLOAT;
    return Kernel([rule, is_float](const EvalContext& context, std::span<const arrow::Datum> args,
                                   int64_t rows) -> arrow::Result<arrow::Datum> {
      const FixedColumn<int64_t> micros(args[0]);
      auto seconds = [&](int64_t row) { return static_cast<double>(micros[row]) / 1e6; };
      if (is_float) {
        return ComputeFixed<float>(context, args, rows, rule.to,
                                   [&](int64_t row) { return static_cast<float>(seconds(row)); });
      }
      return ComputeFixed<double>(context, args, rows, rule.to, seconds);
    });
  }
  const bool is_decimal = IsDecimalType(*rule.to);
  const TypePtr middle = is_decimal ? arrow::decimal128(20, 6) : arrow::int64();
  ARROW_ASSIGN_OR_RAISE(Kernel finish, MakeCastKernel(middle, rule.to, rule.is_try));
  return Kernel([=](const EvalContext& context, std::span<const arrow::Datum> args,
                    int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<int64_t> micros(args[0]);
    arrow::Datum seconds;
    if (is_decimal) {
      ARROW_ASSIGN_OR_RAISE(
          seconds, ComputeFixed<Int128>(context, args, rows, middle,
                                        [&](int64_t row) -> Int128 { return micros[row]; }));
    } else {
      ARROW_ASSIGN_OR_RAISE(seconds,
                            ComputeFixed<int64_t>(context, args, rows, middle, [&](int64_t row) {
                              return FloorDiv(micros[row], kMicrosPerSecond);
                            }));
    }
    return finish(context, std::span(&seconds, 1), rows);
  });
}

Kernel DoubleToTimestamp(const CastRule& rule) {
  return [rule](const EvalContext& context, std::span<const arrow::Datum> args, int64_t rows) {
    const FixedColumn<double> seconds(args[0]);
    return ComputeFixedChecked<int64_t>(
        context, args, rows, rule.to, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          const double micros = seconds[row] * 1e6;
          if (!std::isfinite(micros)) return false;
          // Java's cast cuts at the limits of a long.
          constexpr double kLimit = 9223372036854775808.0;
          *out = micros >= kLimit   ? std::numeric_limits<int64_t>::max()
                 : micros < -kLimit ? std::numeric_limits<int64_t>::min()
                                    : static_cast<int64_t>(micros);
          return true;
        });
  };
}

arrow::Result<Kernel> NumberToTimestamp(const CastRule& rule) {
  if (IsFloatingType(*rule.from)) {
    ARROW_ASSIGN_OR_RAISE(Kernel widen, MakeCastKernel(rule.from, arrow::float64(), rule.is_try));
    Kernel finish = DoubleToTimestamp(rule);
    return Kernel([=](const EvalContext& context, std::span<const arrow::Datum> args,
                      int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum seconds, widen(context, args, rows));
      return finish(context, std::span(&seconds, 1), rows);
    });
  }
  // Through a decimal of microseconds, so that the fraction of a DECIMAL is kept.
  const TypePtr middle = arrow::decimal128(38, 6);
  ARROW_ASSIGN_OR_RAISE(Kernel widen, MakeCastKernel(rule.from, middle, rule.is_try));
  return Kernel([=](const EvalContext& context, std::span<const arrow::Datum> args,
                    int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum seconds, widen(context, args, rows));
    const FixedColumn<Int128> micros(seconds);
    return ComputeFixedChecked<int64_t>(context, std::span(&seconds, 1), rows, rule.to,
                                        [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
                                          const Int128 value = micros[row];
                                          *out = static_cast<int64_t>(value);
                                          if (*out != value) {
                                            *out = value > 0 ? std::numeric_limits<int64_t>::max()
                                                             : std::numeric_limits<int64_t>::min();
                                          }
                                          return true;
                                        });
  });
}

}  // namespace

arrow::Result<Kernel> CastDatetime(const CastRule& rule) {
  if (!IsDatetimeType(*rule.from)) return NumberToTimestamp(rule);
  if (!IsDatetimeType(*rule.to)) return TimestampToNumber(rule);
  if (rule.from->id() == arrow::Type::DATE32) return FromDate(rule);
  return FromTimestamp(rule);
}

}  // namespace tidemill
