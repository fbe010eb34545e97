#include <arrow/type.h>

#include <utility>

#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/calendar.h"
#include "common/functions/datetime/datetime.h"
#include "common/types/civil_time.h"
#include "common/types/ddl.h"

// What the epoch says the time is.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

FunctionInfo WithoutArguments(const std::string& name, const TypePtr& type, Kernel kernel) {
  FunctionInfo info;
  info.name = name;
  info.usage = name + "()";
  info.is_total = true;
  info.reads_context = true;
  info.bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, name + "()", args.size(), 0, 0));
    return BoundFunction{{}, type, kernel};
  };
  return info;
}

arrow::Result<arrow::Datum> Now(const EvalContext& context, Args, int64_t) {
  return arrow::Datum(
      std::make_shared<arrow::TimestampScalar>(context.epoch_time_us, TimestampType()));
}

arrow::Result<arrow::Datum> LocalNow(const EvalContext& context, Args, int64_t) {
  return arrow::Datum(std::make_shared<arrow::TimestampScalar>(
      LocalMicros(ZoneOf(context), context.epoch_time_us), TimestampNtzType()));
}

arrow::Result<arrow::Datum> Today(const EvalContext& context, Args, int64_t) {
  const int64_t local = LocalMicros(ZoneOf(context), context.epoch_time_us);
  const auto days = static_cast<int32_t>(FloorDiv(local, kMicrosPerDay));
  return arrow::Datum(std::make_shared<arrow::Date32Scalar>(days));
}

arrow::Result<arrow::Datum> CurrentZone(const EvalContext& context, Args, int64_t) {
  return arrow::Datum(std::make_shared<arrow::StringScalar>(TimeZoneName(ZoneOf(context))));
}

}  // namespace

void AddClockFunctions(FunctionCatalog* catalog) {
  catalog->Add(WithoutArguments("current_timestamp", TimestampType(), Now), {"now"});
  catalog->Add(WithoutArguments("current_date", arrow::date32(), Today), {"curdate"});
  catalog->Add(WithoutArguments("localtimestamp", TimestampNtzType(), LocalNow));
  catalog->Add(WithoutArguments("current_timezone", arrow::utf8(), CurrentZone));
}

}  // namespace tidemill
