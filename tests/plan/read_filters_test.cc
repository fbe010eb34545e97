#include "driver/plan/optimize/read_filters.h"

#include <gtest/gtest.h>

#include "connectors/column_filter.h"
#include "driver/plan/logical/relations.h"
#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

// What the reader of a source is told of `condition`.
std::string ToldOf(const std::string& condition, const std::string& format = "parquet") {
  const auto source = SourceOf("t", format, "a INT, s STRING, d DOUBLE, day DATE, big BIGINT");
  const auto query =
      AnalyzeQuery(SpecOf("SELECT big FROM (SELECT * FROM t) WHERE " + condition), {source});
  if (!query.ok()) return RenderError(query.status());
  std::string told;
  ForEachNode(query->optimized, [&](const LogicalPlanPtr& node) {
    if (node->kind != LogicalPlan::Kind::kRead) return;
    told = As<ReadNode>(*node).source.options.GetString(connectors::kFilterOption, "");
  });
  return told;
}

TEST(ReadFiltersTest, ComparisonsOfAColumnWithALiteralReachTheReader) {
  EXPECT_EQ(ToldOf("a > 5 AND 7 >= a"), "0>n5;0ln7;");
  EXPECT_EQ(ToldOf("s = 'ab'"), "1=s6162;");
  EXPECT_EQ(ToldOf("s = 'ab'", "orc"), "1=s6162;");
  EXPECT_EQ(ToldOf("day < DATE'1970-01-11' AND big >= 3"), "3<n10;4gn3;");
}

TEST(ReadFiltersTest, OtherConditionsStayWithTheFilter) {
  EXPECT_EQ(ToldOf("d > 1.5D"), "");
  EXPECT_EQ(ToldOf("a > big"), "");
  EXPECT_EQ(ToldOf("a + 1 > 5"), "");
  EXPECT_EQ(ToldOf("a > 5 OR s = 'x'"), "");
  EXPECT_EQ(ToldOf("a > 5 AND (a < 9 OR s = 'x')"), "0>n5;");
  EXPECT_EQ(ToldOf("a <> 5"), "");
}

TEST(ReadFiltersTest, ReadersOfLinesAreToldNothing) { EXPECT_EQ(ToldOf("a > 5", "json"), ""); }

}  // namespace
}  // namespace tidemill::driver
