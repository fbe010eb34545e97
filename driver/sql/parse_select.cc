#include <utility>

#include "driver/sql/parser_impl.h"

namespace tidemill::driver::sql {

arrow::Result<std::unique_ptr<Select>> Parser::ParseStatement() {
  if (cursor_.IsEnd() || (cursor_.IsSymbol(";") && cursor_.IsEnd(1))) {
    return MakeError(ErrorKind::kInvalid, "PARSE_EMPTY_STATEMENT",
                     "Syntax error, unexpected empty statement", cursor_.Peek().span);
  }
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<Select> select, ParseQuery());
  while (cursor_.AcceptSymbol(";")) {
  }
  if (!cursor_.IsEnd()) return cursor_.Unexpected("the end of the query");
  return select;
}

// A query, maybe in parentheses.
arrow::Result<std::unique_ptr<Select>> Parser::ParseQuery() {
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  if (cursor_.AcceptSymbol("(")) {
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<Select> select, ParseQuery());
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
    return select;
  }
  if (!cursor_.IsKeyword("SELECT")) {
    ARROW_RETURN_NOT_OK(RefuseStatement());
    return cursor_.Unexpected("SELECT", {"SELECT", "WITH", "VALUES"});
  }
  return ParseSelect();
}

arrow::Result<std::unique_ptr<Select>> Parser::ParseSelect() {
  auto select = std::make_unique<Select>();
  const int32_t begin = cursor_.Advance().span.begin;
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  if (cursor_.IsKeyword("DISTINCT") && !cursor_.IsSymbol(",", 1) && !cursor_.IsKeyword("FROM", 1)) {
    cursor_.Advance();
    select->is_distinct = true;
  } else if (cursor_.IsKeyword("ALL") && !CanFollowOperand(1)) {
    cursor_.Advance();
  }
  do {
    ARROW_ASSIGN_OR_RAISE(SelectItem item, ParseSelectItem());
    select->items.push_back(std::move(item));
  } while (cursor_.AcceptSymbol(","));

  if (cursor_.AcceptKeyword("FROM")) {
    ARROW_ASSIGN_OR_RAISE(select->from, ParseTable());
    if (cursor_.IsSymbol(",")) return Refuse("JOIN", "JOIN (a second table)");
  }
  while (cursor_.IsKeyword("LATERAL")) {
    ARROW_ASSIGN_OR_RAISE(LateralView view, ParseLateralView());
    select->lateral_views.push_back(std::move(view));
  }
  if (cursor_.AcceptKeyword("WHERE")) {
    ARROW_ASSIGN_OR_RAISE(select->where, ParseExpression());
  }
  if (cursor_.AcceptKeyword("GROUP")) ARROW_RETURN_NOT_OK(ParseGroupBy(select.get()));
  if (cursor_.AcceptKeyword("HAVING")) {
    ARROW_ASSIGN_OR_RAISE(select->having, ParseExpression());
  }
  if (cursor_.AcceptKeyword("ORDER")) ARROW_RETURN_NOT_OK(ParseOrderBy(select.get()));
  if (cursor_.AcceptKeyword("LIMIT")) ARROW_RETURN_NOT_OK(ParseLimit(select.get()));
  ARROW_RETURN_NOT_OK(ExpectQueryEnd(/*in_parentheses=*/depth_ > 1));
  select->span = {begin, cursor_.previous_end()};
  return select;
}

arrow::Status Parser::ExpectQueryEnd(bool in_parentheses) {
  if (cursor_.IsEnd() && !in_parentheses) return arrow::Status::OK();
  if (cursor_.IsSymbol(")") && in_parentheses) return arrow::Status::OK();
  if (cursor_.IsSymbol(";") && !in_parentheses) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  return cursor_.Unexpected(
      in_parentheses ? "the next clause or ')'" : "the next clause or the end of the query",
      {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "LATERAL", "UNION", "JOIN", "AND",
       "OR", "LIKE", "RLIKE", "BETWEEN"});
}

arrow::Result<SelectItem> Parser::ParseSelectItem() {
  SelectItem item;
  ARROW_ASSIGN_OR_RAISE(item.expr, ParseItemOrStar());
  if (item.expr.kind == AstExpr::Kind::kStar) return item;
  const bool has_as = cursor_.AcceptKeyword("AS");
  if (cursor_.IsSymbol("(")) {
    ARROW_ASSIGN_OR_RAISE(item.alias_list, ParseAliasList());
  } else if (has_as) {
    ARROW_ASSIGN_OR_RAISE(item.alias, ParseIdentifier("a name"));
  } else if (IsImplicitAlias()) {
    const Token& token = cursor_.Advance();
    item.alias = token.kind == TokenKind::kQuotedName ? token.value : std::string(token.text);
    cursor_.NoteImplicitAlias();
  }
  return item;
}

arrow::Result<std::vector<std::string>> Parser::ParseAliasList() {
  std::vector<std::string> names;
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  do {
    ARROW_ASSIGN_OR_RAISE(std::string name, ParseIdentifier("a name"));
    names.push_back(std::move(name));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  return names;
}

arrow::Result<std::unique_ptr<TableRef>> Parser::ParseTable() {
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  auto table = std::make_unique<TableRef>();
  const int32_t begin = cursor_.Peek().span.begin;
  if (cursor_.IsSymbol("(")) {
    if (cursor_.IsKeyword("SELECT", 1) || cursor_.IsSymbol("(", 1)) {
      ARROW_ASSIGN_OR_RAISE(table->subquery, ParseQuery());
    } else {
      cursor_.Advance();
      if (IsSubqueryStart()) ARROW_RETURN_NOT_OK(RefuseStatement());
      ARROW_ASSIGN_OR_RAISE(table, ParseTable());
      if (cursor_.IsSymbol(",")) return Refuse("JOIN", "JOIN (a second table)");
      ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    }
  } else {
    if (cursor_.IsKeyword("VALUES")) return Refuse("VALUES", "VALUES");
    if (cursor_.IsKeyword("LATERAL")) return Refuse("JOIN", "LATERAL subquery");
    const bool has_parenthesis = cursor_.IsKeyword("STREAM") && cursor_.IsSymbol("(", 1);
    if (has_parenthesis || (cursor_.IsKeyword("STREAM") && IsImplicitAlias(1))) {
      cursor_.Advance();
      if (has_parenthesis) cursor_.Advance();
      table->is_stream = true;
    }
    ARROW_ASSIGN_OR_RAISE(table->name, ParseQualifiedName("a table name or '('"));
    if (has_parenthesis) ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    if (cursor_.IsSymbol("(")) return Refuse("TABLE_FUNCTION", "a table function");
  }
  table->span = {begin, cursor_.previous_end()};
  ARROW_RETURN_NOT_OK(ParseTableAlias(table.get()));
  return table;
}

arrow::Status Parser::ParseTableAlias(TableRef* table) {
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  if (cursor_.AcceptKeyword("AS")) {
    ARROW_ASSIGN_OR_RAISE(table->alias, ParseIdentifier("a name"));
  } else if (IsImplicitAlias() && !cursor_.IsAnyKeyword({"ON", "USING"})) {
    const Token& token = cursor_.Advance();
    table->alias = token.kind == TokenKind::kQuotedName ? token.value : std::string(token.text);
    cursor_.NoteImplicitAlias();
  } else {
    return arrow::Status::OK();
  }
  if (cursor_.IsSymbol("(")) {
    return Refuse("TABLE_COLUMN_ALIASES", "a table alias with column names");
  }
  return RefuseUnsupportedClause();
}

arrow::Result<LateralView> Parser::ParseLateralView() {
  LateralView view;
  const int32_t begin = cursor_.Peek().span.begin;
  if (!cursor_.IsKeyword("VIEW", 1)) return Refuse("JOIN", "LATERAL join");
  cursor_.Advance();
  cursor_.Advance();
  view.is_outer = cursor_.AcceptKeyword("OUTER");
  const int32_t call_begin = cursor_.Peek().span.begin;
  ARROW_ASSIGN_OR_RAISE(std::string name, ParseQualifiedName("a generator function"));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  ARROW_ASSIGN_OR_RAISE(view.call, ParseCall(LowerCase(name), call_begin));
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

arrow::Status Parser::ParseGroupBy(Select* select) {
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("BY"));
  if (cursor_.IsKeyword("ALL") && CanFollowOperand(1) && !cursor_.IsSymbol(",", 1)) {
    cursor_.Advance();
    select->group_by_all = true;
    return arrow::Status::OK();
  }
  do {
    const bool has_parenthesis = cursor_.IsSymbol("(", 1);
    if (cursor_.IsKeyword("ROLLUP") && has_parenthesis) return Refuse("ROLLUP", "ROLLUP");
    if (cursor_.IsKeyword("CUBE") && has_parenthesis) return Refuse("CUBE", "CUBE");
    if (cursor_.IsKeyword("GROUPING") && cursor_.IsKeyword("SETS", 1)) {
      return Refuse("GROUPING_SETS", "GROUPING SETS", 2);
    }
    ARROW_ASSIGN_OR_RAISE(AstExpr expr, ParseExpression());
    select->group_by.push_back(std::move(expr));
  } while (cursor_.AcceptSymbol(","));
  if (cursor_.IsKeyword("WITH") && cursor_.IsKeyword("ROLLUP", 1)) {
    return Refuse("ROLLUP", "WITH ROLLUP", 2);
  }
  if (cursor_.IsKeyword("WITH") && cursor_.IsKeyword("CUBE", 1)) {
    return Refuse("CUBE", "WITH CUBE", 2);
  }
  if (cursor_.IsKeyword("GROUPING") && cursor_.IsKeyword("SETS", 1)) {
    return Refuse("GROUPING_SETS", "GROUPING SETS", 2);
  }
  return arrow::Status::OK();
}

arrow::Status Parser::ParseOrderBy(Select* select) {
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("BY"));
  if (cursor_.IsKeyword("ALL") && CanFollowOperand(1) && !cursor_.IsSymbol(",", 1)) {
    return Refuse("ORDER_BY_ALL", "ORDER BY ALL");
  }
  do {
    OrderItem item;
    ARROW_ASSIGN_OR_RAISE(item.expr, ParseExpression());
    if (cursor_.AcceptKeyword("DESC")) {
      item.descending = true;
    } else {
      cursor_.AcceptKeyword("ASC");
    }
    if (cursor_.AcceptKeyword("NULLS")) {
      if (!cursor_.IsAnyKeyword({"FIRST", "LAST"})) {
        return cursor_.Unexpected("FIRST or LAST", {"FIRST", "LAST"});
      }
      item.nulls_first = cursor_.IsKeyword("FIRST");
      cursor_.Advance();
    }
    select->order_by.push_back(std::move(item));
  } while (cursor_.AcceptSymbol(","));
  return arrow::Status::OK();
}

arrow::Status Parser::ParseLimit(Select* select) {
  if (cursor_.IsKeyword("ALL") && !cursor_.IsSymbol("(", 1)) {
    cursor_.Advance();
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(select->limit, ParseExpression());
  return arrow::Status::OK();
}

}  // namespace tidemill::driver::sql
