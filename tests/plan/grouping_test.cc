#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

TEST(GroupingTest, KeysMayBeNamesExpressionsOrdinalsAndAliases) {
  const std::string tree =
      "Project [upper(user) AS u, count(1) AS c]\n"
      "+- Aggregate keys=[upper(user)], functions=[count(1)]\n"
      "   +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n";
  EXPECT_EQ(AnalyzedText("SELECT upper(user) u, count(*) c FROM log GROUP BY upper(user)", kUpdate),
            tree);
  EXPECT_EQ(AnalyzedText("SELECT upper(user) u, count(*) c FROM log GROUP BY 1", kUpdate), tree);
  EXPECT_EQ(AnalyzedText("SELECT upper(user) u, count(*) c FROM log GROUP BY U", kUpdate), tree);
  EXPECT_EQ(AnalyzedText("SELECT upper(user) u, count(*) c FROM log GROUP BY ALL", kUpdate), tree);
}

TEST(GroupingTest, AColumnOfTheTableHidesAnAlias) {
  EXPECT_EQ(AnalyzedText("SELECT page AS user, count(*) FROM log GROUP BY page, user", kUpdate),
            "Project [page AS user, count(1)]\n"
            "+- Aggregate keys=[page, user], functions=[count(1)]\n"
            "   +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(GroupingTest, ExpressionsOverKeysAndAggregatesAreComputedAfterGrouping) {
  EXPECT_EQ(AnalyzedText("SELECT concat(upper(user), '!') AS x, sum(n) / count(*) AS y FROM log "
                         "GROUP BY upper(user)",
                         kUpdate),
            "Project [concat(upper(user), !) AS x, (sum(n) / count(1)) AS y]\n"
            "+- Aggregate keys=[upper(user)], functions=[sum(n), count(1)]\n"
            "   +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(GroupingTest, AnAggregateThatIsUsedTwiceIsComputedOnce) {
  EXPECT_EQ(AnalyzedText("SELECT count(*) AS a, count(1) + 1 AS b FROM log HAVING count(*) > 2",
                         kComplete),
            "Project [count(1) AS a, (count(1) + 1) AS b]\n"
            "+- Filter (count(1) > 2)\n"
            "   +- Aggregate keys=[], functions=[count(1)]\n"
            "      +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(GroupingTest, HavingMayUseAliasesKeysAndOtherAggregates) {
  EXPECT_EQ(AnalyzedText("SELECT user, max(n) AS n FROM log GROUP BY user "
                         "HAVING n > 1 AND max(n) < 9 AND user <> 'x' AND min(ms) > 0.5D",
                         kUpdate),
            "Project [user, max(n) AS n]\n"
            "+- Filter (((max(n) > 1) AND (max(n) < 9)) AND ((NOT (user = x)) AND (min(ms) > "
            "0.5)))\n"
            "   +- Aggregate keys=[user], functions=[max(n), min(ms)]\n"
            "      +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(GroupingTest, DistinctGroupsByAllColumns) {
  EXPECT_EQ(AnalyzedText("SELECT DISTINCT user, page FROM log ORDER BY page", kComplete),
            "Sort [page ASC NULLS FIRST]\n"
            "+- Project [user, page]\n"
            "   +- Aggregate keys=[user, page], functions=[]\n"
            "      +- Project [user, page]\n"
            "         +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(GroupingTest, AGeneratorMayReadGroups) {
  EXPECT_EQ(AnalyzedText("SELECT user, explode(split(user, ',')) AS part, count(*) FROM log "
                         "GROUP BY user",
                         kUpdate),
            "Project [user, part, count(1)]\n"
            "+- Generate explode(split(user, ,, -1)), [part], keeping [user, count(1)]\n"
            "   +- Aggregate keys=[user], functions=[count(1)]\n"
            "      +- Read log json [user, page, ms, n, s, tags, attrs, ts], streaming\n");
}

TEST(GroupingTest, ColumnsOutsideTheKeysAreRefused) {
  EXPECT_EQ(ErrorText("SELECT page, count(*) FROM log GROUP BY user", kUpdate),
            "MISSING_AGGREGATION: The non-aggregating expression \"page\" is based on columns "
            "which are not participating in the GROUP BY clause. Add the columns or the expression "
            "to the GROUP BY, aggregate the expression, or use \"any_value(page)\" if you do not "
            "care which of the values within a group is returned. | page");
  EXPECT_EQ(ErrorText("SELECT page, count(*) FROM log", kUpdate),
            "MISSING_GROUP_BY: The query does not include a GROUP BY clause. Add GROUP BY or turn "
            "it into the window functions using OVER clauses. | page");
  EXPECT_EQ(ErrorText("SELECT n + count(*) FROM log GROUP BY ALL", kUpdate),
            "UNRESOLVED_ALL_IN_GROUP_BY: Cannot infer grouping columns for GROUP BY ALL based on "
            "the select clause. Please explicitly specify the grouping columns. | n");
}

TEST(GroupingTest, AggregatesAreRefusedWhereTheyCannotStand) {
  EXPECT_EQ(ErrorText("SELECT n FROM log WHERE sum(n) > 1"),
            "INVALID_WHERE_CONDITION: The WHERE condition \"sum(n) > 1\" contains invalid "
            "expressions: sum(n). Rewrite the query to avoid window functions, aggregate "
            "functions, and generator functions in the WHERE clause. | sum(n)");
  EXPECT_EQ(ErrorText("SELECT sum(max(n)) FROM log", kUpdate),
            "NESTED_AGGREGATE_FUNCTION: It is not allowed to use an aggregate function in the "
            "argument of another aggregate function. Please use the inner aggregate function in a "
            "sub-query. | max(n)");
  EXPECT_EQ(ErrorText("SELECT n FROM log GROUP BY sum(n)", kUpdate),
            "GROUP_BY_AGGREGATE: Aggregate functions are not allowed in GROUP BY, but found "
            "sum(n). | sum(n)");
  EXPECT_EQ(ErrorText("SELECT sum(n) FROM log GROUP BY 1", kUpdate),
            "GROUP_BY_POS_AGGREGATE: GROUP BY 1 refers to an expression sum(n) that contains an "
            "aggregate function. Aggregate functions are not allowed in GROUP BY. | 1");
  EXPECT_EQ(ErrorText("SELECT user FROM log GROUP BY 2", kUpdate),
            "GROUP_BY_POS_OUT_OF_RANGE: GROUP BY position 2 is not in select list (valid range is "
            "[1, 1]). | 2");
}

TEST(GroupingTest, MapsCannotBeKeys) {
  EXPECT_EQ(ErrorText("SELECT count(*) FROM log GROUP BY attrs", kUpdate),
            "GROUP_EXPRESSION_TYPE_IS_NOT_ORDERABLE: The expression \"attrs\" cannot be used as a "
            "grouping expression because its data type \"MAP<STRING, INT>\" is not an orderable "
            "data type. | attrs");
}

TEST(GroupingTest, AnAggregationOverAnAggregationIsRefusedOutsideAppendMode) {
  const std::string refusal =
      "UNSUPPORTED_STREAMING_OPERATION: Detected pattern of possible 'correctness' issue due to "
      "global watermark.";
  EXPECT_THAT(ErrorText("SELECT max(c) FROM (SELECT count(*) c FROM log GROUP BY user)", kUpdate),
              testing::StartsWith(refusal));
  EXPECT_THAT(ErrorText("SELECT DISTINCT count(*) FROM log", kComplete),
              testing::StartsWith(refusal));
}

}  // namespace
}  // namespace tidemill::driver
