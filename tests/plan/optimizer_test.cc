#include <gtest/gtest.h>

#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

TEST(OptimizerTest, WordCountReadsSplitsAndGroupsInOneGo) {
  EXPECT_EQ(OptimizedText("SELECT word, count(*) AS count FROM (SELECT explode(split(value, ' ')) "
                          "AS word FROM lines) GROUP BY word",
                          kComplete),
            "Project [word, count(1) AS count]\n"
            "+- Aggregate keys=[word], functions=[count(1)]\n"
            "   +- Generate explode(split(value,  , -1)), [word]\n"
            "      +- Read lines text [value], streaming\n");
}

TEST(OptimizerTest, SourcesDeliverOnlyWhatIsRead) {
  EXPECT_EQ(OptimizedText("SELECT page FROM log WHERE n > 1"),
            "Project [page]\n"
            "+- Filter (n > 1)\n"
            "   +- Read log json [page, n], streaming\n");
  EXPECT_EQ(OptimizedText("SELECT count(*) FROM log", kUpdate),
            "Aggregate keys=[], functions=[count(1)]\n"
            "+- Read log json [], streaming\n");
  EXPECT_EQ(OptimizedText("SELECT count(*) AS c FROM (SELECT upper(user) FROM log)", kUpdate),
            "Project [count(1) AS c]\n"
            "+- Aggregate keys=[], functions=[count(1)]\n"
            "   +- Read log json [], streaming\n");
}

TEST(OptimizerTest, UnreadResultsOfAnAggregationAreDropped) {
  EXPECT_EQ(OptimizedText("SELECT b FROM (SELECT user, sum(n) a, max(n) b FROM log GROUP BY user)",
                          kUpdate),
            "Project [max(n) AS b]\n"
            "+- Aggregate keys=[user], functions=[max(n)]\n"
            "   +- Read log json [user, n], streaming\n");
  EXPECT_EQ(OptimizedText("SELECT 1 AS one FROM (SELECT count(*) FROM log)", kUpdate),
            "Project [1 AS one]\n"
            "+- Aggregate keys=[], functions=[count(1)]\n"
            "   +- Read log json [], streaming\n");
}

TEST(OptimizerTest, ConstantsAreFolded) {
  EXPECT_EQ(OptimizedText("SELECT n + (1 + 2) AS m FROM log WHERE true AND n > 2 * 3"),
            "Project [(n + 3) AS m]\n"
            "+- Filter (n > 6)\n"
            "   +- Read log json [n], streaming\n");
}

TEST(OptimizerTest, FailingConstantsFailAtRunTime) {
  EXPECT_EQ(OptimizedText("SELECT 1 / 0 AS x, current_timestamp AS t FROM lines"),
            "Project [(1 / 0) AS x, current_timestamp() AS t]\n"
            "+- Read lines text [], streaming\n");
}

TEST(OptimizerTest, FiltersMoveBelowProjectionsGeneratorsAndGroups) {
  EXPECT_EQ(OptimizedText("SELECT u, tag FROM (SELECT user AS u, explode(tags) AS tag FROM log) "
                          "WHERE u > 'a' AND tag <> 'x'"),
            "Project [user AS u, tag]\n"
            "+- Filter (NOT (tag = x))\n"
            "   +- Generate explode(tags), [tag], keeping [user]\n"
            "      +- Filter (user > a)\n"
            "         +- Read log json [user, tags], streaming\n");
  EXPECT_EQ(OptimizedText("SELECT user, count(*) AS c FROM log GROUP BY user HAVING user > 'a' AND "
                          "count(*) > 1",
                          kUpdate),
            "Project [user, count(1) AS c]\n"
            "+- Filter (count(1) > 1)\n"
            "   +- Aggregate keys=[user], functions=[count(1)]\n"
            "      +- Filter (user > a)\n"
            "         +- Read log json [user], streaming\n");
}

TEST(OptimizerTest, FiltersOfAGlobalAggregationStayAboveIt) {
  EXPECT_EQ(OptimizedText("SELECT count(*) AS c FROM log HAVING false", kUpdate),
            "Project [count(1) AS c]\n"
            "+- Filter false\n"
            "   +- Aggregate keys=[], functions=[count(1)]\n"
            "      +- Read log json [], streaming\n");
}

TEST(OptimizerTest, FiltersOnRandomColumnsStayAboveThem) {
  EXPECT_EQ(OptimizedText("SELECT r FROM (SELECT rand(1) AS r, n FROM log) WHERE n > 1"),
            "Project [r]\n"
            "+- Filter (n > 1)\n"
            "   +- Project [rand(1) AS r, n]\n"
            "      +- Read log json [n], streaming\n");
}

TEST(OptimizerTest, ProjectionsCollapseUnlessWorkWouldBeDoneTwice) {
  EXPECT_EQ(OptimizedText("SELECT m + 1 AS k FROM (SELECT n * 2 AS m, user FROM log)"),
            "Project [((n * 2) + 1) AS k]\n"
            "+- Read log json [n], streaming\n");
  EXPECT_EQ(OptimizedText("SELECT m, m + 1 AS k FROM (SELECT n * 2 AS m FROM log)"),
            "Project [m, (m + 1) AS k]\n"
            "+- Project [(n * 2) AS m]\n"
            "   +- Read log json [n], streaming\n");
}

TEST(OptimizerTest, TheNamesOfTheResultStay) {
  EXPECT_EQ(SchemaText("SELECT VALUE FROM lines"), "VALUE STRING");
  EXPECT_EQ(OptimizedText("SELECT value AS line FROM lines"),
            "Project [value AS line]\n"
            "+- Read lines text [value], streaming\n");
  EXPECT_EQ(OptimizedText("SELECT * FROM lines"), "Read lines text [value], streaming\n");
}

TEST(OptimizerTest, NamesThatRulesLoseComeBackAtTheEnd) {
  EXPECT_EQ(OptimizedText("SELECT U, explode(tags) AS tag FROM (SELECT user AS u, tags FROM log)"),
            "Project [user AS U, tag]\n"
            "+- Generate explode(tags), [tag], keeping [user]\n"
            "   +- Read log json [user, tags], streaming\n");
  EXPECT_EQ(OptimizedText("SELECT K FROM (SELECT n + 1 AS k FROM log) GROUP BY k", kUpdate),
            "Project [(n + 1) AS K]\n"
            "+- Aggregate keys=[(n + 1)], functions=[]\n"
            "   +- Read log json [n], streaming\n");
}

TEST(OptimizerTest, AProjectionIsTakenIntoTheGenerator) {
  EXPECT_EQ(OptimizedText("SELECT explode(words) AS w FROM (SELECT split(value, ' ') AS words FROM "
                          "lines)"),
            "Generate explode(split(value,  , -1)), [w]\n"
            "+- Read lines text [value], streaming\n");
}

}  // namespace
}  // namespace tidemill::driver
