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
            "or the end of the query\n"
            "    --> q.sql:2:1\n"
            "     |\n"
            "   2 | FORM words\n"
            "     | ^^^^\n"
            "     = help: did you mean FROM?");
}

TEST(ParserErrorTest, AMisspeltClauseTakenForAnAliasIsFound) {
  EXPECT_EQ(ErrorOf("SELECT a FROM t WEHRE a > 1"),
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near 'WEHRE': expected the next clause "
            "or the end of the query\n"
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
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near 'FROM': expected ',' or ')'\n"
            "    --> q.sql:1:14\n"
            "     |\n"
            "   1 | SELECT sum(a FROM t\n"
            "     |              ^^^^");
  EXPECT_EQ(ErrorOf("SELECT a FROM"),
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near end of input: expected a table "
            "name or '('\n"
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
  EXPECT_EQ(ErrorOf("SELECT * FROM a LEFT OUTER JOIN b ON a.x = b.x"),
            "error[UNSUPPORTED_FEATURE.JOIN]: JOIN is not supported yet\n"
            "    --> q.sql:1:17\n"
            "     |\n"
            "   1 | SELECT * FROM a LEFT OUTER JOIN b ON a.x = b.x\n"
            "     |                 ^^^^");
  EXPECT_EQ(FeatureOf("SELECT * FROM a, b"), "UNSUPPORTED_FEATURE.JOIN");
  EXPECT_EQ(FeatureOf("SELECT 1 UNION ALL SELECT 2"), "UNSUPPORTED_FEATURE.SET_OPERATION");
  EXPECT_EQ(FeatureOf("WITH x AS (SELECT 1) SELECT * FROM x"), "UNSUPPORTED_FEATURE.WITH");
  EXPECT_EQ(FeatureOf("SELECT row_number() OVER (ORDER BY a) FROM t"),
            "UNSUPPORTED_FEATURE.WINDOW_FUNCTION");
  EXPECT_EQ(FeatureOf("SELECT a FROM t GROUP BY ROLLUP(a)"), "UNSUPPORTED_FEATURE.ROLLUP");
  EXPECT_EQ(FeatureOf("SELECT a FROM t GROUP BY a WITH CUBE"), "UNSUPPORTED_FEATURE.CUBE");
  EXPECT_EQ(FeatureOf("SELECT a FROM t GROUP BY GROUPING SETS ((a))"),
            "UNSUPPORTED_FEATURE.GROUPING_SETS");
  EXPECT_EQ(FeatureOf("SELECT count(*) FILTER (WHERE a > 1) FROM t"),
            "UNSUPPORTED_FEATURE.AGGREGATE_FILTER");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM STREAM t WATERMARK ts DELAY OF INTERVAL 10 MINUTES"),
            "UNSUPPORTED_FEATURE.WATERMARK");
  EXPECT_EQ(FeatureOf("SELECT transform(a, x -> x + 1) FROM t"), "UNSUPPORTED_FEATURE.LAMBDA");
  EXPECT_EQ(FeatureOf("SELECT reduce(a, 0, (x, y) -> x + y) FROM t"), "UNSUPPORTED_FEATURE.LAMBDA");
  EXPECT_EQ(FeatureOf("SELECT (SELECT 1)"), "UNSUPPORTED_FEATURE.SUBQUERY_EXPRESSION");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t WHERE a IN (SELECT b FROM u)"),
            "UNSUPPORTED_FEATURE.SUBQUERY_EXPRESSION");
  EXPECT_EQ(FeatureOf("SELECT 1 FROM t WHERE EXISTS (SELECT 1)"),
            "UNSUPPORTED_FEATURE.SUBQUERY_EXPRESSION");
  EXPECT_EQ(FeatureOf("SELECT * FROM VALUES (1), (2)"), "UNSUPPORTED_FEATURE.VALUES");
  EXPECT_EQ(FeatureOf("SELECT * FROM (VALUES (1)) AS x"), "UNSUPPORTED_FEATURE.VALUES");
  EXPECT_EQ(FeatureOf("SELECT a FROM t LIMIT 5 OFFSET 2"), "UNSUPPORTED_FEATURE.OFFSET");
  EXPECT_EQ(FeatureOf("SELECT a FROM t TABLESAMPLE (5 ROWS)"), "UNSUPPORTED_FEATURE.TABLESAMPLE");
  EXPECT_EQ(FeatureOf("SELECT /*+ COALESCE(1) */ a FROM t"), "UNSUPPORTED_FEATURE.HINT");
  EXPECT_EQ(FeatureOf("SELECT * FROM range(10)"), "UNSUPPORTED_FEATURE.TABLE_FUNCTION");
  EXPECT_EQ(FeatureOf("CREATE TABLE t (a INT)"), "UNSUPPORTED_FEATURE.STATEMENT");
  EXPECT_EQ(FeatureOf("SELECT a FROM t DISTRIBUTE BY a"), "UNSUPPORTED_FEATURE.DISTRIBUTE_BY");
  EXPECT_EQ(FeatureOf("SELECT sum(a) FROM t WINDOW w AS (ORDER BY a)"),
            "UNSUPPORTED_FEATURE.WINDOW_CLAUSE");
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
  std::string subscripts = "SELECT ";
  for (int i = 0; i < 5000; ++i) subscripts += "a[";
  EXPECT_EQ(FeatureOf(subscripts), "FAILED_TO_PARSE_TOO_COMPLEX");
  std::string negations = "SELECT ";
  for (int i = 0; i < 5000; ++i) negations += "NOT ";
  EXPECT_EQ(FeatureOf(negations + "a"), "FAILED_TO_PARSE_TOO_COMPLEX");
}

}  // namespace
}  // namespace tidemill::driver::sql
