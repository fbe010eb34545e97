#include "common/types/ddl_lexer.h"

#include <algorithm>

namespace tidemill {

namespace {

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Takes bytes of non-ASCII letters too, so that the parser can say how to quote such a name.
bool IsNameByte(char c) {
  return IsDigit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         static_cast<unsigned char>(c) >= 0x80;
}

}  // namespace

void DdlLexer::SkipBlanks() {
  while (pos_ < text_.size()) {
    const std::string_view rest = text_.substr(pos_);
    if (IsBlank(rest[0])) {
      ++pos_;
    } else if (rest.starts_with("--")) {
      pos_ += std::min(rest.find('\n'), rest.size());
    } else if (rest.starts_with("/*")) {
      const size_t end = rest.find("*/", 2);
      pos_ += end == std::string_view::npos ? rest.size() : end + 2;
    } else {
      return;
    }
  }
}

DdlToken DdlLexer::Make(DdlToken::Kind kind, size_t end) {
  DdlToken token{kind, text_.substr(pos_, end - pos_),
                 Span{static_cast<int32_t>(pos_), static_cast<int32_t>(end)}};
  pos_ = end;
  return token;
}

DdlToken DdlLexer::Next() {
  SkipBlanks();
  if (pos_ >= text_.size()) return Make(DdlToken::Kind::kEnd, pos_);
  const char first = text_[pos_];
  size_t end = pos_ + 1;
  if (IsNameByte(first)) {
    bool digits = IsDigit(first);
    for (; end < text_.size() && IsNameByte(text_[end]); ++end) digits &= IsDigit(text_[end]);
    return Make(digits ? DdlToken::Kind::kNumber : DdlToken::Kind::kName, end);
  }
  if (first == '`' || first == '\'' || first == '"') {
    for (; end < text_.size(); ++end) {
      if (text_[end] == '\\' && first != '`') {
        ++end;
      } else if (text_[end] == first) {
        if (end + 1 >= text_.size() || text_[end + 1] != first) break;
        ++end;
      }
    }
    if (end >= text_.size()) return Make(DdlToken::Kind::kInvalid, text_.size());
    return Make(first == '`' ? DdlToken::Kind::kQuoted : DdlToken::Kind::kString, end + 1);
  }
  constexpr std::string_view kSymbols = "<>():,";
  const bool symbol = kSymbols.find(first) != std::string_view::npos;
  return Make(symbol ? DdlToken::Kind::kSymbol : DdlToken::Kind::kInvalid, end);
}

std::string NameOf(const DdlToken& token) {
  if (token.kind != DdlToken::Kind::kQuoted) return std::string(token.text);
  const std::string_view inner = token.text.substr(1, token.text.size() - 2);
  std::string name;
  name.reserve(inner.size());
  for (size_t i = 0; i < inner.size(); ++i) {
    name += inner[i];
    if (inner[i] == '`') ++i;
  }
  return name;
}

}  // namespace tidemill
