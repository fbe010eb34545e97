#include <utility>

#include "driver/sql/grammar/parser_impl.h"

// What may stand behind f(...): WITHIN GROUP, FILTER, IGNORE NULLS, OVER; and the WINDOW clause.
namespace tidemill::driver::sql {

arrow::Result<AstExpr> Parser::ParseCallClauses(AstExpr call) {
  const int32_t begin = call.span.begin;
  CallClauses clauses;
  if (call.clauses != nullptr) clauses = *call.clauses;
  bool is_plain = call.clauses == nullptr;
  if (cursor_.IsKeyword("WITHIN") && cursor_.IsKeyword("GROUP", 1)) {
    is_plain = false;
    cursor_.Advance();
    cursor_.Advance();
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("ORDER"));
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("BY"));
    ARROW_ASSIGN_OR_RAISE(clauses.within_group, ParseOrderItems());
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  }
  if (cursor_.IsKeyword("FILTER") && cursor_.IsSymbol("(", 1)) {
    is_plain = false;
    cursor_.Advance();
    cursor_.Advance();
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("WHERE"));
    ARROW_ASSIGN_OR_RAISE(clauses.filter, ParseExpression());
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  }
  if (cursor_.IsAnyKeyword({"IGNORE", "RESPECT"}) && cursor_.IsKeyword("NULLS", 1)) {
    is_plain = false;
    clauses.ignore_nulls = cursor_.IsKeyword("IGNORE");
    cursor_.Advance();
    cursor_.Advance();
  }
  if (cursor_.IsKeyword("OVER") && (cursor_.IsSymbol("(", 1) || !CanFollowOperand(1))) {
    is_plain = false;
    cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(clauses.over, ParseWindowSpec());
  }
  if (is_plain) return call;
  call.clauses = std::make_shared<const CallClauses>(std::move(clauses));
  return Finish(std::move(call), begin);
}

// name | (name) | ([PARTITION BY ...] [ORDER BY ...] [frame])
arrow::Result<WindowSpec> Parser::ParseWindowSpec() {
  WindowSpec spec;
  const int32_t begin = cursor_.Peek().span.begin;
  const bool is_name_only = !cursor_.IsSymbol("(");
  if (is_name_only || (IsName(1) && cursor_.IsSymbol(")", 2))) {
    if (!is_name_only) cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(spec.name, ParseIdentifier("'(' or the name of a window"));
    if (!is_name_only) cursor_.Advance();
    spec.span = {begin, cursor_.previous_end()};
    return spec;
  }
  cursor_.Advance();
  const bool is_cluster = cursor_.IsKeyword("CLUSTER") && cursor_.IsKeyword("BY", 1);
  if (is_cluster ||
      (cursor_.IsAnyKeyword({"PARTITION", "DISTRIBUTE"}) && cursor_.IsKeyword("BY", 1))) {
    cursor_.Advance();
    cursor_.Advance();
    do {
      ARROW_ASSIGN_OR_RAISE(AstExpr key, ParseExpression());
      spec.partition_by.push_back(std::move(key));
    } while (cursor_.AcceptSymbol(","));
  }
  if (!is_cluster && cursor_.IsAnyKeyword({"ORDER", "SORT"}) && cursor_.IsKeyword("BY", 1)) {
    cursor_.Advance();
    cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(spec.order_by, ParseOrderItems());
  }
  if (cursor_.IsAnyKeyword({"ROWS", "RANGE"})) {
    ARROW_ASSIGN_OR_RAISE(spec.frame, ParseWindowFrame());
  }
  if (!cursor_.AcceptSymbol(")")) {
    return cursor_.Unexpected("PARTITION BY, ORDER BY, a frame or ')'",
                              {"PARTITION", "ORDER", "ROWS", "RANGE"});
  }
  spec.span = {begin, cursor_.previous_end()};
  return spec;
}

arrow::Result<WindowFrame> Parser::ParseWindowFrame() {
  WindowFrame frame;
  const int32_t begin = cursor_.Peek().span.begin;
  frame.is_rows = cursor_.IsKeyword("ROWS");
  cursor_.Advance();
  const bool has_end = cursor_.AcceptKeyword("BETWEEN");
  ARROW_ASSIGN_OR_RAISE(frame.begin, ParseFrameBound());
  if (has_end) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("AND"));
    ARROW_ASSIGN_OR_RAISE(frame.end, ParseFrameBound());
  } else {
    frame.end.kind = FrameBound::Kind::kCurrentRow;
    frame.end.span = frame.begin.span;
  }
  frame.span = {begin, cursor_.previous_end()};
  return frame;
}

arrow::Result<FrameBound> Parser::ParseFrameBound() {
  FrameBound bound;
  const int32_t begin = cursor_.Peek().span.begin;
  if (cursor_.IsKeyword("CURRENT") && cursor_.IsKeyword("ROW", 1)) {
    cursor_.Advance();
    cursor_.Advance();
    bound.kind = FrameBound::Kind::kCurrentRow;
    bound.span = {begin, cursor_.previous_end()};
    return bound;
  }
  const bool is_unbounded =
      cursor_.IsKeyword("UNBOUNDED") && cursor_.IsAnyKeyword({"PRECEDING", "FOLLOWING"}, 1);
  if (is_unbounded) {
    cursor_.Advance();
  } else {
    ARROW_ASSIGN_OR_RAISE(bound.offset, ParseExpression());
  }
  if (cursor_.AcceptKeyword("PRECEDING")) {
    bound.kind =
        is_unbounded ? FrameBound::Kind::kUnboundedPreceding : FrameBound::Kind::kPreceding;
  } else if (cursor_.AcceptKeyword("FOLLOWING")) {
    bound.kind =
        is_unbounded ? FrameBound::Kind::kUnboundedFollowing : FrameBound::Kind::kFollowing;
  } else {
    return cursor_.Unexpected("PRECEDING or FOLLOWING", {"PRECEDING", "FOLLOWING"});
  }
  bound.span = {begin, cursor_.previous_end()};
  return bound;
}

bool Parser::IsWindowClause(size_t ahead) const {
  return cursor_.IsKeyword("WINDOW", ahead) && cursor_.IsKeyword("AS", ahead + 2);
}

// WINDOW a AS (...), b AS (...)
arrow::Status Parser::ParseWindowClause(Select* select) {
  cursor_.Advance();
  do {
    NamedWindow window;
    const Span span = cursor_.Peek().span;
    ARROW_ASSIGN_OR_RAISE(window.name, ParseIdentifier("the name of a window"));
    for (const NamedWindow& known : select->windows) {
      if (!EqualsIgnoreCase(known.name, window.name)) continue;
      return MakeError(
          ErrorKind::kInvalid, "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION",
          "Invalid SQL syntax: The definition of window `" + window.name + "` is repetitive.",
          span);
    }
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("AS"));
    ARROW_ASSIGN_OR_RAISE(window.spec, ParseWindowSpec());
    select->windows.push_back(std::move(window));
  } while (cursor_.AcceptSymbol(","));
  return arrow::Status::OK();
}

}  // namespace tidemill::driver::sql
