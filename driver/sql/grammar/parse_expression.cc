#include <utility>

#include "common/base/ascii.h"
#include "driver/sql/grammar/parser_impl.h"

namespace tidemill::driver::sql {

namespace {

// Levels of binary operators. Comparison is the loosest; OR, AND, NOT and predicates are looser
// still and have functions of their own.
enum Level { kComparison, kBitOr, kBitXor, kBitAnd, kShift, kAdditive, kMultiplicative };

}  // namespace

arrow::Result<AstExpr> Parser::ParseWholeExpression() {
  ARROW_ASSIGN_OR_RAISE(AstExpr expr, ParseExpression());
  if (!cursor_.IsEnd()) {
    return cursor_.Unexpected("an operator or the end of the expression",
                              {"AND", "OR", "LIKE", "RLIKE", "BETWEEN"});
  }
  return expr;
}

arrow::Result<AstExpr> Parser::ParseExpression() {
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  std::vector<AstExpr> operands;
  do {
    ARROW_ASSIGN_OR_RAISE(AstExpr operand, ParseConjunction());
    operands.push_back(std::move(operand));
  } while (cursor_.AcceptKeyword("OR"));
  return JoinLogical("or", &operands, 0, operands.size());
}

arrow::Result<AstExpr> Parser::ParseConjunction() {
  std::vector<AstExpr> operands;
  do {
    ARROW_ASSIGN_OR_RAISE(AstExpr operand, ParseNegation());
    operands.push_back(std::move(operand));
  } while (cursor_.AcceptKeyword("AND"));
  return JoinLogical("and", &operands, 0, operands.size());
}

// Joins operands[begin, end) into the balanced tree that Spark makes of them, so that a condition
// of a thousand parts is not a tree of a thousand levels. The order of the operands stays.
arrow::Result<AstExpr> Parser::JoinLogical(std::string_view name, std::vector<AstExpr>* operands,
                                           size_t begin, size_t end) {
  if (end - begin == 1) return std::move((*operands)[begin]);
  const size_t middle = begin + (end - begin + 1) / 2;
  ARROW_ASSIGN_OR_RAISE(AstExpr left, JoinLogical(name, operands, begin, middle));
  ARROW_ASSIGN_OR_RAISE(AstExpr right, JoinLogical(name, operands, middle, end));
  const Span span = {left.span.begin, right.span.end};
  std::vector<AstExpr> args;
  args.push_back(std::move(left));
  args.push_back(std::move(right));
  ARROW_ASSIGN_OR_RAISE(AstExpr call, MakeCall(name, std::move(args), span.begin));
  call.span = span;
  return call;
}

arrow::Result<AstExpr> Parser::ParseNegation() {
  std::vector<int32_t> begins;
  while ((cursor_.IsKeyword("NOT") && (cursor_.IsKeyword("NOT", 1) || !CanFollowOperand(1))) ||
         cursor_.IsSymbol("!")) {
    begins.push_back(cursor_.Advance().span.begin);
  }
  ARROW_ASSIGN_OR_RAISE(AstExpr expr, ParsePredicated());
  for (; !begins.empty(); begins.pop_back()) {
    std::vector<AstExpr> args;
    args.push_back(std::move(expr));
    ARROW_ASSIGN_OR_RAISE(expr, MakeCall("not", std::move(args), begins.back()));
  }
  return expr;
}

// A value with at most one predicate behind it; as in Spark, comparisons bind tighter.
arrow::Result<AstExpr> Parser::ParsePredicated() {
  ARROW_ASSIGN_OR_RAISE(AstExpr left, ParseValue());
  const int32_t begin = left.span.begin;
  const bool is_negated =
      cursor_.IsKeyword("NOT") &&
      cursor_.IsAnyKeyword({"BETWEEN", "IN", "LIKE", "ILIKE", "RLIKE", "REGEXP"}, 1);
  if (is_negated) cursor_.Advance();
  const bool is_quantified = cursor_.IsAnyKeyword({"LIKE", "ILIKE"}) &&
                             cursor_.IsAnyKeyword({"ANY", "SOME", "ALL"}, 1) &&
                             cursor_.IsSymbol("(", 2);
  if (is_quantified) return ParseQuantifiedLike(std::move(left), is_negated);
  ARROW_ASSIGN_OR_RAISE(AstExpr expr, ParsePredicate(std::move(left)));
  if (!is_negated) return expr;
  std::vector<AstExpr> args;
  args.push_back(std::move(expr));
  return MakeCall("not", std::move(args), begin);
}

arrow::Result<AstExpr> Parser::ParsePredicate(AstExpr left) {
  const int32_t begin = left.span.begin;
  if (cursor_.AcceptKeyword("BETWEEN")) {
    std::vector<AstExpr> args;
    args.push_back(std::move(left));
    ARROW_ASSIGN_OR_RAISE(AstExpr low, ParseValue());
    args.push_back(std::move(low));
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("AND"));
    ARROW_ASSIGN_OR_RAISE(AstExpr high, ParseValue());
    args.push_back(std::move(high));
    return MakeCall("between", std::move(args), begin);
  }
  if (cursor_.AcceptKeyword("IN")) return ParseIn(std::move(left));
  if (cursor_.AcceptKeyword("LIKE")) return ParseLike(std::move(left), "like");
  if (cursor_.AcceptKeyword("ILIKE")) return ParseLike(std::move(left), "ilike");
  if (cursor_.AcceptKeyword("RLIKE") || cursor_.AcceptKeyword("REGEXP")) {
    std::vector<AstExpr> args;
    args.push_back(std::move(left));
    ARROW_ASSIGN_OR_RAISE(AstExpr pattern, ParseValue());
    args.push_back(std::move(pattern));
    return MakeCall("rlike", std::move(args), begin);
  }
  if (cursor_.AcceptKeyword("IS")) return ParseIs(std::move(left));
  return left;
}

arrow::Result<AstExpr> Parser::ParseIn(AstExpr left) {
  const int32_t begin = left.span.begin;
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  std::vector<AstExpr> args;
  if (IsSubqueryStart()) {
    if (left.kind == AstExpr::Kind::kCall && left.name == "struct") {
      args = std::move(left.args);
    } else {
      args.push_back(std::move(left));
    }
    return ParseSubquery(AstExpr::Kind::kInSubquery, std::move(args), begin);
  }
  args.push_back(std::move(left));
  do {
    ARROW_ASSIGN_OR_RAISE(AstExpr item, ParseExpression());
    args.push_back(std::move(item));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  return MakeCall("in", std::move(args), begin);
}

arrow::Result<AstExpr> Parser::ParseLike(AstExpr left, std::string_view name) {
  const int32_t begin = left.span.begin;
  std::vector<AstExpr> args;
  args.push_back(std::move(left));
  ARROW_ASSIGN_OR_RAISE(AstExpr pattern, ParseValue());
  args.push_back(std::move(pattern));
  if (cursor_.AcceptKeyword("ESCAPE")) {
    if (cursor_.Peek().kind != TokenKind::kString) {
      return cursor_.Unexpected("a string of one character");
    }
    ARROW_ASSIGN_OR_RAISE(AstExpr escape, ParseString());
    if (escape.text.size() != 1) {
      return MakeError(ErrorKind::kInvalid, "INVALID_ESCAPE_CHAR",
                       "`EscapeChar` should be a string literal of length one", escape.span);
    }
    args.push_back(std::move(escape));
  }
  return MakeCall(name, std::move(args), begin);
}

// x NOT LIKE ALL (a, b) is the call "not like all" of x, a, b.
arrow::Result<AstExpr> Parser::ParseQuantifiedLike(AstExpr left, bool is_negated) {
  const int32_t begin = left.span.begin;
  const std::string like = AsciiLower(cursor_.Advance().text);
  const bool is_all = EqualsIgnoreCase(cursor_.Advance().text, "ALL");
  cursor_.Advance();
  std::vector<AstExpr> args;
  args.push_back(std::move(left));
  do {
    ARROW_ASSIGN_OR_RAISE(AstExpr pattern, ParseExpression());
    args.push_back(std::move(pattern));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  const std::string name = (is_negated ? "not " : "") + like + (is_all ? " all" : " any");
  return MakeCall(name, std::move(args), begin);
}

arrow::Result<AstExpr> Parser::ParseIs(AstExpr left) {
  const int32_t begin = left.span.begin;
  const bool is_negated = cursor_.AcceptKeyword("NOT");
  std::vector<AstExpr> args;
  args.push_back(std::move(left));
  if (cursor_.AcceptKeyword("NULL")) {
    return MakeCall(is_negated ? "isnotnull" : "isnull", std::move(args), begin);
  }
  if (cursor_.AcceptKeyword("UNKNOWN")) {
    return MakeCall(is_negated ? "isnotnull" : "isnull", std::move(args), begin);
  }
  bool is_equality = !is_negated;  // IS TRUE is <=>, but IS DISTINCT FROM is its negation
  if (cursor_.IsAnyKeyword({"TRUE", "FALSE"})) {
    ARROW_ASSIGN_OR_RAISE(AstExpr truth, ParsePrimary());
    args.push_back(std::move(truth));
  } else if (cursor_.AcceptKeyword("DISTINCT")) {
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("FROM"));
    ARROW_ASSIGN_OR_RAISE(AstExpr right, ParseValue());
    args.push_back(std::move(right));
    is_equality = is_negated;
  } else {
    return cursor_.Unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM",
                              {"NULL", "TRUE", "FALSE", "UNKNOWN", "DISTINCT", "NOT"});
  }
  ARROW_ASSIGN_OR_RAISE(AstExpr equality, MakeCall("<=>", std::move(args), begin));
  if (is_equality) return equality;
  std::vector<AstExpr> negated;
  negated.push_back(std::move(equality));
  return MakeCall("not", std::move(negated), begin);
}

std::optional<Parser::BinaryOperator> Parser::PeekBinaryOperator() const {
  const Token& token = cursor_.Peek();
  if (token.kind == TokenKind::kWord) {
    if (cursor_.IsKeyword("DIV") && !CanFollowOperand(1)) {
      return BinaryOperator{"div", kMultiplicative};
    }
    return std::nullopt;
  }
  if (token.kind != TokenKind::kSymbol) return std::nullopt;
  const std::string_view text = token.text;
  const auto follows = [&](std::string_view symbol, size_t ahead) {
    return cursor_.IsSymbol(symbol, ahead) &&
           cursor_.Peek(ahead).span.begin == cursor_.Peek(ahead - 1).span.end;
  };
  if (text == "<" && follows("<", 1)) return BinaryOperator{"<<", kShift, 2};
  if (text == ">" && follows(">", 1)) {
    if (follows(">", 2)) return BinaryOperator{">>>", kShift, 3};
    return BinaryOperator{">>", kShift, 2};
  }
  if (text == "==") return BinaryOperator{"=", kComparison};
  if (text == "<>" || text == "!=") return BinaryOperator{"!=", kComparison};
  if (text == "!>") return BinaryOperator{"<=", kComparison};
  if (text == "!<") return BinaryOperator{">=", kComparison};
  if (text == "=" || text == "<" || text == "<=" || text == ">" || text == ">=" || text == "<=>") {
    return BinaryOperator{text, kComparison};
  }
  if (text == "|") return BinaryOperator{text, kBitOr};
  if (text == "^") return BinaryOperator{text, kBitXor};
  if (text == "&") return BinaryOperator{text, kBitAnd};
  if (text == "+" || text == "-" || text == "||") return BinaryOperator{text, kAdditive};
  if (text == "*" || text == "/" || text == "%") return BinaryOperator{text, kMultiplicative};
  return std::nullopt;
}

arrow::Result<AstExpr> Parser::ParseValue(int lowest_level) {
  ARROW_ASSIGN_OR_RAISE(AstExpr left, ParseUnary());
  while (const auto op = PeekBinaryOperator()) {
    if (op->level < lowest_level) break;
    for (int i = 0; i < op->tokens; ++i) cursor_.Advance();
    ARROW_ASSIGN_OR_RAISE(AstExpr right, ParseValue(op->level + 1));
    const int32_t begin = left.span.begin;
    std::vector<AstExpr> args;
    args.push_back(std::move(left));
    args.push_back(std::move(right));
    ARROW_ASSIGN_OR_RAISE(left, MakeCall(op->name, std::move(args), begin));
  }
  return left;
}

arrow::Result<AstExpr> Parser::ParseUnary() {
  const auto is_number = [](const Token& token) {
    return token.kind == TokenKind::kInteger || token.kind == TokenKind::kDecimal ||
           token.kind == TokenKind::kDouble;
  };
  std::vector<std::pair<std::string_view, int32_t>> operators;
  AstExpr expr;
  while (true) {
    const int32_t begin = cursor_.Peek().span.begin;
    if (cursor_.IsSymbol("-") && is_number(cursor_.Peek(1))) {
      // A sign belongs to the literal, so that the lowest BIGINT can be written.
      cursor_.Advance();
      ARROW_ASSIGN_OR_RAISE(expr, ParseNumber(begin, /*is_negative=*/true));
      break;
    }
    if (cursor_.AcceptSymbol("-")) {
      operators.emplace_back("-", begin);
    } else if (cursor_.AcceptSymbol("+")) {
      operators.emplace_back("positive", begin);
    } else if (cursor_.AcceptSymbol("~")) {
      operators.emplace_back("~", begin);
    } else {
      ARROW_ASSIGN_OR_RAISE(expr, ParsePrimary());
      break;
    }
  }
  ARROW_ASSIGN_OR_RAISE(expr, ParsePostfix(std::move(expr)));
  for (; !operators.empty(); operators.pop_back()) {
    std::vector<AstExpr> args;
    args.push_back(std::move(expr));
    ARROW_ASSIGN_OR_RAISE(
        expr, MakeCall(operators.back().first, std::move(args), operators.back().second));
  }
  return expr;
}

arrow::Result<AstExpr> Parser::ParsePostfix(AstExpr base) {
  while (true) {
    const int32_t begin = base.span.begin;
    if (cursor_.AcceptSymbol("[")) {
      Nesting nesting(this);
      ARROW_RETURN_NOT_OK(nesting.Check());
      std::vector<AstExpr> args;
      args.push_back(std::move(base));
      ARROW_ASSIGN_OR_RAISE(AstExpr index, ParseValue());
      args.push_back(std::move(index));
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("]"));
      ARROW_ASSIGN_OR_RAISE(base, MakeCall("[]", std::move(args), begin));
    } else if (cursor_.AcceptSymbol(".")) {
      const Token& token = cursor_.Peek();
      if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuotedName) {
        return cursor_.Unexpected("a field name");
      }
      cursor_.Advance();
      std::string name =
          token.kind == TokenKind::kQuotedName ? token.value : std::string(token.text);
      if (base.kind == AstExpr::Kind::kName) {
        base.parts.push_back(std::move(name));
        base.span.end = cursor_.previous_end();
        continue;
      }
      AstExpr field;
      field.kind = AstExpr::Kind::kField;
      field.name = std::move(name);
      field.args.push_back(std::move(base));
      ARROW_ASSIGN_OR_RAISE(base, Finish(std::move(field), begin));
    } else if (cursor_.AcceptSymbol("::")) {
      AstExpr cast;
      cast.kind = AstExpr::Kind::kCast;
      cast.name = "cast";
      cast.args.push_back(std::move(base));
      ARROW_RETURN_NOT_OK(ParseType(&cast));
      ARROW_ASSIGN_OR_RAISE(base, Finish(std::move(cast), begin));
    } else if (cursor_.IsKeyword("COLLATE") && IsName(1)) {
      return Refuse("COLLATE", "COLLATE");
    } else if (cursor_.IsSymbol(":")) {
      return Refuse("SEMI_STRUCTURED_ACCESS", "access by ':'");
    } else {
      return base;
    }
  }
}

}  // namespace tidemill::driver::sql
