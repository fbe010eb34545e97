#include "driver/spec/script/script_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/ascii.h"
#include "driver/sql/lexer.h"
#include "driver/sql/token_cursor.h"

namespace tidemill::driver {

namespace {

using sql::Token;
using sql::TokenKind;

class ScriptParser {
 public:
  ScriptParser(std::string_view text, std::vector<Token> tokens)
      : text_(text), cursor_(std::move(tokens)) {}

  arrow::Result<std::vector<Statement>> Run() {
    std::vector<Statement> statements;
    while (true) {
      while (cursor_.AcceptSymbol(";")) {
      }
      if (cursor_.IsEnd()) return statements;
      ARROW_ASSIGN_OR_RAISE(Statement statement, ParseStatement());
      if (!IsStatementEnd()) return cursor_.Unexpected("';' or the end of the script");
      statements.push_back(std::move(statement));
    }
  }

 private:
  bool IsStatementEnd() const { return cursor_.IsEnd() || cursor_.IsSymbol(";"); }

  arrow::Result<Statement> ParseStatement();
  arrow::Result<Statement> ParseCreate();
  arrow::Result<Statement> ParseCreateTable();
  arrow::Result<Statement> ParseCreateStreamingTable();
  arrow::Result<Statement> ParseCreateView(bool or_replace);
  arrow::Result<Statement> ParseSet();
  arrow::Result<Statement> ParseShow();
  arrow::Result<Statement> ParseDescribe();

  arrow::Result<bool> ParseIfNotExists();
  arrow::Result<ScriptWord> ParseName(std::string_view expected);
  arrow::Result<ScriptWord> ParseFormat();
  arrow::Result<std::optional<ScriptWord>> ParseColumns();
  arrow::Result<std::vector<std::string>> ParseViewColumns();
  // OPTIONS and LOCATION, in any order.
  arrow::Result<std::vector<ScriptOption>> ParseClauses();
  arrow::Status ParseOptions(std::vector<ScriptOption>* options);
  arrow::Result<ScriptWord> ParseOptionKey();
  arrow::Result<ScriptWord> ParseOptionValue();
  arrow::Result<std::string> ParsePattern();
  // Everything up to the end of the statement.
  arrow::Result<Span> ParseQuery();
  arrow::Status RefuseClause() const;
  arrow::Status Refuse(std::string_view feature, std::string_view shown, std::string hint = "",
                       size_t tokens = 1) const;

  std::string_view text_;
  sql::TokenCursor cursor_;
};

arrow::Status ScriptParser::Refuse(std::string_view feature, std::string_view shown,
                                   std::string hint, size_t tokens) const {
  return MakeError(ErrorKind::kInvalid, fmt::format("UNSUPPORTED_FEATURE.{}", feature),
                   fmt::format("{} is not supported", shown),
                   {cursor_.Peek().span.begin, cursor_.Peek(tokens - 1).span.end}, std::move(hint));
}

arrow::Result<Statement> ScriptParser::ParseStatement() {
  if (cursor_.IsKeyword("CREATE")) return ParseCreate();
  if (cursor_.IsKeyword("SET")) return ParseSet();
  if (cursor_.IsKeyword("SHOW")) return ParseShow();
  if (cursor_.IsAnyKeyword({"DESCRIBE", "DESC"})) return ParseDescribe();
  const bool is_explained = cursor_.AcceptKeyword("EXPLAIN");
  if (is_explained && cursor_.IsAnyKeyword({"CODEGEN", "COST"})) {
    return Refuse("EXPLAIN", fmt::format("EXPLAIN {}", cursor_.Peek().text));
  }
  // There is one form of a plan, which shows all of its steps.
  if (is_explained && cursor_.IsAnyKeyword({"EXTENDED", "FORMATTED"})) cursor_.Advance();
  ARROW_ASSIGN_OR_RAISE(const Span query, ParseQuery());
  return RunQuery{query, is_explained};
}

arrow::Result<Statement> ScriptParser::ParseCreate() {
  cursor_.Advance();
  bool or_replace = false;
  bool or_refresh = false;
  if (cursor_.AcceptKeyword("OR")) {
    or_replace = cursor_.AcceptKeyword("REPLACE");
    or_refresh = !or_replace && cursor_.AcceptKeyword("REFRESH");
    if (!or_replace && !or_refresh) {
      return cursor_.Unexpected("REPLACE or REFRESH", {"REPLACE", "REFRESH"});
    }
  }
  if (!or_replace && cursor_.IsKeyword("STREAMING")) return ParseCreateStreamingTable();
  if (!or_refresh && cursor_.IsKeyword("TABLE")) {
    ARROW_ASSIGN_OR_RAISE(Statement statement, ParseCreateTable());
    std::get<CreateTable>(statement).or_replace = or_replace;
    return statement;
  }
  if (!or_refresh && cursor_.IsAnyKeyword({"TEMPORARY", "TEMP"}) && cursor_.IsKeyword("VIEW", 1)) {
    cursor_.Advance();
    return ParseCreateView(or_replace);
  }
  if (cursor_.IsKeyword("VIEW")) {
    return Refuse("PERMANENT_VIEW", "a view that outlives the script",
                  "write CREATE TEMPORARY VIEW");
  }
  if (cursor_.IsAnyKeyword({"TEMPORARY", "TEMP", "EXTERNAL"}) && cursor_.IsKeyword("TABLE", 1)) {
    return Refuse("STATEMENT", fmt::format("CREATE {} TABLE", cursor_.Peek().text),
                  "write CREATE TABLE ... USING: tables live as long as the script", 2);
  }
  if (cursor_.IsAnyKeyword({"MATERIALIZED", "GLOBAL", "FUNCTION", "DATABASE", "SCHEMA", "FLOW"})) {
    return Refuse("STATEMENT", fmt::format("CREATE {}", cursor_.Peek().text));
  }
  return cursor_.Unexpected("TABLE, STREAMING TABLE or TEMPORARY VIEW",
                            {"TABLE", "STREAMING", "TEMPORARY", "VIEW"});
}

arrow::Result<Statement> ScriptParser::ParseCreateTable() {
  cursor_.Advance();
  CreateTable table;
  ARROW_ASSIGN_OR_RAISE(table.if_not_exists, ParseIfNotExists());
  ARROW_ASSIGN_OR_RAISE(table.name, ParseName("a table name"));
  ARROW_ASSIGN_OR_RAISE(table.columns, ParseColumns());
  ARROW_ASSIGN_OR_RAISE(table.format, ParseFormat());
  ARROW_ASSIGN_OR_RAISE(table.options, ParseClauses());
  if (cursor_.IsAnyKeyword({"AS", "SELECT", "WITH"})) {
    return Refuse("CREATE_TABLE_AS", "CREATE TABLE ... AS",
                  "CREATE TEMPORARY VIEW names a query, CREATE STREAMING TABLE writes its rows");
  }
  return table;
}

arrow::Result<Statement> ScriptParser::ParseCreateStreamingTable() {
  cursor_.Advance();
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("TABLE"));
  CreateStreamingTable table;
  ARROW_ASSIGN_OR_RAISE(table.if_not_exists, ParseIfNotExists());
  ARROW_ASSIGN_OR_RAISE(table.name, ParseName("a table name"));
  if (cursor_.IsSymbol("(")) {
    return Refuse("STREAMING_TABLE_COLUMNS", "a column list of a streaming table",
                  "its columns are those of the query");
  }
  ARROW_ASSIGN_OR_RAISE(table.format, ParseFormat());
  ARROW_ASSIGN_OR_RAISE(table.options, ParseClauses());
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("AS"));
  ARROW_ASSIGN_OR_RAISE(table.query, ParseQuery());
  return table;
}

arrow::Result<Statement> ScriptParser::ParseCreateView(bool or_replace) {
  cursor_.Advance();
  if (cursor_.IsKeyword("IF") && cursor_.IsKeyword("NOT", 1)) {
    return cursor_.Unexpected("a view name: IF NOT EXISTS is for tables");
  }
  ARROW_ASSIGN_OR_RAISE(ScriptWord name, ParseName("a view name"));
  const bool has_types = cursor_.IsSymbol("(") && !cursor_.IsSymbol(",", 2) &&
                         !cursor_.IsSymbol(")", 2) && !cursor_.IsKeyword("COMMENT", 2);
  if (has_types || cursor_.IsKeyword("USING")) {
    CreateTable table{.name = std::move(name), .is_view = true, .or_replace = or_replace};
    ARROW_ASSIGN_OR_RAISE(table.columns, ParseColumns());
    ARROW_ASSIGN_OR_RAISE(table.format, ParseFormat());
    ARROW_ASSIGN_OR_RAISE(table.options, ParseClauses());
    return table;
  }
  CreateView view{.name = std::move(name), .or_replace = or_replace};
  ARROW_ASSIGN_OR_RAISE(view.columns, ParseViewColumns());
  ARROW_RETURN_NOT_OK(RefuseClause());
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("AS"));
  ARROW_ASSIGN_OR_RAISE(view.query, ParseQuery());
  return view;
}

arrow::Result<bool> ScriptParser::ParseIfNotExists() {
  if (!cursor_.IsKeyword("IF") || !cursor_.IsKeyword("NOT", 1)) return false;
  cursor_.Advance();
  cursor_.Advance();
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("EXISTS"));
  return true;
}

arrow::Result<ScriptWord> ScriptParser::ParseName(std::string_view expected) {
  ScriptWord name;
  name.span = cursor_.Peek().span;
  do {
    const Token& token = cursor_.Peek();
    if (token.kind != TokenKind::kWord && token.kind != TokenKind::kQuotedName) {
      return cursor_.Unexpected(name.text.empty() ? expected : "a name");
    }
    if (!name.text.empty()) name.text += ".";
    name.text += token.kind == TokenKind::kQuotedName ? token.value : std::string(token.text);
    cursor_.Advance();
  } while (cursor_.AcceptSymbol("."));
  name.span.end = cursor_.previous_end();
  return name;
}

arrow::Result<ScriptWord> ScriptParser::ParseFormat() {
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("USING"));
  ARROW_ASSIGN_OR_RAISE(ScriptWord format, ParseName("a format such as json"));
  format.text = AsciiLower(format.text);
  return format;
}

arrow::Result<std::optional<ScriptWord>> ScriptParser::ParseColumns() {
  if (!cursor_.IsSymbol("(")) return std::nullopt;
  std::string columns(text_.substr(cursor_.Peek().span.end));
  const int32_t begin = cursor_.Advance().span.end;
  int32_t previous_end = begin;
  for (int depth = 1; !IsStatementEnd(); cursor_.Advance()) {
    const Span token = cursor_.Peek().span;
    // Between tokens there are only blanks and comments.
    std::fill(columns.begin() + (previous_end - begin), columns.begin() + (token.begin - begin),
              ' ');
    previous_end = token.end;
    if (cursor_.IsSymbol("(")) ++depth;
    if (cursor_.IsSymbol(")") && --depth == 0) break;
  }
  const int32_t end = cursor_.Peek().span.begin;
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  columns.resize(static_cast<size_t>(end - begin));
  return ScriptWord{std::move(columns), {begin, end}};
}

arrow::Result<std::vector<std::string>> ScriptParser::ParseViewColumns() {
  std::vector<std::string> names;
  if (!cursor_.AcceptSymbol("(")) return names;
  do {
    ARROW_ASSIGN_OR_RAISE(ScriptWord name, ParseName("a column name"));
    names.push_back(std::move(name.text));
    if (cursor_.IsKeyword("COMMENT") && cursor_.Peek(1).kind == TokenKind::kString) {
      return Refuse("COMMENT", "a comment of a column", "", 2);
    }
  } while (cursor_.AcceptSymbol(","));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  return names;
}

arrow::Result<std::vector<ScriptOption>> ScriptParser::ParseClauses() {
  std::vector<ScriptOption> options;
  while (true) {
    if (cursor_.IsKeyword("OPTIONS")) {
      cursor_.Advance();
      ARROW_RETURN_NOT_OK(ParseOptions(&options));
    } else if (cursor_.IsKeyword("LOCATION")) {
      const Token& keyword = cursor_.Advance();
      ScriptWord path{"path", keyword.span};
      if (cursor_.Peek().kind != TokenKind::kString) return cursor_.Unexpected("a path in quotes");
      const Token& value = cursor_.Advance();
      options.push_back({std::move(path), {value.value, value.span}});
    } else {
      ARROW_RETURN_NOT_OK(RefuseClause());
      return options;
    }
  }
}

arrow::Status ScriptParser::RefuseClause() const {
  if (cursor_.IsKeyword("COMMENT")) return Refuse("COMMENT", "COMMENT", "write a comment: -- ...");
  if (cursor_.IsKeyword("TBLPROPERTIES")) {
    return Refuse("TBLPROPERTIES", "TBLPROPERTIES",
                  "options of a source or sink stand in OPTIONS (...), settings in SET");
  }
  if (cursor_.IsAnyKeyword({"PARTITIONED", "CLUSTERED", "CLUSTER", "SKEWED", "ROW", "STORED",
                            "SORTED", "DEFAULT"})) {
    return Refuse("TABLE_CLAUSE", fmt::format("{} in CREATE", cursor_.Peek().text));
  }
  return arrow::Status::OK();
}

arrow::Status ScriptParser::ParseOptions(std::vector<ScriptOption>* options) {
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  if (cursor_.AcceptSymbol(")")) return arrow::Status::OK();
  do {
    ScriptOption option;
    ARROW_ASSIGN_OR_RAISE(option.key, ParseOptionKey());
    (void)cursor_.AcceptSymbol("=");  // It may stand there or not.
    ARROW_ASSIGN_OR_RAISE(option.value, ParseOptionValue());
    options->push_back(std::move(option));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  return arrow::Status::OK();
}

arrow::Result<ScriptWord> ScriptParser::ParseOptionKey() {
  if (cursor_.Peek().kind != TokenKind::kString) return ParseName("the name of an option");
  const Token& token = cursor_.Advance();
  return ScriptWord{token.value, token.span};
}

arrow::Result<ScriptWord> ScriptParser::ParseOptionValue() {
  const int32_t begin = cursor_.Peek().span.begin;
  const bool is_negative = cursor_.AcceptSymbol("-");
  const Token& token = cursor_.Peek();
  ScriptWord value;
  switch (token.kind) {
    case TokenKind::kString:
      if (is_negative) return cursor_.Unexpected("a number");
      value.text = token.value;
      break;
    case TokenKind::kInteger:
    case TokenKind::kDecimal:
    case TokenKind::kDouble:
      value.text = (is_negative ? "-" : "") + std::string(token.text);
      break;
    default:
      if (!is_negative && cursor_.IsAnyKeyword({"TRUE", "FALSE"})) {
        value.text = AsciiLower(token.text);
        break;
      }
      return cursor_.Unexpected("a value: text in quotes, a number, true or false");
  }
  cursor_.Advance();
  value.span = {begin, cursor_.previous_end()};
  return value;
}

arrow::Result<Statement> ScriptParser::ParseSet() {
  cursor_.Advance();
  SetSetting set;
  if (cursor_.IsKeyword("TIME") && cursor_.IsKeyword("ZONE", 1)) {
    set.key = {"timeZone", {cursor_.Peek().span.begin, cursor_.Peek(1).span.end}};
    cursor_.Advance();
    cursor_.Advance();
    if (cursor_.Peek().kind != TokenKind::kString) {
      return cursor_.Unexpected("a time zone in quotes, such as 'Europe/Paris'");
    }
  } else {
    ARROW_ASSIGN_OR_RAISE(set.key, ParseName("the name of a setting"));
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("="));
  }
  if (IsStatementEnd()) return cursor_.Unexpected("a value");
  const Token first = cursor_.Peek();
  set.value.span = first.span;
  while (!IsStatementEnd()) cursor_.Advance();
  set.value.span.end = cursor_.previous_end();
  // As it is written, as in Spark; but one text in quotes is that text.
  const bool is_text = first.kind == TokenKind::kString && set.value.span.end == first.span.end;
  const Span span = set.value.span;
  set.value.text = is_text ? first.value
                           : std::string(text_.substr(static_cast<size_t>(span.begin),
                                                      static_cast<size_t>(span.end - span.begin)));
  return set;
}

arrow::Result<std::string> ScriptParser::ParsePattern() {
  if (IsStatementEnd()) return "*";
  (void)cursor_.AcceptKeyword("LIKE");  // It may stand there or not.
  if (cursor_.Peek().kind == TokenKind::kString) return cursor_.Advance().value;
  ARROW_ASSIGN_OR_RAISE(ScriptWord name, ParseName("a pattern in quotes"));
  return std::move(name.text);
}

arrow::Result<Statement> ScriptParser::ParseShow() {
  const Span span = cursor_.Advance().span;
  if (cursor_.IsKeyword("FUNCTIONS", 1) && cursor_.IsAnyKeyword({"ALL", "SYSTEM"})) {
    cursor_.Advance();
  }
  if (cursor_.AcceptKeyword("FUNCTIONS")) {
    ARROW_ASSIGN_OR_RAISE(std::string pattern, ParsePattern());
    return ShowFunctions{span, std::move(pattern)};
  }
  if (cursor_.AcceptKeyword("TABLES")) {
    ARROW_ASSIGN_OR_RAISE(std::string pattern, ParsePattern());
    return ShowTables{span, std::move(pattern)};
  }
  return cursor_.Unexpected("FUNCTIONS or TABLES", {"FUNCTIONS", "TABLES"});
}

arrow::Result<Statement> ScriptParser::ParseDescribe() {
  cursor_.Advance();
  if (cursor_.IsKeyword("FUNCTION") && !cursor_.IsEnd(1) && !cursor_.IsSymbol(";", 1)) {
    cursor_.Advance();
    DescribeFunction describe;
    const bool has_name = !cursor_.IsEnd(1) && !cursor_.IsSymbol(";", 1);
    if (has_name) describe.is_extended = cursor_.AcceptKeyword("EXTENDED");
    // Operators have descriptions too.
    const Token& token = cursor_.Peek();
    if (token.kind == TokenKind::kSymbol || token.kind == TokenKind::kString) {
      describe.name = {token.kind == TokenKind::kString ? token.value : std::string(token.text),
                       token.span};
      cursor_.Advance();
    } else {
      ARROW_ASSIGN_OR_RAISE(describe.name, ParseName("a function"));
    }
    return describe;
  }
  // QUERY may be the name of a table.
  const bool is_query_begin = cursor_.IsAnyKeyword({"SELECT", "WITH", "FROM", "VALUES"}) ||
                              cursor_.IsSymbol("(") || cursor_.IsKeyword("QUERY");
  const bool is_name = cursor_.IsEnd(1) || cursor_.IsSymbol(";", 1) || cursor_.IsSymbol(".", 1);
  if (is_query_begin && !is_name) {
    (void)cursor_.AcceptKeyword("QUERY");
    ARROW_ASSIGN_OR_RAISE(const Span query, ParseQuery());
    return DescribeQuery{query};
  }
  if (cursor_.IsKeyword("TABLE") && !cursor_.IsEnd(1) && !cursor_.IsSymbol(";", 1)) {
    cursor_.Advance();
  }
  DescribeTable describe;
  ARROW_ASSIGN_OR_RAISE(describe.name, ParseName("a table name"));
  return describe;
}

arrow::Result<Span> ScriptParser::ParseQuery() {
  if (IsStatementEnd()) return cursor_.Unexpected("a query", {"SELECT"});
  Span span = cursor_.Peek().span;
  while (!IsStatementEnd()) cursor_.Advance();
  span.end = cursor_.previous_end();
  return span;
}

}  // namespace

arrow::Result<std::vector<Statement>> ParseScript(std::string_view text) {
  ARROW_ASSIGN_OR_RAISE(std::vector<Token> tokens, sql::Tokenize(text));
  return ScriptParser(text, std::move(tokens)).Run();
}

}  // namespace tidemill::driver
