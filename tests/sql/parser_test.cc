#include "driver/sql/parser.h"

#include <gtest/gtest.h>

#include "driver/sql/ast_text.h"

namespace tidemill::driver::sql {
namespace {

std::string ExprTextOf(std::string_view text) {
  auto expr = ParseExpression(text);
  return expr.ok() ? AstText(*expr) : RenderError(expr.status());
}

std::string QueryTextOf(std::string_view text) {
  auto query = ParseQuery(text);
  return query.ok() ? AstText(**query) : RenderError(query.status());
}

TEST(ParserTest, PrecedencesAreThoseOfSpark) {
  EXPECT_EQ(ExprTextOf("a OR b AND NOT c = d"), "(or a (and b (not (= c d))))");
  EXPECT_EQ(ExprTextOf("1 + 2 * 3 - 4"), "(- (+ 1 (* 2 3)) 4)");
  EXPECT_EQ(ExprTextOf("a | b ^ c & d << 1 + 2"), "(| a (^ b (& c (<< d (+ 1 2)))))");
  EXPECT_EQ(ExprTextOf("a || b || c = d"), "(= (|| (|| a b) c) d)");
  EXPECT_EQ(ExprTextOf("7 DIV 2 % 3"), "(% (div 7 2) 3)");
  EXPECT_EQ(ExprTextOf("a = b IS NULL"), "(isnull (= a b))");
  EXPECT_EQ(ExprTextOf("-a[0].b::int * ~c"), "(* (- (cast (. ([] a 0) b) <int>)) (~ c))");
  EXPECT_EQ(ExprTextOf("a >> 1 >>> 2"), "(>>> (>> a 1) 2)");
}

TEST(ParserTest, ChainsOfAndAreBalancedAsSparkDoes) {
  EXPECT_EQ(ExprTextOf("a AND b AND c AND d AND e"), "(and (and (and a b) c) (and d e))");
}

TEST(ParserTest, ComparisonsHaveOneSpelling) {
  EXPECT_EQ(ExprTextOf("a == 1 AND b <> 2 AND c !> 3 AND d !< 4"),
            "(and (and (= a 1) (!= b 2)) (and (<= c 3) (>= d 4)))");
}

TEST(ParserTest, PredicatesAreNegatedFromOutside) {
  EXPECT_EQ(ExprTextOf("a BETWEEN 1 AND 2 AND b NOT BETWEEN 3 AND 4"),
            "(and (between a 1 2) (not (between b 3 4)))");
  EXPECT_EQ(ExprTextOf("a NOT IN (1, 2) OR b IN ('x')"), "(or (not (in a 1 2)) (in b 'x'))");
  EXPECT_EQ(ExprTextOf("a LIKE 'x!%' ESCAPE '!' AND b NOT RLIKE '^a' AND c ILIKE 'y'"),
            "(and (and (like a 'x!%' '!') (not (rlike b '^a'))) (ilike c 'y'))");
  EXPECT_EQ(ExprTextOf("a IS NOT NULL"), "(isnotnull a)");
  EXPECT_EQ(ExprTextOf("a IS TRUE OR b IS NOT FALSE"), "(or (<=> a true) (not (<=> b false)))");
  EXPECT_EQ(ExprTextOf("a IS DISTINCT FROM b"), "(not (<=> a b))");
  EXPECT_EQ(ExprTextOf("a IS NOT DISTINCT FROM b"), "(<=> a b)");
  EXPECT_EQ(ExprTextOf("a IS UNKNOWN"), "(isnull a)");
}

TEST(ParserTest, LiteralsKeepTheirTypes) {
  EXPECT_EQ(ExprTextOf("f(NULL, true, 1, 2L, 1.5, 1e3, 2F, 3BD, 'a' 'b')"),
            "(f null true 1 2L 1.5 1e3D 2F 3BD 'ab')");
  EXPECT_EQ(ExprTextOf("f(DATE '2026-01-01', timestamp'2026-01-01', X'1F')"),
            "(f date'2026-01-01' timestamp'2026-01-01' x'1F')");
  EXPECT_EQ(ExprTextOf("-9223372036854775808L"), "-9223372036854775808L");
  EXPECT_EQ(ExprTextOf("a -1"), "(- a 1)");
}

TEST(ParserTest, IntervalsAreKeptAsWritten) {
  EXPECT_EQ(ExprTextOf("ts - INTERVAL 1 DAY -2 hours"), "(- ts interval<1 DAY -2 hours>)");
  EXPECT_EQ(ExprTextOf("INTERVAL '1-2' YEAR TO MONTH"), "interval<'1-2' YEAR TO MONTH>");
  EXPECT_EQ(ExprTextOf("interval '10 minutes' = interval"), "(= interval<'10 minutes'> interval)");
  EXPECT_EQ(ExprTextOf("interval - 1"), "(- interval 1)");
}

TEST(ParserTest, BothFormsOfCase) {
  EXPECT_EQ(ExprTextOf("CASE WHEN a THEN 1 WHEN b THEN 2 ELSE 3 END"), "(case else a 1 b 2 3)");
  EXPECT_EQ(ExprTextOf("CASE x WHEN 1 THEN 'a' END"), "(case operand x 1 'a')");
  EXPECT_EQ(ExprTextOf("CASE WHEN a THEN end END"), "(case a end)");
}

TEST(ParserTest, CastsKeepTheTextOfTheType) {
  EXPECT_EQ(ExprTextOf("CAST(a AS DECIMAL(10, 2))"), "(cast a <DECIMAL(10, 2)>)");
  EXPECT_EQ(ExprTextOf("try_cast(a AS MAP<STRING, ARRAY<STRUCT<x: INT, `y z` STRING>>>)"),
            "(try_cast a <MAP<STRING, ARRAY<STRUCT<x: INT, `y z` STRING>>>>)");
  EXPECT_EQ(ExprTextOf("a::int::string"), "(cast (cast a <int>) <string>)");
}

TEST(ParserTest, CallsWithTheirOwnSyntaxBecomePlainCalls) {
  EXPECT_EQ(ExprTextOf("substring(a FROM 2 FOR 3)"), "(substring a 2 3)");
  EXPECT_EQ(ExprTextOf("substr(a FROM 2)"), "(substring a 2)");
  EXPECT_EQ(ExprTextOf("substr(a, 2)"), "(substr a 2)");
  EXPECT_EQ(ExprTextOf("trim(a)"), "(trim a)");
  EXPECT_EQ(ExprTextOf("trim(BOTH 'x' FROM a)"), "(trim 'x' a)");
  EXPECT_EQ(ExprTextOf("trim(LEADING FROM a)"), "(ltrim a)");
  EXPECT_EQ(ExprTextOf("trim(TRAILING 'x' FROM a)"), "(rtrim 'x' a)");
  EXPECT_EQ(ExprTextOf("trim('x' FROM a)"), "(trim 'x' a)");
  EXPECT_EQ(ExprTextOf("position('b' IN a)"), "(locate 'b' a)");
  EXPECT_EQ(ExprTextOf("position('b', a)"), "(position 'b' a)");
  EXPECT_EQ(ExprTextOf("extract(YEAR FROM ts)"), "(extract 'YEAR' ts)");
  EXPECT_EQ(ExprTextOf("overlay(a PLACING 'x' FROM 2 FOR 1)"), "(overlay a 'x' 2 1)");
}

TEST(ParserTest, StructsTakeNamesFromAliases) {
  EXPECT_EQ(ExprTextOf("struct(a, b)"), "(struct a b)");
  EXPECT_EQ(ExprTextOf("struct(a AS x, t.b, a + 1)"), "(struct (as a x) t.b (+ a 1))");
  EXPECT_EQ(ExprTextOf("(a, b) = (1, 2)"), "(= (row a b) (row 1 2))");
}

TEST(ParserTest, AggregatesTakeStarsAndDistinct) {
  EXPECT_EQ(ExprTextOf("count(*)"), "(count *)");
  EXPECT_EQ(ExprTextOf("COUNT(DISTINCT a, b)"), "(count distinct a b)");
  EXPECT_EQ(ExprTextOf("sum(ALL a)"), "(sum a)");
}

TEST(ParserTest, FieldsOfNamesAreNamesAndOthersAreFields) {
  EXPECT_EQ(ExprTextOf("a.b.`c d`"), "a.b.`c d`");
  EXPECT_EQ(ExprTextOf("(a).b"), "a.b");
  EXPECT_EQ(ExprTextOf("f(a).b[1]['k']"), "([] ([] (. (f a) b) 1) 'k')");
}

TEST(ParserTest, LambdasAndNamedArguments) {
  EXPECT_EQ(ExprTextOf("transform(a, x -> x + y -> 1)"), "(transform a (-> (x) (+ x (-> (y) 1))))");
  EXPECT_EQ(ExprTextOf("reduce(a, 0, (acc, `x y`) -> acc + `x y`)"),
            "(reduce a 0 (-> (acc x y) (+ acc `x y`)))");
  EXPECT_EQ(ExprTextOf("f(x -> x > 1 OR x IS NULL, b)"), "(f (-> (x) (or (> x 1) (isnull x))) b)");
  EXPECT_EQ(ExprTextOf("mask(a, lower => 'x', b => 1)"), "(mask a (=> lower 'x') (=> b 1))");
}

TEST(ParserTest, KeywordsServeAsNames) {
  EXPECT_EQ(QueryTextOf("SELECT user, timestamp, date, value, count, key, window, order, end, "
                        "w.start FROM source"),
            "(select user timestamp date value count key window order end w.start (from source))");
  EXPECT_EQ(QueryTextOf("SELECT group, count(*) FROM limit GROUP BY group ORDER BY group"),
            "(select group (count *) (from limit) (group group) (order group))");
  EXPECT_EQ(QueryTextOf("SELECT a left, b AS order, c end FROM t"),
            "(select (as a left) (as b order) (as c end) (from t))");
}

TEST(ParserTest, EveryClauseOfASelect) {
  EXPECT_EQ(
      QueryTextOf("select distinct a AS x, b y, t.* from STREAM clicks AS t where a > 1 "
                  "group by a, 2 having count(*) > 1 order by a desc nulls last, b limit 10;"),
      "(select distinct (as a x) (as b y) t.* (from (as (stream clicks) t)) (where (> a 1)) "
      "(group a 2) (having (> (count *) 1)) (order a desc nulls-last b) (limit 10))");
  EXPECT_EQ(QueryTextOf("SELECT 1"), "(select 1)");
  EXPECT_EQ(QueryTextOf("SELECT a, count(*) FROM t GROUP BY ALL"),
            "(select a (count *) (from t) (group all))");
}

TEST(ParserTest, SubqueriesAndGenerators) {
  EXPECT_EQ(QueryTextOf("SELECT word, count(*) AS n FROM (SELECT explode(split(value, ' ')) AS "
                        "word FROM lines) w WHERE word <> '' GROUP BY word"),
            "(select word (as (count *) n) (from (as (select (as (explode (split value ' ')) word) "
            "(from lines)) w)) (where (!= word '')) (group word))");
  EXPECT_EQ(QueryTextOf("SELECT explode(m) AS (k, v) FROM t"),
            "(select (as (explode m) (k v)) (from t))");
  EXPECT_EQ(QueryTextOf("SELECT c FROM t LATERAL VIEW OUTER explode(a) x AS c WHERE c > 1"),
            "(select c (from t) (lateral outer (explode a) x (c)) (where (> c 1)))");
}

TEST(ParserTest, StreamIsAKeywordOnlyBeforeATable) {
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM stream WHERE true"),
            "(select 1 (from stream) (where true))");
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM stream AS s"), "(select 1 (from (as stream s)))");
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM STREAM(t) s"), "(select 1 (from (as (stream t) s)))");
}

TEST(ParserTest, SpansCoverWhatWasWritten) {
  const std::string text = "SELECT (a + 1) * b FROM t";
  auto query = ParseQuery(text);

  ASSERT_TRUE(query.ok());
  const AstExpr& product = (*query)->select->items[0].expr;
  const auto written = [&](Span span) { return text.substr(span.begin, span.end - span.begin); };
  EXPECT_EQ(written(product.span), "(a + 1) * b");
  EXPECT_EQ(written(product.args[0].span), "(a + 1)");
  EXPECT_EQ(written((*query)->select->from->span), "t");
}

TEST(ParserTest, LongConditionsAreShallowTrees) {
  std::string text = "a0 = 0";
  for (int i = 1; i < 5000; ++i) text += " OR a = " + std::to_string(i);
  auto expr = ParseExpression(text);

  ASSERT_TRUE(expr.ok()) << expr.status();
  EXPECT_LT(expr->height, 20);
}

}  // namespace
}  // namespace tidemill::driver::sql
