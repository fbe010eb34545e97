#include <gtest/gtest.h>

#include "driver/sql/ast_text.h"
#include "driver/sql/parser.h"
#include "driver/sql/query_tables.h"
#include "driver/sql/token_cursor.h"

namespace tidemill::driver::sql {
namespace {

std::string QueryTextOf(std::string_view text) {
  auto query = ParseQuery(text);
  return query.ok() ? AstText(**query) : RenderError(query.status());
}

// What stands between "(select 1 (from " and "))".
std::string FromTextOf(const std::string& from) {
  const std::string text = QueryTextOf("SELECT 1 FROM " + from);
  const std::string head = "(select 1 (from ";
  return text.rfind(head, 0) == 0 ? text.substr(head.size(), text.size() - head.size() - 2) : text;
}

std::string ItemTextOf(const std::string& expr) {
  const std::string text = QueryTextOf("SELECT " + expr);
  return text.rfind("(select ", 0) == 0 ? text.substr(8, text.size() - 9) : text;
}

TEST(QueryParserTest, IntersectBindsTighterThanUnionAndExcept) {
  EXPECT_EQ(QueryTextOf("SELECT 1 UNION SELECT 2 INTERSECT SELECT 3 EXCEPT ALL SELECT 4"),
            "(except-all (union (select 1) (intersect (select 2) (select 3))) (select 4))");
  EXPECT_EQ(QueryTextOf("(SELECT 1 UNION ALL SELECT 2) INTERSECT DISTINCT SELECT 3"),
            "(intersect (union-all (select 1) (select 2)) (select 3))");
  EXPECT_EQ(QueryTextOf("SELECT a FROM t MINUS SELECT b FROM u SETMINUS SELECT 3"),
            "(except (select a (from t)) (select b (from u)) (select 3))");
}

TEST(QueryParserTest, FromMayStandFirst) {
  EXPECT_EQ(QueryTextOf("FROM t SELECT a WHERE b"), QueryTextOf("SELECT a FROM t WHERE b"));
  EXPECT_EQ(QueryTextOf("FROM t"), "(select * (from t))");
  EXPECT_EQ(QueryTextOf("FROM t LATERAL VIEW explode(a) e AS b SELECT b"),
            QueryTextOf("SELECT b FROM t LATERAL VIEW explode(a) e AS b"));
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM (FROM t) s"),
            "(select 1 (from (as (select * (from t)) s)))");
}

TEST(QueryParserTest, PivotsTakeWhatStandsBeforeThem) {
  EXPECT_EQ(FromTextOf("t PIVOT (sum(a) AS s, max(b) FOR (c, d) IN ((1, 2) AS x, (3, 4))) p"),
            "(as (pivot t ((as (sum a) s) (max b)) (for c d) (in (as (row 1 2) x) (row 3 "
            "4))) p)");
  EXPECT_EQ(FromTextOf("t, u PIVOT (sum(a) FOR b IN (1)) JOIN v"),
            "(join inner (pivot (join inner t u) ((sum a)) (for b) (in 1)) v)");
  EXPECT_EQ(FromTextOf("t, u LEFT JOIN v ON t.a = v.a, w"),
            "(join inner (join left (join inner t u) v (on (= t.a v.a))) w)");
  EXPECT_EQ(FromTextOf("t UNPIVOT INCLUDE NULLS ((x, y) FOR n IN ((a, b) AS c, (d.e, f)))"),
            "(unpivot nulls t (x y) n (as (of a b) c) (of d.e f))");
  EXPECT_EQ(FromTextOf("pivot unpivot"), "(as pivot unpivot)");
}

TEST(QueryParserTest, SamplesStandBeforeTheAlias) {
  EXPECT_EQ(FromTextOf("t TABLESAMPLE (10 PERCENT) REPEATABLE (3) AS s"),
            "(as (sample t 0.1 seed 3) s)");
  EXPECT_EQ(FromTextOf("t TABLESAMPLE BERNOULLI (BUCKET 1 OUT OF 4)"), "(sample t 0.25)");
  EXPECT_EQ(FromTextOf("(SELECT 1) TABLESAMPLE (2 + 3 ROWS)"), "(sample (select 1) (+ 2 3))");
}

TEST(QueryParserTest, RowsAreDistributed) {
  EXPECT_EQ(QueryTextOf("SELECT a FROM t DISTRIBUTE BY a, b SORT BY c DESC LIMIT 1"),
            "(select a (from t) (order c desc) (distribute a b) (limit 1))");
  EXPECT_EQ(QueryTextOf("SELECT a FROM t CLUSTER BY a"),
            "(select a (from t) (order a) (distribute a))");
  EXPECT_EQ(ItemTextOf("sum(a) OVER (CLUSTER BY b)"), "(sum a (over (window (partition b))))");
}

TEST(QueryParserTest, HintsStandBehindSelect) {
  EXPECT_EQ(QueryTextOf("SELECT /*+ BROADCAST(t, u), COALESCE(3) */ /*+ merge */ a FROM t"),
            "(select (hint BROADCAST t u) (hint COALESCE 3) (hint merge) a (from t))");
  auto query = ParseQuery("SELECT /*+ nosuch(t) */ a FROM (SELECT /*+ MERGE(t), other */ 1)");
  ASSERT_TRUE(query.ok());
  EXPECT_EQ(UnknownHintsOf(**query), (std::vector<std::string>{"nosuch", "other"}));
}

TEST(QueryParserTest, NamesMayStandInTexts) {
  EXPECT_EQ(ItemTextOf("IDENTIFIER('t.' 'a')"), "t.a");
  EXPECT_EQ(ItemTextOf("IDENTIFIER('abs')(1) AS IDENTIFIER('x')"), "(as (abs 1) x)");
  EXPECT_EQ(FromTextOf("IDENTIFIER('`a b`') AS c"), "(as a b c)");
  EXPECT_EQ(ItemTextOf("identifier"), "identifier");
}

TEST(QueryParserTest, AChainOfOneOperatorIsOneNode) {
  std::string text = "SELECT 0";
  for (int i = 1; i < 1000; ++i) text += " UNION ALL SELECT 1";
  auto query = ParseQuery(text);

  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ((*query)->operands.size(), 1000U);
}

TEST(QueryParserTest, ClausesBehindASetOperationApplyToTheWhole) {
  EXPECT_EQ(
      QueryTextOf("SELECT a FROM t UNION ALL SELECT b FROM u ORDER BY 1 DESC LIMIT 3 OFFSET 2"),
      "((union-all (select a (from t)) (select b (from u))) (order 1 desc) (limit 3) "
      "(offset 2))");
  EXPECT_EQ(QueryTextOf("(SELECT a FROM t ORDER BY a LIMIT 2) UNION (SELECT 3 LIMIT 1)"),
            "(union (select a (from t) (order a) (limit 2)) (select 3 (limit 1)))");
  EXPECT_EQ(QueryTextOf("(SELECT a FROM t LIMIT 5) ORDER BY a LIMIT ALL"),
            "((select a (from t) (limit 5)) (order a))");
  EXPECT_EQ(QueryTextOf("SELECT a, b FROM t ORDER BY ALL DESC NULLS LAST OFFSET 1"),
            "(select a b (from t) (order * desc nulls-last) (offset 1))");
}

TEST(QueryParserTest, CommonTablesNestAndNameColumns) {
  EXPECT_EQ(QueryTextOf("WITH a AS (SELECT 1), b(x, y) AS (WITH c AS (SELECT 2) SELECT * FROM c) "
                        "SELECT * FROM a, b"),
            "(with (as (select 1) a) (as (with (as (select 2) c) (select * (from c))) b (x y)) "
            "(select * (from (join inner a b))))");
  EXPECT_EQ(QueryTextOf("WITH a (SELECT 1) (WITH b AS (SELECT 2) SELECT * FROM b) LIMIT 1"),
            "(with (as (select 1) a) ((with (as (select 2) b) (select * (from b))) (limit 1)))");
}

TEST(QueryParserTest, InlineTablesAreQueriesAndRelations) {
  EXPECT_EQ(QueryTextOf("VALUES (1, 'a'), (2, 'b') AS t(x, y) LIMIT 1"),
            "((as (values (row 1 'a') (row 2 'b')) t (x y)) (limit 1))");
  EXPECT_EQ(FromTextOf("VALUES 1, (2), struct(3)"), "(values (row 1) (row 2) (row 3))");
  EXPECT_EQ(FromTextOf("VALUES (1) t(a) JOIN (VALUES (2)) AS u(b)"),
            "(join inner (as (values (row 1)) t (a)) (as (values (row 2)) u (b)))");
  EXPECT_EQ(QueryTextOf("TABLE t"), "(select * (from t))");
  EXPECT_EQ(QueryTextOf("SELECT values FROM values v"), "(select values (from (as values v)))");
}

TEST(QueryParserTest, EveryJoin) {
  EXPECT_EQ(FromTextOf("a INNER JOIN b ON a.x = b.x LEFT OUTER JOIN c USING (x, y)"),
            "(join left (join inner a b (on (= a.x b.x))) c (using x y))");
  EXPECT_EQ(FromTextOf("a CROSS JOIN b RIGHT JOIN c ON true FULL OUTER JOIN d ON false"),
            "(join full (join right (join cross a b) c (on true)) d (on false))");
  EXPECT_EQ(FromTextOf("a SEMI JOIN b ON p LEFT SEMI JOIN c ON q LEFT ANTI JOIN d ANTI JOIN e"),
            "(join anti (join anti (join semi (join semi a b (on p)) c (on q)) d) e)");
  EXPECT_EQ(FromTextOf("a NATURAL JOIN b NATURAL LEFT JOIN c"),
            "(natural-join left (natural-join inner a b) c)");
  EXPECT_EQ(FromTextOf("a x, b AS y JOIN c, d"),
            "(join inner (join inner (join inner (as a x) (as b y)) c) d)");
  EXPECT_EQ(FromTextOf("a JOIN (b JOIN c ON p) ON q"),
            "(join inner a (join inner b c (on p)) (on q))");
  EXPECT_EQ(FromTextOf("(a JOIN b) AS t(x) JOIN LATERAL (SELECT 1) s"),
            "(join inner lateral (as (join inner a b) t (x)) (as (select 1) s))");
  EXPECT_EQ(FromTextOf("a, LATERAL explode(a.x) AS e(c)"),
            "(join inner lateral a (as (explode a.x) e (c)))");
}

TEST(QueryParserTest, JoinWordsServeAsAliasesElsewhere) {
  EXPECT_EQ(FromTextOf("a left WHERE left.x"), "(as a left)) (where left.x");
  EXPECT_EQ(FromTextOf("a anti, b semi"), "(join inner (as a anti) (as b semi))");
}

TEST(QueryParserTest, ParenthesesHoldQueriesOrRelations) {
  EXPECT_EQ(FromTextOf("((SELECT 1) UNION (SELECT 2)) t"), "(as (union (select 1) (select 2)) t)");
  EXPECT_EQ(FromTextOf("((SELECT 1) a JOIN (SELECT 2) b)"),
            "(join inner (as (select 1) a) (as (select 2) b))");
  EXPECT_EQ(FromTextOf("((a))"), "a");
  EXPECT_EQ(FromTextOf("(a AS b) AS c"), "(as (as a b) c)");
  EXPECT_EQ(FromTextOf("((SELECT 1) LIMIT 1)"), "(select 1 (limit 1))");
  EXPECT_EQ(ItemTextOf("((SELECT 1) UNION ALL (SELECT 2))"),
            "(query (union-all (select 1) (select 2)))");
}

TEST(QueryParserTest, StreamsAndWatermarks) {
  EXPECT_EQ(FromTextOf("STREAM clicks WATERMARK ts DELAY OF INTERVAL 10 MINUTES AS c"),
            "(as (watermark (stream clicks) ts interval<10 MINUTES>) c)");
  EXPECT_EQ(FromTextOf("STREAM(clicks) WATERMARK to_timestamp(s) AS ts DELAY OF INTERVAL '1' HOUR"),
            "(watermark (stream clicks) (as (to_timestamp s) ts) interval<'1' HOUR>)");
  EXPECT_EQ(FromTextOf("(SELECT * FROM t) WATERMARK ts DELAY OF INTERVAL 1 DAY c"),
            "(as (watermark (select * (from t)) ts interval<1 DAY>) c)");
  EXPECT_EQ(FromTextOf("t watermark WHERE true"), "(as t watermark)) (where true");
}

TEST(QueryParserTest, SubqueriesInExpressions) {
  EXPECT_EQ(ItemTextOf("1 + (SELECT max(a) FROM t) * 2"),
            "(+ 1 (* (query (select (max a) (from t))) 2))");
  EXPECT_EQ(ItemTextOf("a IN (SELECT b FROM u) AND NOT EXISTS (SELECT 1 FROM v)"),
            "(and (in (of a) (select b (from u))) (not (exists (select 1 (from v)))))");
  EXPECT_EQ(ItemTextOf("(a, b) NOT IN (WITH c AS (SELECT 1) SELECT * FROM c)"),
            "(not (in (of a b) (with (as (select 1) c) (select * (from c)))))");
}

TEST(QueryParserTest, TableFunctionsAndLateralViews) {
  EXPECT_EQ(FromTextOf("range(1, 10) r"), "(as (range 1 10) r)");
  EXPECT_EQ(FromTextOf("stack(2, 1, 2) AS s(a)"), "(as (stack 2 1 2) s (a))");
  EXPECT_EQ(FromTextOf("t LATERAL VIEW json_tuple(j, 'a', 'b') x AS a, b"),
            "t) (lateral (json_tuple j 'a' 'b') x (a b)");
}

TEST(QueryParserTest, GroupingAnalytics) {
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM t GROUP BY a, ROLLUP(b, (c, d)), CUBE(e)"),
            "(select 1 (from t) (group a (rollup (set b) (set c d)) (cube (set e))))");
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM t GROUP BY GROUPING SETS ((a, b), a, (), ROLLUP(c))"),
            "(select 1 (from t) (group (sets (set a b) (set a) (set) (rollup (set c)))))");
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM t GROUP BY a, b WITH ROLLUP"),
            "(select 1 (from t) (group (rollup (set a) (set b))))");
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM t GROUP BY a, b GROUPING SETS ((a), (b)) HAVING true"),
            "(select 1 (from t) (group (sets (of a b) (set a) (set b))) (having true))");
  EXPECT_EQ(QueryTextOf("SELECT 1 FROM t GROUP BY (a, b), rollup"),
            "(select 1 (from t) (group (row a b) rollup))");
}

TEST(QueryParserTest, WindowFunctions) {
  EXPECT_EQ(ItemTextOf("row_number() OVER (PARTITION BY a, b ORDER BY c DESC NULLS LAST)"),
            "(row_number (over (window (partition a b) (order c desc nulls-last))))");
  EXPECT_EQ(ItemTextOf("sum(x) OVER (ORDER BY t ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)"),
            "(sum x (over (window (order t) (rows (preceding 2) current))))");
  EXPECT_EQ(ItemTextOf("sum(x) OVER (ORDER BY t RANGE INTERVAL 1 DAY PRECEDING)"),
            "(sum x (over (window (order t) (range (preceding interval<1 DAY>) current))))");
  EXPECT_EQ(ItemTextOf("sum(x) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)"),
            "(sum x (over (window (rows first last))))");
  EXPECT_EQ(ItemTextOf("lag(x, 1) IGNORE NULLS OVER w + first(y IGNORE NULLS)"),
            "(+ (lag x 1 ignore-nulls (over w)) (first y ignore-nulls))");
  EXPECT_EQ(QueryTextOf("SELECT rank() OVER w FROM t QUALIFY rank() OVER (w) = 1 "
                        "WINDOW w AS (ORDER BY a), v AS () ORDER BY a"),
            "(select (rank (over w)) (from t) (window w (window (order a))) (window v (window)) "
            "(qualify (= (rank (over w)) 1)) (order a))");
}

TEST(QueryParserTest, AggregatesTakeFilterAndOrder) {
  EXPECT_EQ(ItemTextOf("count(*) FILTER (WHERE a > 1) OVER ()"),
            "(count * (filter (> a 1)) (over (window)))");
  EXPECT_EQ(ItemTextOf("percentile_cont(0.5) WITHIN GROUP (ORDER BY a DESC) FILTER (WHERE b)"),
            "(percentile_cont 0.5 (within a desc) (filter b))");
}

TEST(QueryParserTest, StarsWithoutSomeColumnsAndParameters) {
  EXPECT_EQ(ItemTextOf("* EXCEPT (a, b.c), t.* EXCEPT (d)"), "* (except a b.c) t.* (except d)");
  EXPECT_EQ(ItemTextOf("a EXCEPT (SELECT 2)"), "(except (select a) (select 2))");
  EXPECT_EQ(ItemTextOf("?, :day, ?"), "?0 :day ?1");
  EXPECT_EQ(QueryTextOf("SELECT 1 LIMIT :n OFFSET ?"), "(select 1 (limit :n) (offset ?0))");
}

TEST(QueryParserTest, LikeOfSeveralPatterns) {
  EXPECT_EQ(ItemTextOf("a LIKE ANY ('x', 'y')"), "(like any a 'x' 'y')");
  EXPECT_EQ(ItemTextOf("a NOT LIKE SOME ('x', 'y')"), "(not like any a 'x' 'y')");
  EXPECT_EQ(ItemTextOf("a NOT ILIKE ALL ('x', 'y')"), "(not ilike all a 'x' 'y')");
}

TEST(QueryParserTest, AQueryInsideAStatementEndsTheCursorBehindIt) {
  const std::string text = "CREATE VIEW v AS SELECT a FROM t; SELECT 2";
  TokenCursor cursor(Tokenize(text).ValueOrDie());
  while (!cursor.AcceptKeyword("AS")) cursor.Advance();

  auto query = ParseQueryAt(text, &cursor);

  ASSERT_TRUE(query.ok()) << query.status();
  EXPECT_EQ(AstText(**query), "(select a (from t))");
  EXPECT_TRUE(cursor.IsSymbol(";"));
}

TEST(QueryParserTest, TablesAreFoundEverywhereButWhereWithNamesThem) {
  auto query = ParseQuery(
      "WITH a AS (SELECT * FROM t1), b AS (SELECT * FROM a JOIN t2) "
      "SELECT (SELECT max(x) FROM t3) FROM b, t1 WHERE y IN (SELECT z FROM a, t4) "
      "UNION ALL SELECT * FROM (SELECT * FROM t5) LATERAL VIEW explode(s) AS e");

  ASSERT_TRUE(query.ok()) << query.status();
  std::string names;
  for (const NamedTable& table : TablesOf(**query)) names += table.name + " ";
  EXPECT_EQ(names, "t1 t2 t3 t4 t5 ");
}

}  // namespace
}  // namespace tidemill::driver::sql
