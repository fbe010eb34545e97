#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/types/datetime_pattern/datetime_pattern.h"
#include "common/types/time_zone.h"

namespace tidemill {

// How values are written where that is not as JsonRowWriter writes them. *Plain data.*
struct JsonTextOptions {
  bool keeps_nulls = false;  // fields without a value are written as null
  bool sorts_keys = false;   // fields and the keys of maps by name
  // nullptr: ISO 8601.
  std::shared_ptr<const DatetimePattern> date;
  std::shared_ptr<const DatetimePattern> timestamp;
  std::shared_ptr<const DatetimePattern> timestamp_ntz;
};

// Writes values of one type as JSON, as Spark's to_json: the spellings of JsonRowWriter
// (value_format.h). *Thread-compatible.*
class JsonValueWriter {
 public:
  // `zone` must outlive this.
  JsonValueWriter(const arrow::DataType& type, const TimeZone& zone, JsonTextOptions options);
  ~JsonValueWriter();
  JsonValueWriter(const JsonValueWriter&) = delete;
  JsonValueWriter& operator=(const JsonValueWriter&) = delete;
  // Appends a value that is not NULL. `row` counts from the data's offset.
  void Append(const arrow::ArrayData& data, int64_t row, std::string* out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill
