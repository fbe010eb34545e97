#include "worker/operators/watermark.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <utility>

namespace tidemill::worker {

namespace {

int64_t FloorToMillis(int64_t micros) {
  return micros >= 0 ? micros / 1000 : -((-micros + 999) / 1000);
}

}  // namespace

arrow::Status Watermark::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  const EventTimes times(rows.batch->column(plan_.event_time.column), 0);
  for (int64_t row = 0; row < rows.batch->num_rows(); ++row) {
    stats_.Add(times.is_null(row) ? 0 : FloorToMillis(times.at(row)));
  }
  return out->Consume(std::move(rows));
}

void Watermark::Report(EpochCounters* counters) const {
  EventTimeStats& all = counters->events[plan_.number];
  all.watermark = plan_.number;
  all.Add(stats_);
}

}  // namespace tidemill::worker
