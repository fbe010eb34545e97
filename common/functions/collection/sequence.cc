#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/collection/lists.h"
#include "common/functions/datetime/calendar.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

// sequence(start, stop[, step]) over numbers, dates and timestamps.

namespace tidemill {

namespace {

constexpr int64_t kMaxLength = 2'147'483'632;

arrow::Status IllegalBoundaries(int64_t start, int64_t stop, int64_t step) {
  return MakeError(ErrorKind::kJobFailed, "ILLEGAL_SEQUENCE_BOUNDARIES",
                   fmt::format("requirement failed: Illegal sequence boundaries: {} to {} by {}",
                               start, stop, step));
}

arrow::Status TooLong(int64_t length) {
  return MakeError(ErrorKind::kJobFailed, "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER",
                   fmt::format("Can't create array with {} elements which exceeding the array size "
                               "limit {}, the value of the parameter(s) `count` in the function "
                               "`sequence` is invalid.",
                               length, kMaxLength));
}

// Collects the elements of all rows. `T` is how a column stores them.
template <class T>
class SequenceBuilder {
 public:
  explicit SequenceBuilder(arrow::MemoryPool* pool) : values_(pool), offsets_(pool) {}

  arrow::Status Begin(int64_t rows) {
    ARROW_RETURN_NOT_OK(offsets_.Reserve(rows + 1));
    offsets_.UnsafeAppend(0);
    return arrow::Status::OK();
  }
  arrow::Status AddSteps(int64_t start, int64_t stop, int64_t step) {
    const bool is_legal = step > 0 ? start <= stop : step < 0 ? start >= stop : start == stop;
    if (!is_legal) return IllegalBoundaries(start, stop, step);
    const Int128 span = Int128{stop} - start;
    const Int128 count = step == 0 ? 1 : span / step + 1;
    if (count > kMaxLength) return TooLong(static_cast<int64_t>(count));
    ARROW_RETURN_NOT_OK(values_.Reserve(static_cast<int64_t>(count)));
    for (int64_t i = 0; i < static_cast<int64_t>(count); ++i) {
      values_.UnsafeAppend(static_cast<T>(start + i * step));
    }
    return arrow::Status::OK();
  }
  arrow::Status Add(int64_t value) { return values_.Append(static_cast<T>(value)); }
  void EndRow() { offsets_.UnsafeAppend(static_cast<int32_t>(values_.length())); }

  arrow::Result<arrow::Datum> Finish(const TypePtr& type, int64_t rows, const Validity& validity) {
    const int64_t length = values_.length();
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values, values_.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, offsets_.Finish());
    auto items = arrow::ArrayData::Make(ItemType(*type), length, {nullptr, std::move(values)}, 0);
    return MakeListData(type, rows, validity, std::move(offsets), std::move(items));
  }

 private:
  arrow::TypedBufferBuilder<T> values_;
  arrow::TypedBufferBuilder<int32_t> offsets_;
};

template <class T>
Kernel NumberSequence(const TypePtr& type) {
  return
      [type](const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
        const FixedColumn<T> starts(args[0]), stops(args[1]);
        const FixedColumn<T> steps(args.size() == 3 ? args[2] : args[0]);
        SequenceBuilder<T> builder(context.pool);
        ARROW_RETURN_NOT_OK(builder.Begin(rows));
        for (int64_t row = 0; row < rows; ++row) {
          if (validity[row]) {
            const int64_t start = starts[row], stop = stops[row];
            const int64_t step = args.size() == 3 ? int64_t{steps[row]} : start <= stop ? 1 : -1;
            ARROW_RETURN_NOT_OK(builder.AddSteps(start, stop, step));
          }
          builder.EndRow();
        }
        return builder.Finish(type, rows, validity);
      };
}

Kernel NumberSequenceOf(const TypePtr& item, const TypePtr& type) {
  switch (item->id()) {
    case arrow::Type::INT8:
      return NumberSequence<int8_t>(type);
    case arrow::Type::INT16:
      return NumberSequence<int16_t>(type);
    case arrow::Type::INT32:
      return NumberSequence<int32_t>(type);
    default:
      return NumberSequence<int64_t>(type);
  }
}

// The steps of a time sequence: i times the span, added to the start at once, so that the ends of
// months do not wear off.
class TimeSteps {
 public:
  TimeSteps(const TimeZone& zone, const Interval& step) : zone_(zone), step_(step) {}

  bool At(int64_t start, int64_t i, int64_t* out) const {
    const int64_t months = i * step_.months, days = i * step_.days;
    Interval span = {static_cast<int32_t>(months), static_cast<int32_t>(days), 0};
    *out = start;
    return span.months == months && span.days == days &&
           !__builtin_mul_overflow(i, step_.microseconds, &span.microseconds) &&
           AddInterval(zone_, span, out);
  }
  // The direction, by the lengths that Spark takes for a month (28 days) and a day.
  int64_t direction() const {
    const int64_t total =
        (int64_t{step_.months} * 28 + step_.days) * kMicrosPerDay + step_.microseconds;
    return total > 0 ? 1 : total < 0 ? -1 : 0;
  }

 private:
  const TimeZone& zone_;
  const Interval step_;
};

// `to_days` for a sequence of dates, whose instants are midnights of UTC.
template <class T>
arrow::Status AddTimes(const TimeSteps& steps, int64_t start, int64_t stop,
                       SequenceBuilder<T>* builder) {
  constexpr int64_t kUnit = sizeof(T) == 4 ? kMicrosPerDay : 1;
  const int64_t direction = steps.direction();
  const auto is_beyond = [&](int64_t value) { return direction > 0 ? value > stop : value < stop; };
  if (direction == 0 ? start != stop : is_beyond(start)) {
    return IllegalBoundaries(start, stop, direction);
  }
  int64_t value = start;
  for (int64_t i = 0; direction == 0 ? i == 0 : !is_beyond(value);) {
    ARROW_RETURN_NOT_OK(builder->Add(FloorDiv(value, kUnit)));
    if (++i > kMaxLength) return TooLong(i);
    if (!steps.At(start, i, &value)) break;
  }
  return arrow::Status::OK();
}

Interval SpanOf(const arrow::Datum& datum, int64_t row) {
  const arrow::DataType& type = *datum.type();
  if (IsYearMonthInterval(type)) return {FixedColumn<int32_t>(datum)[row], 0, 0};
  if (IsCalendarInterval(type)) {
    const auto parts = FixedColumn<arrow::MonthDayNanoIntervalType::MonthDayNanos>(datum)[row];
    return {parts.months, parts.days, parts.nanoseconds / kNanosPerMicro};
  }
  const int64_t value = FixedColumn<int64_t>(datum)[row];
  const int64_t micros = IsDayInterval(type) ? value * kMicrosPerSecond : value;
  return {0, static_cast<int32_t>(micros / kMicrosPerDay), micros % kMicrosPerDay};
}

// Dates (`T` is int32_t) or timestamps.
template <class T>
Kernel TimeSequence(const TypePtr& type) {
  return [type](const EvalContext& context, Args args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    constexpr int64_t kUnit = sizeof(T) == 4 ? kMicrosPerDay : 1;
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
    const FixedColumn<T> starts(args[0]), stops(args[1]);
    const bool is_instant = IsInstantType(*ItemType(*type));
    const TimeZone& zone = is_instant ? ZoneOf(context) : *UtcTimeZone();
    SequenceBuilder<T> builder(context.pool);
    ARROW_RETURN_NOT_OK(builder.Begin(rows));
    for (int64_t row = 0; row < rows; ++row) {
      if (validity[row]) {
        int64_t start = 0, stop = 0;
        if (__builtin_mul_overflow(int64_t{starts[row]}, kUnit, &start) ||
            __builtin_mul_overflow(int64_t{stops[row]}, kUnit, &stop)) {
          return MakeError(ErrorKind::kJobFailed, "DATETIME_OVERFLOW",
                           "Datetime operation overflow: the dates of a sequence are too far from "
                           "1970 to be TIMESTAMPs.");
        }
        Interval step = {0, start <= stop ? 1 : -1, 0};
        if (args.size() == 3) step = SpanOf(args[2], row);
        if (sizeof(T) == 4 && step.microseconds != 0) {
          return MakeError(ErrorKind::kJobFailed, "ILLEGAL_SEQUENCE_BOUNDARIES",
                           "sequence step must be an interval day to second of day granularity if "
                           "start and end values are dates");
        }
        ARROW_RETURN_NOT_OK(AddTimes(TimeSteps(zone, step), start, stop, &builder));
      }
      builder.EndRow();
    }
    return builder.Finish(type, rows, validity);
  };
}

arrow::Status WrongTypes(std::span<const ExprPtr> args) {
  return MakeError(ErrorKind::kInvalid, "DATATYPE_MISMATCH.SEQUENCE_WRONG_INPUT_TYPES",
                   fmt::format("Cannot resolve \"sequence({}, {})\" due to data type mismatch: "
                               "`sequence` uses the wrong parameter type. Start and stop must be "
                               "numbers of an integral type with a step of the same type, or "
                               "\"TIMESTAMP\", \"TIMESTAMP_NTZ\" or \"DATE\" with an interval as "
                               "step.",
                               ExprText(*args[0]), ExprText(*args[1])));
}

arrow::Result<BoundFunction> BindSequence(std::span<const ExprPtr> args) {
  TypePtr item = CommonType(args[0]->type, args[1]->type);
  if (item == nullptr) return WrongTypes(args);
  if (IsIntegralType(*item)) {
    for (const ExprPtr& arg : args) {
      if (!IsIntegralType(*arg->type) && arg->type->id() != arrow::Type::NA)
        return WrongTypes(args);
      item = CommonType(item, arg->type);
    }
    const TypePtr type = arrow::list(item);
    return BoundFunction{std::vector<TypePtr>(args.size(), item), type,
                         NumberSequenceOf(item, type)};
  }
  if (!IsDatetimeType(*item)) return WrongTypes(args);
  const TypePtr type = arrow::list(item);
  BoundFunction bound{{item, item},
                      type,
                      item->id() == arrow::Type::DATE32 ? TimeSequence<int32_t>(type)
                                                        : TimeSequence<int64_t>(type)};
  if (args.size() == 3) {
    if (!IsIntervalType(*args[2]->type)) return WrongTypes(args);
    bound.arg_types.push_back(args[2]->type);
  }
  return bound;
}

}  // namespace

void AddSequenceFunctions(FunctionCatalog* catalog) {
  catalog->Add(
      Collection({"sequence", "sequence(start, stop[, step])", 2, 3, false, BindSequence}));
}

}  // namespace tidemill
