#include <utility>

#include "driver/sql/grammar/parser_impl.h"

namespace tidemill::driver::sql {

// FROM and LATERAL VIEW, where FROM is next.
arrow::Status Parser::ParseFromClause(Select* select) {
  if (!cursor_.AcceptKeyword("FROM")) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(Relation from, ParseFrom());
  select->from = std::make_unique<Relation>(std::move(from));
  return arrow::Status::OK();
}

arrow::Status Parser::ParseLateralViews(Select* select) {
  while (cursor_.IsKeyword("LATERAL")) {
    ARROW_ASSIGN_OR_RAISE(LateralView view, ParseLateralView());
    select->lateral_views.push_back(std::move(view));
  }
  return arrow::Status::OK();
}

// SELECT ... or FROM ... [SELECT ...], up to HAVING, WINDOW and QUALIFY; what follows belongs to
// the query.
arrow::Result<std::unique_ptr<Select>> Parser::ParseSelect() {
  auto select = std::make_unique<Select>();
  const int32_t begin = cursor_.Peek().span.begin;
  ARROW_RETURN_NOT_OK(ParseFromClause(select.get()));
  const bool is_from_first = select->from != nullptr;
  if (is_from_first) ARROW_RETURN_NOT_OK(ParseLateralViews(select.get()));
  if (is_from_first && !cursor_.IsKeyword("SELECT")) {
    select->span = {begin, cursor_.previous_end()};
    SelectItem star;
    star.expr.kind = AstExpr::Kind::kStar;
    star.expr.span = select->span;
    select->items.push_back(std::move(star));
    return select;
  }
  cursor_.Advance();
  ARROW_ASSIGN_OR_RAISE(select->hints, ParseHints());
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

  if (!is_from_first) ARROW_RETURN_NOT_OK(ParseFromClause(select.get()));
  ARROW_RETURN_NOT_OK(ParseLateralViews(select.get()));
  if (cursor_.AcceptKeyword("WHERE")) {
    ARROW_ASSIGN_OR_RAISE(select->where, ParseExpression());
  }
  if (cursor_.AcceptKeyword("GROUP")) ARROW_RETURN_NOT_OK(ParseGroupBy(select.get()));
  if (cursor_.AcceptKeyword("HAVING")) {
    ARROW_ASSIGN_OR_RAISE(select->having, ParseExpression());
  }
  if (IsQualifyClause()) {
    cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(select->qualify, ParseExpression());
  }
  if (IsWindowClause()) ARROW_RETURN_NOT_OK(ParseWindowClause(select.get()));
  if (is_from_first && cursor_.IsKeyword("SELECT")) {
    return Refuse("SEVERAL_SELECTS", "a second SELECT behind one FROM");
  }
  select->span = {begin, cursor_.previous_end()};
  return select;
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

arrow::Status Parser::ParseGroupBy(Select* select) {
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("BY"));
  if (cursor_.IsKeyword("ALL") && !cursor_.IsSymbol(",", 1) &&
      (CanFollowOperand(1) || IsClauseStart(1))) {
    cursor_.Advance();
    select->group_by_all = true;
    return arrow::Status::OK();
  }
  const int32_t begin = cursor_.Peek().span.begin;
  do {
    ARROW_ASSIGN_OR_RAISE(GroupingElement element, ParseGroupingElement(/*is_nested=*/false));
    select->group_by.push_back(std::move(element));
  } while (cursor_.AcceptSymbol(","));
  GroupingElement whole;
  if (cursor_.IsKeyword("WITH") && cursor_.IsKeyword("ROLLUP", 1)) {
    whole.kind = GroupingElement::Kind::kRollup;
    cursor_.Advance();
    cursor_.Advance();
    whole.elements = std::move(select->group_by);
  } else if (cursor_.IsKeyword("WITH") && cursor_.IsKeyword("CUBE", 1)) {
    whole.kind = GroupingElement::Kind::kCube;
    cursor_.Advance();
    cursor_.Advance();
    whole.elements = std::move(select->group_by);
  } else if (cursor_.IsKeyword("GROUPING") && cursor_.IsKeyword("SETS", 1)) {
    ARROW_ASSIGN_OR_RAISE(whole, ParseGroupingElement(/*is_nested=*/false));
    for (GroupingElement& element : select->group_by) {
      for (AstExpr& expr : element.exprs) whole.exprs.push_back(std::move(expr));
    }
  } else {
    return arrow::Status::OK();
  }
  for (const GroupingElement& element : whole.elements) {
    const bool is_analytic = whole.kind != GroupingElement::Kind::kGroupingSets &&
                             element.kind != GroupingElement::Kind::kSet;
    if (is_analytic) {
      return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR",
                       "Syntax error: ROLLUP, CUBE and GROUPING SETS do not go with WITH ROLLUP "
                       "or WITH CUBE",
                       element.span);
    }
  }
  whole.span = {begin, cursor_.previous_end()};
  select->group_by.clear();
  select->group_by.push_back(std::move(whole));
  return arrow::Status::OK();
}

// An expression, ROLLUP(...), CUBE(...) or GROUPING SETS (...); inside one of the latter also a set
// "(a, b)" or "()".
arrow::Result<GroupingElement> Parser::ParseGroupingElement(bool is_nested) {
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  GroupingElement element;
  const int32_t begin = cursor_.Peek().span.begin;
  const bool is_rollup = cursor_.IsKeyword("ROLLUP") && cursor_.IsSymbol("(", 1);
  const bool is_cube = cursor_.IsKeyword("CUBE") && cursor_.IsSymbol("(", 1);
  const bool is_sets = cursor_.IsKeyword("GROUPING") && cursor_.IsKeyword("SETS", 1);
  if (is_rollup || is_cube || is_sets) {
    element.kind = is_rollup ? GroupingElement::Kind::kRollup
                   : is_cube ? GroupingElement::Kind::kCube
                             : GroupingElement::Kind::kGroupingSets;
    cursor_.Advance();
    if (is_sets) cursor_.Advance();
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    do {
      ARROW_ASSIGN_OR_RAISE(GroupingElement part, is_sets ? ParseGroupingElement(/*is_nested=*/true)
                                                          : ParseGroupingSet());
      element.elements.push_back(std::move(part));
    } while (cursor_.AcceptSymbol(","));
    if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  } else if (is_nested) {
    return ParseGroupingSet();
  } else {
    ARROW_ASSIGN_OR_RAISE(AstExpr expr, ParseExpression());
    element.exprs.push_back(std::move(expr));
  }
  element.span = {begin, cursor_.previous_end()};
  return element;
}

// a | (a, b) | ()
arrow::Result<GroupingElement> Parser::ParseGroupingSet() {
  GroupingElement set;
  const int32_t begin = cursor_.Peek().span.begin;
  if (cursor_.IsSymbol("(") && cursor_.IsSymbol(")", 1)) {
    cursor_.Advance();
    cursor_.Advance();
  } else {
    const bool is_list = cursor_.IsSymbol("(");
    ARROW_ASSIGN_OR_RAISE(AstExpr expr, ParseExpression());
    if (is_list && expr.kind == AstExpr::Kind::kCall && expr.is_tuple && expr.span.begin == begin) {
      set.exprs = std::move(expr.args);
    } else {
      set.exprs.push_back(std::move(expr));
    }
  }
  set.span = {begin, cursor_.previous_end()};
  return set;
}

}  // namespace tidemill::driver::sql
