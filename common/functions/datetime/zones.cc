#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/calendar.h"
#include "common/functions/datetime/datetime.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"

// Wall clocks moved from zone to zone.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// The zones of a column of names; the last one is remembered.
class ZoneColumn {
 public:
  explicit ZoneColumn(const arrow::Datum& datum) : names_(datum) {}

  arrow::Result<const TimeZone*> Find(int64_t row) {
    const std::string_view name = names_[row];
    if (zone_ == nullptr || name != name_) {
      auto found = FindTimeZone(name);
      if (!found.ok()) {
        return MakeError(ErrorKind::kJobFailed, ErrorClassOf(found.status()),
                         found.status().message());
      }
      zone_ = *std::move(found);
      name_ = std::string(name);
    }
    return zone_.get();
  }

 private:
  const TextColumn names_;
  std::string name_;
  std::shared_ptr<const TimeZone> zone_;
};

// from_utc_timestamp shows an instant's wall clock elsewhere as one of UTC; to_utc_timestamp takes
// the wall clock of UTC for one elsewhere.
Kernel ShiftUtc(bool is_from) {
  return [is_from](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> micros(args[0]);
    ZoneColumn zones(args[1]);
    return ComputeFixedChecked<int64_t>(
        context, args, rows, TimestampType(),
        [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const TimeZone* zone, zones.Find(row));
          *out = is_from ? LocalMicros(*zone, micros[row]) : LocalToUtcMicros(*zone, micros[row]);
          return true;
        });
  };
}

arrow::Result<arrow::Datum> ConvertTimezone(const EvalContext& context, Args args, int64_t rows) {
  const bool has_source = args.size() == 3;
  ZoneColumn sources(args[0]), targets(args[has_source ? 1 : 0]);
  const FixedColumn<int64_t> micros(args.back());
  return ComputeFixedChecked<int64_t>(
      context, args, rows, TimestampNtzType(),
      [&](int64_t row, int64_t* out) -> arrow::Result<bool> {
        const TimeZone* source = &ZoneOf(context);
        if (has_source) {
          ARROW_ASSIGN_OR_RAISE(source, sources.Find(row));
        }
        ARROW_ASSIGN_OR_RAISE(const TimeZone* target, targets.Find(row));
        *out = LocalMicros(*target, LocalToUtcMicros(*source, micros[row]));
        return true;
      });
}

FunctionInfo ConvertTimezoneInfo() {
  FunctionInfo info;
  info.name = "convert_timezone";
  info.usage = "convert_timezone([source_tz, ]target_tz, timestamp_ntz)";
  info.reads_context = true;
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const std::string_view name = "convert_timezone";
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 2, 3));
    BoundFunction bound;
    for (size_t i = 0; i < args.size(); ++i) {
      const TypePtr type = i + 1 < args.size() ? arrow::utf8() : TimestampNtzType();
      if (!CanCastImplicitly(*args[i]->type, *type)) {
        return UnexpectedInput(name, args, i, fmt::format("\"{}\"", SqlTypeName(*type)));
      }
      bound.arg_types.push_back(type);
    }
    bound.type = TimestampNtzType();
    bound.kernel = ConvertTimezone;
    return bound;
  };
  return info;
}

FunctionInfo Shift(const std::string& name, bool is_from) {
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(timestamp, timezone)", name),
                        .params = {TimestampType(), arrow::utf8()},
                        .result = TimestampType(),
                        .kernel = ShiftUtc(is_from)});
}

}  // namespace

void AddZoneFunctions(FunctionCatalog* catalog) {
  catalog->Add(Shift("from_utc_timestamp", true));
  catalog->Add(Shift("to_utc_timestamp", false));
  catalog->Add(ConvertTimezoneInfo());
}

}  // namespace tidemill
