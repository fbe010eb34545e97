#pragma once

#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/types/ddl.h"
#include "connectors/file/sink/file_encoder.h"
#include "tests/types/rows.h"

namespace tidemill::connectors {

// The bytes of a file that a sink of `format` writes.
inline std::string EncodeBatches(const std::string& format,
                                 const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                 const std::map<std::string, std::string>& options = {}) {
  SinkSpec spec{.format = format, .schema = batches[0]->schema()};
  for (const auto& [key, value] : options) spec.options.Set(key, value);
  EXPECT_EQ(CheckFileFormat(spec), arrow::Status::OK());
  auto encoder = MakeFileEncoder(spec, FindTimeZone("UTC").ValueOrDie()).ValueOrDie();
  std::string bytes;
  for (const auto& batch : batches) EXPECT_EQ(encoder->Append(batch, &bytes), arrow::Status::OK());
  EXPECT_EQ(encoder->Finish(&bytes), arrow::Status::OK());
  return bytes;
}

// Columns n INT (0, 1, 2, ...) and s STRING (v0, v1, ...).
inline std::shared_ptr<arrow::RecordBatch> NumbersBatch(int rows) {
  std::string json;
  for (int i = 0; i < rows; ++i) {
    json += fmt::format("{}{{\"n\": {}, \"s\": \"v{}\"}}", i == 0 ? "" : ",", i, i);
  }
  return BatchOf("n INT, s STRING", "[" + json + "]");
}

inline std::string EncodeNumbers(const std::string& format, int rows) {
  return EncodeBatches(format, {NumbersBatch(rows)});
}

// One row of values and one of NULLs, in every type that the columnar formats have.
inline std::shared_ptr<arrow::RecordBatch> BatchOfAllTypes() {
  return BatchOf(
      "b BOOLEAN, t TINYINT, sm SMALLINT, i INT, l BIGINT, f FLOAT, d DOUBLE, de DECIMAL(9,2), "
      "dw DECIMAL(30,3), s STRING, bi BINARY, da DATE, ts TIMESTAMP, nt TIMESTAMP_NTZ, "
      "ar ARRAY<INT>, m MAP<STRING, BIGINT>, st STRUCT<a: INT, B: STRING, nt: TIMESTAMP_NTZ>",
      R"([{"b": true, "t": -128, "sm": 32767, "i": -2147483648, "l": 9223372036854775807,
           "f": 1.5, "d": -2.25, "de": "-1234567.89", "dw": "123456789012345678901234567.891",
           "s": "text", "bi": "bytes", "da": -719528, "ts": -1000000, "nt": 1582979696789012,
           "ar": [1, null, 3], "m": [["k", 1], ["l", null]],
           "st": {"a": 7, "B": "in", "nt": 5}}, {}])");
}

}  // namespace tidemill::connectors
