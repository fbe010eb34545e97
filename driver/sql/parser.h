#pragma once

#include <arrow/result.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "driver/sql/ast.h"

namespace tidemill::driver::sql {

class TokenCursor;

// Parses one query (a final ';' is allowed). Grammar and precedences are Spark's. Syntax
// that Spark has and Tidemill has not yet is refused by name (UNSUPPORTED_FEATURE), never ignored.
// Errors: PARSE_SYNTAX_ERROR (kInvalid) with a span in `text` and what was expected. Nesting deeper
// than kMaxNesting and texts over 1 MiB are refused.
arrow::Result<std::unique_ptr<Query>> ParseQuery(std::string_view text);

// Parses one expression that is the whole of `text`. Errors as above.
arrow::Result<AstExpr> ParseExpression(std::string_view text);

// A query or an expression inside a statement: parsed from `cursor` on, which holds the tokens of
// `text` and is left behind it. A query must be followed by ';' or the end. Errors as above.
arrow::Result<std::unique_ptr<Query>> ParseQueryAt(std::string_view text, TokenCursor* cursor);
arrow::Result<AstExpr> ParseExpressionAt(std::string_view text, TokenCursor* cursor);

// The parts of a name that stands in a text: "a.`b c`". Errors, at `span`: PARSE_EMPTY_STATEMENT,
// PARSE_SYNTAX_ERROR.
arrow::Result<std::vector<std::string>> ParseNameText(std::string_view text, Span span);

}  // namespace tidemill::driver::sql
