#include "deploy/client/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace tidemill::deploy {

namespace {

constexpr int kGap = 2;

// Characters of UTF-8 text.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

void AppendCell(std::string_view cell, size_t width, bool is_right_aligned, std::string* line) {
  const std::string padding(width - WidthOf(cell), ' ');
  if (is_right_aligned) line->append(padding);
  line->append(cell);
  if (!is_right_aligned) line->append(padding);
}

}  // namespace

void TextTable::AddRow(std::vector<std::string> cells) {
  cells.resize(columns_.size());
  for (std::string& cell : cells) {
    if (cell.empty()) cell = "-";
  }
  rows_.push_back(std::move(cells));
}

std::string TextTable::Text(int indent) const {
  std::vector<std::string> titles;
  std::vector<size_t> widths;
  for (size_t i = 0; i < columns_.size(); ++i) {
    titles.push_back(columns_[i].title);
    widths.push_back(WidthOf(columns_[i].title));
    for (const auto& row : rows_) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line(indent, ' ');
    for (size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) line.append(kGap, ' ');
      AppendCell(cells[i], widths[i], columns_[i].is_right_aligned, &line);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  append(titles);
  for (const auto& row : rows_) append(row);
  return text;
}

std::string DurationText(int64_t duration_us) {
  const int64_t seconds = duration_us / 1'000'000;
  if (seconds < 1) return fmt::format("{} ms", duration_us / 1000);
  if (seconds < 120) return fmt::format("{} s", seconds);
  if (seconds < 2 * 3600) return fmt::format("{} min", seconds / 60);
  if (seconds < 2 * 86400) return fmt::format("{} h", seconds / 3600);
  return fmt::format("{} d", seconds / 86400);
}

std::string AgeText(int64_t time_us, int64_t now_us) {
  if (time_us == 0) return "";
  if (now_us - time_us < 1000) return "now";
  return DurationText(now_us - time_us) + " ago";
}

std::string CountText(int64_t count) {
  std::string text = std::to_string(count);
  const size_t first = text.front() == '-' ? 1 : 0;
  for (size_t at = text.size(); at > first + 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string RateText(double per_second) {
  if (!std::isfinite(per_second)) return "";
  if (per_second >= 100) return CountText(std::llround(per_second));
  return fmt::format("{:.1f}", per_second);
}

std::string BytesText(int64_t bytes) {
  constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1024 && unit + 1 < std::size(kUnits)) {
    value /= 1024;
    ++unit;
  }
  if (value == std::floor(value) || value >= 100)
    return fmt::format("{:.0f} {}", value, kUnits[unit]);
  return fmt::format("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace tidemill::deploy
