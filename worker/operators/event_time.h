#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "worker/exchange/frame.h"

namespace tidemill::worker {

// Where rows carry their event time: a column of TIMESTAMP, or of struct<start,end>, whose end
// counts. `span_us` is added to it (a window's start stands for the window).
struct EventTimeColumn {
  int column = -1;  // none
  int64_t span_us = 0;

  bool exists() const { return column >= 0; }
};

// The event times of the rows of one column, in microseconds, the span included. Borrows nothing:
// it keeps the array. *Immutable.*
class EventTimes {
 public:
  EventTimes(const std::shared_ptr<arrow::Array>& column, int64_t span_us);

  bool is_null(int64_t row) const;
  int64_t at(int64_t row) const { return values_[row] + span_us_; }
  // Spark's test for late rows and old state: a row without a time is neither.
  bool is_up_to(int64_t row, int64_t watermark_us) const {
    return !is_null(row) && at(row) <= watermark_us;
  }

 private:
  std::shared_ptr<arrow::Array> outer_;  // the struct, or the times
  std::shared_ptr<arrow::Array> times_;
  const int64_t* values_ = nullptr;
  int64_t span_us_ = 0;
};

// Drops the rows that are late by the watermark and adds their number to *dropped. Rows without an
// event time column pass.
arrow::Result<Rows> DropLate(Rows rows, const EventTimeColumn& event_time, int64_t late_us,
                             int64_t* dropped);

}  // namespace tidemill::worker
