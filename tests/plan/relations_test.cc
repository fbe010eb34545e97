#include <gtest/gtest.h>

#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

// A query over tables that are all there.
arrow::Result<AnalyzedQuery> AnalyzeBounded(const std::string& query) {
  JobSpec spec = SpecOf(query);
  spec.is_bounded = true;
  return AnalyzeQuery(spec, {SourceOf("a", "json", "x INT, y STRING", /*is_streaming=*/false),
                             SourceOf("b", "json", "x BIGINT, z DOUBLE", /*is_streaming=*/false)});
}

std::string BoundedSchema(const std::string& query) {
  auto analyzed = AnalyzeBounded(query);
  return analyzed.ok() ? DdlOf(*analyzed->schema) : RenderError(analyzed.status());
}

std::string BoundedTree(const std::string& query) {
  auto analyzed = AnalyzeBounded(query);
  return analyzed.ok() ? TreeText(analyzed->optimized) : RenderError(analyzed.status());
}

std::string BoundedError(const std::string& query) {
  auto analyzed = AnalyzeBounded(query);
  return analyzed.ok() ? "" : ErrorClassOf(analyzed.status());
}

TEST(RelationsTest, UsingMergesColumnsAndKeepsBothSidesReachable) {
  EXPECT_EQ(BoundedSchema("SELECT * FROM a JOIN b USING (x)"), "x INT, y STRING, z DOUBLE");
  EXPECT_EQ(BoundedSchema("SELECT * FROM a RIGHT JOIN b USING (x)"),
            "x BIGINT, y STRING, z DOUBLE");
  EXPECT_EQ(BoundedSchema("SELECT * FROM a FULL JOIN b USING (x)"), "x BIGINT, y STRING, z DOUBLE");
  EXPECT_EQ(BoundedSchema("SELECT * FROM a NATURAL JOIN b"), "x INT, y STRING, z DOUBLE");
  EXPECT_EQ(BoundedSchema("SELECT a.x AS l, b.x AS r, x, b.* FROM a LEFT JOIN b USING (x)"),
            "l INT, r BIGINT, x INT, z DOUBLE, x BIGINT");
  EXPECT_EQ(BoundedSchema("SELECT * FROM a SEMI JOIN b USING (x)"), "x INT, y STRING");
  EXPECT_EQ(BoundedError("SELECT b.x FROM (SELECT * FROM a JOIN b USING (x)) AS t"),
            "UNRESOLVED_COLUMN.WITH_SUGGESTION");
}

TEST(RelationsTest, QueriesOfWithHideTablesAndEachOther) {
  EXPECT_EQ(BoundedSchema("WITH a AS (SELECT x AS p FROM a), b(q) AS (SELECT p + 1 FROM a) "
                          "SELECT * FROM b"),
            "q INT");
  EXPECT_EQ(BoundedSchema("SELECT c.* FROM (WITH c AS (SELECT 1 AS one) SELECT * FROM c) c"),
            "one INT");
  EXPECT_EQ(BoundedError("WITH c AS (SELECT * FROM d), d AS (SELECT 1) SELECT * FROM c"),
            "TABLE_OR_VIEW_NOT_FOUND");
}

TEST(RelationsTest, QueriesOfWithThatDoubleAtEachStepAreRefused) {
  std::string text = "WITH t0 AS (SELECT x FROM a)";
  for (int i = 1; i < 40; ++i) {
    const std::string before = "t" + std::to_string(i - 1);
    text += ", t" + std::to_string(i) + " AS (SELECT * FROM " + before +
            " UNION ALL SELECT * FROM " + before + ")";
  }
  EXPECT_EQ(BoundedError(text + " SELECT * FROM t39"), "QUERY_TOO_LARGE");
}

TEST(RelationsTest, SetOperationsWidenTypesAndNameColumnsAfterTheFirst) {
  EXPECT_EQ(BoundedSchema("SELECT x AS k, y FROM a UNION ALL SELECT x, 'v' FROM b"),
            "k BIGINT, y STRING");
  EXPECT_EQ(BoundedSchema("SELECT x FROM a EXCEPT SELECT z FROM b INTERSECT SELECT 1"), "x DOUBLE");
  EXPECT_EQ(BoundedSchema("VALUES (1, NULL), (2.5, 'a') AS v(n, s)"), "n DECIMAL(11,1), s STRING");
}

TEST(RelationsTest, IntersectCountsRowsInOneAggregation) {
  EXPECT_EQ(BoundedTree("SELECT x FROM b INTERSECT ALL SELECT x FROM b"),
            "Generate replicate((IF((sum(left_count) < sum(right_count)), sum(left_count), "
            "sum(right_count)))), [], keeping [x]\n"
            "+- Filter ((IF((sum(left_count) < sum(right_count)), sum(left_count), "
            "sum(right_count))) > 0)\n"
            "   +- Aggregate keys=[x], functions=[sum(left_count), sum(right_count)]\n"
            "      +- Union\n"
            "         :- Project [x, 1 AS left_count, 0 AS right_count]\n"
            "         :  +- Read b json [x]\n"
            "         +- Project [x, 0 AS left_count, 1 AS right_count]\n"
            "            +- Read b json [x]\n");
}

TEST(RelationsTest, WindowsOfOneSpecificationShareANode) {
  const std::string tree = BoundedTree(
      "SELECT rank() OVER (PARTITION BY y ORDER BY x) AS r, "
      "sum(x) OVER (PARTITION BY y ORDER BY x) AS s, count(*) OVER () AS n FROM a");

  EXPECT_NE(
      tree.find("\n+- Window [count(1) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED "
                "FOLLOWING)]\n   +- Window [RANK() OVER (PARTITION BY y ORDER BY x ASC NULLS "
                "FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW), sum(x) OVER "
                "(PARTITION BY y ORDER BY x ASC NULLS FIRST RANGE BETWEEN UNBOUNDED PRECEDING "
                "AND CURRENT ROW)]\n      +- Read a json [x, y]\n"),
      std::string::npos)
      << tree;
}

TEST(RelationsTest, SubqueriesBecomeJoins) {
  EXPECT_EQ(BoundedTree("SELECT y FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x = a.x AND z > 1)"),
            "Project [y]\n"
            "+- Join LeftSemi, (x = x)\n"
            "   :- Read a json [x, y]\n"
            "   +- Project [x]\n"
            "      +- Filter (z > 1)\n"
            "         +- Read b json [x, z]\n");
  EXPECT_EQ(BoundedTree("SELECT y, (SELECT count(*) FROM b WHERE b.x = a.x) AS n FROM a"),
            "Project [y, (IF((x IS NULL), 0, count(1))) AS n]\n"
            "+- Join LeftOuter, (x = x)\n"
            "   :- Read a json [x, y]\n"
            "   +- Project [count(1), x]\n"
            "      +- Aggregate keys=[x], functions=[count(1)]\n"
            "         +- Filter (x IS NOT NULL)\n"
            "            +- Read b json [x]\n");
}

TEST(RelationsTest, NamesOfTheQueryAroundGoIntoWhereAlone) {
  EXPECT_EQ(BoundedError("SELECT (SELECT max(z) + a.x FROM b) FROM a"),
            "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE");
  EXPECT_EQ(BoundedError("SELECT (SELECT max(z) FROM b WHERE b.x > a.x) FROM a"), "");
  EXPECT_EQ(BoundedError("SELECT (SELECT max(z + a.x) FROM b WHERE b.x > a.x) FROM a"),
            "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY."
            "AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES");
  EXPECT_EQ(BoundedError("SELECT 1 FROM a WHERE EXISTS (SELECT 1 FROM b WHERE b.x > a.x)"), "");
}

TEST(RelationsTest, GroupingSetsGroupRepeatedRows) {
  EXPECT_EQ(BoundedTree("SELECT y, count(*) AS n, grouping(y) AS g FROM a GROUP BY ROLLUP (y)"),
            "Project [k0 AS y, count(1) AS n, CAST(((grouping_id div 1) % 2) AS TINYINT) AS g]\n"
            "+- Aggregate keys=[k0, grouping_id], functions=[count(1)]\n"
            "   +- Generate inline(array(named_struct(k0, y, grouping_id, 0), named_struct(k0, "
            "NULL, grouping_id, 1))), [k0, grouping_id]\n"
            "      +- Read a json [y]\n");
}

TEST(RelationsTest, WhatIsSaidAboutAJoinIsChecked) {
  EXPECT_EQ(BoundedError("SELECT 1 FROM a JOIN b ON a.x"), "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE");
  EXPECT_EQ(BoundedError("SELECT 1 FROM a JOIN b USING (y)"), "UNRESOLVED_USING_COLUMN_FOR_JOIN");
  EXPECT_EQ(BoundedError("SELECT x FROM a JOIN b ON a.x = b.x"), "AMBIGUOUS_REFERENCE");
}

}  // namespace
}  // namespace tidemill::driver
