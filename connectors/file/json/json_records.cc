#include "connectors/file/json/json_records.h"

#include <simdjson.h>

#include <algorithm>

namespace tidemill::connectors {

namespace {

// Whether all lines are valid UTF-8. They stand one after another in one block, but for the first,
// which may have begun in the block before; so one pass over the block is enough.
bool AreValidUtf8(const std::vector<Line>& lines) {
  if (lines.empty()) return true;
  const auto is_valid = [](const char* begin, const char* end) {
    return simdjson::validate_utf8(begin, end - begin);
  };
  const Line& first = lines.front();
  const Line& last = lines.back();
  if (!is_valid(first.data, first.data + first.size)) return false;
  return lines.size() == 1 || is_valid(lines[1].data, last.data + last.size);
}

bool IsBlank(const Line& line) {
  return std::all_of(line.data, line.data + line.size,
                     [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
}

}  // namespace

void JsonRecords::Scan(const std::vector<Line>& lines) {
  Truncate(0);
  const bool is_valid_utf8 = AreValidUtf8(lines);
  for (const Line& line : lines) {
    if (!line.is_too_long && IsBlank(line)) continue;
    const size_t rows = size();
    const bool is_text =
        !line.is_too_long && (is_valid_utf8 || simdjson::validate_utf8(line.data, line.size));
    if (is_text && ScanLine(line)) continue;
    Truncate(rows);
    AddRow(line, /*is_bad=*/true);
  }
}

// Text after the value is not looked at, as in Spark.
bool JsonRecords::ScanLine(const Line& line) {
  JsonScanner scanner({line.data, line.size}, syntax_);
  if (scanner.Peek() != '[') return ScanObject(&scanner, line);
  bool is_good = true;
  const bool is_array = scanner.ScanArray([&](const JsonValue& element) {
    if (element.kind != JsonKind::kObject) {
      is_good = false;
      return;
    }
    JsonScanner inner(element.text(), syntax_);
    is_good = is_good && ScanObject(&inner, line);
  });
  return is_array && is_good;
}

// Of a field that is there twice the last value counts, as in Spark.
bool JsonRecords::ScanObject(JsonScanner* scanner, const Line& line) {
  const size_t row = size();
  AddRow(line, /*is_bad=*/false);
  return scanner->ScanFields(
      &fields_, [&](int field, const JsonValue& value) { columns_[field][row] = value; });
}

void JsonRecords::AddRow(const Line& line, bool is_bad) {
  for (auto& column : columns_) column.emplace_back();
  lines_.push_back(&line);
  bad_.push_back(is_bad ? 1 : 0);
}

void JsonRecords::Truncate(size_t rows) {
  for (auto& column : columns_) column.resize(rows);
  lines_.resize(rows);
  bad_.resize(rows);
}

void JsonRecords::DropBad() {
  size_t kept = 0;
  for (size_t row = 0; row < size(); ++row) {
    if (bad_[row] != 0) continue;
    for (auto& column : columns_) column[kept] = column[row];
    lines_[kept] = lines_[row];
    bad_[kept] = 0;
    ++kept;
  }
  Truncate(kept);
}

int64_t JsonRecords::FirstBad() const {
  const auto found = std::find(bad_.begin(), bad_.end(), 1);
  return found == bad_.end() ? -1 : found - bad_.begin();
}

}  // namespace tidemill::connectors
