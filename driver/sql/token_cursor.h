#pragma once

#include <arrow/status.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "driver/sql/lexer.h"

namespace tidemill::driver::sql {

bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// A position in the tokens of one query, with look-ahead and the syntax error that belongs there.
// Keywords are given in upper case and match in any. *Thread-compatible.*
class TokenCursor {
 public:
  explicit TokenCursor(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // The token `ahead` places from here; behind the end it is the end token.
  const Token& Peek(size_t ahead = 0) const;
  // The end of what was read last; 0 at the beginning.
  int32_t previous_end() const { return position_ == 0 ? 0 : tokens_[position_ - 1].span.end; }
  const Token& Advance();
  size_t position() const { return position_; }

  bool IsEnd(size_t ahead = 0) const { return Peek(ahead).kind == TokenKind::kEnd; }
  bool IsKeyword(std::string_view keyword, size_t ahead = 0) const;
  bool IsAnyKeyword(std::initializer_list<std::string_view> keywords, size_t ahead = 0) const;
  bool IsSymbol(std::string_view symbol, size_t ahead = 0) const;
  bool AcceptKeyword(std::string_view keyword);
  bool AcceptSymbol(std::string_view symbol);
  arrow::Status ExpectKeyword(std::string_view keyword);
  arrow::Status ExpectSymbol(std::string_view symbol);

  // Remembers that the word read last was taken for an alias without AS. When the next token turns
  // out wrong, that word may be a misspelt keyword.
  void NoteImplicitAlias() { implicit_alias_ = position_; }

  // PARSE_SYNTAX_ERROR at the current token: "Syntax error at or near 'x': expected ...". The hint
  // names the keyword out of `keywords` that the token (or the alias before it) resembles.
  arrow::Status Unexpected(std::string_view expected,
                           std::initializer_list<std::string_view> keywords = {}) const;

 private:
  std::vector<Token> tokens_;
  size_t position_ = 0;
  size_t implicit_alias_ = 0;  // position behind the newest alias without AS
};

}  // namespace tidemill::driver::sql
