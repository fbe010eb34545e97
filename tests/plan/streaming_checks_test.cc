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
