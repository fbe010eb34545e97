#include "driver/spec/text_pieces.h"

#include <algorithm>

namespace tidemill::driver {

namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Adds a piece unless it continues the one before.
void AddPiece(size_t value_at, size_t file_at, std::vector<TextPiece>* pieces) {
  const auto value_begin = static_cast<int32_t>(value_at);
  const auto file_begin = static_cast<int32_t>(file_at);
  if (!pieces->empty() &&
      file_begin - pieces->back().file_begin == value_begin - pieces->back().value_begin) {
    return;
  }
  pieces->push_back({value_begin, file_begin});
}

// A literal block: its lines are the value's lines behind the indentation.
std::vector<TextPiece> PiecesOfLiteral(std::string_view text, size_t begin,
                                       std::string_view value) {
  std::vector<TextPiece> pieces;
  size_t line = text.find('\n', begin);
  if (line == std::string_view::npos) return {};
  ++line;
  size_t indentation = std::string_view::npos;
  for (size_t value_at = 0; value_at < value.size();) {
    if (line >= text.size()) return {};
    const size_t value_end = std::min(value.find('\n', value_at), value.size());
    const std::string_view wanted = value.substr(value_at, value_end - value_at);
    size_t line_end = std::min(text.find('\n', line), text.size());
    const size_t next_line = line_end + 1;
    if (line_end > line && text[line_end - 1] == '\r' && (wanted.empty() || wanted.back() != '\r'))
      --line_end;
    std::string_view written = text.substr(line, line_end - line);
    if (indentation == std::string_view::npos && !wanted.empty()) {
      if (written.size() < wanted.size()) return {};
      indentation = written.size() - wanted.size();
    }
    const size_t skipped = wanted.empty() ? written.size() : indentation;
    if (written.substr(std::min(skipped, written.size())) != wanted) return {};
    AddPiece(value_at, line + skipped, &pieces);
    value_at = value_end + 1;
    line = next_line;
  }
  return pieces;
}

// Reads over a line break of a plain, quoted or folded scalar with the blanks around it; false
// where there is none at `at`.
bool SkipFold(std::string_view text, size_t* at) {
  size_t end = *at;
  bool has_break = false;
  while (end < text.size() && (IsBlank(text[end]) || text[end] == '\n')) {
    has_break |= text[end] == '\n';
    ++end;
  }
  if (has_break) *at = end;
  return has_break;
}

// Reads over one escape that stands for `wanted`; false where it is another or none.
bool SkipEscape(std::string_view text, char quote, char wanted, size_t* at) {
  const std::string_view two = text.substr(*at, 2);
  bool is_match = false;
  if (quote == '\'') is_match = two == "''" && wanted == '\'';
  if (quote == '"' && two.size() == 2 && two[0] == '\\') {
    const char c = two[1];
    is_match = (c == wanted && (c == '"' || c == '\\' || c == '/')) ||
               (c == 'n' && wanted == '\n') || (c == 't' && wanted == '\t');
  }
  if (is_match) *at += 2;
  return is_match;
}

// Walks value and file together; they differ at escapes and at folded line breaks.
std::vector<TextPiece> PiecesOfFlowing(std::string_view text, size_t at, char quote,
                                       std::string_view value) {
  std::vector<TextPiece> pieces;
  for (size_t i = 0; i < value.size();) {
    size_t next = at;
    AddPiece(i, at, &pieces);
    if ((value[i] == ' ' || value[i] == '\n') && SkipFold(text, &next)) {
      // A fold is one blank, or one line break for each empty line in it.
      if (value[i] == ' ') {
        ++i;
      } else {
        while (i < value.size() && value[i] == '\n') ++i;
      }
      at = next;
    } else if (SkipEscape(text, quote, value[i], &next)) {
      at = next;
      ++i;
    } else if (at < text.size() && text[at] == value[i]) {
      ++at;
      ++i;
    } else {
      return {};
    }
  }
  return pieces;
}

}  // namespace

std::vector<TextPiece> FindTextPieces(std::string_view text, int32_t begin,
                                      std::string_view value) {
  if (begin < 0 || static_cast<size_t>(begin) >= text.size() || value.empty()) return {};
  const char first = text[begin];
  if (first == '|') return PiecesOfLiteral(text, begin, value);
  if (first == '>') {
    size_t at = text.find('\n', begin);
    if (at == std::string_view::npos || !SkipFold(text, &at)) return {};
    return PiecesOfFlowing(text, at, '\0', value);
  }
  if (first == '\'' || first == '"') return PiecesOfFlowing(text, begin + 1, first, value);
  return PiecesOfFlowing(text, begin, '\0', value);
}

int32_t FileOffsetOf(const std::vector<TextPiece>& pieces, int32_t value_offset) {
  auto after = std::upper_bound(
      pieces.begin(), pieces.end(), value_offset,
      [](int32_t offset, const TextPiece& piece) { return offset < piece.value_begin; });
  if (after != pieces.begin()) --after;
  return after->file_begin + (value_offset - after->value_begin);
}

}  // namespace tidemill::driver
