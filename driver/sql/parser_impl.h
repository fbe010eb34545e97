#pragma once

#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/sql/ast.h"
#include "driver/sql/token_cursor.h"

namespace tidemill::driver::sql {

// Recursive descent over the tokens of one query, following Spark's grammar rule by rule. Private
// to this folder; use parser.h. One object parses once. *Thread-compatible.*
class Parser {
 public:
  Parser(std::string_view text, std::vector<Token> tokens)
      : text_(text), cursor_(std::move(tokens)) {}

  arrow::Result<std::unique_ptr<Select>> ParseStatement();
  arrow::Result<AstExpr> ParseWholeExpression();

 private:
  struct BinaryOperator {
    std::string_view name;
    int level = 0;  // higher binds tighter
    int tokens = 1;
  };
  // Counts nesting while it lives.
  class Nesting;

  // parse_select.cc: queries and clauses
  arrow::Result<std::unique_ptr<Select>> ParseQuery();
  arrow::Result<std::unique_ptr<Select>> ParseSelect();
  arrow::Result<SelectItem> ParseSelectItem();
  arrow::Result<std::vector<std::string>> ParseAliasList();
  arrow::Result<std::unique_ptr<TableRef>> ParseTable();
  arrow::Status ParseTableAlias(TableRef* table);
  arrow::Result<LateralView> ParseLateralView();
  arrow::Status ParseGroupBy(Select* select);
  arrow::Status ParseOrderBy(Select* select);
  arrow::Status ParseLimit(Select* select);
  arrow::Status ExpectQueryEnd(bool in_parentheses);

  // parse_names.cc: which words are names here, and constructs that are refused
  bool IsName(size_t ahead = 0) const;
  bool IsImplicitAlias(size_t ahead = 0) const;
  bool CanFollowOperand(size_t ahead) const;
  bool IsJoin(size_t ahead) const;
  bool IsSubqueryStart(size_t ahead = 0) const;
  std::optional<std::pair<std::string_view, std::string_view>> FindUnsupportedClause(
      size_t ahead = 0) const;
  arrow::Status RefuseUnsupportedClause() const;
  arrow::Status RefuseStatement() const;
  // UNSUPPORTED_FEATURE.<feature> on the next `tokens` tokens.
  arrow::Status Refuse(std::string_view feature, std::string_view shown, size_t tokens = 1) const;
  arrow::Result<std::string> ParseIdentifier(std::string_view expected);
  arrow::Result<std::string> ParseQualifiedName(std::string_view expected);

  // parse_expression.cc: operators by precedence
  arrow::Result<AstExpr> ParseExpression();
  arrow::Result<AstExpr> ParseConjunction();
  arrow::Result<AstExpr> ParseNegation();
  arrow::Result<AstExpr> ParsePredicated();
  arrow::Result<AstExpr> ParsePredicate(AstExpr left);
  arrow::Result<AstExpr> ParseIs(AstExpr left);
  arrow::Result<AstExpr> ParseLike(AstExpr left, std::string_view name);
  arrow::Result<AstExpr> ParseIn(AstExpr left);
  arrow::Result<AstExpr> ParseValue(int lowest_level = 0);
  arrow::Result<AstExpr> ParseUnary();
  arrow::Result<AstExpr> ParsePostfix(AstExpr base);
  std::optional<BinaryOperator> PeekBinaryOperator() const;
  arrow::Result<AstExpr> JoinLogical(std::string_view name, std::vector<AstExpr> operands,
                                     size_t begin, size_t end);

  // parse_primary.cc: literals, names, calls
  arrow::Result<AstExpr> ParsePrimary();
  arrow::Result<AstExpr> ParseWordPrimary();
  arrow::Result<AstExpr> ParseNumber(int32_t begin, bool is_negative);
  arrow::Result<AstExpr> ParseString();
  arrow::Result<AstExpr> ParseTypedLiteral();
  arrow::Result<AstExpr> ParseInterval();
  bool IsInterval() const;
  arrow::Result<AstExpr> ParseCase();
  arrow::Result<AstExpr> ParseParenthesised();
  arrow::Result<AstExpr> ParseNameOrCall();
  arrow::Result<AstExpr> ParseItemOrStar();  // where * and t.* may stand

  // parse_call.cc: after "name("
  arrow::Result<AstExpr> ParseCall(std::string name, int32_t begin);
  arrow::Status ParseArguments(AstExpr* call);
  arrow::Result<AstExpr> ParseCast(std::string name, int32_t begin);
  arrow::Result<AstExpr> ParseExtract(int32_t begin);
  arrow::Result<AstExpr> ParsePosition(int32_t begin);
  arrow::Result<AstExpr> ParseSubstring(std::string name, int32_t begin);
  arrow::Result<AstExpr> ParseTrim(int32_t begin);
  arrow::Result<AstExpr> ParseOverlay(int32_t begin);
  arrow::Result<AstExpr> ParseStruct(int32_t begin);
  // Parses ", item [AS alias]" until ')', which is read too.
  arrow::Result<AstExpr> FinishStruct(std::vector<SelectItem> items, int32_t begin);
  arrow::Status RefuseCallModifier() const;
  arrow::Status ParseType(AstExpr* cast);
  arrow::Status SkipType();
  arrow::Status SkipTypeList(bool has_names);

  // Sets span and height of a node that has its arguments. Errors: nesting too deep.
  arrow::Result<AstExpr> Finish(AstExpr node, int32_t begin) const;
  arrow::Result<AstExpr> MakeCall(std::string_view name, std::vector<AstExpr> args,
                                  int32_t begin) const;
  arrow::Status CheckNesting(int depth, Span span) const;

  std::string_view text_;
  TokenCursor cursor_;
  int depth_ = 0;
};

class Parser::Nesting {
 public:
  explicit Nesting(Parser* parser) : parser_(parser) { ++parser_->depth_; }
  ~Nesting() { --parser_->depth_; }
  Nesting(const Nesting&) = delete;
  Nesting& operator=(const Nesting&) = delete;

  arrow::Status Check() const {
    return parser_->CheckNesting(parser_->depth_, parser_->cursor_.Peek().span);
  }

 private:
  Parser* parser_;
};

}  // namespace tidemill::driver::sql
