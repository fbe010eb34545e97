#include <gtest/gtest.h>

#include "driver/sql/parser.h"

namespace tidemill::driver::sql {
namespace {

std::string ErrorOf(std::string_view text) {
  auto query = ParseQuery(text);
  return query.ok() ? "no error" : RenderError(WithSource(query.status(), "q.sql", text));
}

std::string FeatureOf(std::string_view text) {
  auto query = ParseQuery(text);
  return query.ok() ? "no error" : ErrorClassOf(query.status());
}

TEST(ParserErrorTest, AMisspeltClauseIsShownWithItsKeyword) {
  EXPECT_EQ(ErrorOf("SELECT word, count(*) AS n\nFORM words"),
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near 'FORM': expected the next clause "
            "or the end of the query SQLSTATE: 42601\n"
            "    --> q.sql:2:1\n"
            "     |\n"
            "   2 | FORM words\n"
            "     | ^^^^\n"
            "     = help: did you mean FROM?");
}

TEST(ParserErrorTest, AMisspeltClauseTakenForAnAliasIsFound) {
  EXPECT_EQ(ErrorOf("SELECT a FROM t WEHRE a > 1"),
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near 'WEHRE': expected the next clause "
            "or the end of the query SQLSTATE: 42601\n"
            "    --> q.sql:1:17\n"
            "     |\n"
            "   1 | SELECT a FROM t WEHRE a > 1\n"
            "     |                 ^^^^^\n"
            "     = help: did you mean WHERE?");
  EXPECT_NE(ErrorOf("SELECT a FORM t").find("did you mean FROM?"), std::string::npos);
  EXPECT_NE(ErrorOf("SELECT a FROM t GROPU BY a").find("did you mean GROUP?"), std::string::npos);
  EXPECT_NE(ErrorOf("SELECT a FROM t GROUP YB a").find("did you mean BY?"), std::string::npos);
  EXPECT_NE(ErrorOf("SELCT a FROM t").find("did you mean SELECT?"), std::string::npos);
}

TEST(ParserErrorTest, WhatIsMissingIsNamed) {
  EXPECT_EQ(ErrorOf("SELECT sum(a FROM t"),
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near 'FROM': expected ',' or ')' "
            "SQLSTATE: 42601\n"
            "    --> q.sql:1:14\n"
            "     |\n"
            "   1 | SELECT sum(a FROM t\n"
            "     |              ^^^^");
  EXPECT_EQ(ErrorOf("SELECT a FROM"),
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near end of input: expected a table "
            "name or '(' SQLSTATE: 42601\n"
            "    --> q.sql:1:14\n"
            "     |\n"
            "   1 | SELECT a FROM\n"
            "     |              ^");
  EXPECT_NE(ErrorOf("SELECT a, FROM t").find("near 'FROM': expected an expression"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT a FROM t WHERE GROUP BY a").find("near 'GROUP': expected an expr"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT a FROM t)").find("near ')'"), std::string::npos);
  EXPECT_NE(ErrorOf("SELECT CASE WHEN a THEN 1 FROM t").find("WHEN, ELSE or END"),
            std::string::npos);
}

TEST(ParserErrorTest, AnEmptyQueryIsSaidToBeEmpty) {
  EXPECT_EQ(FeatureOf("  -- nothing\n ;"), "PARSE_EMPTY_STATEMENT");
}

TEST(ParserErrorTest, UnsupportedSyntaxIsRefusedByName) {
  EXPECT_EQ(ErrorOf("SELECT a FROM t |> WHERE a > 1"),
            "error[UNSUPPORTED_FEATURE.PIPE_SYNTAX]: pipe syntax |> is not supported yet SQLSTATE: "
            "0A000\n"
            "    --> q.sql:1:17\n"
            "     |\n"
            "   1 | SELECT a FROM t |> WHERE a > 1\n"
            "     |                 ^^");
  EXPECT_EQ(FeatureOf("CREATE TABLE t (a INT)"), "UNSUPPORTED_FEATURE.STATEMENT");
  EXPECT_EQ(FeatureOf("WITH RECURSIVE a AS (SELECT 1) SELECT 1"),
            "UNSUPPORTED_FEATURE.RECURSIVE_CTE");
  EXPECT_EQ(FeatureOf("SELECT 1 UNION BY NAME SELECT 2"), "UNSUPPORTED_FEATURE.UNION_BY_NAME");
  EXPECT_EQ(FeatureOf("SELECT * FROM a ASOF JOIN b"), "UNSUPPORTED_FEATURE.ASOF_JOIN");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t VERSION AS OF 3"), "UNSUPPORTED_FEATURE.TIME_TRAVEL");
}

TEST(ParserErrorTest, ClausesOfRelationsAreChecked) {
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t TABLESAMPLE (101 PERCENT)"), "INVALID_TABLESAMPLE_FRACTION");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t TABLESAMPLE ()"), "UNSUPPORTED_FEATURE.TABLESAMPLE");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t TABLESAMPLE (10M)"), "UNSUPPORTED_FEATURE.TABLESAMPLE");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t SORT BY a CLUSTER BY b"), "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t CLUSTER BY a SORT BY b"),
            "UNSUPPORTED_FEATURE.COMBINATION_QUERY_RESULT_CLAUSES");
  EXPECT_NE(ErrorOf("SELECT * FROM t PIVOT (sum(a) FRO b IN (1))").find("did you mean FOR?"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT * FROM t UNPIVOT (a FOR b IN ())").find("the name of a column"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT /*+ BROADCAST( */ a FROM t").find("a parameter of a hint"),
            std::string::npos);
  EXPECT_EQ(FeatureOf("SELECT IDENTIFIER('') FROM t"), "PARSE_EMPTY_STATEMENT");
  EXPECT_EQ(FeatureOf("SELECT a AS IDENTIFIER('b.c') FROM t"), "IDENTIFIER_TOO_MANY_NAME_PARTS");
}

TEST(ParserErrorTest, PivotsAreNestedNoDeeperThanTheLimit) {
  std::string pivots = "SELECT 1 FROM t";
  for (int i = 0; i < 300; ++i) pivots += " PIVOT (sum(a) FOR b IN (1))";
  EXPECT_EQ(FeatureOf(pivots), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string laterals = "SELECT 1";
  for (int i = 0; i < 300; ++i) laterals = "SELECT 1 FROM t, LATERAL (" + laterals + ")";
  EXPECT_EQ(FeatureOf(laterals), "FAILED_TO_PARSE_TOO_COMPLEX");
}

TEST(ParserErrorTest, ClausesOfAQueryAreChecked) {
  EXPECT_EQ(FeatureOf("WITH a AS (SELECT 1), A AS (SELECT 2) SELECT 1"), "DUPLICATED_CTE_NAMES");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t WINDOW w AS (), W AS ()"),
            "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION");
  EXPECT_NE(ErrorOf("SELECT a FROM t UNOIN SELECT b").find("did you mean UNION?"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT a FROM t JION u ON t.a = u.a").find("did you mean JOIN?"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT sum(a) OVER (PARTITON BY b)").find("did you mean PARTITION?"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT a FROM t WATERMARK ts DELAY FO INTERVAL 1 DAY").find("mean OF?"),
            std::string::npos);
  EXPECT_NE(ErrorOf("SELECT f(SELECT 1)").find("expected '(' before a subquery"),
            std::string::npos);
}

TEST(ParserErrorTest, LiteralsOutOfRangeAreRefused) {
  EXPECT_EQ(FeatureOf("SELECT 128Y"), "INVALID_NUMERIC_LITERAL_RANGE");
  EXPECT_EQ(FeatureOf("SELECT -128Y"), "no error");
  EXPECT_EQ(FeatureOf("SELECT 1e400"), "INVALID_NUMERIC_LITERAL_RANGE");
  EXPECT_EQ(FeatureOf("SELECT foo 'x'"), "UNSUPPORTED_TYPED_LITERAL");
}

TEST(ParserErrorTest, NestingIsLimited) {
  const auto nested = [](int levels) {
    return "SELECT " + std::string(levels, '(') + "1" + std::string(levels, ')');
  };
  EXPECT_EQ(FeatureOf(nested(150)), "no error");
  EXPECT_EQ(FeatureOf(nested(5000)), "FAILED_TO_PARSE_TOO_COMPLEX");

  std::string sum = "SELECT 1";
  for (int i = 0; i < 5000; ++i) sum += "+1";
  EXPECT_EQ(FeatureOf(sum), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string subqueries;
  for (int i = 0; i < 2000; ++i) subqueries += "SELECT 1 FROM (";
  EXPECT_EQ(FeatureOf(subqueries), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string unions = "SELECT 1";
  for (int i = 0; i < 2000; ++i) unions += i % 2 == 0 ? " UNION SELECT 1" : " EXCEPT SELECT 1";
  EXPECT_EQ(FeatureOf(unions), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string joins = "SELECT 1 FROM a";
  for (int i = 0; i < 2000; ++i) joins += " JOIN b";
  EXPECT_EQ(FeatureOf(joins), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string scalars = "SELECT 1";
  for (int i = 0; i < 60; ++i) scalars = "SELECT 1 + 2 * -(" + scalars + ")";
  EXPECT_EQ(FeatureOf(scalars), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string sets = "SELECT 1 GROUP BY ";
  for (int i = 0; i < 2000; ++i) sets += "GROUPING SETS (";
  EXPECT_EQ(FeatureOf(sets), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string subscripts = "SELECT ";
  for (int i = 0; i < 5000; ++i) subscripts += "a[";
  EXPECT_EQ(FeatureOf(subscripts), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string negations = "SELECT ";
  for (int i = 0; i < 5000; ++i) negations += "NOT ";
  EXPECT_EQ(FeatureOf(negations + "a"), "FAILED_TO_PARSE_TOO_COMPLEX");
}

}  // namespace
}  // namespace tidemill::driver::sql
