#include "common/functions/datetime/interval_arithmetic.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/expr/type_coercion.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/calendar.h"
#include "common/functions/signature.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

using Op = ArithmeticOp;
using Args = std::span<const arrow::Datum>;
using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

// What every kernel here is told.
struct Rule {
  TypePtr type;  // of the result
  std::string try_name;
  bool is_try = false;
  bool is_subtraction = false;
  bool is_swapped = false;  // the span (or the number) stands first

  int64_t sign() const { return is_subtraction ? -1 : 1; }
  // Keeps a value that fits; else NULL, or the error that `make_error` makes, as making one for
  // every row costs more than the arithmetic.
  template <class MakeStatus>
  arrow::Result<bool> Check(bool fits, MakeStatus make_error) const {
    if (fits || is_try) return fits;
    return make_error();
  }
  arrow::Result<bool> CheckSpan(bool fits) const {
    return Check(fits, [this] { return IntervalOverflow(try_name); });
  }
};

arrow::Status DatetimeOverflow() {
  return MakeError(ErrorKind::kJobFailed, "DATETIME_OVERFLOW",
                   "Datetime operation overflow: the sum is out of range.");
}

arrow::Status DateHasNoTime() {
  return MakeError(ErrorKind::kJobFailed, "INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION",
                   "Cannot add an interval to a date because its microseconds part is not 0. To "
                   "resolve this, cast the input date to a timestamp, which supports the addition "
                   "of intervals with non-zero microseconds.");
}

arrow::Status DividedByZero() {
  return MakeError(ErrorKind::kJobFailed, "INTERVAL_DIVIDED_BY_ZERO",
                   "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL "
                   "instead.");
}

// The spans of a column of any interval type.
class SpanColumn {
 public:
  explicit SpanColumn(const arrow::Datum& datum)
      : months_(Is<IsYearMonthInterval>(datum) ? datum : Empty<arrow::Int32Scalar>()),
        times_(Is<IsDayTimeInterval>(datum) ? datum : Empty<arrow::Int64Scalar>()),
        parts_(Is<IsCalendarInterval>(datum) ? datum : Empty<arrow::MonthDayNanoIntervalScalar>()),
        kind_(datum.type().get()) {}

  Interval operator[](int64_t row) const {
    if (IsYearMonthInterval(*kind_)) return {months_[row], 0, 0};
    if (IsDayInterval(*kind_)) return {0, static_cast<int32_t>(times_[row] / kSecondsPerDay), 0};
    if (IsDayTimeInterval(*kind_)) {
      const int64_t micros = times_[row];
      return {0, static_cast<int32_t>(micros / kMicrosPerDay), micros % kMicrosPerDay};
    }
    const MonthDayNanos parts = parts_[row];
    return {parts.months, parts.days, parts.nanoseconds / kNanosPerMicro};
  }

 private:
  template <bool (*kIs)(const arrow::DataType&)>
  static bool Is(const arrow::Datum& datum) {
    return kIs(*datum.type());
  }
  template <class Scalar>
  static arrow::Datum Empty() {
    return arrow::Datum(std::make_shared<Scalar>());
  }

  FixedColumn<int32_t> months_;
  FixedColumn<int64_t> times_;
  FixedColumn<MonthDayNanos> parts_;
  const arrow::DataType* kind_;
};

// The span with its sign turned where it is subtracted; false where that does not fit.
bool Signed(const Rule& rule, Interval* span) {
  if (!rule.is_subtraction) return true;
  return !__builtin_sub_overflow(0, span->months, &span->months) &&
         !__builtin_sub_overflow(0, span->days, &span->days) &&
         !__builtin_sub_overflow(int64_t{0}, span->microseconds, &span->microseconds);
}

// TIMESTAMP or TIMESTAMP_NTZ +- span.
Kernel MoveTimestamp(const Rule& rule) {
  const bool is_instant = IsInstantType(*rule.type);
  return [rule, is_instant](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> points(args[rule.is_swapped ? 1 : 0]);
    const SpanColumn spans(args[rule.is_swapped ? 0 : 1]);
    const TimeZone& zone = is_instant ? ZoneOf(context) : *UtcTimeZone();
    return ComputeFixedChecked<int64_t>(
        context, args, rows, rule.type, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          Interval span = spans[row];
          *out = points[row];
          return rule.Check(Signed(rule, &span) && AddInterval(zone, span, out), DatetimeOverflow);
        });
  };
}

// DATE +- months and days.
Kernel MoveDate(const Rule& rule) {
  return [rule](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int32_t> points(args[rule.is_swapped ? 1 : 0]);
    const SpanColumn spans(args[rule.is_swapped ? 0 : 1]);
    return ComputeFixedChecked<int32_t>(
        context, args, rows, rule.type, [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
          const Interval span = spans[row];
          if (span.microseconds != 0) {
            return rule.Check(false, DateHasNoTime);
          }
          const int64_t days =
              AddMonths(points[row], rule.sign() * span.months) + rule.sign() * span.days;
          *out = static_cast<int32_t>(days);
          return rule.Check(*out == days, DatetimeOverflow);
        });
  };
}

// Whether the microseconds of a sum of INTERVAL DAY, which counts seconds, fit too.
bool FitsMicros(int64_t seconds) {
  int64_t micros = 0;
  return !__builtin_mul_overflow(seconds, kMicrosPerSecond, &micros);
}

template <class T>
Kernel AddSpans(const Rule& rule) {
  return [rule, is_day = IsDayInterval(*rule.type)](const EvalContext& context, Args args,
                                                    int64_t rows) {
    const FixedColumn<T> a(args[0]), b(args[1]);
    return ComputeFixedChecked<T>(
        context, args, rows, rule.type, [&](int64_t row, T* out) -> arrow::Result<bool> {
          const bool overflows = rule.is_subtraction ? __builtin_sub_overflow(a[row], b[row], out)
                                                     : __builtin_add_overflow(a[row], b[row], out);
          return rule.CheckSpan(!overflows && (!is_day || FitsMicros(*out)));
        });
  };
}

bool AddParts(const MonthDayNanos& a, const MonthDayNanos& b, bool is_subtraction,
              MonthDayNanos* out) {
  if (is_subtraction) {
    return !__builtin_sub_overflow(a.months, b.months, &out->months) &&
           !__builtin_sub_overflow(a.days, b.days, &out->days) &&
           !__builtin_sub_overflow(a.nanoseconds, b.nanoseconds, &out->nanoseconds);
  }
  return !__builtin_add_overflow(a.months, b.months, &out->months) &&
         !__builtin_add_overflow(a.days, b.days, &out->days) &&
         !__builtin_add_overflow(a.nanoseconds, b.nanoseconds, &out->nanoseconds);
}

Kernel AddCalendarSpans(const Rule& rule) {
  return [rule](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<MonthDayNanos> a(args[0]), b(args[1]);
    return ComputeFixedChecked<MonthDayNanos>(
        context, args, rows, rule.type,
        [&](int64_t row, MonthDayNanos* out) -> arrow::Result<bool> {
          return rule.CheckSpan(AddParts(a[row], b[row], rule.is_subtraction, out));
        });
  };
}

// The time between two points of one type: days for DATE, else microseconds on the wall clock.
Kernel SubtractPoints(const Rule& rule, const TypePtr& points) {
  if (points->id() == arrow::Type::DATE32) {
    return [rule](const EvalContext& context, Args args, int64_t rows) {
      const FixedColumn<int32_t> a(args[0]), b(args[1]);
      return ComputeFixed<int64_t>(context, args, rows, rule.type, [&](int64_t row) {
        return (int64_t{a[row]} - b[row]) * kSecondsPerDay;
      });
    };
  }
  const bool is_instant = IsInstantType(*points);
  return [rule, is_instant](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> a(args[0]), b(args[1]);
    const TimeZone& zone = is_instant ? ZoneOf(context) : *UtcTimeZone();
    return ComputeFixedChecked<int64_t>(
        context, args, rows, rule.type, [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          return rule.CheckSpan(
              !__builtin_sub_overflow(LocalMicros(zone, a[row]), LocalMicros(zone, b[row]), out));
        });
  };
}

// Half away from zero; false where the value does not fit.
template <class T>
bool RoundTo(double value, T* out) {
  const double rounded = std::round(value);
  constexpr double kLimit = sizeof(T) == 4 ? 2147483648.0 : 9223372036854775808.0;
  if (!(rounded >= -kLimit && rounded < kLimit)) return false;
  *out = static_cast<T>(rounded);
  return true;
}

template <class T>
bool DivideHalfUp(T value, int64_t divisor, T* out) {
  const Int128 wide = value;
  Int128 quotient = wide / divisor;
  const Int128 rest = wide % divisor;
  const Int128 twice = (rest < 0 ? -rest : rest) * 2;
  const Int128 size = divisor < 0 ? -Int128{divisor} : Int128{divisor};
  if (twice >= size) quotient += (wide < 0) == (divisor < 0) ? 1 : -1;
  *out = static_cast<T>(quotient);
  return *out == quotient;
}

// A span times or by a BIGINT.
template <class T>
Kernel ScaleByInteger(const Rule& rule, bool is_division) {
  return [rule, is_division](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<T> spans(args[rule.is_swapped ? 1 : 0]);
    const FixedColumn<int64_t> numbers(args[rule.is_swapped ? 0 : 1]);
    return ComputeFixedChecked<T>(
        context, args, rows, rule.type, [&](int64_t row, T* out) -> arrow::Result<bool> {
          if (is_division && numbers[row] == 0) return rule.Check(false, DividedByZero);
          const bool fits = is_division ? DivideHalfUp<T>(spans[row], numbers[row], out)
                                        : !__builtin_mul_overflow(spans[row], numbers[row], out);
          return rule.CheckSpan(fits);
        });
  };
}

// A span times or by a DOUBLE, rounded half away from zero.
template <class T>
Kernel ScaleByDouble(const Rule& rule, bool is_division) {
  return [rule, is_division](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<T> spans(args[rule.is_swapped ? 1 : 0]);
    const FixedColumn<double> numbers(args[rule.is_swapped ? 0 : 1]);
    return ComputeFixedChecked<T>(
        context, args, rows, rule.type, [&](int64_t row, T* out) -> arrow::Result<bool> {
          const double number = numbers[row];
          if (is_division && number == 0) return rule.Check(false, DividedByZero);
          const auto span = static_cast<double>(spans[row]);
          return rule.CheckSpan(RoundTo(is_division ? span / number : span * number, out));
        });
  };
}

Kernel ScaleCalendarSpan(const Rule& rule, bool is_division) {
  return [rule, is_division](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<MonthDayNanos> spans(args[rule.is_swapped ? 1 : 0]);
    const FixedColumn<double> numbers(args[rule.is_swapped ? 0 : 1]);
    return ComputeFixedChecked<MonthDayNanos>(
        context, args, rows, rule.type,
        [&](int64_t row, MonthDayNanos* out) -> arrow::Result<bool> {
          const double number = numbers[row];
          if (is_division && number == 0) return rule.Check(false, DividedByZero);
          auto scaled = [&](int64_t part) {
            return is_division ? static_cast<double>(part) / number
                               : static_cast<double>(part) * number;
          };
          // What is lost of a day goes on to the time; months lose their fraction.
          const MonthDayNanos span = spans[row];
          const double months = std::trunc(scaled(span.months));
          const double days = scaled(span.days);
          const double nanos = std::round((scaled(span.nanoseconds / kNanosPerMicro) +
                                           (days - std::trunc(days)) * kMicrosPerDay)) *
                               kNanosPerMicro;
          return rule.CheckSpan(RoundTo(months, &out->months) &&
                                RoundTo(std::trunc(days), &out->days) &&
                                RoundTo(nanos, &out->nanoseconds));
        });
  };
}

arrow::Result<BoundFunction> BindScale(Op op, Rule rule, std::string_view name,
                                       std::span<const ExprPtr> args) {
  rule.is_swapped = op == Op::kMultiply && !IsIntervalType(*args[0]->type);
  const size_t number_at = rule.is_swapped ? 0 : 1;
  const TypePtr& span = args[1 - number_at]->type;
  const TypePtr& number = args[number_at]->type;
  if (!IsNumericType(*number) && number->id() != arrow::Type::NA && !IsStringType(*number)) {
    return UnexpectedInput(name, args, number_at, "\"NUMERIC\"");
  }
  const bool is_division = op == Op::kDivide;
  const bool is_integer = IsIntegralType(*number);
  TypePtr operand = span;
  if (IsDayInterval(*span)) operand = DayTimeIntervalType();
  rule.type = operand;
  TypePtr count = is_integer ? arrow::int64() : arrow::float64();
  Kernel kernel;
  if (IsCalendarInterval(*operand)) {
    count = arrow::float64();
    kernel = ScaleCalendarSpan(rule, is_division);
  } else if (IsYearMonthInterval(*operand)) {
    kernel = is_integer ? ScaleByInteger<int32_t>(rule, is_division)
                        : ScaleByDouble<int32_t>(rule, is_division);
  } else {
    kernel = is_integer ? ScaleByInteger<int64_t>(rule, is_division)
                        : ScaleByDouble<int64_t>(rule, is_division);
  }
  std::vector<TypePtr> types = {operand, count};
  if (rule.is_swapped) std::swap(types[0], types[1]);
  return BoundFunction{std::move(types), rule.type, std::move(kernel)};
}

arrow::Result<BoundFunction> BindSpans(Rule rule, const TypePtr& common) {
  rule.type = common;
  Kernel kernel = IsCalendarInterval(*common)    ? AddCalendarSpans(rule)
                  : IsYearMonthInterval(*common) ? AddSpans<int32_t>(rule)
                                                 : AddSpans<int64_t>(rule);
  return BoundFunction{{common, common}, common, std::move(kernel)};
}

// How many times a span holds another one.
template <class T>
arrow::Result<arrow::Datum> WholeQuotient(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<T> a(args[0]), b(args[1]);
  return ComputeFixedChecked<int64_t>(
      context, args, rows, arrow::int64(), [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
        if (b[row] == 0) return DivideByZero();
        if (__builtin_mul_overflow(int64_t{a[row]}, int64_t{b[row] == -1 ? -1 : 1}, out)) {
          return ArithmeticOverflow("Overflow in integral divide", "try_divide");
        }
        if (b[row] != -1) *out = int64_t{a[row]} / b[row];
        return true;
      });
}

arrow::Result<BoundFunction> BindWholeQuotient(std::string_view name,
                                               std::span<const ExprPtr> args) {
  const TypePtr common = CommonType(args[0]->type, args[1]->type);
  if (common == nullptr) return IncompatibleOperands(name, args);
  return BoundFunction{{common, common},
                       arrow::int64(),
                       IsYearMonthInterval(*common) ? Kernel(WholeQuotient<int32_t>)
                                                    : Kernel(WholeQuotient<int64_t>)};
}

arrow::Result<BoundFunction> BindMove(Rule rule, const TypePtr& point, const TypePtr& span) {
  TypePtr moved = point;
  // A time of day makes a TIMESTAMP of a DATE; text is a TIMESTAMP too.
  const bool keeps_date =
      point->id() == arrow::Type::DATE32 && (!IsDayTimeInterval(*span) || IsDayInterval(*span));
  if (!keeps_date && point->id() != arrow::Type::TIMESTAMP) moved = TimestampType();
  rule.type = moved;
  Kernel kernel = keeps_date ? MoveDate(rule) : MoveTimestamp(rule);
  std::vector<TypePtr> types = {moved, span};
  if (rule.is_swapped) std::swap(types[0], types[1]);
  return BoundFunction{std::move(types), moved, std::move(kernel)};
}

}  // namespace

arrow::Status IntervalOverflow(std::string_view try_name) {
  const std::string what = "Integer overflow while operating with intervals.";
  if (try_name.empty()) {
    return MakeError(ErrorKind::kJobFailed, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION",
                     what + " Try devising appropriate values for the interval parameters.");
  }
  return MakeError(
      ErrorKind::kJobFailed, "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION",
      fmt::format("{} Use `{}` to tolerate overflow and return NULL instead.", what, try_name));
}

bool IsIntervalArithmetic(ArithmeticOp op, const arrow::DataType& a, const arrow::DataType& b) {
  if (op == Op::kSubtract && IsDatetimeType(a) && IsDatetimeType(b)) return true;
  if (op == Op::kIntegralDivide) return IsAnsiIntervalType(a) && IsAnsiIntervalType(b);
  if (op != Op::kAdd && op != Op::kSubtract && op != Op::kMultiply && op != Op::kDivide) {
    return false;
  }
  return IsIntervalType(a) || IsIntervalType(b);
}

arrow::Result<BoundFunction> BindIntervalArithmetic(ArithmeticOp op, std::string_view name,
                                                    bool is_try, std::span<const ExprPtr> args) {
  const TypePtr& a = args[0]->type;
  const TypePtr& b = args[1]->type;
  if (op == Op::kIntegralDivide) return BindWholeQuotient(name, args);
  constexpr const char* kTryNames[] = {"try_add", "try_subtract", "try_multiply", "try_divide"};
  Rule rule;
  rule.try_name = kTryNames[static_cast<int>(op)];
  rule.is_try = is_try;
  rule.is_subtraction = op == Op::kSubtract;
  if (op == Op::kMultiply || op == Op::kDivide) {
    if (op == Op::kDivide && !IsIntervalType(*a)) return IncompatibleOperands(name, args);
    return BindScale(op, rule, name, args);
  }
  if (IsDatetimeType(*a) && IsDatetimeType(*b)) {
    const TypePtr common = CommonType(a, b);
    const bool is_date = common->id() == arrow::Type::DATE32;
    rule.type = is_date ? DayIntervalType() : DayTimeIntervalType();
    return BoundFunction{{common, common}, rule.type, SubtractPoints(rule, common)};
  }
  auto is_span = [](const arrow::DataType& type) { return IsIntervalType(type); };
  const bool may_meet =
      is_span(*a) == is_span(*b) || a->id() == arrow::Type::NA || b->id() == arrow::Type::NA;
  if (may_meet) {
    TypePtr common = CommonType(a, b);
    if (common != nullptr && is_span(*common)) return BindSpans(rule, common);
  }
  auto is_point = [](const arrow::DataType& type) {
    return IsDatetimeType(type) || IsStringType(type);
  };
  if (is_point(*a) && is_span(*b)) return BindMove(rule, a, b);
  if (op == Op::kAdd && is_span(*a) && is_point(*b)) {
    rule.is_swapped = true;
    return BindMove(rule, b, a);
  }
  return UnexpectedInput(name, args, is_span(*a) && op == Op::kAdd && !is_span(*b) ? 1 : 0,
                         "(\"TIMESTAMP\" or \"TIMESTAMP WITHOUT TIME ZONE\")");
}

Kernel IntervalSignKernel(const std::shared_ptr<arrow::DataType>& type, bool is_abs) {
  if (IsCalendarInterval(*type)) {
    return [type](const EvalContext& context, Args args, int64_t rows) {
      const FixedColumn<MonthDayNanos> spans(args[0]);
      return ComputeFixedChecked<MonthDayNanos>(
          context, args, rows, type, [&](int64_t row, MonthDayNanos* out) -> arrow::Result<bool> {
            if (AddParts(MonthDayNanos{}, spans[row], true, out)) return true;
            return IntervalOverflow("");
          });
    };
  }
  auto over = [type, is_abs]<class T>(T) -> Kernel {
    return [type, is_abs](const EvalContext& context, Args args, int64_t rows) {
      const FixedColumn<T> spans(args[0]);
      return ComputeFixedChecked<T>(context, args, rows, type,
                                    [&](int64_t row, T* out) -> arrow::Result<bool> {
                                      *out = spans[row];
                                      if (is_abs && *out >= 0) return true;
                                      if (!__builtin_sub_overflow(T{0}, spans[row], out))
                                        return true;
                                      return IntervalOverflow("");
                                    });
    };
  };
  return IsYearMonthInterval(*type) ? over(int32_t{}) : over(int64_t{});
}

}  // namespace tidemill
