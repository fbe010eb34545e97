#include <arrow/type.h>
#include <fmt/format.h>

#include <optional>
#include <utility>

#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/calendar.h"
#include "common/functions/datetime/datetime.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"

// date_trunc and trunc: the beginning of the unit that a time is in.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

enum class Unit { kYear, kQuarter, kMonth, kWeek, kDay, kHour, kMinute, kSecond, kMilli, kMicro };

std::optional<Unit> UnitOf(std::string_view name) {
  const std::string text = UpperCase(name);
  if (text == "YEAR" || text == "YYYY" || text == "YY") return Unit::kYear;
  if (text == "QUARTER") return Unit::kQuarter;
  if (text == "MONTH" || text == "MM" || text == "MON") return Unit::kMonth;
  if (text == "WEEK") return Unit::kWeek;
  if (text == "DAY" || text == "DD") return Unit::kDay;
  if (text == "HOUR") return Unit::kHour;
  if (text == "MINUTE") return Unit::kMinute;
  if (text == "SECOND") return Unit::kSecond;
  if (text == "MILLISECOND") return Unit::kMilli;
  if (text == "MICROSECOND") return Unit::kMicro;
  return std::nullopt;
}

int64_t TruncatedDays(int64_t days, Unit unit) {
  const CivilDate date = CivilFromDays(days);
  switch (unit) {
    case Unit::kYear:
      return DaysFromCivil({date.year, 1, 1});
    case Unit::kQuarter:
      return DaysFromCivil({date.year, (date.month - 1) / 3 * 3 + 1, 1});
    case Unit::kMonth:
      return DaysFromCivil({date.year, date.month, 1});
    case Unit::kWeek:
      return days - DayOfWeek(days);
    default:
      return days;
  }
}

int64_t TruncatedMicros(const TimeZone& zone, int64_t micros, Unit unit) {
  switch (unit) {
    case Unit::kMicro:
      return micros;
    case Unit::kMilli:
      return micros - FloorMod(micros, 1000);
    case Unit::kSecond:
      return micros - FloorMod(micros, kMicrosPerSecond);
    default:
      break;
  }
  const int64_t local = LocalMicros(zone, micros);
  // Within a day the offset is kept, so that the repeated hour of a change of clocks stays itself.
  if (unit == Unit::kMinute) return micros - FloorMod(local, 60 * kMicrosPerSecond);
  if (unit == Unit::kHour) return micros - FloorMod(local, 3600 * kMicrosPerSecond);
  const int64_t days = TruncatedDays(FloorDiv(local, kMicrosPerDay), unit);
  return LocalToUtcMicros(zone, days * kMicrosPerDay);
}

// The units of a column of names; the last one is remembered, as most columns are constant.
class UnitColumn {
 public:
  explicit UnitColumn(const arrow::Datum& datum) : names_(datum) {}
  std::optional<Unit> operator[](int64_t row) {
    const std::string_view name = names_[row];
    if (!is_known_ || name != name_) {
      name_ = std::string(name);
      unit_ = UnitOf(name);
      is_known_ = true;
    }
    return unit_;
  }

 private:
  const TextColumn names_;
  bool is_known_ = false;
  std::string name_;
  std::optional<Unit> unit_;
};

// An unknown unit gives NULL, as in Spark.
arrow::Result<arrow::Datum> DateTrunc(const EvalContext& context, Args args, int64_t rows) {
  UnitColumn units(args[0]);
  const FixedColumn<int64_t> micros(args[1]);
  const TimeZone& zone = ZoneOf(context);
  return ComputeFixedChecked<int64_t>(context, args, rows, TimestampType(),
                                      [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
                                        const std::optional<Unit> unit = units[row];
                                        if (!unit) return false;
                                        *out = TruncatedMicros(zone, micros[row], *unit);
                                        return true;
                                      });
}

arrow::Result<arrow::Datum> Trunc(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> days(args[0]);
  UnitColumn units(args[1]);
  return ComputeFixedChecked<int32_t>(
      context, args, rows, arrow::date32(), [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
        const std::optional<Unit> unit = units[row];
        if (!unit || *unit >= Unit::kDay) return false;
        *out = static_cast<int32_t>(TruncatedDays(days[row], *unit));
        return true;
      });
}

}  // namespace

void AddTruncFunctions(FunctionCatalog* catalog) {
  catalog->Add(FromSignature({.name = "date_trunc",
                              .usage = "date_trunc(unit, timestamp)",
                              .params = {arrow::utf8(), TimestampType()},
                              .result = TimestampType(),
                              .kernel = DateTrunc,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "trunc",
                              .usage = "trunc(date, unit)",
                              .params = {arrow::date32(), arrow::utf8()},
                              .result = arrow::date32(),
                              .kernel = Trunc,
                              .is_total = true}));
}

}  // namespace tidemill
