#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "driver/sql/grammar/parser_impl.h"

namespace tidemill::driver::sql {

arrow::Result<std::unique_ptr<Query>> Parser::ParseStatement() {
  if (cursor_.IsEnd() || (cursor_.IsSymbol(";") && cursor_.IsEnd(1))) {
    return MakeError(ErrorKind::kInvalid, "PARSE_EMPTY_STATEMENT",
                     "Syntax error, unexpected empty statement", cursor_.Peek().span);
  }
  ARROW_ASSIGN_OR_RAISE(std::unique_ptr<Query> query, ParseWholeQuery());
  while (cursor_.AcceptSymbol(";")) {
  }
  if (!cursor_.IsEnd()) return cursor_.Unexpected("the end of the query");
  return query;
}

arrow::Result<std::unique_ptr<Query>> Parser::ParseWholeQuery() {
  ARROW_ASSIGN_OR_RAISE(Query query, ParseQuery());
  ARROW_RETURN_NOT_OK(ExpectQueryEnd(/*in_parentheses=*/false));
  return std::make_unique<Query>(std::move(query));
}

arrow::Result<Query> Parser::ParseQuery() {
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  const int32_t begin = cursor_.Peek().span.begin;
  const int32_t outer = std::exchange(tallest_, 0);
  std::vector<CommonTable> with;
  if (cursor_.IsKeyword("WITH")) {
    ARROW_ASSIGN_OR_RAISE(with, ParseWith());
  }
  ARROW_ASSIGN_OR_RAISE(Query query, ParseSetOperation(/*level=*/0));
  ARROW_ASSIGN_OR_RAISE(query, ParseOrganization(std::move(query)));
  if (!with.empty()) {
    if (!query.with.empty()) query = Enclose(std::move(query));
    query.with = std::move(with);
  }
  return MeasureQuery(std::move(query), begin, outer);
}

// "(a) UNION b": what stands behind a query in parentheses that was read as an expression or a
// relation.
arrow::Result<Query> Parser::ContinueQuery(Query left) {
  const int32_t begin = left.span.begin;
  const int32_t outer = std::exchange(tallest_, left.height);
  ARROW_ASSIGN_OR_RAISE(Query query, ContinueSetOperation(std::move(left), /*level=*/1));
  ARROW_ASSIGN_OR_RAISE(query, ContinueSetOperation(std::move(query), /*level=*/0));
  ARROW_ASSIGN_OR_RAISE(query, ParseOrganization(std::move(query)));
  return MeasureQuery(std::move(query), begin, outer);
}

bool Parser::IsQueryContinued() const { return PeekSetOperator() || IsOrganization(); }

// `outer`: the tallest tree of the query around this one.
arrow::Result<Query> Parser::MeasureQuery(Query query, int32_t begin, int32_t outer) {
  query.span = {begin, cursor_.previous_end()};
  query.height = tallest_ + 1;
  tallest_ = std::max(outer, query.height);
  ARROW_RETURN_NOT_OK(CheckNesting(query.height, query.span));
  return query;
}

// WITH a [(x, y)] [AS] (query), b AS (query), ...
arrow::Result<std::vector<CommonTable>> Parser::ParseWith() {
  cursor_.Advance();
  if (cursor_.IsKeyword("RECURSIVE") && IsName(1)) {
    return Refuse("RECURSIVE_CTE", "WITH RECURSIVE");
  }
  std::vector<CommonTable> tables;
  do {
    CommonTable table;
    table.span = cursor_.Peek().span;
    ARROW_ASSIGN_OR_RAISE(table.name, ParseIdentifier("a name for the query"));
    const auto is_same = [&](const CommonTable& known) {
      return EqualsIgnoreCase(known.name, table.name);
    };
    if (std::any_of(tables.begin(), tables.end(), is_same)) {
      return MakeError(ErrorKind::kInvalid, "DUPLICATED_CTE_NAMES",
                       fmt::format("CTE definition can't have duplicate names: `{}`.", table.name),
                       table.span);
    }
    if (cursor_.IsSymbol("(") && !IsSubqueryStart(1)) {
      ARROW_ASSIGN_OR_RAISE(table.column_aliases, ParseAliasList());
    }
    cursor_.AcceptKeyword("AS");
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    ARROW_ASSIGN_OR_RAISE(Query query, ParseQuery());
    ARROW_RETURN_NOT_OK(CloseQuery());
    table.query = std::make_unique<Query>(std::move(query));
    tables.push_back(std::move(table));
  } while (cursor_.AcceptSymbol(","));
  return tables;
}

std::optional<SetOperator> Parser::PeekSetOperator() const {
  if (cursor_.IsKeyword("UNION")) return SetOperator::kUnion;
  if (cursor_.IsKeyword("INTERSECT")) return SetOperator::kIntersect;
  if (cursor_.IsAnyKeyword({"EXCEPT", "MINUS", "SETMINUS"})) return SetOperator::kExcept;
  return std::nullopt;
}

// INTERSECT (level 1) binds tighter than UNION and EXCEPT (level 0); equal ones go left to right.
arrow::Result<Query> Parser::ParseSetOperation(int level) {
  ARROW_ASSIGN_OR_RAISE(Query query,
                        level == 0 ? ParseSetOperation(/*level=*/1) : ParseQueryPrimary());
  return ContinueSetOperation(std::move(query), level);
}

arrow::Result<Query> Parser::ContinueSetOperation(Query left, int level) {
  int32_t levels = 0;
  bool is_open = false;  // `left` was made here, so that more operands may join it
  while (const auto op = PeekSetOperator()) {
    if ((*op == SetOperator::kIntersect) != (level == 1)) break;
    cursor_.Advance();
    const bool is_all = cursor_.AcceptKeyword("ALL");
    if (!is_all) cursor_.AcceptKeyword("DISTINCT");
    if (cursor_.IsKeyword("BY") && cursor_.IsKeyword("NAME", 1)) {
      return Refuse("UNION_BY_NAME", "a set operation BY NAME", 2);
    }
    ARROW_ASSIGN_OR_RAISE(Query right,
                          level == 0 ? ParseSetOperation(/*level=*/1) : ParseQueryPrimary());
    if (!is_open || left.set_operator != *op || left.is_all != is_all) {
      Query joined;
      joined.span = left.span;
      joined.set_operator = *op;
      joined.is_all = is_all;
      joined.operands.push_back(std::move(left));
      left = std::move(joined);
      is_open = true;
      ARROW_RETURN_NOT_OK(CheckNesting(++levels, right.span));
      ++tallest_;
    }
    left.operands.push_back(std::move(right));
    left.span.end = cursor_.previous_end();
  }
  return left;
}

// A query that can be an operand: SELECT, VALUES, TABLE, or any query in parentheses.
arrow::Result<Query> Parser::ParseQueryPrimary() {
  Query query;
  const int32_t begin = cursor_.Peek().span.begin;
  if (cursor_.AcceptSymbol("(")) {
    ARROW_ASSIGN_OR_RAISE(query, ParseQuery());
    ARROW_RETURN_NOT_OK(CloseQuery());
    return query;
  }
  if (cursor_.IsAnyKeyword({"SELECT", "FROM"})) {
    ARROW_ASSIGN_OR_RAISE(query.select, ParseSelect());
  } else if (IsInlineTable()) {
    ARROW_ASSIGN_OR_RAISE(query.values, ParseValues());
  } else if (cursor_.IsKeyword("TABLE") && IsName(1)) {
    ARROW_ASSIGN_OR_RAISE(query.select, ParseTableStatement());
  } else {
    ARROW_RETURN_NOT_OK(RefuseStatement());
    return cursor_.Unexpected("SELECT", {"SELECT", "WITH", "VALUES"});
  }
  query.span = {begin, cursor_.previous_end()};
  return query;
}

// TABLE t is SELECT * FROM t.
arrow::Result<std::unique_ptr<Select>> Parser::ParseTableStatement() {
  auto select = std::make_unique<Select>();
  const int32_t begin = cursor_.Advance().span.begin;
  auto table = std::make_unique<Relation>();
  table->span = cursor_.Peek().span;
  ARROW_ASSIGN_OR_RAISE(table->name, ParseQualifiedName("a table name"));
  table->span.end = cursor_.previous_end();
  select->from = std::move(table);
  select->span = {begin, cursor_.previous_end()};
  SelectItem star;
  star.expr.kind = AstExpr::Kind::kStar;
  star.expr.span = select->span;
  select->items.push_back(std::move(star));
  return select;
}

arrow::Result<std::unique_ptr<InlineTable>> Parser::ParseValues() {
  auto table = std::make_unique<InlineTable>();
  const int32_t begin = cursor_.Advance().span.begin;
  do {
    ARROW_ASSIGN_OR_RAISE(AstExpr expr, ParseExpression());
    std::vector<AstExpr> row;
    const bool is_call = expr.kind == AstExpr::Kind::kCall;
    if (is_call && expr.name == "struct") {
      row = std::move(expr.args);
    } else if (is_call && expr.name == "named_struct") {
      for (size_t i = 1; i < expr.args.size(); i += 2) row.push_back(std::move(expr.args[i]));
    } else {
      row.push_back(std::move(expr));
    }
    table->rows.push_back(std::move(row));
  } while (cursor_.AcceptSymbol(","));
  table->span = {begin, cursor_.previous_end()};
  ARROW_RETURN_NOT_OK(ParseTableAlias(&table->alias, &table->column_aliases));
  return table;
}

// Puts a query where clauses behind its parentheses apply to its whole result.
Query Parser::Enclose(Query query) {
  Query outer;
  outer.span = query.span;
  outer.operands.push_back(std::move(query));
  ++tallest_;
  return outer;
}

// ORDER BY, LIMIT and OFFSET behind a query.
arrow::Result<Query> Parser::ParseOrganization(Query query) {
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  const bool is_organized = !query.order_by.empty() || !query.distribute_by.empty() ||
                            query.order_by_all || query.limit || query.offset ||
                            !query.with.empty();
  const bool is_window = query.select != nullptr && IsWindowClause();
  if (is_organized && (IsOrganization() || is_window)) query = Enclose(std::move(query));
  const int32_t begin = cursor_.Peek().span.begin;
  const bool is_ordered = cursor_.AcceptKeyword("ORDER");
  if (is_ordered) ARROW_RETURN_NOT_OK(ParseOrderBy(&query));
  Query other;
  ARROW_RETURN_NOT_OK(ParseDistribution(is_ordered ? &other : &query));
  if (!other.order_by.empty() || !other.distribute_by.empty()) return Combination(begin);
  if (query.select != nullptr && IsWindowClause()) {
    ARROW_RETURN_NOT_OK(ParseWindowClause(query.select.get()));
  }
  if (cursor_.AcceptKeyword("LIMIT")) {
    if (cursor_.IsKeyword("ALL") && !cursor_.IsSymbol("(", 1)) {
      cursor_.Advance();
    } else {
      ARROW_ASSIGN_OR_RAISE(query.limit, ParseExpression());
    }
  }
  if (IsOffsetClause()) {
    cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(query.offset, ParseExpression());
  }
  return query;
}

bool Parser::IsOrganization(size_t ahead) const {
  const bool is_distribution = cursor_.IsAnyKeyword({"SORT", "CLUSTER", "DISTRIBUTE"}, ahead) &&
                               cursor_.IsKeyword("BY", ahead + 1);
  return is_distribution || cursor_.IsAnyKeyword({"ORDER", "LIMIT"}, ahead) ||
         IsOffsetClause(ahead);
}

// [CLUSTER BY ...] [DISTRIBUTE BY ...] [SORT BY ...], of which CLUSTER BY stands alone.
arrow::Status Parser::ParseDistribution(Query* query) {
  const int32_t begin = cursor_.Peek().span.begin;
  const auto accept = [this](std::string_view keyword) {
    if (!cursor_.IsKeyword(keyword) || !cursor_.IsKeyword("BY", 1)) return false;
    cursor_.Advance();
    cursor_.Advance();
    return true;
  };
  const bool is_cluster = accept("CLUSTER");
  const bool is_distribute = !is_cluster && accept("DISTRIBUTE");
  if (is_cluster || is_distribute) {
    do {
      ARROW_ASSIGN_OR_RAISE(query->distribute_by.emplace_back(), ParseExpression());
    } while (cursor_.AcceptSymbol(","));
  }
  if (is_cluster) {
    for (const AstExpr& key : query->distribute_by) query->order_by.push_back({key});
    if (!accept("DISTRIBUTE") && !accept("SORT")) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(ParseOrderItems().status());
    return Combination(begin);
  }
  if (accept("SORT")) {
    ARROW_ASSIGN_OR_RAISE(query->order_by, ParseOrderItems());
  }
  return arrow::Status::OK();
}

arrow::Status Parser::Combination(int32_t begin) const {
  return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES",
                   "The feature is not supported: Combination of ORDER BY/SORT BY/DISTRIBUTE "
                   "BY/CLUSTER BY.",
                   {begin, cursor_.previous_end()});
}

arrow::Status Parser::ParseOrderBy(Query* query) {
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("BY"));
  const bool is_all =
      cursor_.IsKeyword("ALL") && !cursor_.IsSymbol(",", 1) &&
      (CanFollowOperand(1) || cursor_.IsAnyKeyword({"ASC", "DESC", "NULLS", "OFFSET"}, 1));
  if (!is_all) {
    ARROW_ASSIGN_OR_RAISE(query->order_by, ParseOrderItems());
    return arrow::Status::OK();
  }
  query->order_by_all = true;
  query->all_order.expr.span = cursor_.Advance().span;
  return ParseOrderDirection(&query->all_order);
}

arrow::Result<std::vector<OrderItem>> Parser::ParseOrderItems() {
  std::vector<OrderItem> items;
  do {
    OrderItem item;
    ARROW_ASSIGN_OR_RAISE(item.expr, ParseExpression());
    ARROW_RETURN_NOT_OK(ParseOrderDirection(&item));
    items.push_back(std::move(item));
  } while (cursor_.AcceptSymbol(","));
  return items;
}

arrow::Status Parser::ParseOrderDirection(OrderItem* item) {
  if (cursor_.AcceptKeyword("DESC")) {
    item->descending = true;
  } else {
    cursor_.AcceptKeyword("ASC");
  }
  if (!cursor_.AcceptKeyword("NULLS")) return arrow::Status::OK();
  if (!cursor_.IsAnyKeyword({"FIRST", "LAST"})) {
    return cursor_.Unexpected("FIRST or LAST", {"FIRST", "LAST"});
  }
  item->nulls_first = cursor_.IsKeyword("FIRST");
  cursor_.Advance();
  return arrow::Status::OK();
}

arrow::Status Parser::CloseQuery() {
  ARROW_RETURN_NOT_OK(ExpectQueryEnd(/*in_parentheses=*/true));
  return cursor_.ExpectSymbol(")");
}

arrow::Status Parser::ExpectQueryEnd(bool in_parentheses) {
  if (cursor_.IsEnd() && !in_parentheses) return arrow::Status::OK();
  if (cursor_.IsSymbol(")") && in_parentheses) return arrow::Status::OK();
  if (cursor_.IsSymbol(";") && !in_parentheses) return arrow::Status::OK();
  ARROW_RETURN_NOT_OK(RefuseUnsupportedClause());
  return cursor_.Unexpected(
      in_parentheses ? "the next clause or ')'" : "the next clause or the end of the query",
      {"FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "LATERAL", "UNION", "JOIN", "AND",
       "OR", "LIKE", "RLIKE", "BETWEEN", "EXCEPT", "INTERSECT", "OFFSET", "QUALIFY", "WINDOW"});
}

}  // namespace tidemill::driver::sql
