#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/json/json_scanner.h"
#include "common/types/datetime_pattern/datetime_pattern.h"
#include "common/types/value_format.h"

namespace tidemill {

// The patterns that dates and timestamps are written in; none: as a CAST reads them. *Plain data.*
struct JsonFormats {
  std::shared_ptr<const DatetimePattern> date;
  std::shared_ptr<const DatetimePattern> timestamp;
  std::shared_ptr<const DatetimePattern> timestamp_ntz;
};

// Converts scanned values to arrays, a column at a time, by the rules of Spark's JacksonParser:
// no coercion between JSON types but for STRING, which takes the text of anything, DECIMAL, which
// takes quoted numbers, FLOAT and DOUBLE, which take "NaN", "Infinity" and the like, and TIMESTAMP,
// which takes whole seconds. A value that does not suit is NULL and marks its record as bad; inside
// an ARRAY or a MAP it makes the whole of it NULL, inside a STRUCT only the field.
// *Thread-compatible.*
class JsonDecoder {
 public:
  using Values = std::span<const JsonValue>;

  // `zone` outlives the decoder.
  JsonDecoder(const TimeZone* zone, JsonSyntax syntax, arrow::MemoryPool* pool,
              JsonFormats formats = {})
      : zone_(zone), syntax_(syntax), pool_(pool), formats_(std::move(formats)) {}

  // `values[i]` belongs to record i. Sets (*bad_rows)[i] for a record with a value that does not
  // suit; never clears.
  arrow::Result<std::shared_ptr<arrow::ArrayData>> Decode(
      const std::shared_ptr<arrow::DataType>& type, Values values, std::vector<uint8_t>* bad_rows);

 private:
  using ArrayResult = arrow::Result<std::shared_ptr<arrow::ArrayData>>;
  using TypePointer = std::shared_ptr<arrow::DataType>;

  // Values of one array with what is known of their surroundings.
  struct Column {
    Values values;
    std::span<const int32_t> rows;           // record of each value; empty: value i of record i
    std::vector<uint8_t>* failed = nullptr;  // set for values that do not suit, if anybody asks
  };
  // What lists or maps of a column hold.
  struct Entries {
    JsonKind kind = JsonKind::kArray;        // of values that have any
    std::shared_ptr<arrow::Buffer> offsets;  // of each value's first entry
    std::vector<uint8_t> failed;             // by entry; empty: none
    std::shared_ptr<arrow::ArrayData> data;
  };
  class Nulls;

  void Fail(const Column& column, size_t i) const;
  ArrayResult DecodeColumn(const TypePointer& type, const Column& column);
  template <class T, class Convert>
  ArrayResult DecodeFixed(const TypePointer& type, const Column& column, Convert convert);
  template <class T>
  ArrayResult DecodeInteger(const TypePointer& type, const Column& column);
  template <class T>
  ArrayResult DecodeFloating(const TypePointer& type, const Column& column);
  template <class T, class Parse>
  ArrayResult DecodeParsed(const TypePointer& type, const Column& column, Parse parse);
  ArrayResult DecodeDate(const TypePointer& type, const Column& column);
  ArrayResult DecodeTimestamp(const TypePointer& type, const Column& column);
  ArrayResult DecodeDecimal(const TypePointer& type, const Column& column);
  ArrayResult DecodeBoolean(const TypePointer& type, const Column& column);
  template <class Convert>
  ArrayResult DecodeBytes(const TypePointer& type, const Column& column, Convert convert);
  ArrayResult DecodeVoid(const TypePointer& type, const Column& column);
  ArrayResult DecodeStruct(const TypePointer& type, const Column& column);
  template <class Scan>
  arrow::Result<std::shared_ptr<arrow::Buffer>> ScanEntries(const Column& column, JsonKind kind,
                                                            std::vector<int32_t>* rows,
                                                            Scan scan) const;
  ArrayResult FinishEntries(const TypePointer& type, const Column& column, Entries entries) const;
  ArrayResult DecodeList(const TypePointer& type, const Column& column);
  ArrayResult DecodeMap(const TypePointer& type, const Column& column);
  int32_t RowOf(const Column& column, size_t i) const {
    return column.rows.empty() ? static_cast<int32_t>(i) : column.rows[i];
  }
  // The text of a string without escapes; valid until the next call.
  std::string_view TextOf(const JsonValue& value);

  const TimeZone* const zone_;
  const JsonSyntax syntax_;
  arrow::MemoryPool* const pool_;
  const JsonFormats formats_;
  std::vector<uint8_t>* bad_rows_ = nullptr;
  std::string scratch_;
};

}  // namespace tidemill
