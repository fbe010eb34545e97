#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill::deploy {

// Rows for people: columns two spaces apart, numbers to the right, no borders. *Thread-compatible.*
class TextTable {
 public:
  struct Column {
    std::string title;
    bool is_right_aligned = false;
  };
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // As many cells as columns; an empty one is shown as "-".
  void AddRow(std::vector<std::string> cells);
  bool is_empty() const { return rows_.empty(); }
  // Titles and rows, each line after `indent` spaces and without spaces at its end.
  std::string Text(int indent = 0) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// Pure functions. Times are microseconds since 1970.

// "3 s ago", "250 ms ago", "2 min ago", "5 h ago", "12 d ago"; "now" where it is less than 1 ms or
// not yet; "" for no time (0).
std::string AgeText(int64_t time_us, int64_t now_us);
// "3 s", "250 ms", "2 min", ...
std::string DurationText(int64_t duration_us);
// "1234567" -> "1,234,567".
std::string CountText(int64_t count);
// At most one digit after the point: "12.5", "8,200"; "" for what is no number.
std::string RateText(double per_second);
// "512 B", "1.5 KiB", "64 MiB".
std::string BytesText(int64_t bytes);

}  // namespace tidemill::deploy
