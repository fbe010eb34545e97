#include <algorithm>
#include <utility>

#include "common/base/ascii.h"
#include "driver/sql/grammar/parser_impl.h"

namespace tidemill::driver::sql {

// FROM a, b JOIN c ...: commas, joins and pivots alike take all that stands before them.
arrow::Result<Relation> Parser::ParseFrom() {
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  if (IsLateralRelation()) cursor_.Advance();
  ARROW_ASSIGN_OR_RAISE(Relation left, ParseRelationPrimary());
  ARROW_ASSIGN_OR_RAISE(left, ContinueRelation(std::move(left)));
  while (cursor_.AcceptSymbol(",")) {
    JoinClause join;
    join.is_lateral = IsLateralRelation();
    if (join.is_lateral) cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(Relation right, ParseRelationPrimary());
    ARROW_ASSIGN_OR_RAISE(left, MakeJoin(std::move(left), std::move(right), std::move(join)));
    ARROW_ASSIGN_OR_RAISE(left, ContinueRelation(std::move(left)));
  }
  return left;
}

bool Parser::IsLateralRelation() const {
  return cursor_.IsKeyword("LATERAL") && !cursor_.IsKeyword("VIEW", 1) &&
         (cursor_.IsSymbol("(", 1) || (IsName(1) && !CanFollowOperand(1)));
}

arrow::Result<Relation> Parser::MakeJoin(Relation left, Relation right, JoinClause join) {
  Relation relation;
  relation.kind = Relation::Kind::kJoin;
  relation.span = {left.span.begin, cursor_.previous_end()};
  relation.join = std::move(join);
  relation.children.push_back(std::move(left));
  relation.children.push_back(std::move(right));
  return FinishRelation(std::move(relation));
}

// Sets the height of a relation that is complete but for its alias. Errors: nesting too deep.
arrow::Result<Relation> Parser::FinishRelation(Relation relation) {
  int32_t highest = relation.subquery == nullptr ? 0 : relation.subquery->height;
  for (const Relation& child : relation.children) highest = std::max(highest, child.height);
  for (const AstExpr& arg : relation.args) highest = std::max(highest, arg.height);
  relation.height = highest + 1;
  tallest_ = std::max(tallest_, relation.height);
  ARROW_RETURN_NOT_OK(CheckNesting(relation.height, relation.span));
  return relation;
}

// The joins and pivots behind a relation.
arrow::Result<Relation> Parser::ContinueRelation(Relation left) {
  while (true) {
    if (IsPivot()) {
      ARROW_ASSIGN_OR_RAISE(left, ParsePivot(std::move(left)));
      continue;
    }
    if (IsUnpivot()) {
      ARROW_ASSIGN_OR_RAISE(left, ParseUnpivot(std::move(left)));
      continue;
    }
    if (!IsJoin(0)) return left;
    ARROW_ASSIGN_OR_RAISE(JoinClause join, ParseJoinType());
    join.is_lateral = IsLateralRelation();
    if (join.is_lateral) cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(Relation right, ParseRelationPrimary());
    ARROW_RETURN_NOT_OK(ParseJoinCriteria(&join));
    ARROW_ASSIGN_OR_RAISE(left, MakeJoin(std::move(left), std::move(right), std::move(join)));
  }
}

// [NATURAL] [INNER | CROSS | LEFT [OUTER | SEMI | ANTI] | SEMI | ANTI | RIGHT | FULL] JOIN
arrow::Result<JoinClause> Parser::ParseJoinType() {
  JoinClause join;
  join.is_natural = cursor_.AcceptKeyword("NATURAL");
  if (cursor_.IsKeyword("ASOF")) return Refuse("ASOF_JOIN", "ASOF JOIN");
  if (cursor_.AcceptKeyword("CROSS")) {
    join.type = JoinType::kCross;
  } else if (cursor_.AcceptKeyword("RIGHT")) {
    join.type = JoinType::kRight;
    cursor_.AcceptKeyword("OUTER");
  } else if (cursor_.AcceptKeyword("FULL")) {
    join.type = JoinType::kFull;
    cursor_.AcceptKeyword("OUTER");
  } else if (!cursor_.AcceptKeyword("INNER")) {
    const bool is_left = cursor_.AcceptKeyword("LEFT");
    if (cursor_.AcceptKeyword("SEMI")) {
      join.type = JoinType::kLeftSemi;
    } else if (cursor_.AcceptKeyword("ANTI")) {
      join.type = JoinType::kLeftAnti;
    } else if (is_left) {
      join.type = JoinType::kLeft;
      cursor_.AcceptKeyword("OUTER");
    }
  }
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("JOIN"));
  return join;
}

arrow::Status Parser::ParseJoinCriteria(JoinClause* join) {
  if (join->is_natural) return arrow::Status::OK();
  if (cursor_.AcceptKeyword("ON")) {
    ARROW_ASSIGN_OR_RAISE(join->on, ParseExpression());
  } else if (cursor_.IsKeyword("USING") && cursor_.IsSymbol("(", 1)) {
    cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(join->using_columns, ParseAliasList());
  }
  return arrow::Status::OK();
}

arrow::Result<Relation> Parser::ParseRelationPrimary() {
  Relation relation;
  const int32_t begin = cursor_.Peek().span.begin;
  if (cursor_.IsSymbol("(")) {
    ARROW_ASSIGN_OR_RAISE(relation, ParseParenthesisedRelation());
  } else if (IsInlineTable()) {
    ARROW_ASSIGN_OR_RAISE(relation, ParseValuesRelation());
    return FinishRelation(std::move(relation));
  } else {
    ARROW_ASSIGN_OR_RAISE(relation, ParseNamedRelation());
  }
  if (IsTableSample() && relation.alias.empty()) {
    ARROW_ASSIGN_OR_RAISE(TableSample sample, ParseTableSample());
    relation.sample = std::make_unique<TableSample>(std::move(sample));
  }
  relation.span = {begin, cursor_.previous_end()};
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  const bool has_watermark = IsWatermarkClause();
  const bool has_name = relation.watermark != nullptr || !relation.alias.empty();
  Relation named;
  if (has_watermark) {
    ARROW_ASSIGN_OR_RAISE(Watermark watermark, ParseWatermark());
    named.watermark = std::make_unique<Watermark>(std::move(watermark));
  }
  ARROW_RETURN_NOT_OK(ParseTableAlias(&named.alias, &named.column_aliases));
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  ARROW_ASSIGN_OR_RAISE(relation, FinishRelation(std::move(relation)));
  if (!has_watermark && named.alias.empty()) return relation;
  if (has_name || relation.kind == Relation::Kind::kJoin) {
    named.kind = Relation::Kind::kNested;
    named.span = relation.span;
    named.children.push_back(std::move(relation));
    return FinishRelation(std::move(named));
  }
  relation.watermark = std::move(named.watermark);
  relation.alias = std::move(named.alias);
  relation.column_aliases = std::move(named.column_aliases);
  return relation;
}

// A query or a relation in parentheses; which one, only its first word that is not a parenthesis
// tells, and "((SELECT 1) UNION ...)" against "((SELECT 1) JOIN ...)" only what follows.
arrow::Result<Relation> Parser::ParseParenthesisedRelation() {
  cursor_.Advance();
  Relation relation;
  if (IsSubqueryStart()) {
    ARROW_ASSIGN_OR_RAISE(Query query, ParseQuery());
    ARROW_RETURN_NOT_OK(CloseQuery());
    relation.kind = Relation::Kind::kSubquery;
    relation.subquery = std::make_unique<Query>(std::move(query));
    return relation;
  }
  ARROW_ASSIGN_OR_RAISE(relation, ParseFrom());
  const bool is_query = relation.kind == Relation::Kind::kSubquery && relation.alias.empty() &&
                        relation.watermark == nullptr;
  if (is_query && IsQueryContinued()) {
    ARROW_ASSIGN_OR_RAISE(Query query, ContinueQuery(std::move(*relation.subquery)));
    ARROW_RETURN_NOT_OK(CloseQuery());
    relation.subquery = std::make_unique<Query>(std::move(query));
    return relation;
  }
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  return relation;
}

arrow::Result<Relation> Parser::ParseValuesRelation() {
  Relation relation;
  relation.kind = Relation::Kind::kSubquery;
  Query query;
  ARROW_ASSIGN_OR_RAISE(query.values, ParseValues());
  query.span = query.values->span;
  relation.span = query.span;
  relation.alias = std::exchange(query.values->alias, "");
  // The rows are as wide as the list of names.
  relation.column_aliases = query.values->column_aliases;
  query.height = tallest_ + 1;
  relation.subquery = std::make_unique<Query>(std::move(query));
  return relation;
}

// t, STREAM t, STREAM(t) or f(...)
arrow::Result<Relation> Parser::ParseNamedRelation() {
  Relation relation;
  const bool has_parenthesis = cursor_.IsKeyword("STREAM") && cursor_.IsSymbol("(", 1);
  if (has_parenthesis || (cursor_.IsKeyword("STREAM") && IsImplicitAlias(1))) {
    cursor_.Advance();
    if (has_parenthesis) cursor_.Advance();
    relation.is_stream = true;
  }
  if (IsIdentifierClause()) {
    ARROW_ASSIGN_OR_RAISE(const std::vector<std::string> parts, ParseIdentifierClause());
    for (const std::string& part : parts)
      relation.name += (relation.name.empty() ? "" : ".") + part;
  } else {
    ARROW_ASSIGN_OR_RAISE(relation.name, ParseQualifiedName("a table name or '('"));
  }
  if (has_parenthesis) ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  if (relation.is_stream || !cursor_.AcceptSymbol("(")) return relation;
  relation.kind = Relation::Kind::kFunction;
  AstExpr call;
  ARROW_RETURN_NOT_OK(ParseArguments(&call));
  relation.name = AsciiLower(relation.name);
  relation.args = std::move(call.args);
  return relation;
}

bool Parser::IsWatermarkClause(size_t ahead) const {
  return cursor_.IsKeyword("WATERMARK", ahead) && !CanFollowOperand(ahead + 1) &&
         cursor_.Peek(ahead + 1).kind != TokenKind::kHint;
}

arrow::Result<Watermark> Parser::ParseWatermark() {
  Watermark watermark;
  const int32_t begin = cursor_.Advance().span.begin;
  ARROW_ASSIGN_OR_RAISE(watermark.column.expr, ParseExpression());
  const bool has_as = cursor_.AcceptKeyword("AS");
  if (has_as || !cursor_.IsKeyword("DELAY")) {
    ARROW_ASSIGN_OR_RAISE(watermark.column.alias, ParseIdentifier("AS, DELAY OF or a name"));
  }
  if (!cursor_.IsKeyword("DELAY")) return cursor_.Unexpected("DELAY OF", {"DELAY"});
  cursor_.Advance();
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("OF"));
  if (!IsInterval()) return cursor_.Unexpected("INTERVAL and a length", {"INTERVAL"});
  ARROW_ASSIGN_OR_RAISE(watermark.delay, ParseInterval());
  watermark.span = {begin, cursor_.previous_end()};
  return watermark;
}

// [[AS] name [(columns)]]
arrow::Status Parser::ParseTableAlias(std::string* alias, std::vector<std::string>* columns) {
  if (cursor_.AcceptKeyword("AS")) {
    ARROW_ASSIGN_OR_RAISE(*alias, ParseIdentifier("a name"));
  } else if (IsImplicitTableAlias()) {
    const Token& token = cursor_.Advance();
    *alias = token.kind == TokenKind::kQuotedName ? token.value : std::string(token.text);
    cursor_.NoteImplicitAlias();
  } else {
    return arrow::Status::OK();
  }
  if (!cursor_.IsSymbol("(")) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(*columns, ParseAliasList());
  return arrow::Status::OK();
}

arrow::Result<LateralView> Parser::ParseLateralView() {
  LateralView view;
  const int32_t begin = cursor_.Peek().span.begin;
  if (!cursor_.IsKeyword("VIEW", 1)) return cursor_.Unexpected("LATERAL VIEW");
  cursor_.Advance();
  cursor_.Advance();
  view.is_outer = cursor_.AcceptKeyword("OUTER");
  const int32_t call_begin = cursor_.Peek().span.begin;
  ARROW_ASSIGN_OR_RAISE(std::string name, ParseQualifiedName("a generator function"));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  ARROW_ASSIGN_OR_RAISE(view.call, ParseCall(AsciiLower(name), call_begin));
  for (const AstExpr& arg : view.call.args) {
    if (arg.kind != AstExpr::Kind::kNamedArgument) continue;
    return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR",
                     "Syntax error at or near '=>': LATERAL VIEW takes no named arguments",
                     arg.span);
  }
  if (!cursor_.IsKeyword("AS") && IsImplicitAlias()) {
    ARROW_ASSIGN_OR_RAISE(view.table_alias, ParseIdentifier("a table name"));
  }
  if (cursor_.AcceptKeyword("AS") || IsImplicitAlias()) {
    do {
      ARROW_ASSIGN_OR_RAISE(std::string column, ParseIdentifier("a column name"));
      view.column_aliases.push_back(std::move(column));
    } while (cursor_.AcceptSymbol(","));
  }
  view.span = {begin, cursor_.previous_end()};
  return view;
}

}  // namespace tidemill::driver::sql
