#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace tidemill::driver::sql {

enum class TokenKind {
  kWord,        // identifier or keyword; which one depends on where it stands
  kQuotedName,  // `name`
  kString,
  kInteger,
  kDecimal,
  kDouble,
  kSymbol,  // operators and punctuation; '<' and '>' are always tokens of their own before '<' or
            // '>'
  kHint,    // the opening "/*+" of a hint
  kEnd,     // the last token; empty, right behind the last real one
};

// One token of a query. `text` points into the query. *Plain data.*
struct Token {
  TokenKind kind = TokenKind::kEnd;
  Span span;
  std::string_view text;  // as written
  std::string value;      // names and strings: unescaped, without quotes; numbers: without suffix
  std::string suffix;     // numbers: "L", "S", "Y", "F", "D", "BD" or ""
};

// Cuts a query into tokens by the rules of Spark's lexer: '...' and "..." are strings with
// backslash escapes and doubled quotes, r'...' is raw, words may begin with a digit, comments are
// "-- ..." and nested "/* */". Errors (kInvalid, with spans): PARSE_SYNTAX_ERROR,
// UNCLOSED_BRACKETED_COMMENT.
arrow::Result<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace tidemill::driver::sql
