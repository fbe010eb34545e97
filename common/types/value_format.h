#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "common/types/time_zone.h"

namespace tidemill {

// Values to text, in Spark's spellings. The functions are pure. *Thread-safe.*

// Writes rows as JSON objects, one a line, as Spark's toJSON / JSON sink: fields in schema order,
// NULL fields left out (NULL array elements and map values are null), timestamps ISO 8601 with 3
// fraction digits (what is below a millisecond is cut) and Z or the zone's offset,
// TIMESTAMP_NTZ without it, doubles as Java's Double.toString, NaN and Infinity as strings,
// decimals with their scale, BINARY as base64, intervals of days with their time, keys of maps as
// they are inside (a date is its days). Broken UTF-8 becomes U+FFFD.
// *Thread-compatible.*
class JsonRowWriter {
 public:
  JsonRowWriter(const std::shared_ptr<arrow::Schema>& schema, std::shared_ptr<const TimeZone> zone);
  ~JsonRowWriter();
  // Appends row `row` of `batch` (its schema must be the constructor's) to `out`, without a line
  // break.
  void AppendRow(const arrow::RecordBatch& batch, int64_t row, std::string* out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

enum class TextStyle {
  kCast,  // CAST(x AS STRING): a nested NULL is "null", BINARY is its bytes
  kShow,  // Dataset.show: a nested NULL is "NULL", BINARY is "[61 62]"
};

// Renders one value as CAST(x AS STRING) does in Spark 4 ("true", "1.0E10",
// "2026-01-01 12:00:00.5", "[1, 2]", "{a -> 1}", "{1, x}"). A NULL value itself is "NULL".
std::string CastToText(const arrow::Array& array, int64_t row, const TimeZone& zone,
                       TextStyle style = TextStyle::kCast);
// The same, appended to `out`; allocates nothing else. `data` may have an offset; `row` counts from
// it.
void AppendCastText(const arrow::ArrayData& data, int64_t row, const TimeZone& zone,
                    TextStyle style, std::string* out);

// Java's Double.toString / Float.toString (the shortest form, as of JDK 19).
std::string JavaDoubleText(double value);
std::string JavaFloatText(float value);
void AppendDoubleText(double value, std::string* out);
void AppendFloatText(float value, std::string* out);

void AppendIntText(int64_t value, std::string* out);
// "2026-01-31", "+10000-01-01", "-0044-03-15".
void AppendDateText(int32_t days, std::string* out);
// "2026-01-31 12:00:00.5": as many fraction digits as needed. For TIMESTAMP_NTZ pass UTC.
void AppendTimestampText(int64_t micros, const TimeZone& zone, std::string* out);
// Plain notation with `scale` digits after the point.
void AppendDecimalText(const arrow::Decimal128& value, int32_t scale, std::string* out);

// Appends a JSON string, quotes included, escaped as Jackson does.
void AppendJsonString(std::string_view text, std::string* out);

// Spark's Dataset.show(numRows, truncate) layout of the first `num_rows` rows of `batch`: borders,
// NULL, \n and the like escaped. With `truncate`, cells longer than 20 characters are cut to 17 +
// "..." and right-aligned; else they are left-aligned. Full-width characters count as two columns.
// Ends with a blank line, and "only showing top N rows" before it when `has_more`.
std::string ShowText(const arrow::RecordBatch& batch, int64_t num_rows, bool truncate,
                     bool has_more, const TimeZone& zone);

}  // namespace tidemill
