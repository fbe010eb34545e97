#include <gtest/gtest.h>

#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

TEST(StreamingChecksTest, AQueryOfBatchSourcesIsRefused) {
  EXPECT_EQ(ErrorText("SELECT name FROM countries"),
            "UNSUPPORTED_STREAMING_OPERATION: Queries without streaming sources cannot be executed "
            "with writeStream.start() | SELECT name FROM countries");
  EXPECT_EQ(ErrorText("SELECT 1"),
            "UNSUPPORTED_STREAMING_OPERATION: Queries without streaming sources cannot be executed "
            "with writeStream.start() | SELECT 1");
}

std::string BoundedErrorOf(const std::string& query, bool drops_duplicates = false) {
  JobSpec spec = SpecOf(query);
  spec.is_bounded = true;
  if (drops_duplicates) {
    SourceDecl source;
    source.name = "countries";
    source.drop_duplicates = DropDuplicatesSpec{{"code"}, /*within_watermark=*/true};
    spec.sources.push_back(source);
  }
  return AnalyzeQuery(spec, {TestSources()[2]}).status().message();
}

TEST(StreamingChecksTest, ABoundedQueryReadsNoStream) {
  EXPECT_EQ(BoundedErrorOf("SELECT name FROM STREAM countries"),
            "Queries with streaming sources must be executed with writeStream.start(), or from a "
            "streaming table or flow definition within a Spark Declarative Pipeline.");
  EXPECT_EQ(BoundedErrorOf("SELECT name FROM countries"), "");
}

TEST(StreamingChecksTest, DroppingDuplicatesWithinAWatermarkIsForStreams) {
  EXPECT_EQ(BoundedErrorOf("SELECT name FROM countries", /*drops_duplicates=*/true),
            "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets");
}

TEST(StreamingChecksTest, AWatermarkIsNotRedefined) {
  EXPECT_EQ(ErrorText("SELECT t FROM (SELECT ts AS t FROM log WATERMARK ts DELAY OF INTERVAL 5 "
                      "SECONDS) WATERMARK t DELAY OF INTERVAL 3 SECONDS"),
            "UNSUPPORTED_STREAMING_OPERATION: Redefining watermark is disallowed. You can set the "
            "config 'spark.sql.streaming.statefulOperator.allowMultiple' to 'false' to restore the "
            "previous behavior. Note that multiple stateful operators will be disallowed. | t");
}

// The mode of the whole query comes before what is in it, children before their parents.
TEST(StreamingChecksTest, ProblemsAreFoundInSparksOrder) {
  const std::string sampled = "SELECT user FROM log TABLESAMPLE (5 PERCENT)";
  EXPECT_EQ(ErrorText(sampled + " ORDER BY user"),
            "UNSUPPORTED_STREAMING_OPERATION: Sampling is not supported on streaming "
            "DataFrames/Datasets | TABLESAMPLE (5 PERCENT)");
  EXPECT_TRUE(ErrorText(sampled, kComplete).starts_with("STREAMING_OUTPUT_MODE."));
  const std::string except = "SELECT user FROM log EXCEPT SELECT name FROM countries";
  EXPECT_TRUE(ErrorText(except, kComplete).starts_with("STREAMING_OUTPUT_MODE."));
  EXPECT_TRUE(ErrorText(except, kUpdate).starts_with("UNSUPPORTED_FEATURE.STREAMING_EXCEPT"));
}

TEST(StreamingChecksTest, AppendNeedsAWatermarkUnderAnAggregation) {
  EXPECT_EQ(
      ErrorText("SELECT user, count(*) FROM log GROUP BY user"),
      "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION: Invalid streaming output mode: append. This "
      "output mode is not supported for streaming aggregations without watermark on streaming "
      "DataFrames/DataSets. | user");
  EXPECT_EQ(ErrorText("SELECT user, count(*) FROM log GROUP BY user", kUpdate), "");
  EXPECT_EQ(ErrorText("SELECT user, count(*) FROM log GROUP BY user", kComplete), "");
}

TEST(StreamingChecksTest, CompleteNeedsAnAggregation) {
  EXPECT_EQ(
      ErrorText("SELECT user FROM log", kComplete),
      "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION: Invalid streaming output mode: complete. This "
      "output mode is not supported for no streaming aggregations on streaming "
      "DataFrames/DataSets. | SELECT user FROM log");
  EXPECT_EQ(ErrorText("SELECT user FROM log", kUpdate), "");
}

TEST(StreamingChecksTest, SortingNeedsAnAggregationInCompleteMode) {
  const std::string refusal =
      "UNSUPPORTED_STREAMING_OPERATION: Sorting is not supported on streaming DataFrames/Datasets, "
      "unless it is on aggregated DataFrame/Dataset in Complete output mode | ";
  EXPECT_EQ(ErrorText("SELECT user FROM log ORDER BY user"), refusal + "user");
  EXPECT_EQ(ErrorText("SELECT user, count(*) c FROM log GROUP BY 1 ORDER BY c, 1", kUpdate),
            refusal + "c, 1");
  EXPECT_EQ(ErrorText("SELECT count(*) FROM (SELECT user FROM log ORDER BY n)", kComplete),
            refusal + "n");
  EXPECT_EQ(ErrorText("SELECT user, count(*) c FROM log GROUP BY 1 ORDER BY c", kComplete), "");
}

TEST(StreamingChecksTest, LimitsNeedAnAggregationInCompleteMode) {
  EXPECT_EQ(ErrorText("SELECT user FROM log LIMIT 3", kUpdate),
            "UNSUPPORTED_STREAMING_OPERATION: Limits are not supported on streaming "
            "DataFrames/Datasets in Update output mode | 3");
  EXPECT_EQ(ErrorText("SELECT user FROM log LIMIT 3"), "");
  EXPECT_EQ(ErrorText("SELECT count(*) FROM (SELECT user FROM log LIMIT 3)", kComplete), "");
  EXPECT_EQ(ErrorText("SELECT user, count(*) FROM log GROUP BY 1 LIMIT 3", kComplete), "");
}

TEST(StreamingChecksTest, DistinctAggregatesAreRefused) {
  EXPECT_EQ(ErrorText("SELECT count(DISTINCT user) FROM log", kUpdate),
            "UNSUPPORTED_STREAMING_OPERATION: Distinct aggregations are not supported on streaming "
            "DataFrames/Datasets. Consider using approx_count_distinct() instead. | count(DISTINCT "
            "user)");
}

}  // namespace
}  // namespace tidemill::driver
