#pragma once

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <memory>
#include <string_view>

#include "common/types/ddl.h"
#include "common/types/time_zone.h"

namespace tidemill {

// Arrays and batches for tests: DDL and JSON in Arrow's form (maps are lists of pairs).

inline std::shared_ptr<arrow::Array> ArrayOf(std::string_view ddl_type, std::string_view json) {
  return arrow::json::ArrayFromJSONString(ParseDdlType(ddl_type).ValueOrDie(), json).ValueOrDie();
}

inline std::shared_ptr<arrow::RecordBatch> BatchOf(std::string_view ddl, std::string_view json) {
  auto schema = ParseDdlSchema(ddl).ValueOrDie();
  auto rows = arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(rows).ValueOrDie();
}

inline std::shared_ptr<const TimeZone> Zone(std::string_view name) {
  return FindTimeZone(name).ValueOrDie();
}

}  // namespace tidemill
