#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "connectors/source.h"

namespace tidemill::connectors {

// What the options of both rate sources say. *Plain data.*
struct RateOptions {
  bool is_per_batch = false;  // rate-micro-batch
  int64_t rows_per_second = 1;
  int64_t ramp_up_seconds = 0;
  int64_t rows_per_batch = 0;
  int64_t start_timestamp_ms = 0;
  int64_t advance_ms_per_batch = 1000;
  int64_t partitions = 1;
};

arrow::Result<RateOptions> ParseRateOptions(const SourceSpec& spec);

// The number of rows made in the first `seconds` seconds: speed grows by steps of one second until
// the ramp is over. Saturates at the largest int64.
int64_t RowsUntilSecond(int64_t seconds, int64_t rows_per_second, int64_t ramp_up_seconds);

// Rows begin, begin + step, ... below end, of a range of values that share a time span: value v has
// the timestamp start_ms + round((v - range_begin) * span_ms / (end - range_begin)).
// *Plain data.*
struct RateRange {
  int64_t range_begin = 0;
  int64_t range_end = 0;
  int64_t start_ms = 0;
  int64_t span_ms = 0;
  int64_t partition = 0;
  int64_t partitions = 1;

  int64_t row_count() const {
    const int64_t after = range_end - range_begin - partition;
    return after <= 0 ? 0 : (after + partitions - 1) / partitions;
  }
};

// Text form, for a split's payload. Errors: kCorrupt.
std::string EncodeRateRange(const RateRange& range);
arrow::Result<RateRange> DecodeRateRange(std::string_view payload);

}  // namespace tidemill::connectors
