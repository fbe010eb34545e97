#include <gtest/gtest.h>

#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

TEST(AnalyzerTest, StarGivesAllColumnsInOrder) {
  EXPECT_EQ(SchemaText("SELECT * FROM lines"), "value STRING");
  EXPECT_EQ(SchemaText("SELECT l.*, n, s.* FROM log l"),
            "user STRING, page STRING, ms DOUBLE, n INT, s STRUCT<a: INT, b: STRING>, tags "
            "ARRAY<STRING>, attrs MAP<STRING, INT>, ts TIMESTAMP, n INT, a INT, b STRING");
}

TEST(AnalyzerTest, NamesIgnoreCaseAndKeepTheSpellingOfTheQuery) {
  EXPECT_EQ(SchemaText("SELECT USER, LOG.Page FROM Log"), "USER STRING, Page STRING");
}

TEST(AnalyzerTest, DottedNamesReachIntoStructs) {
  EXPECT_EQ(SchemaText("SELECT s.a, log.s.B, S.b AS c, attrs.x FROM log"),
            "a INT, B STRING, c STRING, x INT");
}

TEST(AnalyzerTest, ColumnsWithoutAliasAreNamedAsInSpark) {
  EXPECT_EQ(SchemaText("SELECT n + 1, upper(user), CAST(n AS STRING), CAST(n + 1 AS BIGINT), s.a "
                       "+ 1, 'x', -1, n > 1.5 FROM log"),
            "`(n + 1)` INT, `upper(user)` STRING, n STRING, `CAST((n + 1) AS BIGINT)` BIGINT, "
            "`(s.a + 1)` INT, x STRING, `-1` INT, `(n > 1)` BOOLEAN");
  EXPECT_EQ(SchemaText("SELECT count(*), count(1), sum(ms), avg(n) + 1 FROM log", kComplete),
            "`count(1)` BIGINT, `count(1)` BIGINT, `sum(ms)` DOUBLE, `(avg(n) + 1)` DOUBLE");
}

TEST(AnalyzerTest, LiteralsHaveTheTypesOfSpark) {
  EXPECT_EQ(SchemaText("SELECT 1 a, 3000000000 b, 1.50 c, .05 d, 1e3 e, 1L f, 1S g, 1Y h, 2.5D i, "
                       "true j, 'x' k, DATE '2026-01-02' l, TIMESTAMP '2026-01-02 03:04:05' m, "
                       "X'1F' o, -2147483648 p, 9223372036854775808 q FROM lines"),
            "a INT, b BIGINT, c DECIMAL(3,2), d DECIMAL(2,2), e DOUBLE, f BIGINT, g SMALLINT, h "
            "TINYINT, i DOUBLE, j BOOLEAN, k STRING, l DATE, m TIMESTAMP, o BINARY, p INT, q "
            "DECIMAL(19,0)");
}

TEST(AnalyzerTest, SubqueriesHideTheirTables) {
  EXPECT_EQ(AnalyzedText("SELECT t.u FROM (SELECT user AS u FROM log WHERE n > 1) AS t"),
            "Project [u]\n"
            "+- SubqueryAlias t\n"
            "   +- Project [user AS u]\n"
            "      +- Filter (n > 1)\n"
            "         +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
  EXPECT_EQ(ErrorText("SELECT log.u FROM (SELECT user AS u FROM log) AS t"),
            "UNRESOLVED_COLUMN.WITH_SUGGESTION: A column, variable, or function parameter with "
            "name `log`.`u` cannot be resolved. Did you mean one of the following? [`t`.`u`]. | "
            "log.u");
}

TEST(AnalyzerTest, AGeneratorOfTheSelectListStandsBelowItsProjection) {
  EXPECT_EQ(AnalyzedText("SELECT explode(split(value, ' ')) AS word, value FROM lines"),
            "Project [word, value]\n"
            "+- Generate explode(split(value,  , -1)), [word], keeping [value]\n"
            "   +- Read lines text [value], streaming\n");
  EXPECT_EQ(SchemaText("SELECT posexplode(tags), n FROM log"), "pos INT, col STRING, n INT");
  EXPECT_EQ(SchemaText("SELECT explode_outer(attrs) AS (k, v) FROM log"), "k STRING, v INT");
  EXPECT_EQ(SchemaText("SELECT explode(attrs) FROM log"), "key STRING, value INT");
}

TEST(AnalyzerTest, LateralViewsAddTheirColumnsToTheTable) {
  EXPECT_EQ(AnalyzedText("SELECT user, t.tag FROM log LATERAL VIEW OUTER explode(tags) t AS tag "
                         "WHERE tag <> ''"),
            "Project [user, tag]\n"
            "+- Filter (NOT (tag = ))\n"
            "   +- Generate explode_outer(tags), [tag], keeping [user, page, ms, n, s, tags, "
            "attrs, ts]\n"
            "      +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(AnalyzerTest, CaseWithAnOperandComparesIt) {
  EXPECT_EQ(SchemaText("SELECT CASE n WHEN 1 THEN 'one' ELSE 'many' END FROM log"),
            "`CASE WHEN (n = 1) THEN one ELSE many END` STRING");
}

TEST(AnalyzerTest, BetweenIsOneCall) {
  EXPECT_EQ(AnalyzedText("SELECT n FROM log WHERE n NOT BETWEEN 1 AND 3"),
            "Project [n]\n"
            "+- Filter (NOT between(n, 1, 3))\n"
            "   +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(AnalyzerTest, OrderByMayUseAliasesOrdinalsAndHiddenColumns) {
  EXPECT_EQ(AnalyzedText("SELECT user u, count(*) c FROM log GROUP BY user, page "
                         "ORDER BY c DESC, page, 1 NULLS LAST, sum(n) LIMIT 10",
                         kComplete),
            "Limit 10\n"
            "+- Project [u, c]\n"
            "   +- Sort [c DESC NULLS LAST, page ASC NULLS FIRST, u ASC NULLS LAST, sum(n) ASC "
            "NULLS FIRST]\n"
            "      +- Project [user AS u, count(1) AS c, page, sum(n)]\n"
            "         +- Aggregate keys=[user, page], functions=[count(1), sum(n)]\n"
            "            +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(AnalyzerTest, AStreamingSourceMayBeReadWithOrWithoutStream) {
  EXPECT_EQ(SchemaText("SELECT value FROM STREAM lines"), "value STRING");
  EXPECT_EQ(ErrorText("SELECT code FROM STREAM countries"),
            "SOURCE_NOT_STREAMING: STREAM needs a streaming source: source=`countries` mode=batch "
            "| STREAM countries");
}

TEST(AnalyzerTest, CurrentTimestampNeedsNoParentheses) {
  EXPECT_EQ(SchemaText("SELECT current_timestamp AS t FROM lines"), "t TIMESTAMP");
}

}  // namespace
}  // namespace tidemill::driver
