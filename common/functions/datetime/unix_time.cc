#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/datetime.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"

// Timestamps and dates as counts since 1970, and back.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// Whole units since 1970, cut downwards.
Kernel CountSince(int64_t unit) {
  return [unit](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> micros(args[0]);
    return ComputeFixed<int64_t>(context, args, rows, arrow::int64(),
                                 [&](int64_t row) { return FloorDiv(micros[row], unit); });
  };
}

arrow::Status OutOfRange(const std::string& count, int64_t unit) {
  return MakeError(ErrorKind::kJobFailed, "DATETIME_OVERFLOW",
                   fmt::format("Datetime operation overflow: create a TIMESTAMP from {} {}seconds "
                               "since the epoch.",
                               count,
                               unit == 1000 ? "milli"
                               : unit == 1  ? "micro"
                                            : ""));
}

Kernel FromCount(int64_t unit) {
  return [unit](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> counts(args[0]);
    return ComputeFixedChecked<int64_t>(context, args, rows, TimestampType(),
                                        [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
                                          if (!__builtin_mul_overflow(counts[row], unit, out)) {
                                            return true;
                                          }
                                          return OutOfRange(fmt::format("{}L", counts[row]), unit);
                                        });
  };
}

FunctionInfo Counting(const std::string& name, int64_t unit) {
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(timestamp)", name),
                        .params = {TimestampType()},
                        .result = arrow::int64(),
                        .kernel = CountSince(unit),
                        .is_total = true});
}

FunctionInfo FromIntegral(const std::string& name, int64_t unit) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 1));
    const arrow::DataType& type = *args[0]->type;
    if (!IsIntegralType(type) && type.id() != arrow::Type::NA) {
      return UnexpectedInput(name, args, 0, "\"INTEGRAL\"");
    }
    return BoundFunction{{arrow::int64()}, TimestampType(), FromCount(unit)};
  };
  return info;
}

// Micros of a DECIMAL(38, 6) of seconds; more digits than six are an error.
arrow::Result<arrow::Datum> FromDecimalSeconds(const EvalContext& context, Args args,
                                               int64_t rows) {
  const FixedColumn<Int128> seconds(args[0]);
  return ComputeFixedChecked<int64_t>(
      context, args, rows, TimestampType(), [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
        *out = static_cast<int64_t>(seconds[row]);
        if (*out == seconds[row]) return true;
        return OutOfRange(DecimalText(seconds[row], 6), kMicrosPerSecond);
      });
}

arrow::Result<arrow::Datum> FromDoubleSeconds(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<double> seconds(args[0]);
  return ComputeFixedChecked<int64_t>(context, args, rows, TimestampType(),
                                      [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
                                        const double micros = seconds[row] * 1e6;
                                        if (!std::isfinite(micros)) return false;
                                        constexpr double kLimit = 9223372036854775808.0;
                                        *out = micros >= kLimit   ? INT64_MAX
                                               : micros < -kLimit ? INT64_MIN
                                                                  : static_cast<int64_t>(micros);
                                        return true;
                                      });
}

FunctionInfo TimestampSeconds() {
  FunctionInfo info;
  info.name = "timestamp_seconds";
  info.usage = "timestamp_seconds(seconds)";
  info.bind = [](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(
        CheckArgCount("timestamp_seconds", "timestamp_seconds(seconds)", args.size(), 1, 1));
    const TypePtr& type = args[0]->type;
    if (IsIntegralType(*type) || type->id() == arrow::Type::NA) {
      return BoundFunction{{arrow::int64()}, TimestampType(), FromCount(kMicrosPerSecond)};
    }
    if (IsDecimalType(*type)) {
      return BoundFunction{{arrow::decimal128(38, 6)}, TimestampType(), FromDecimalSeconds};
    }
    if (!IsNumericType(*type)) {
      return UnexpectedInput("timestamp_seconds", args, 0, "\"NUMERIC\"");
    }
    return BoundFunction{{arrow::float64()}, TimestampType(), FromDoubleSeconds};
  };
  return info;
}

// DATE and INT hold the same days.
Kernel Relabel(const TypePtr& type) {
  return [type](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> days(args[0]);
    return ComputeFixed<int32_t>(context, args, rows, type, [&](int64_t row) { return days[row]; });
  };
}

}  // namespace

void AddUnixTimeFunctions(FunctionCatalog* catalog) {
  catalog->Add(Counting("unix_seconds", kMicrosPerSecond));
  catalog->Add(Counting("unix_millis", 1000));
  catalog->Add(Counting("unix_micros", 1));
  catalog->Add(TimestampSeconds());
  catalog->Add(FromIntegral("timestamp_millis", 1000));
  catalog->Add(FromIntegral("timestamp_micros", 1));
  catalog->Add(FromSignature({.name = "unix_date",
                              .usage = "unix_date(date)",
                              .params = {arrow::date32()},
                              .result = arrow::int32(),
                              .kernel = Relabel(arrow::int32()),
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "date_from_unix_date",
                              .usage = "date_from_unix_date(days)",
                              .params = {arrow::int32()},
                              .result = arrow::date32(),
                              .kernel = Relabel(arrow::date32()),
                              .is_total = true}));
}

}  // namespace tidemill
