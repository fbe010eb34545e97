#pragma once

#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "common/types/ddl.h"

namespace tidemill::testing {

// A batch out of DDL columns and JSON rows: MakeBatch("a INT, b STRING", R"([[1, "x"], [2,
// null]])").
inline std::shared_ptr<arrow::RecordBatch> MakeBatch(const std::string& ddl,
                                                     const std::string& json_rows) {
  const auto schema = ParseDdlSchema(ddl).ValueOrDie();
  const auto type = arrow::struct_(schema->fields());
  const auto array = arrow::json::ArrayFromJSONString(type, json_rows).ValueOrDie();
  return arrow::RecordBatch::FromStructArray(array).ValueOrDie()->ReplaceSchemaMetadata(nullptr);
}

}  // namespace tidemill::testing
