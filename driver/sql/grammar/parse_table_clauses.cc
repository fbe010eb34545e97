#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "driver/sql/grammar/parser_impl.h"

// What stands behind a relation: PIVOT, UNPIVOT, TABLESAMPLE; and hints.
namespace tidemill::driver::sql {

namespace {

// The number of a token; a negative one where it is none.
double NumberOf(const Token& token) {
  const bool is_number = token.kind == TokenKind::kInteger || token.kind == TokenKind::kDecimal;
  return is_number ? std::strtod(token.value.c_str(), nullptr) : -1;
}

arrow::Status UnsupportedSample(std::string message, Span span) {
  return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.TABLESAMPLE", std::move(message),
                   span);
}

}  // namespace

bool Parser::IsPivot(size_t ahead) const {
  return cursor_.IsKeyword("PIVOT", ahead) && cursor_.IsSymbol("(", ahead + 1);
}

bool Parser::IsUnpivot(size_t ahead) const {
  return cursor_.IsKeyword("UNPIVOT", ahead) &&
         (cursor_.IsSymbol("(", ahead + 1) ||
          (cursor_.IsAnyKeyword({"INCLUDE", "EXCLUDE"}, ahead + 1) &&
           cursor_.IsKeyword("NULLS", ahead + 2)));
}

bool Parser::IsTableSample(size_t ahead) const {
  if (!cursor_.IsKeyword("TABLESAMPLE", ahead)) return false;
  if (cursor_.IsAnyKeyword({"SYSTEM", "BERNOULLI"}, ahead + 1)) ++ahead;
  return cursor_.IsSymbol("(", ahead + 1);
}

arrow::Result<AstExpr> Parser::ParseNameExpr(std::string_view expected, bool is_qualified) {
  AstExpr name;
  name.kind = AstExpr::Kind::kName;
  const int32_t begin = cursor_.Peek().span.begin;
  do {
    ARROW_ASSIGN_OR_RAISE(name.parts.emplace_back(), ParseIdentifier(expected));
  } while (is_qualified && cursor_.AcceptSymbol("."));
  return Finish(std::move(name), begin);
}

// [AS] name; FOR, which follows the aggregates, is none.
arrow::Status Parser::ParsePivotAlias(SelectItem* item) {
  const bool has_as = cursor_.AcceptKeyword("AS");
  if (!has_as && (!IsImplicitAlias() || cursor_.IsKeyword("FOR"))) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(item->alias, ParseIdentifier("a name"));
  if (!has_as) cursor_.NoteImplicitAlias();
  return arrow::Status::OK();
}

// PIVOT (f(x) [AS a], ... FOR c | (c, d) IN (value [AS b], ...)) [[AS] name]
arrow::Result<Relation> Parser::ParsePivot(Relation input) {
  Relation relation;
  relation.kind = Relation::Kind::kPivot;
  auto pivot = std::make_unique<Pivot>();
  const int32_t begin = cursor_.Advance().span.begin;
  cursor_.Advance();
  do {
    SelectItem& item = pivot->aggregates.emplace_back();
    ARROW_ASSIGN_OR_RAISE(item.expr, ParseExpression());
    ARROW_RETURN_NOT_OK(ParsePivotAlias(&item));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptKeyword("FOR")) return cursor_.Unexpected("',' or FOR", {"FOR"});
  const bool is_list = cursor_.AcceptSymbol("(");
  do {
    ARROW_ASSIGN_OR_RAISE(pivot->columns.emplace_back(),
                          ParseNameExpr("the name of a column", /*is_qualified=*/false));
  } while (is_list && cursor_.AcceptSymbol(","));
  if (is_list) ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("IN"));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  do {
    SelectItem& item = pivot->values.emplace_back();
    ARROW_ASSIGN_OR_RAISE(item.expr, ParseExpression());
    ARROW_RETURN_NOT_OK(ParsePivotAlias(&item));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  pivot->span = {begin, cursor_.previous_end()};
  relation.pivot = std::move(pivot);
  relation.children.push_back(std::move(input));
  return FinishPivot(std::move(relation), begin);
}

// A column or "(a, b)", with a name for it.
arrow::Result<Unpivot::Columns> Parser::ParseUnpivotColumns(bool is_list) {
  Unpivot::Columns columns;
  if (is_list) ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  do {
    ARROW_ASSIGN_OR_RAISE(columns.names.emplace_back(),
                          ParseNameExpr("the name of a column", /*is_qualified=*/true));
  } while (is_list && cursor_.AcceptSymbol(","));
  if (is_list) ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  if (cursor_.AcceptKeyword("AS") || IsImplicitAlias()) {
    ARROW_ASSIGN_OR_RAISE(columns.alias, ParseIdentifier("a name"));
  }
  return columns;
}

// UNPIVOT [INCLUDE | EXCLUDE NULLS] (x | (x, y) FOR n IN (a | (a, b) [AS c], ...)) [[AS] name]
arrow::Result<Relation> Parser::ParseUnpivot(Relation input) {
  Relation relation;
  relation.kind = Relation::Kind::kUnpivot;
  auto unpivot = std::make_unique<Unpivot>();
  const int32_t begin = cursor_.Advance().span.begin;
  if (!cursor_.IsSymbol("(")) {
    unpivot->includes_nulls = cursor_.IsKeyword("INCLUDE");
    cursor_.Advance();
    cursor_.Advance();
  }
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  const bool is_list = cursor_.AcceptSymbol("(");
  do {
    ARROW_ASSIGN_OR_RAISE(unpivot->values.emplace_back(), ParseIdentifier("a name for values"));
  } while (is_list && cursor_.AcceptSymbol(","));
  if (is_list) ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("FOR"));
  ARROW_ASSIGN_OR_RAISE(unpivot->name, ParseIdentifier("a name for names"));
  ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("IN"));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  do {
    ARROW_ASSIGN_OR_RAISE(unpivot->columns.emplace_back(), ParseUnpivotColumns(is_list));
  } while (cursor_.AcceptSymbol(","));
  if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  unpivot->span = {begin, cursor_.previous_end()};
  relation.unpivot = std::move(unpivot);
  relation.children.push_back(std::move(input));
  return FinishPivot(std::move(relation), begin);
}

arrow::Result<Relation> Parser::FinishPivot(Relation relation, int32_t begin) {
  if (cursor_.AcceptKeyword("AS") || IsImplicitTableAlias()) {
    ARROW_ASSIGN_OR_RAISE(relation.alias, ParseIdentifier("a name"));
  }
  relation.span = {begin, cursor_.previous_end()};
  return FinishRelation(std::move(relation));
}

// TABLESAMPLE [SYSTEM | BERNOULLI] (method) [REPEATABLE (seed)]
arrow::Result<TableSample> Parser::ParseTableSample() {
  TableSample sample;
  const int32_t begin = cursor_.Advance().span.begin;
  if (cursor_.AcceptKeyword("SYSTEM")) {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.TABLESAMPLE_SYSTEM_NO_SCAN",
                     "The feature is not supported: TABLESAMPLE SYSTEM requires a direct reference "
                     "to a data source table that supports block-level sampling. It cannot be "
                     "applied to subqueries, views, or tables with intervening operations.",
                     {begin, cursor_.previous_end()});
  }
  cursor_.AcceptKeyword("BERNOULLI");
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("("));
  sample.span.begin = begin;
  ARROW_RETURN_NOT_OK(ParseSampleMethod(&sample));
  ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  if (cursor_.IsKeyword("REPEATABLE") && cursor_.IsSymbol("(", 1)) {
    cursor_.Advance();
    cursor_.Advance();
    const bool is_negative = cursor_.AcceptSymbol("-");
    const Token& token = cursor_.Peek();
    if (token.kind != TokenKind::kInteger) return cursor_.Unexpected("a whole number");
    int64_t seed = 0;
    const std::string text = (is_negative ? "-" : "") + token.value;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), seed);
    if (parsed.ec != std::errc()) return cursor_.Unexpected("a BIGINT");
    sample.seed = seed;
    cursor_.Advance();
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol(")"));
  }
  sample.span.end = cursor_.previous_end();
  if (!sample.rows && (sample.fraction < 0 || sample.fraction > 1)) {
    return MakeError(
        ErrorKind::kInvalid, "INVALID_TABLESAMPLE_FRACTION",
        fmt::format("Sampling fraction ({}) must be on interval [0, 1].", sample.fraction),
        sample.span);
  }
  return sample;
}

// n PERCENT | BUCKET x OUT OF y | n ROWS
arrow::Status Parser::ParseSampleMethod(TableSample* sample) {
  if (cursor_.IsSymbol(")")) {
    return UnsupportedSample("TABLESAMPLE does not accept empty inputs.", cursor_.Peek().span);
  }
  const bool is_negative = cursor_.IsSymbol("-");
  const double number = NumberOf(cursor_.Peek(is_negative ? 1 : 0));
  if (number >= 0 && cursor_.IsKeyword("PERCENT", is_negative ? 2 : 1)) {
    if (is_negative) cursor_.Advance();
    cursor_.Advance();
    cursor_.Advance();
    sample->fraction = (is_negative ? -number : number) / 100;
    return arrow::Status::OK();
  }
  const double bucket = NumberOf(cursor_.Peek(1));
  if (cursor_.IsKeyword("BUCKET") && bucket >= 0) {
    cursor_.Advance();
    cursor_.Advance();
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("OUT"));
    ARROW_RETURN_NOT_OK(cursor_.ExpectKeyword("OF"));
    const double buckets = NumberOf(cursor_.Peek());
    if (buckets < 0) return cursor_.Unexpected("a number");
    const Span span = cursor_.Advance().span;
    if (cursor_.IsKeyword("ON")) {
      return UnsupportedSample("TABLESAMPLE(BUCKET x OUT OF y ON colname) is not supported.",
                               cursor_.Peek().span);
    }
    if (buckets == 0) return UnsupportedSample("TABLESAMPLE needs a bucket or more.", span);
    sample->fraction = bucket / buckets;
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(sample->rows, ParseExpression());
  if (cursor_.AcceptKeyword("ROWS")) return arrow::Status::OK();
  if (!cursor_.IsSymbol(")")) return cursor_.Unexpected("PERCENT or ROWS", {"PERCENT", "ROWS"});
  const Span span = sample->rows->span;
  const std::string text(text_.substr(span.begin, span.end - span.begin));
  const bool is_bytes = text.find_first_of("bBkKmMgG") != std::string::npos;
  return UnsupportedSample(
      is_bytes ? "TABLESAMPLE(byteLengthLiteral) is not supported."
               : fmt::format("{} is not a valid byte length literal, expected syntax: DIGIT+ ('B' "
                             "| 'K' | 'M' | 'G').",
                             text),
      span);
}

// /*+ a(b, 3), c */ ..., any number of them
arrow::Result<std::vector<Hint>> Parser::ParseHints() {
  std::vector<Hint> hints;
  const auto is_close = [this] { return cursor_.IsSymbol("*") && cursor_.IsSymbol("/", 1); };
  while (cursor_.Peek().kind == TokenKind::kHint) {
    cursor_.Advance();
    do {
      Hint& hint = hints.emplace_back();
      hint.span = cursor_.Peek().span;
      ARROW_ASSIGN_OR_RAISE(hint.name, ParseIdentifier("the name of a hint"));
      if (cursor_.AcceptSymbol("(")) {
        do {
          if (is_close()) return cursor_.Unexpected("a parameter of a hint");
          ARROW_ASSIGN_OR_RAISE(hint.args.emplace_back(), ParsePrimary());
        } while (cursor_.AcceptSymbol(","));
        if (!cursor_.AcceptSymbol(")")) return cursor_.Unexpected("',' or ')'");
      }
      hint.span.end = cursor_.previous_end();
      cursor_.AcceptSymbol(",");
    } while (!is_close() && !cursor_.IsEnd());
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("*"));
    ARROW_RETURN_NOT_OK(cursor_.ExpectSymbol("/"));
  }
  return hints;
}

}  // namespace tidemill::driver::sql
