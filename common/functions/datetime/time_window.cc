#include <arrow/type.h>

#include <string>
#include <utility>

#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// Start of the window of length `slide`, aligned to 1970 in UTC plus `offset`, that holds a time.
int64_t LastStart(int64_t time, int64_t slide, int64_t offset) {
  int64_t rest = (time - offset) % slide;
  if (rest < 0) rest += slide;
  return time - rest;
}

// $window_start(time, duration, slide, offset): what window() begins with, by Spark's
// TimeWindowing. Not callable by users.
FunctionInfo WindowStart() {
  FunctionInfo info;
  info.name = "$window_start";
  info.usage = "$window_start(time, duration, slide, offset)";
  info.is_total = true;
  info.bind = [](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const auto span = DayTimeIntervalType();
    BoundFunction bound;
    bound.arg_types = {args[0]->type, span, span, span};
    bound.type = args[0]->type;
    bound.is_total = true;
    bound.kernel = [type = bound.type](const EvalContext& context, Args args, int64_t rows) {
      const FixedColumn<int64_t> time(args[0]), slide(args[2]), offset(args[3]);
      return ComputeFixed<int64_t>(context, args, rows, type, [&](int64_t row) {
        return LastStart(time[row], slide[row], offset[row]);
      });
    };
    return bound;
  };
  return info;
}

}  // namespace

void AddTimeWindowFunctions(FunctionCatalog* catalog) { catalog->Add(WindowStart()); }

}  // namespace tidemill
