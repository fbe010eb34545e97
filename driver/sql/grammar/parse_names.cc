#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "driver/sql/grammar/parser_impl.h"
#include "driver/sql/parser.h"

// Spark reserves next to no words: column names such as `order`, `end` or `window` need no quotes.
// Where a word may be a name or a keyword, what follows it decides.
namespace tidemill::driver::sql {

namespace {

template <size_t n>
bool IsOneOf(const Token& token, const std::array<std::string_view, n>& words) {
  return token.kind == TokenKind::kWord &&
         std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return EqualsIgnoreCase(token.text, word); });
}

// Where an operand must stand these are keywords unless what follows says otherwise.
constexpr std::array<std::string_view, 31> kReservedInOperand = {
    "WHERE", "GROUP", "HAVING", "ORDER",   "LIMIT", "UNION",  "EXCEPT", "INTERSECT",
    "AND",   "OR",    "NOT",    "IN",      "LIKE",  "ILIKE",  "RLIKE",  "REGEXP",
    "IS",    "AS",    "ON",     "BETWEEN", "WHEN",  "THEN",   "ELSE",   "BY",
    "JOIN",  "INNER", "CROSS",  "LATERAL", "CASE",  "OFFSET", "USING"};

// Never an alias without AS: they continue the expression or begin a clause.
constexpr std::array<std::string_view, 18> kNeverImplicitAlias = {
    "FROM", "WHERE", "GROUP", "HAVING", "ORDER", "LIMIT",  "LATERAL", "AND",     "OR",
    "NOT",  "IN",    "LIKE",  "ILIKE",  "RLIKE", "REGEXP", "IS",      "BETWEEN", "AS"};

constexpr std::array<std::string_view, 20> kSymbolsAfterOperand = {
    ",", ")", "]",  ".",  "::", "[", "=", "==", "<>", "!=",
    "<", ">", "<=", ">=", "+",  "/", "%", "||", ";",  "<=>"};
constexpr std::array<std::string_view, 21> kWordsAfterOperand = {
    "FROM",  "AS",    "AND",    "OR",    "IS",    "IN",   "BETWEEN", "LIKE", "NOT", "ASC",  "DESC",
    "GROUP", "ORDER", "HAVING", "WHERE", "LIMIT", "THEN", "WHEN",    "ELSE", "END", "UNION"};

constexpr std::array<std::string_view, 10> kJoinWords = {
    "INNER", "CROSS", "LEFT", "RIGHT", "FULL", "OUTER", "SEMI", "ANTI", "NATURAL", "ASOF"};

constexpr std::array<std::string_view, 32> kOtherStatements = {
    "CREATE",   "INSERT", "UPDATE",   "DELETE",  "MERGE", "DROP",    "ALTER",    "SHOW",
    "DESCRIBE", "DESC",   "EXPLAIN",  "SET",     "RESET", "USE",     "TRUNCATE", "CACHE",
    "UNCACHE",  "CLEAR",  "REFRESH",  "ANALYZE", "LOAD",  "EXPORT",  "IMPORT",   "GRANT",
    "REVOKE",   "COMMIT", "ROLLBACK", "BEGIN",   "CALL",  "DECLARE", "EXECUTE",  "REPLACE"};

}  // namespace

bool Parser::CanFollowOperand(size_t ahead) const {
  const Token& token = cursor_.Peek(ahead);
  if (token.kind == TokenKind::kEnd) return true;
  if (token.kind == TokenKind::kSymbol) {
    return std::find(kSymbolsAfterOperand.begin(), kSymbolsAfterOperand.end(), token.text) !=
           kSymbolsAfterOperand.end();
  }
  return IsOneOf(token, kWordsAfterOperand);
}

bool Parser::IsName(size_t ahead) const {
  const Token& token = cursor_.Peek(ahead);
  if (token.kind == TokenKind::kQuotedName) return true;
  if (token.kind != TokenKind::kWord) return false;
  if (cursor_.IsAnyKeyword({"SELECT", "FROM"}, ahead)) return false;
  // like(a, b) and so on are functions too.
  const bool is_function =
      cursor_.IsAnyKeyword({"LIKE", "ILIKE", "RLIKE", "REGEXP", "BETWEEN"}, ahead) &&
      cursor_.IsSymbol("(", ahead + 1);
  return is_function || !IsOneOf(token, kReservedInOperand) || CanFollowOperand(ahead + 1);
}

bool Parser::IsImplicitAlias(size_t ahead) const {
  const Token& token = cursor_.Peek(ahead);
  if (token.kind == TokenKind::kQuotedName) return true;
  return token.kind == TokenKind::kWord && !IsOneOf(token, kNeverImplicitAlias) &&
         !IsClauseStart(ahead);
}

bool Parser::IsImplicitTableAlias() const {
  return IsImplicitAlias() && !cursor_.IsAnyKeyword({"ON", "USING", "SELECT"});
}

bool Parser::IsQualifyClause(size_t ahead) const {
  return cursor_.IsKeyword("QUALIFY", ahead) && !CanFollowOperand(ahead + 1);
}

bool Parser::IsOffsetClause(size_t ahead) const {
  if (!cursor_.IsKeyword("OFFSET", ahead)) return false;
  const Token& next = cursor_.Peek(ahead + 1);
  return next.kind == TokenKind::kInteger || cursor_.IsSymbol("(", ahead + 1) ||
         cursor_.IsSymbol(":", ahead + 1) || cursor_.IsSymbol("?", ahead + 1);
}

bool Parser::IsClauseStart(size_t ahead) const {
  if (cursor_.IsAnyKeyword({"UNION", "EXCEPT", "INTERSECT"}, ahead)) return true;
  if (cursor_.IsAnyKeyword({"MINUS", "SETMINUS"}, ahead)) {
    return cursor_.IsSymbol("(", ahead + 1) ||
           cursor_.IsAnyKeyword({"SELECT", "VALUES", "ALL", "DISTINCT", "TABLE"}, ahead + 1);
  }
  const bool is_organization = IsOrganization(ahead) && !cursor_.IsKeyword("LIMIT", ahead) &&
                               !cursor_.IsKeyword("ORDER", ahead);
  return is_organization || IsJoin(ahead) || IsWindowClause(ahead) || IsQualifyClause(ahead) ||
         IsWatermarkClause(ahead) || IsPivot(ahead) || IsUnpivot(ahead) || IsTableSample(ahead) ||
         FindUnsupportedClause(ahead);
}

bool Parser::IsJoin(size_t ahead) const {
  for (size_t end = ahead + 4; ahead < end; ++ahead) {
    if (cursor_.IsKeyword("JOIN", ahead)) return true;
    if (!IsOneOf(cursor_.Peek(ahead), kJoinWords)) return false;
  }
  return false;
}

// VALUES and a row; "values v" is a table with an alias.
bool Parser::IsInlineTable(size_t ahead) const {
  if (!cursor_.IsKeyword("VALUES", ahead) || CanFollowOperand(ahead + 1)) return false;
  if (cursor_.Peek(ahead + 1).kind == TokenKind::kQuotedName) return false;
  return cursor_.Peek(ahead + 1).kind != TokenKind::kWord || cursor_.IsSymbol("(", ahead + 2) ||
         cursor_.Peek(ahead + 2).kind == TokenKind::kString ||
         cursor_.IsAnyKeyword({"NULL", "TRUE", "FALSE", "CASE", "INTERVAL"}, ahead + 1);
}

bool Parser::IsSubqueryStart(size_t ahead) const {
  if (cursor_.IsAnyKeyword({"SELECT", "FROM"}, ahead)) return true;
  if (IsInlineTable(ahead)) return true;
  return cursor_.IsKeyword("WITH", ahead) && cursor_.Peek(ahead + 1).kind == TokenKind::kWord &&
         !CanFollowOperand(ahead + 1);
}

std::optional<std::pair<std::string_view, std::string_view>> Parser::FindUnsupportedClause(
    size_t ahead) const {
  using Found = std::pair<std::string_view, std::string_view>;
  const Token& token = cursor_.Peek(ahead);
  const auto is = [&](std::string_view keyword) { return cursor_.IsKeyword(keyword, ahead); };
  const auto then = [&](std::string_view keyword) { return cursor_.IsKeyword(keyword, ahead + 1); };
  if (token.kind == TokenKind::kSymbol) {
    if (token.text == "|>") return Found{"PIPE_SYNTAX", "pipe syntax |>"};
    return std::nullopt;
  }
  if (token.kind != TokenKind::kWord) return std::nullopt;
  if ((is("VERSION") || is("TIMESTAMP")) && then("AS") && cursor_.IsKeyword("OF", ahead + 2)) {
    return Found{"TIME_TRAVEL", "time travel (AS OF)"};
  }
  return std::nullopt;
}

arrow::Status Parser::RefuseUnsupportedClause() const {
  if (const auto found = FindUnsupportedClause()) return Refuse(found->first, found->second);
  return arrow::Status::OK();
}

arrow::Status Parser::RefuseStatement() const {
  if (cursor_.IsAnyKeyword({"MAP", "REDUCE"})) return Refuse("TRANSFORM", "MAP and REDUCE");
  if (IsOneOf(cursor_.Peek(), kOtherStatements)) {
    std::string shown(cursor_.Peek().text);
    std::transform(shown.begin(), shown.end(), shown.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return Refuse("STATEMENT", shown);
  }
  return arrow::Status::OK();
}

arrow::Status Parser::Refuse(std::string_view feature, std::string_view shown,
                             size_t tokens) const {
  return MakeError(ErrorKind::kInvalid, fmt::format("UNSUPPORTED_FEATURE.{}", feature),
                   fmt::format("{} is not supported yet", shown),
                   {cursor_.Peek().span.begin, cursor_.Peek(tokens - 1).span.end});
}

arrow::Result<std::string> Parser::ParseIdentifier(std::string_view expected) {
  if (IsIdentifierClause()) {
    const Span span = cursor_.Peek().span;
    ARROW_ASSIGN_OR_RAISE(std::vector<std::string> parts, ParseIdentifierClause());
    if (parts.size() == 1) return std::move(parts[0]);
    return MakeError(ErrorKind::kInvalid, "IDENTIFIER_TOO_MANY_NAME_PARTS",
                     "a name of one part is wanted here", {span.begin, cursor_.previous_end()});
  }
  if (!IsName()) return cursor_.Unexpected(expected);
  const Token& token = cursor_.Advance();
  return token.kind == TokenKind::kQuotedName ? token.value : std::string(token.text);
}

bool Parser::IsIdentifierClause() const {
  if (!cursor_.IsKeyword("IDENTIFIER") || !cursor_.IsSymbol("(", 1)) return false;
  size_t ahead = 2;
  while (cursor_.Peek(ahead).kind == TokenKind::kString) ++ahead;
  return ahead > 2 && cursor_.IsSymbol(")", ahead);
}

arrow::Result<std::vector<std::string>> Parser::ParseIdentifierClause() {
  const int32_t begin = cursor_.Advance().span.begin;
  cursor_.Advance();
  std::string text;
  while (cursor_.Peek().kind == TokenKind::kString) text += cursor_.Advance().value;
  cursor_.Advance();
  return ParseNameText(text, {begin, cursor_.previous_end()});
}

arrow::Result<std::string> Parser::ParseQualifiedName(std::string_view expected) {
  ARROW_ASSIGN_OR_RAISE(std::string name, ParseIdentifier(expected));
  while (cursor_.AcceptSymbol(".")) {
    ARROW_ASSIGN_OR_RAISE(std::string part, ParseIdentifier("a name"));
    name += "." + part;
  }
  return name;
}

}  // namespace tidemill::driver::sql
