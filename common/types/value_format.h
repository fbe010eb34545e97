#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tidemill {

// A loaded time zone: "UTC", "Europe/Berlin", "+02:00", "GMT+3". *Immutable.*
class TimeZone;

// Errors: INVALID_TIMEZONE (kInvalid). The zones of the machine's tz database.
arrow::Result<std::shared_ptr<const TimeZone>> FindTimeZone(std::string_view name);
// Seconds east of UTC at an instant.
int32_t UtcOffsetSeconds(const TimeZone& zone, int64_t micros_utc);
// Local wall-clock microseconds to an instant; a gap or an overlap is resolved as java.time does
// (gap: later by its length; overlap: the earlier offset).
int64_t LocalToUtcMicros(const TimeZone& zone, int64_t local_micros);

// Writes rows as JSON objects, one a line, exactly as Spark's toJSON / JSON sink: fields in schema
// order, NULL fields left out, timestamps ISO 8601 with 3 fraction digits (more only when the
// micros are not whole millis) and Z or the zone's offset, doubles as Java's Double.toString, NaN
// and Infinity as strings, decimals with their scale, BINARY as base64, map keys as strings.
// *Thread-compatible.*
class JsonRowWriter {
 public:
  JsonRowWriter(std::shared_ptr<arrow::Schema> schema, std::shared_ptr<const TimeZone> zone);
  ~JsonRowWriter();
  // Appends row `row` of `batch` (its schema must be the constructor's) to `out`, without a line
  // break.
  void AppendRow(const arrow::RecordBatch& batch, int64_t row, std::string* out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Renders one value as CAST(x AS STRING) does in Spark 4 ("true", "1.0E10", "2026-01-01
// 12:00:00.5",
// "[1, 2]", "{a -> 1}", "{1, x}"); nested NULL is "null". A NULL value itself is "NULL".
std::string CastToText(const arrow::Array& array, int64_t row, const TimeZone& zone);

// Java's Double.toString / Float.toString (JDK 19+ shortest form, as Spark 4 on Java 17 prints).
std::string JavaDoubleText(double value);
std::string JavaFloatText(float value);

// Spark's Dataset.show(numRows, truncate) layout of all rows of `batch` up to `num_rows`, with the
// borders, right-aligned cells, NULL, cells longer than 20 display columns cut to 17 + "..." when
// `truncate`; ends with a blank line, and "only showing top N rows" before it when `has_more`.
std::string ShowText(const arrow::RecordBatch& batch, int64_t num_rows, bool truncate,
                     bool has_more, const TimeZone& zone);

}  // namespace tidemill
