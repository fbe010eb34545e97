#include "worker/operators/event_time.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>

#include <utility>

#include "worker/operators/row_filter.h"

namespace tidemill::worker {

EventTimes::EventTimes(const std::shared_ptr<arrow::Array>& column, int64_t span_us)
    : outer_(column), times_(column), span_us_(span_us) {
  if (column->type_id() == arrow::Type::STRUCT) {
    times_ = static_cast<const arrow::StructArray&>(*column).field(1);
  }
  values_ = static_cast<const arrow::TimestampArray&>(*times_).raw_values();
}

bool EventTimes::is_null(int64_t row) const { return outer_->IsNull(row) || times_->IsNull(row); }

arrow::Result<Rows> DropLate(Rows rows, const EventTimeColumn& event_time, int64_t late_us,
                             int64_t* dropped) {
  if (!event_time.exists()) return rows;
  const EventTimes times(rows.batch->column(event_time.column), event_time.span_us);
  const int64_t length = rows.batch->num_rows();
  int64_t late = 0;
  for (int64_t row = 0; row < length; ++row) late += times.is_up_to(row, late_us) ? 1 : 0;
  if (late == 0) return rows;  // Common case: no copy.
  *dropped += late;
  arrow::BooleanBuilder kept;
  ARROW_RETURN_NOT_OK(kept.Reserve(length));
  for (int64_t row = 0; row < length; ++row) kept.UnsafeAppend(!times.is_up_to(row, late_us));
  ARROW_ASSIGN_OR_RAISE(auto mask, kept.Finish());
  return KeepRows(std::move(rows), mask);
}

}  // namespace tidemill::worker
