#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json/json_fields.h"
#include "common/json/json_scanner.h"
#include "connectors/file/line_source.h"

namespace tidemill::connectors {

inline constexpr int64_t kMaxRecordBytes = int64_t{8} << 20;

// The records of a batch of lines, checked and taken apart into the fields that are asked for, a
// column each; values point into the lines. Reused from batch to batch. *Thread-compatible.*
class JsonRecords {
 public:
  JsonRecords(std::vector<std::string> fields, JsonSyntax syntax)
      : syntax_(syntax), columns_(fields.size()), fields_(std::move(fields)) {}

  // Replaces what was there.
  void Scan(const std::vector<Line>& lines);
  // Leaves out the records that are marked bad.
  void DropBad();

  size_t size() const { return lines_.size(); }
  const std::vector<JsonValue>& column(size_t field) const { return columns_[field]; }
  // The line that a record came from.
  std::string_view text(size_t row) const { return {lines_[row]->data, lines_[row]->size}; }
  // By row; the scan marks records that are no JSON, whoever converts values marks more.
  std::vector<uint8_t>* bad_rows() { return &bad_; }
  // Index of the first bad record, or -1.
  int64_t FirstBad() const;

 private:
  void AddRow(const Line& line, bool is_bad);
  void Truncate(size_t rows);
  bool ScanLine(const Line& line);
  bool ScanObject(JsonScanner* scanner, const Line& line);

  const JsonSyntax syntax_;
  std::vector<std::vector<JsonValue>> columns_;
  JsonFields fields_;
  std::vector<const Line*> lines_;
  std::vector<uint8_t> bad_;
};

}  // namespace tidemill::connectors
