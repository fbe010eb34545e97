#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/types/value_format.h"

namespace tidemill {

namespace {

constexpr size_t kMinimumWidth = 3;
constexpr size_t kCellLimit = 20;

struct Cell {
  std::string text;
  size_t width = 0;  // display columns
};

// One UTF-8 character; a broken byte counts as one.
struct Character {
  char32_t code = 0;
  size_t bytes = 1;
};

Character CharacterAt(std::string_view text, size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  size_t bytes = lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (at + bytes > text.size()) bytes = 1;
  char32_t code = bytes == 1 ? lead : lead & (0x7F >> bytes);
  for (size_t i = 1; i < bytes; ++i) code = code << 6 | (text[at + i] & 0x3F);
  return {code, bytes};
}

// Java's strings are UTF-16, and Spark counts in them.
size_t UnitsOf(char32_t code) { return code > 0xFFFF ? 2 : 1; }

// The ranges that Spark holds to be full-width.
bool IsFullWidth(char32_t code) {
  return (code >= 0x1100 && code <= 0x115F) || (code >= 0x2E80 && code <= 0xA4CF) ||
         (code >= 0xAC00 && code <= 0xD7A3) || (code >= 0xF900 && code <= 0xFAFF) ||
         (code >= 0xFE30 && code <= 0xFE6F) || (code >= 0xFF00 && code <= 0xFF60) ||
         (code >= 0xFFE0 && code <= 0xFFE6);
}

std::string EscapeMetaCharacters(std::string_view text) {
  constexpr std::string_view kFrom = "\n\r\t\f\b\v\a";
  constexpr std::string_view kTo = "nrtfbva";
  std::string escaped;
  for (const char c : text) {
    const size_t index = kFrom.find(c);
    if (index != kFrom.npos) escaped += '\\';
    escaped += index == kFrom.npos ? c : kTo[index];
  }
  return escaped;
}

// Cuts text of more than `kCellLimit` UTF-16 units; never inside a character.
void Truncate(std::string* text) {
  size_t units = 0;
  size_t cut = 0;
  for (size_t at = 0; at < text->size();) {
    const Character character = CharacterAt(*text, at);
    units += UnitsOf(character.code);
    at += character.bytes;
    if (units <= kCellLimit - 3) cut = at;
  }
  if (units <= kCellLimit) return;
  text->resize(cut);
  *text += "...";
}

Cell MakeCell(std::string text) {
  Cell cell{std::move(text)};
  for (size_t at = 0; at < cell.text.size();) {
    const Character character = CharacterAt(cell.text, at);
    cell.width += UnitsOf(character.code) + (IsFullWidth(character.code) ? 1 : 0);
    at += character.bytes;
  }
  return cell;
}

void AppendRow(const std::vector<Cell>& row, const std::vector<size_t>& widths, bool right_aligned,
               std::string* out) {
  *out += '|';
  for (size_t i = 0; i < row.size(); ++i) {
    if (i > 0) *out += '|';
    const size_t blanks = widths[i] - row[i].width;
    if (right_aligned) out->append(blanks, ' ');
    *out += row[i].text;
    if (!right_aligned) out->append(blanks, ' ');
  }
  *out += "|\n";
}

}  // namespace

std::string ShowText(const arrow::RecordBatch& batch, int64_t num_rows, bool truncate,
                     bool has_more, const TimeZone& zone) {
  const int64_t shown = std::clamp<int64_t>(num_rows, 0, batch.num_rows());
  std::vector<std::vector<Cell>> rows(shown + 1);
  std::vector<size_t> widths(batch.num_columns(), kMinimumWidth);
  for (int column = 0; column < batch.num_columns(); ++column) {
    const arrow::ArrayData& data = *batch.column_data()[column];
    rows[0].push_back(MakeCell(EscapeMetaCharacters(batch.schema()->field(column)->name())));
    for (int64_t row = 0; row < shown; ++row) {
      std::string value;
      AppendCastText(data, row, zone, TextStyle::kShow, &value);
      std::string text = EscapeMetaCharacters(value);
      if (truncate) Truncate(&text);
      rows[row + 1].push_back(MakeCell(std::move(text)));
    }
    for (const auto& row : rows) widths[column] = std::max(widths[column], row[column].width);
  }

  std::string border = "+";
  for (size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) border += '+';
    border.append(widths[i], '-');
  }
  border += "+\n";
  std::string text = border;
  AppendRow(rows[0], widths, truncate, &text);
  text += border;
  for (int64_t row = 1; row <= shown; ++row) AppendRow(rows[row], widths, truncate, &text);
  text += border;
  if (has_more) {
    text += "only showing top ";
    AppendIntText(num_rows, &text);
    text += num_rows == 1 ? " row\n" : " rows\n";
  }
  text += '\n';
  return text;
}

}  // namespace tidemill
