#include <fmt/format.h>

#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "common/base/ascii.h"
#include "driver/sql/grammar/parser_impl.h"

namespace tidemill::driver::sql {

namespace {

// Errors: a suffixed literal outside its type.
arrow::Status CheckRange(const AstExpr& number) {
  const auto refuse = [&](std::string_view type, std::string_view lowest,
                          std::string_view highest) {
    return MakeError(
        ErrorKind::kInvalid, "INVALID_NUMERIC_LITERAL_RANGE",
        fmt::format("Numeric literal {} is outside the valid range for \"{}\" with minimum value "
                    "of {} and maximum value of {}. Adjust the value accordingly",
                    number.text, type, lowest, highest),
        number.span);
  };
  if (number.kind == AstExpr::Kind::kDouble) {
    if (number.literal_type == "F") {
      if (std::isinf(std::strtof(number.text.c_str(), nullptr))) {
        return refuse("FLOAT", "-3.4028234663852886E+38", "3.4028234663852886E+38");
      }
    } else if (std::isinf(std::strtod(number.text.c_str(), nullptr))) {
      return refuse("DOUBLE", "-1.7976931348623157E+308", "1.7976931348623157E+308");
    }
    return arrow::Status::OK();
  }
  if (number.kind != AstExpr::Kind::kInteger || number.literal_type.empty()) {
    return arrow::Status::OK();
  }
  errno = 0;
  const long long value = std::strtoll(number.text.c_str(), nullptr, 10);
  const bool overflows = errno == ERANGE;
  if (number.literal_type == "Y" && (overflows || value < -128 || value > 127)) {
    return refuse("TINYINT", "-128", "127");
  }
  if (number.literal_type == "S" && (overflows || value < -32768 || value > 32767)) {
    return refuse("SMALLINT", "-32768", "32767");
  }
  if (number.literal_type == "L" && overflows) {
    return refuse("BIGINT", "-9223372036854775808", "9223372036854775807");
  }
  return arrow::Status::OK();
}

bool IsIntervalUnit(const TokenCursor& cursor, size_t ahead) {
  const Token& token = cursor.Peek(ahead);
  if (token.kind != TokenKind::kWord) return false;
  std::string unit = AsciiLower(token.text);
  if (unit.back() == 's') unit.pop_back();
  return unit == "year" || unit == "month" || unit == "week" || unit == "day" || unit == "hour" ||
         unit == "minute" || unit == "second" || unit == "millisecond" || unit == "microsecond" ||
         unit == "nanosecond";
}

// How many tokens the signed value of an interval takes; 0 where there is none.
size_t LengthOfIntervalValue(const TokenCursor& cursor, size_t ahead) {
  const size_t sign = cursor.IsSymbol("-", ahead) || cursor.IsSymbol("+", ahead) ? 1 : 0;
  const TokenKind kind = cursor.Peek(ahead + sign).kind;
  const bool is_value =
      kind == TokenKind::kInteger || kind == TokenKind::kDecimal || kind == TokenKind::kString;
  return is_value ? sign + 1 : 0;
}

}  // namespace

arrow::Result<AstExpr> Parser::ParsePrimary() {
  const Token& token = cursor_.Peek();
  if (const size_t length = LengthOfLambdaHead()) return ParseLambda(length);
  switch (token.kind) {
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kDouble:
      return ParseNumber(token.span.begin, /*is_negative=*/false);
    case TokenKind::kString:
      return ParseString();
    case TokenKind::kWord:
      return ParseWordPrimary();
    case TokenKind::kQuotedName:
      return ParseNameOrCall();
    case TokenKind::kHint:
    case TokenKind::kSymbol:
      if (token.text == "(") return ParseParenthesised();
      if (token.text == "?") return ParseParameter();
      if (token.text == ":" && IsName(1)) return ParseParameter();
      break;
    case TokenKind::kEnd:
      break;
  }
  return cursor_.Unexpected("an expression");
}

arrow::Result<AstExpr> Parser::ParseWordPrimary() {
  const Token& token = cursor_.Peek();
  const Token& next = cursor_.Peek(1);
  const bool has_parenthesis = cursor_.IsSymbol("(", 1);
  AstExpr literal;
  if (cursor_.AcceptKeyword("NULL")) return Finish(std::move(literal), token.span.begin);
  if (cursor_.IsAnyKeyword({"TRUE", "FALSE"})) {
    literal.kind = AstExpr::Kind::kBool;
    literal.text = AsciiLower(cursor_.Advance().text);
    return Finish(std::move(literal), token.span.begin);
  }
  if (cursor_.IsKeyword("CASE") && !CanFollowOperand(1)) return ParseCase();
  if (cursor_.IsKeyword("CASE") && cursor_.IsKeyword("WHEN", 1)) return ParseCase();
  if (cursor_.IsKeyword("EXISTS") && has_parenthesis && IsSubqueryStart(2)) {
    cursor_.Advance();
    cursor_.Advance();
    return ParseSubquery(AstExpr::Kind::kExists, {}, token.span.begin);
  }
  if (IsInterval()) return ParseInterval();
  if (next.kind == TokenKind::kString && IsName()) return ParseTypedLiteral();
  if (!IsName()) {
    return cursor_.Unexpected("an expression", {"SELECT", "CASE", "CAST", "NOT", "NULL"});
  }
  return ParseNameOrCall();
}

arrow::Result<AstExpr> Parser::ParseNumber(int32_t begin, bool is_negative) {
  const Token& token = cursor_.Advance();
  AstExpr number;
  number.kind = token.kind == TokenKind::kInteger   ? AstExpr::Kind::kInteger
                : token.kind == TokenKind::kDecimal ? AstExpr::Kind::kDecimal
                                                    : AstExpr::Kind::kDouble;
  number.text = (is_negative ? "-" : "") + token.value;
  number.literal_type = token.suffix;
  ARROW_ASSIGN_OR_RAISE(number, Finish(std::move(number), begin));
  ARROW_RETURN_NOT_OK(CheckRange(number));
  return number;
}

// Strings side by side are one, as in Spark.
arrow::Result<AstExpr> Parser::ParseString() {
  const int32_t begin = cursor_.Peek().span.begin;
  AstExpr literal;
  literal.kind = AstExpr::Kind::kString;
  while (cursor_.Peek().kind == TokenKind::kString) literal.text += cursor_.Advance().value;
  return Finish(std::move(literal), begin);
}

arrow::Result<AstExpr> Parser::ParseTypedLiteral() {
  const Token& keyword = cursor_.Advance();
  AstExpr literal;
  literal.kind = AstExpr::Kind::kTypedLiteral;
  literal.name = AsciiLower(keyword.text);
  literal.text = cursor_.Advance().value;
  if (literal.name != "date" && literal.name != "timestamp" && literal.name != "timestamp_ntz" &&
      literal.name != "timestamp_ltz" && literal.name != "x") {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_TYPED_LITERAL",
                     fmt::format("Literals of the type \"{}\" are not supported. Supported types "
                                 "are \"DATE\", \"TIMESTAMP_NTZ\", \"TIMESTAMP_LTZ\", "
                                 "\"TIMESTAMP\", \"INTERVAL\", \"X\"",
                                 keyword.text),
                     keyword.span);
  }
  return Finish(std::move(literal), keyword.span.begin);
}

// INTERVAL is a name unless a value follows: a string, or a number with a unit.
bool Parser::IsInterval() const {
  if (!cursor_.IsKeyword("INTERVAL")) return false;
  const size_t length = LengthOfIntervalValue(cursor_, 1);
  if (length == 0) return false;
  return cursor_.Peek(1).kind == TokenKind::kString || IsIntervalUnit(cursor_, 1 + length);
}

arrow::Result<AstExpr> Parser::ParseInterval() {
  const Token& keyword = cursor_.Advance();
  while (const size_t length = LengthOfIntervalValue(cursor_, 0)) {
    const bool has_unit = IsIntervalUnit(cursor_, length);
    if (!has_unit && cursor_.previous_end() != keyword.span.end) break;
    for (size_t i = 0; i < length + has_unit; ++i) cursor_.Advance();
    if (has_unit && cursor_.IsKeyword("TO") && IsIntervalUnit(cursor_, 1)) {
      cursor_.Advance();
      cursor_.Advance();
      break;
    }
    if (!has_unit) break;
  }
  AstExpr interval;
  interval.kind = AstExpr::Kind::kInterval;
  const std::string_view written =
      text_.substr(keyword.span.end, cursor_.previous_end() - keyword.span.end);
  const size_t first = written.find_first_not_of(" \t\r\n");
  interval.text = std::string(written.substr(first == std::string_view::npos ? 0 : first));
  return Finish(std::move(interval), keyword.span.begin);
}

arrow::Result<AstExpr> Parser::ParseCase() {
  AstExpr expr;
  expr.kind = AstExpr::Kind::kCall;
  expr.name = "case";
  const int32_t begin = cursor_.Advance().span.begin;
  if (!cursor_.IsKeyword("WHEN")) {
    ARROW_ASSIGN_OR_RAISE(AstExpr operand, ParseExpression());
    expr.args.push_back(std::move(operand));
    expr.has_operand = true;
  }
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("WHEN"));
  do {
    ARROW_ASSIGN_OR_RAISE(AstExpr when, ParseExpression());
    expr.args.push_back(std::move(when));
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("THEN"));
    ARROW_ASSIGN_OR_RAISE(AstExpr then, ParseExpression());
    expr.args.push_back(std::move(then));
  } while (cursor_.AcceptKeyword("WHEN"));
  if (cursor_.AcceptKeyword("ELSE")) {
    ARROW_ASSIGN_OR_RAISE(AstExpr otherwise, ParseExpression());
    expr.args.push_back(std::move(otherwise));
    expr.has_else = true;
  }
  if (!cursor_.AcceptKeyword("END")) {
    return cursor_.Unexpected("WHEN, ELSE or END", {"WHEN", "ELSE", "END"});
  }
  return Finish(std::move(expr), begin);
}

arrow::Result<AstExpr> Parser::ParseParenthesised() {
  const int32_t begin = cursor_.Advance().span.begin;
  if (IsSubqueryStart()) return ParseSubquery(AstExpr::Kind::kSubquery, {}, begin);
  SelectItem first;
  ARROW_ASSIGN_OR_RAISE(first.expr, ParseExpression());
  if (first.expr.kind == AstExpr::Kind::kSubquery && IsQueryContinued()) {
    ARROW_ASSIGN_OR_RAISE(Query query, ContinueQuery(std::move(*first.expr.query)));
    ARROW_RETURN_NOT_OK(CloseQuery());
    first.expr.query = std::make_shared<Query>(std::move(query));
    return Finish(std::move(first.expr), begin);
  }
  if (cursor_.AcceptSymbol(")")) {
    first.expr.span = {begin, cursor_.previous_end()};
    return std::move(first.expr);
  }
  if (cursor_.AcceptKeyword("AS")) {
    ARROW_ASSIGN_OR_RAISE(first.alias, ParseIdentifier("a name"));
  }
  if (!cursor_.IsSymbol(",")) {
    return cursor_.Unexpected("',' or ')'", {"AND", "OR", "LIKE", "RLIKE", "BETWEEN"});
  }
  std::vector<SelectItem> items;
  items.push_back(std::move(first));
  ARROW_ASSIGN_OR_RAISE(AstExpr tuple, FinishStruct(std::move(items), begin));
  tuple.is_tuple = true;
  return tuple;
}

// :name or ?
arrow::Result<AstExpr> Parser::ParseParameter() {
  AstExpr parameter;
  parameter.kind = AstExpr::Kind::kParameter;
  const Token& mark = cursor_.Advance();
  if (mark.text == "?") {
    parameter.text = std::to_string(num_markers_++);
  } else {
    ARROW_ASSIGN_OR_RAISE(parameter.name, ParseIdentifier("the name of a parameter"));
  }
  return Finish(std::move(parameter), mark.span.begin);
}

// Behind the opening parenthesis of a query; reads the closing one too.
arrow::Result<AstExpr> Parser::ParseSubquery(AstExpr::Kind kind, std::vector<AstExpr> args,
                                             int32_t begin) {
  AstExpr subquery;
  subquery.kind = kind;
  subquery.args = std::move(args);
  ARROW_ASSIGN_OR_RAISE(Query query, ParseQuery());
  ARROW_RETURN_NOT_OK(CloseQuery());
  subquery.query = std::make_shared<Query>(std::move(query));
  return Finish(std::move(subquery), begin);
}

arrow::Result<AstExpr> Parser::ParseNameOrCall() {
  const Token& first = cursor_.Peek();
  const bool is_plain_word = first.kind == TokenKind::kWord;
  AstExpr name;
  name.kind = AstExpr::Kind::kName;
  if (IsIdentifierClause()) {
    ARROW_ASSIGN_OR_RAISE(name.parts, ParseIdentifierClause());
  } else {
    ARROW_ASSIGN_OR_RAISE(std::string part, ParseIdentifier("an expression"));
    name.parts.push_back(std::move(part));
  }
  while (cursor_.IsSymbol(".") && (cursor_.Peek(1).kind == TokenKind::kWord ||
                                   cursor_.Peek(1).kind == TokenKind::kQuotedName)) {
    cursor_.Advance();
    const Token& token = cursor_.Advance();
    name.parts.push_back(token.kind == TokenKind::kQuotedName ? token.value
                                                              : std::string(token.text));
  }
  if (!cursor_.IsSymbol("(")) return Finish(std::move(name), first.span.begin);
  cursor_.Advance();
  std::string function = AsciiLower(name.parts[0]);
  for (size_t i = 1; i < name.parts.size(); ++i) function += "." + AsciiLower(name.parts[i]);
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  if (is_plain_word && name.parts.size() == 1) {
    if (function == "cast" || function == "try_cast") {
      return ParseCast(std::move(function), first.span.begin);
    }
    if (function == "extract") return ParseExtract(first.span.begin);
    if (function == "position") return ParsePosition(first.span.begin);
    if (function == "substring" || function == "substr") {
      return ParseSubstring(std::move(function), first.span.begin);
    }
    if (function == "trim") return ParseTrim(first.span.begin);
    if (function == "overlay") return ParseOverlay(first.span.begin);
    if (function == "struct") return ParseStruct(first.span.begin);
  }
  return ParseCall(std::move(function), first.span.begin);
}

arrow::Result<AstExpr> Parser::ParseItemOrStar() {
  size_t ahead = 0;
  while (cursor_.IsSymbol(".", ahead + 1) && (cursor_.Peek(ahead).kind == TokenKind::kWord ||
                                              cursor_.Peek(ahead).kind == TokenKind::kQuotedName)) {
    ahead += 2;
  }
  if (!cursor_.IsSymbol("*", ahead)) return ParseExpression();
  AstExpr star;
  star.kind = AstExpr::Kind::kStar;
  const int32_t begin = cursor_.Peek().span.begin;
  for (size_t i = 0; i < ahead; i += 2) {
    const Token& token = cursor_.Advance();
    star.parts.push_back(token.kind == TokenKind::kQuotedName ? token.value
                                                              : std::string(token.text));
    cursor_.Advance();
  }
  cursor_.Advance();
  if (cursor_.IsKeyword("EXCEPT") && cursor_.IsSymbol("(", 1) && !IsSubqueryStart(2)) {
    ARROW_RETURN_NOT_OK(ParseStarExcept(&star));
  }
  return Finish(std::move(star), begin);
}

// * EXCEPT (a, b.c)
arrow::Status Parser::ParseStarExcept(AstExpr* star) {
  cursor_.Advance();
  cursor_.Advance();
  do {
    AstExpr name;
    name.kind = AstExpr::Kind::kName;
    const int32_t begin = cursor_.Peek().span.begin;
    do {
      ARROW_ASSIGN_OR_RAISE(std::string part, ParseIdentifier("a column name"));
      name.parts.push_back(std::move(part));
    } while (cursor_.AcceptSymbol("."));
    ARROW_ASSIGN_OR_RAISE(name, Finish(std::move(name), begin));
    star->args.push_back(std::move(name));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  return arrow::Status::OK();
}

}  // namespace tidemill::driver::sql
