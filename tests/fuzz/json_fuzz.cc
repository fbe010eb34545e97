// Any lines are records of any schema: each one is converted or marked bad, and the columns are
// valid arrays. The first byte chooses the syntax.
#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/check.h"
#include "common/json/inferred_type.h"
#include "common/json/json_decoder.h"
#include "common/json/json_scanner.h"
#include "common/types/ddl.h"
#include "common/types/time_zone.h"
#include "connectors/file/json/json_records.h"

namespace {

using namespace tidemill;  // NOLINT(google-build-using-namespace): a program of one file.

const arrow::Schema& Columns() {
  static const auto schema =
      ParseDdlSchema(
          "a TINYINT, b SMALLINT, c INT, d BIGINT, e FLOAT, f DOUBLE, g DECIMAL(10,2), h STRING, "
          "i BINARY, j BOOLEAN, k DATE, l TIMESTAMP, m TIMESTAMP_NTZ, n ARRAY<INT>, "
          "o MAP<STRING, ARRAY<DOUBLE>>, p STRUCT<x: INT, y: ARRAY<STRUCT<z: STRING>>>")
          .ValueOrDie();
  return *schema;
}

std::vector<connectors::Line> LinesOf(std::string_view text) {
  std::vector<connectors::Line> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    lines.push_back({line.data(), static_cast<uint32_t>(line.size())});
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return lines;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const JsonSyntax syntax{.allows_single_quotes = (data[0] & 1) != 0,
                          .allows_non_numeric_numbers = (data[0] & 2) != 0};
  // A copy that ends where the text ends, so that a read behind it is found.
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto lines = LinesOf(text);
  std::vector<std::string> names;
  for (const auto& field : Columns().fields()) names.push_back(field->name());
  connectors::JsonRecords records(names, syntax);
  records.Scan(lines);
  InferredType inferred;
  for (const auto& line : lines) {
    JsonValue value;
    JsonScanner scanner({line.data, line.size}, syntax);
    if (scanner.ScanValue(&value)) inferred.Add(value, syntax);
  }
  (void)inferred.Finish();
  static const auto zone = FindTimeZone("UTC").ValueOrDie();
  JsonDecoder decoder(zone.get(), syntax, arrow::default_memory_pool());
  for (int i = 0; i < Columns().num_fields(); ++i) {
    const auto column = decoder.Decode(Columns().field(i)->type(),
                                       records.column(static_cast<size_t>(i)), records.bad_rows());
    TIDEMILL_CHECK(column.ok());
    const auto array = arrow::MakeArray(*column);
    TIDEMILL_CHECK(array->length() == static_cast<int64_t>(records.size()));
    TIDEMILL_CHECK(array->ValidateFull().ok());
  }
  return 0;
}
