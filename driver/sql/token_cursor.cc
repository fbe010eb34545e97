#include "driver/sql/token_cursor.h"

#include <fmt/format.h>

#include <algorithm>

namespace tidemill::driver::sql {

namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// The keyword that `word` was probably meant to be: stricter than NearestName, for short names
// resemble short keywords by chance.
std::string MeantKeyword(const Token& word, std::initializer_list<std::string_view> keywords) {
  if (word.kind != TokenKind::kWord || word.text.size() < 2) return "";
  std::string nearest = NearestName(word.text, keywords);
  const int limit = word.text.size() > 5 ? 2 : 1;
  if (nearest.empty() || internal::EditDistance(word.text, nearest, limit) > limit) return "";
  return nearest;
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return Lower(x) == Lower(y); });
}

const Token& TokenCursor::Peek(size_t ahead) const {
  return tokens_[std::min(position_ + ahead, tokens_.size() - 1)];
}

const Token& TokenCursor::Advance() {
  const Token& token = Peek();
  if (token.kind != TokenKind::kEnd) ++position_;
  return token;
}

bool TokenCursor::IsKeyword(std::string_view keyword, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kWord && EqualsIgnoreCase(token.text, keyword);
}

bool TokenCursor::IsAnyKeyword(std::initializer_list<std::string_view> keywords,
                               size_t ahead) const {
  return std::any_of(keywords.begin(), keywords.end(),
                     [&](std::string_view keyword) { return IsKeyword(keyword, ahead); });
}

bool TokenCursor::IsSymbol(std::string_view symbol, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool TokenCursor::AcceptKeyword(std::string_view keyword) {
  if (!IsKeyword(keyword)) return false;
  Advance();
  return true;
}

bool TokenCursor::AcceptSymbol(std::string_view symbol) {
  if (!IsSymbol(symbol)) return false;
  Advance();
  return true;
}

arrow::Status TokenCursor::ExpectKeyword(std::string_view keyword) {
  if (AcceptKeyword(keyword)) return arrow::Status::OK();
  return Unexpected(keyword, {keyword});
}

arrow::Status TokenCursor::ExpectSymbol(std::string_view symbol) {
  if (AcceptSymbol(symbol)) return arrow::Status::OK();
  return Unexpected(fmt::format("'{}'", symbol));
}

arrow::Status TokenCursor::Unexpected(std::string_view expected,
                                      std::initializer_list<std::string_view> keywords) const {
  const Token* token = &Peek();
  std::string meant = MeantKeyword(*token, keywords);
  if (meant.empty() && position_ > 0 && implicit_alias_ == position_) {
    meant = MeantKeyword(tokens_[position_ - 1], keywords);
    if (!meant.empty()) token = &tokens_[position_ - 1];
  }
  const std::string near =
      token->kind == TokenKind::kEnd ? "end of input" : fmt::format("'{}'", token->text);
  return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR",
                   fmt::format("Syntax error at or near {}: expected {}", near, expected),
                   token->span, meant.empty() ? "" : fmt::format("did you mean {}?", meant));
}

}  // namespace tidemill::driver::sql
