#include "driver/sql/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "driver/sql/parser_impl.h"

namespace tidemill::driver::sql {

arrow::Status Parser::CheckNesting(int depth, Span span) const {
  if (depth <= kMaxNesting) return arrow::Status::OK();
  return MakeError(ErrorKind::kInvalid, "FAILED_TO_PARSE_TOO_COMPLEX",
                   fmt::format("The statement was too complex to be parsed: at most {} levels of "
                               "nesting",
                               kMaxNesting),
                   span);
}

arrow::Result<AstExpr> Parser::Finish(AstExpr node, int32_t begin) const {
  node.span = {begin, cursor_.previous_end()};
  int32_t highest = 0;
  for (const AstExpr& arg : node.args) highest = std::max(highest, arg.height);
  node.height = highest + 1;
  ARROW_RETURN_NOT_OK(CheckNesting(node.height, node.span));
  return node;
}

arrow::Result<AstExpr> Parser::MakeCall(std::string_view name, std::vector<AstExpr> args,
                                        int32_t begin) const {
  AstExpr call;
  call.kind = AstExpr::Kind::kCall;
  call.name = std::string(name);
  call.args = std::move(args);
  return Finish(std::move(call), begin);
}

arrow::Result<std::unique_ptr<Select>> ParseQuery(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens, Tokenize(text));
  return Parser(text, std::move(tokens)).ParseStatement();
}

arrow::Result<AstExpr> ParseExpression(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens, Tokenize(text));
  return Parser(text, std::move(tokens)).ParseWholeExpression();
}

}  // namespace tidemill::driver::sql
