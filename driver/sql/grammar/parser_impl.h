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
  // `cursor` must outlive this; it is left behind what was parsed.
  Parser(std::string_view text, TokenCursor* cursor) : text_(text), cursor_(*cursor) {}

  arrow::Result<std::unique_ptr<Query>> ParseStatement();
  // One query; what follows must be able to stand behind it.
  arrow::Result<std::unique_ptr<Query>> ParseWholeQuery();
  arrow::Result<AstExpr> ParseWholeExpression();
  arrow::Result<AstExpr> ParseExpression();

 private:
  struct BinaryOperator {
    std::string_view name;
    int level = 0;  // higher binds tighter
    int tokens = 1;
  };
  // Counts nesting while it lives.
  class Nesting;

  // parse_query.cc: queries as operands of each other
  arrow::Result<Query> ParseQuery();
  arrow::Result<Query> ContinueQuery(Query left);
  bool IsQueryContinued() const;
  arrow::Result<Query> MeasureQuery(Query query, int32_t begin, int32_t outer);
  arrow::Result<std::vector<CommonTable>> ParseWith();
  std::optional<SetOperator> PeekSetOperator() const;
  arrow::Result<Query> ParseSetOperation(int level);
  arrow::Result<Query> ContinueSetOperation(Query left, int level);
  arrow::Result<Query> ParseQueryPrimary();
  arrow::Result<std::unique_ptr<Select>> ParseTableStatement();
  arrow::Result<std::unique_ptr<InlineTable>> ParseValues();
  Query Enclose(Query query);
  arrow::Result<Query> ParseOrganization(Query query);
  arrow::Status ParseOrderBy(Query* query);
  arrow::Status ParseDistribution(Query* query);
  bool IsOrganization(size_t ahead = 0) const;
  // UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES from `begin` to here.
  arrow::Status Combination(int32_t begin) const;
  arrow::Result<std::vector<OrderItem>> ParseOrderItems();
  arrow::Status ParseOrderDirection(OrderItem* item);
  arrow::Status CloseQuery();
  arrow::Status ExpectQueryEnd(bool in_parentheses);

  // parse_select.cc: the clauses of SELECT
  arrow::Result<std::unique_ptr<Select>> ParseSelect();
  arrow::Status ParseFromClause(Select* select);
  arrow::Status ParseLateralViews(Select* select);
  arrow::Result<SelectItem> ParseSelectItem();
  arrow::Result<std::vector<std::string>> ParseAliasList();
  arrow::Status ParseGroupBy(Select* select);
  arrow::Result<GroupingElement> ParseGroupingElement(bool is_nested);
  arrow::Result<GroupingElement> ParseGroupingSet();

  // parse_relation.cc: FROM
  arrow::Result<Relation> ParseFrom();
  arrow::Result<Relation> ContinueRelation(Relation left);
  arrow::Result<Relation> MakeJoin(Relation left, Relation right, JoinClause join);
  arrow::Result<Relation> FinishRelation(Relation relation);
  arrow::Result<JoinClause> ParseJoinType();
  arrow::Status ParseJoinCriteria(JoinClause* join);
  arrow::Result<Relation> ParseRelationPrimary();
  arrow::Result<Relation> ParseParenthesisedRelation();
  arrow::Result<Relation> ParseValuesRelation();
  arrow::Result<Relation> ParseNamedRelation();
  arrow::Result<Watermark> ParseWatermark();
  arrow::Status ParseTableAlias(std::string* alias, std::vector<std::string>* columns);
  arrow::Result<LateralView> ParseLateralView();

  // parse_table_clauses.cc: PIVOT, UNPIVOT, TABLESAMPLE, hints
  bool IsPivot(size_t ahead = 0) const;
  bool IsUnpivot(size_t ahead = 0) const;
  bool IsTableSample(size_t ahead = 0) const;
  arrow::Result<Relation> ParsePivot(Relation input);
  arrow::Result<Relation> ParseUnpivot(Relation input);
  arrow::Result<Unpivot::Columns> ParseUnpivotColumns(bool is_list);
  arrow::Result<AstExpr> ParseNameExpr(std::string_view expected, bool is_qualified);
  arrow::Status ParsePivotAlias(SelectItem* item);
  arrow::Result<Relation> FinishPivot(Relation relation, int32_t begin);
  arrow::Result<TableSample> ParseTableSample();
  arrow::Status ParseSampleMethod(TableSample* sample);
  arrow::Result<std::vector<Hint>> ParseHints();

  // parse_window.cc: behind a call, and the WINDOW clause
  arrow::Result<AstExpr> ParseCallClauses(AstExpr call);
  arrow::Result<WindowSpec> ParseWindowSpec();
  arrow::Result<WindowFrame> ParseWindowFrame();
  arrow::Result<FrameBound> ParseFrameBound();
  arrow::Status ParseWindowClause(Select* select);

  // parse_names.cc: which words are names here, and constructs that are refused
  bool IsName(size_t ahead = 0) const;
  bool IsImplicitAlias(size_t ahead = 0) const;
  bool IsImplicitTableAlias() const;
  bool CanFollowOperand(size_t ahead) const;
  bool IsJoin(size_t ahead) const;
  bool IsSubqueryStart(size_t ahead = 0) const;
  bool IsInlineTable(size_t ahead = 0) const;
  bool IsLateralRelation() const;
  bool IsWatermarkClause(size_t ahead = 0) const;
  bool IsWindowClause(size_t ahead = 0) const;
  bool IsQualifyClause(size_t ahead = 0) const;
  bool IsOffsetClause(size_t ahead = 0) const;
  // Whether a clause that is not an operand begins here: where it does, no alias stands.
  bool IsClauseStart(size_t ahead) const;
  std::optional<std::pair<std::string_view, std::string_view>> FindUnsupportedClause(
      size_t ahead = 0) const;
  arrow::Status RefuseUnsupportedClause() const;
  arrow::Status RefuseStatement() const;
  // UNSUPPORTED_FEATURE.<feature> on the next `tokens` tokens.
  arrow::Status Refuse(std::string_view feature, std::string_view shown, size_t tokens = 1) const;
  arrow::Result<std::string> ParseIdentifier(std::string_view expected);
  arrow::Result<std::string> ParseQualifiedName(std::string_view expected);
  // Whether IDENTIFIER('name') stands here, and its parts.
  bool IsIdentifierClause() const;
  arrow::Result<std::vector<std::string>> ParseIdentifierClause();

  // parse_expression.cc: operators by precedence
  arrow::Result<AstExpr> ParseConjunction();
  arrow::Result<AstExpr> ParseNegation();
  arrow::Result<AstExpr> ParsePredicated();
  arrow::Result<AstExpr> ParsePredicate(AstExpr left);
  arrow::Result<AstExpr> ParseIs(AstExpr left);
  arrow::Result<AstExpr> ParseLike(AstExpr left, std::string_view name);
  arrow::Result<AstExpr> ParseQuantifiedLike(AstExpr left, bool is_negated);
  arrow::Result<AstExpr> ParseIn(AstExpr left);
  arrow::Result<AstExpr> ParseValue(int lowest_level = 0);
  arrow::Result<AstExpr> ParseUnary();
  arrow::Result<AstExpr> ParsePostfix(AstExpr base);
  std::optional<BinaryOperator> PeekBinaryOperator() const;
  arrow::Result<AstExpr> JoinLogical(std::string_view name, std::vector<AstExpr>* operands,
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
  arrow::Result<AstExpr> ParseArgument();
  size_t LengthOfLambdaHead() const;
  arrow::Result<AstExpr> ParseLambda(size_t head_length);
  arrow::Result<AstExpr> ParseCast(std::string name, int32_t begin);
  arrow::Result<AstExpr> ParseExtract(int32_t begin);
  arrow::Result<AstExpr> ParsePosition(int32_t begin);
  arrow::Result<AstExpr> ParseSubstring(std::string name, int32_t begin);
  arrow::Result<AstExpr> ParseTrim(int32_t begin);
  arrow::Result<AstExpr> ParseOverlay(int32_t begin);
  arrow::Result<AstExpr> ParseStruct(int32_t begin);
  // Parses ", item [AS alias]" until ')', which is read too.
  arrow::Result<AstExpr> FinishStruct(std::vector<SelectItem> items, int32_t begin);
  arrow::Result<AstExpr> ParseParameter();
  arrow::Result<AstExpr> ParseSubquery(AstExpr::Kind kind, std::vector<AstExpr> args,
                                       int32_t begin);
  arrow::Status ParseStarExcept(AstExpr* star);
  arrow::Status ParseType(AstExpr* cast);
  arrow::Status SkipType();
  arrow::Status SkipTypeList(bool has_names);

  // Sets span and height of a node that has its arguments. Errors: nesting too deep.
  arrow::Result<AstExpr> Finish(AstExpr node, int32_t begin);
  arrow::Result<AstExpr> MakeCall(std::string_view name, std::vector<AstExpr> args, int32_t begin);
  arrow::Status CheckNesting(int depth, Span span) const;

  std::string_view text_;
  TokenCursor& cursor_;
  int depth_ = 0;
  int32_t tallest_ = 0;  // the height of the tallest tree of the query that is being read
  int num_markers_ = 0;  // of ? so far
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
