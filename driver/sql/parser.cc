#include "driver/sql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "driver/sql/grammar/parser_impl.h"

namespace tidemill::driver::sql {

arrow::Status Parser::CheckNesting(int depth, Span span) const {
  if (depth <= kMaxNesting) return arrow::Status::OK();
  return MakeError(ErrorKind::kInvalid, "FAILED_TO_PARSE_TOO_COMPLEX",
                   fmt::format("The statement was too complex to be parsed: at most {} levels of "
                               "nesting",
                               kMaxNesting),
                   span);
}

arrow::Result<AstExpr> Parser::Finish(AstExpr node, int32_t begin) {
  node.span = {begin, cursor_.previous_end()};
  int32_t highest = node.query == nullptr ? 0 : node.query->height;
  for (const AstExpr& arg : node.args) highest = std::max(highest, arg.height);
  node.height = highest + 1;
  tallest_ = std::max(tallest_, node.height);
  ARROW_RETURN_NOT_OK(CheckNesting(node.height, node.span));
  return node;
}

arrow::Result<AstExpr> Parser::MakeCall(std::string_view name, std::vector<AstExpr> args,
                                        int32_t begin) {
  AstExpr call;
  call.kind = AstExpr::Kind::kCall;
  call.name = std::string(name);
  call.args = std::move(args);
  return Finish(std::move(call), begin);
}

arrow::Result<std::unique_ptr<Query>> ParseQuery(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens, Tokenize(text));
  TokenCursor cursor(std::move(tokens));
  return Parser(text, &cursor).ParseStatement();
}

arrow::Result<AstExpr> ParseExpression(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens, Tokenize(text));
  TokenCursor cursor(std::move(tokens));
  return Parser(text, &cursor).ParseWholeExpression();
}

arrow::Result<std::vector<std::string>> ParseNameText(std::string_view text, Span span) {
  const auto fail = [span](std::string_view near) {
    return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR",
                     fmt::format("Syntax error at or near {}: expected a name", near), span);
  };
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens, Tokenize(text));
  TokenCursor cursor(std::move(tokens));
  if (cursor.IsEnd()) {
    return MakeError(ErrorKind::kInvalid, "PARSE_EMPTY_STATEMENT",
                     "Syntax error, unexpected empty statement.", span);
  }
  std::vector<std::string> parts;
  do {
    const Token& token = cursor.Peek();
    if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuotedName) {
      return fail(cursor.IsEnd() ? "end of input" : fmt::format("'{}'", token.text));
    }
    parts.push_back(token.kind == TokenKind::kWord ? std::string(token.text) : token.value);
    cursor.Advance();
  } while (cursor.AcceptSymbol("."));
  if (!cursor.IsEnd()) return fail(fmt::format("'{}'", cursor.Peek().text));
  return parts;
}

arrow::Result<std::unique_ptr<Query>> ParseQueryAt(std::string_view text, TokenCursor* cursor) {
  return Parser(text, cursor).ParseWholeQuery();
}

arrow::Result<AstExpr> ParseExpressionAt(std::string_view text, TokenCursor* cursor) {
  return Parser(text, cursor).ParseExpression();
}

}  // namespace tidemill::driver::sql
