#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "common/types/time_zone.h"

namespace tidemill {

// Writes values of one type as JSON, as Spark's to_json: the spellings of JsonRowWriter
// (value_format.h). *Thread-compatible.*
class JsonValueWriter {
 public:
  // `zone` must outlive this. With `keeps_nulls` fields without a value are written as null.
  JsonValueWriter(const arrow::DataType& type, const TimeZone& zone, bool keeps_nulls);
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
