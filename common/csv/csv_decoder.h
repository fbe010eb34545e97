#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "common/csv/csv_options.h"
#include "common/types/value_format.h"

namespace tidemill {

// The tokens of one column, one for each record. *Plain data.*
struct CsvColumn {
  const std::string_view* first = nullptr;
  size_t stride = 1;  // from one record's token to the next one's
  size_t length = 0;

  std::string_view operator[](size_t i) const { return first[i * stride]; }
};

// Converts tokens to an array. The token `nullValue` is NULL; one that does not suit is NULL and
// sets (*bad_rows)[i], which is never cleared. *Thread-compatible.*
class CsvDecoder {
 public:
  // Both outlive the decoder.
  CsvDecoder(const CsvOptions* options, const TimeZone* zone, arrow::MemoryPool* pool)
      : options_(*options), zone_(*zone), pool_(pool) {}

  // Whether there are values of a type in CSV text.
  static bool Decodes(const arrow::DataType& type);

  arrow::Result<std::shared_ptr<arrow::ArrayData>> Decode(
      const std::shared_ptr<arrow::DataType>& type, const CsvColumn& column,
      std::vector<uint8_t>* bad_rows) const;

 private:
  using ArrayResult = arrow::Result<std::shared_ptr<arrow::ArrayData>>;
  using TypePointer = std::shared_ptr<arrow::DataType>;
  class Tokens;

  template <class T>
  ArrayResult DecodeInteger(const TypePointer& type, const Tokens& tokens) const;
  template <class T, class Parse>
  ArrayResult DecodeFixed(const TypePointer& type, const Tokens& tokens, Parse parse) const;
  template <class T, class Parse>
  ArrayResult DecodeReal(const TypePointer& type, const Tokens& tokens, Parse parse) const;

  const CsvOptions& options_;
  const TimeZone& zone_;
  arrow::MemoryPool* const pool_;
};

}  // namespace tidemill
