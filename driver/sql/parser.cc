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

arrow::Result<std::unique_ptr<Query>> ParseQueryAt(std::string_view text, TokenCursor* cursor) {
  return Parser(text, cursor).ParseWholeQuery();
}

arrow::Result<AstExpr> ParseExpressionAt(std::string_view text, TokenCursor* cursor) {
  return Parser(text, cursor).ParseExpression();
}

}  // namespace tidemill::driver::sql
