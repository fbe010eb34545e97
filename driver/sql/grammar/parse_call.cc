#include <fmt/format.h>

#include <utility>

#include "driver/sql/grammar/parser_impl.h"

namespace tidemill::driver::sql {

namespace {

AstExpr StringLiteral(std::string text, Span span) {
  AstExpr literal;
  literal.kind = AstExpr::Kind::kString;
  literal.text = std::move(text);
  literal.span = span;
  return literal;
}

}  // namespace

arrow::Result<AstExpr> Parser::ParseCall(std::string name, int32_t begin) {
  AstExpr call;
  call.kind = AstExpr::Kind::kCall;
  call.name = std::move(name);
  ARROW_RETURN_NOT_OK(ParseArguments(&call));
  ARROW_ASSIGN_OR_RAISE(call, Finish(std::move(call), begin));
  return ParseCallClauses(std::move(call));
}

// Reads up to and with the closing parenthesis.
arrow::Status Parser::ParseArguments(AstExpr* call) {
  if (cursor_.AcceptSymbol(")")) return arrow::Status::OK();
  const bool is_quantifier = !cursor_.IsSymbol(")", 1) && !cursor_.IsSymbol(",", 1);
  if (is_quantifier && cursor_.AcceptKeyword("DISTINCT")) {
    call->is_distinct = true;
  } else if (is_quantifier && cursor_.IsKeyword("ALL")) {
    cursor_.Advance();
  }
  do {
    if (IsSubqueryStart()) return cursor_.Unexpected("'(' before a subquery");
    ARROW_ASSIGN_OR_RAISE(AstExpr arg, ParseArgument());
    call->args.push_back(std::move(arg));
  } while (cursor_.AcceptSymbol(","));
  const bool takes_nulls =
      call->name == "first" || call->name == "last" || call->name == "any_value";
  if (takes_nulls && cursor_.IsKeyword("IGNORE") && cursor_.IsKeyword("NULLS", 1)) {
    cursor_.Advance();
    cursor_.Advance();
    CallClauses clauses;
    clauses.ignore_nulls = true;
    call->clauses = std::make_shared<const CallClauses>(std::move(clauses));
  }
  if (cursor_.AcceptSymbol(")")) return arrow::Status::OK();
  return cursor_.Unexpected("',' or ')'", {"AND", "OR", "LIKE", "BETWEEN"});
}

// An expression, a star, or name => expression.
arrow::Result<AstExpr> Parser::ParseArgument() {
  if (!cursor_.IsSymbol("=>", 1)) return ParseItemOrStar();
  AstExpr argument;
  argument.kind = AstExpr::Kind::kNamedArgument;
  const int32_t begin = cursor_.Peek().span.begin;
  ARROW_ASSIGN_OR_RAISE(argument.name, ParseIdentifier("the name of an argument"));
  cursor_.Advance();
  ARROW_ASSIGN_OR_RAISE(AstExpr value, ParseExpression());
  argument.args.push_back(std::move(value));
  return Finish(std::move(argument), begin);
}

// How many tokens "x ->" or "(x, y) ->" takes; 0 where no lambda function begins here.
size_t Parser::LengthOfLambdaHead() const {
  const auto is_word = [&](size_t ahead) {
    const TokenKind kind = cursor_.Peek(ahead).kind;
    return kind == TokenKind::kWord || kind == TokenKind::kQuotedName;
  };
  if (is_word(0)) return cursor_.IsSymbol("->", 1) ? 2 : 0;
  if (!cursor_.IsSymbol("(")) return 0;
  size_t ahead = 0;
  do {
    if (!is_word(ahead + 1)) return 0;
    ahead += 2;
  } while (cursor_.IsSymbol(",", ahead));
  return cursor_.IsSymbol(")", ahead) && cursor_.IsSymbol("->", ahead + 1) ? ahead + 2 : 0;
}

arrow::Result<AstExpr> Parser::ParseLambda(size_t head_length) {
  AstExpr lambda;
  lambda.kind = AstExpr::Kind::kLambda;
  const int32_t begin = cursor_.Peek().span.begin;
  for (size_t i = 0; i < head_length; ++i) {
    const Token& token = cursor_.Advance();
    if (token.kind == TokenKind::kWord) lambda.parts.emplace_back(token.text);
    if (token.kind == TokenKind::kQuotedName) lambda.parts.push_back(token.value);
  }
  ARROW_ASSIGN_OR_RAISE(AstExpr body, ParseExpression());
  lambda.args.push_back(std::move(body));
  return Finish(std::move(lambda), begin);
}

arrow::Result<AstExpr> Parser::ParseCast(std::string name, int32_t begin) {
  AstExpr cast;
  cast.kind = AstExpr::Kind::kCast;
  cast.name = std::move(name);
  ARROW_ASSIGN_OR_RAISE(AstExpr value, ParseExpression());
  cast.args.push_back(std::move(value));
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("AS"));
  ARROW_RETURN_NOT_OK(ParseType(&cast));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  return Finish(std::move(cast), begin);
}

// extract(field FROM source) is extract('field', source).
arrow::Result<AstExpr> Parser::ParseExtract(int32_t begin) {
  if (!cursor_.IsKeyword("FROM", 1)) return ParseCall("extract", begin);
  const Token& field = cursor_.Advance();
  std::vector<AstExpr> args;
  args.push_back(StringLiteral(
      field.kind == TokenKind::kWord ? std::string(field.text) : field.value, field.span));
  cursor_.Advance();
  ARROW_ASSIGN_OR_RAISE(AstExpr source, ParseValue());
  args.push_back(std::move(source));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  return MakeCall("extract", std::move(args), begin);
}

// position(substring IN text) is locate(substring, text).
arrow::Result<AstExpr> Parser::ParsePosition(int32_t begin) {
  AstExpr call;
  call.kind = AstExpr::Kind::kCall;
  call.name = "position";
  if (!cursor_.IsSymbol(")")) {
    ARROW_ASSIGN_OR_RAISE(AstExpr substring, ParseValue());
    call.args.push_back(std::move(substring));
    if (cursor_.AcceptKeyword("IN")) {
      call.name = "locate";
      ARROW_ASSIGN_OR_RAISE(AstExpr text, ParseValue());
      call.args.push_back(std::move(text));
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
      return Finish(std::move(call), begin);
    }
    if (!cursor_.AcceptSymbol(",")) {
      if (!cursor_.IsSymbol(")")) return cursor_.Unexpected("IN, ',' or ')'", {"IN"});
    }
  }
  ARROW_RETURN_NOT_OK(ParseArguments(&call));
  return Finish(std::move(call), begin);
}

// substring(text FROM position [FOR length]) is substring(text, position[, length]).
arrow::Result<AstExpr> Parser::ParseSubstring(std::string name, int32_t begin) {
  AstExpr call;
  call.kind = AstExpr::Kind::kCall;
  call.name = std::move(name);
  if (!cursor_.IsSymbol(")")) {
    ARROW_ASSIGN_OR_RAISE(AstExpr text, ParseExpression());
    call.args.push_back(std::move(text));
    if (cursor_.AcceptKeyword("FROM")) {
      call.name = "substring";
      ARROW_ASSIGN_OR_RAISE(AstExpr position, ParseExpression());
      call.args.push_back(std::move(position));
      if (cursor_.AcceptKeyword("FOR")) {
        ARROW_ASSIGN_OR_RAISE(AstExpr length, ParseExpression());
        call.args.push_back(std::move(length));
      }
      if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("FOR or ')'", {"FOR"});
      return Finish(std::move(call), begin);
    }
    if (!cursor_.AcceptSymbol(",") && !cursor_.IsSymbol(")")) {
      return cursor_.Unexpected("FROM, ',' or ')'", {"FROM"});
    }
  }
  ARROW_RETURN_NOT_OK(ParseArguments(&call));
  return Finish(std::move(call), begin);
}

// trim([BOTH | LEADING | TRAILING] [characters] FROM text) is trim, ltrim or rtrim of
// ([characters,] text), the order that Spark's functions of these names have.
arrow::Result<AstExpr> Parser::ParseTrim(int32_t begin) {
  const bool is_side = cursor_.IsAnyKeyword({"BOTH", "LEADING", "TRAILING"}) &&
                       (cursor_.IsKeyword("FROM", 1) || !CanFollowOperand(1));
  std::string name = "trim";
  if (is_side) {
    if (cursor_.IsKeyword("LEADING")) name = "ltrim";
    if (cursor_.IsKeyword("TRAILING")) name = "rtrim";
    cursor_.Advance();
  }
  AstExpr call;
  call.kind = AstExpr::Kind::kCall;
  call.name = std::move(name);
  if (!is_side && cursor_.AcceptSymbol(")")) return Finish(std::move(call), begin);
  std::vector<AstExpr> characters;
  if (!cursor_.IsKeyword("FROM")) {
    ARROW_ASSIGN_OR_RAISE(AstExpr first, ParseExpression());
    characters.push_back(std::move(first));
  }
  if (cursor_.AcceptKeyword("FROM")) {
    ARROW_ASSIGN_OR_RAISE(AstExpr text, ParseExpression());
    call.args = std::move(characters);
    call.args.push_back(std::move(text));
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
    return Finish(std::move(call), begin);
  }
  if (is_side) return cursor_.Unexpected("FROM", {"FROM"});
  call.args = std::move(characters);
  if (!cursor_.AcceptSymbol(",") && !cursor_.IsSymbol(")")) {
    return cursor_.Unexpected("FROM, ',' or ')'", {"FROM"});
  }
  ARROW_RETURN_NOT_OK(ParseArguments(&call));
  return Finish(std::move(call), begin);
}

// overlay(text PLACING replacement FROM position [FOR length])
arrow::Result<AstExpr> Parser::ParseOverlay(int32_t begin) {
  AstExpr call;
  call.kind = AstExpr::Kind::kCall;
  call.name = "overlay";
  if (!cursor_.IsSymbol(")")) {
    ARROW_ASSIGN_OR_RAISE(AstExpr text, ParseExpression());
    call.args.push_back(std::move(text));
    if (cursor_.AcceptKeyword("PLACING")) {
      ARROW_ASSIGN_OR_RAISE(AstExpr replacement, ParseExpression());
      call.args.push_back(std::move(replacement));
      ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("FROM"));
      ARROW_ASSIGN_OR_RAISE(AstExpr position, ParseExpression());
      call.args.push_back(std::move(position));
      if (cursor_.AcceptKeyword("FOR")) {
        ARROW_ASSIGN_OR_RAISE(AstExpr length, ParseExpression());
        call.args.push_back(std::move(length));
      }
      ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
      return Finish(std::move(call), begin);
    }
    if (!cursor_.AcceptSymbol(",") && !cursor_.IsSymbol(")")) {
      return cursor_.Unexpected("PLACING, ',' or ')'", {"PLACING"});
    }
  }
  ARROW_RETURN_NOT_OK(ParseArguments(&call));
  return Finish(std::move(call), begin);
}

arrow::Result<AstExpr> Parser::ParseStruct(int32_t begin) {
  std::vector<SelectItem> items;
  if (cursor_.AcceptSymbol(")")) return MakeCall("struct", {}, begin);
  ARROW_ASSIGN_OR_RAISE(SelectItem first, ParseSelectItem());
  items.push_back(std::move(first));
  return FinishStruct(std::move(items), begin);
}

// struct(a, b AS x): the call, with the aliases where there are any.
arrow::Result<AstExpr> Parser::FinishStruct(std::vector<SelectItem> items, int32_t begin) {
  while (cursor_.AcceptSymbol(",")) {
    ARROW_ASSIGN_OR_RAISE(SelectItem item, ParseSelectItem());
    items.push_back(std::move(item));
  }
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  std::vector<AstExpr> args;
  std::vector<std::string> aliases;
  bool has_alias = false;
  for (SelectItem& item : items) {
    has_alias |= !item.alias.empty();
    if (!item.alias_list.empty()) {
      return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR",
                       "Syntax error: a field of a struct has one name", item.expr.span);
    }
    args.push_back(std::move(item.expr));
    aliases.push_back(std::move(item.alias));
  }
  ARROW_ASSIGN_OR_RAISE(AstExpr call, MakeCall("struct", std::move(args), begin));
  if (has_alias) call.parts = std::move(aliases);
  return call;
}

// Reads a type and keeps it as it is written; the DDL parser gives it a meaning.
arrow::Status Parser::ParseType(AstExpr* cast) {
  const int32_t begin = cursor_.Peek().span.begin;
  ARROW_RETURN_NOT_OK(SkipType());
  cast->type_span = {begin, cursor_.previous_end()};
  cast->type_text = std::string(text_.substr(begin, cast->type_span.end - begin));
  return arrow::Status::OK();
}

arrow::Status Parser::SkipType() {
  Nesting nesting(this);
  ARROW_RETURN_NOT_OK(nesting.Check());
  if (cursor_.Peek().kind != TokenKind::kWord) return cursor_.Unexpected("a type");
  const bool is_array = cursor_.IsKeyword("ARRAY");
  const bool is_map = cursor_.IsKeyword("MAP");
  const bool is_struct = cursor_.IsKeyword("STRUCT");
  const bool is_interval = cursor_.IsKeyword("INTERVAL");
  cursor_.Advance();
  if (is_interval && cursor_.IsAnyKeyword({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})) {
    cursor_.Advance();
    if (cursor_.AcceptKeyword("TO")) cursor_.Advance();
    return arrow::Status::OK();
  }
  if (is_array || is_map || is_struct) {
    if (is_struct && cursor_.AcceptSymbol("<>")) return arrow::Status::OK();
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("<"));
    return SkipTypeList(is_struct);
  }
  if (cursor_.AcceptSymbol("(")) {
    do {
      if (cursor_.Peek().kind != TokenKind::kInteger && !cursor_.IsSymbol("-")) {
        return cursor_.Unexpected("a number");
      }
      cursor_.AcceptSymbol("-");
      cursor_.Advance();
    } while (cursor_.AcceptSymbol(","));
    return cursor_.ExpectSymbol(")");
  }
  if (cursor_.IsKeyword("COLLATE")) return Refuse("COLLATE", "COLLATE");
  return arrow::Status::OK();
}

arrow::Status Parser::SkipTypeList(bool has_names) {
  if (cursor_.AcceptSymbol(">")) return arrow::Status::OK();
  do {
    if (has_names) {
      const TokenKind kind = cursor_.Peek().kind;
      if (kind != TokenKind::kWord && kind != TokenKind::kQuotedName) {
        return cursor_.Unexpected("a field name");
      }
      cursor_.Advance();
      cursor_.AcceptSymbol(":");
    }
    ARROW_RETURN_NOT_OK(SkipType());
    if (has_names && cursor_.AcceptKeyword("NOT")) {
      ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("NULL"));
    }
    if (has_names && cursor_.AcceptKeyword("COMMENT")) {
      if (cursor_.Peek().kind != TokenKind::kString) return cursor_.Unexpected("a string");
      cursor_.Advance();
    }
  } while (cursor_.AcceptSymbol(","));
  if (cursor_.AcceptSymbol(">")) return arrow::Status::OK();
  return cursor_.Unexpected("',' or '>'");
}

}  // namespace tidemill::driver::sql
