#include "worker/operators/final_aggregate.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>

#include "common/expr/expr.h"
#include "tests/worker/stateful_fixture.h"

namespace tidemill::worker {
namespace {

using Lines = std::vector<std::string>;
using connectors::OutputMode;

// SELECT k, t, count(n) GROUP BY k, t, where t is the start of windows of ten seconds.
StatefulHarness Windows(OutputMode mode) {
  FinalAggregatePlan plan;
  plan.operator_id = 4;
  plan.output_mode = mode;
  plan.event_key = {1, 10 * kSecond};
  const auto schema = ParseDdlSchema("k STRING, t TIMESTAMP, c BIGINT").ValueOrDie();
  plan.key_types = {schema->field(0)->type(), schema->field(1)->type()};
  const std::vector<ExprPtr> args{MakeColumn(0, "n", arrow::int64())};
  plan.kernels = {
      MakeAggregateKernel(ResolveAggregateCall("count", args).ValueOrDie()).ValueOrDie()};
  StatefulOperator op{4, "stateStoreSave", plan.key_types, {arrow::int64()}, false};
  return {op, {0, 1}, [plan, schema](OperatorStates* states) {
            return FinalAggregate::Make(plan, schema, states);
          }};
}

// Partial rows (k, t in microseconds, count).
std::shared_ptr<arrow::RecordBatch> Batch(const std::string& json) {
  return testing::MakeBatch("k STRING, t TIMESTAMP, n BIGINT", json);
}

const Lines kBoth{R"({"k":"a","t":"1970-01-01T00:00:00.000Z","c":3})",
                  R"({"k":"a","t":"1970-01-01T00:00:10.000Z","c":4})"};

TEST(FinalAggregateTest, AppendGivesAWindowOnceTheWatermarkHasReachedItsEnd) {
  StatefulHarness harness = Windows(OutputMode::kAppend);
  EXPECT_EQ(harness.Run({Batch(R"([["a", 0, 1], ["a", 10000000, 4], ["a", null, 7]])")}, 0, 0),
            Lines{});
  EXPECT_EQ(harness.counters().rows_updated, 3);
  harness.Commit();
  EXPECT_EQ(harness.Run({Batch(R"([["a", 0, 2]])")}, 0, 9), Lines{});
  EXPECT_EQ(harness.counters().rows_updated, 1);
  harness.Commit();
  harness.Restore();

  EXPECT_EQ(harness.Run({}, 9, 10), (Lines{kBoth[0]}));
  harness.Undo();
  EXPECT_EQ(harness.Run({}, 9, 10), (Lines{kBoth[0]}));
  EXPECT_EQ(harness.counters().rows_removed, 1);
  EXPECT_EQ(harness.counters().rows_updated, 0);
  harness.Commit();
  EXPECT_EQ(harness.Run({Batch(R"([["a", 0, 5]])")}, 10, 20), (Lines{kBoth[1]}));
  EXPECT_EQ(harness.counters().rows_dropped_late, 1);
  EXPECT_EQ(harness.state_rows(), 1);  // Without a time it stays.
}

TEST(FinalAggregateTest, UpdateGivesWhatChangedAndForgetsSilently) {
  StatefulHarness harness = Windows(OutputMode::kUpdate);
  harness.Run({Batch(R"([["a", 0, 3], ["a", 10000000, 1]])")}, 0, 0);
  harness.Commit();

  EXPECT_EQ(harness.Run({Batch(R"([["a", 10000000, 3]])")}, 0, 10), (Lines{kBoth[1]}));
  EXPECT_EQ(harness.counters().rows_updated, 1);
  EXPECT_EQ(harness.counters().rows_removed, 1);
  EXPECT_EQ(harness.state_rows(), 1);
}

TEST(FinalAggregateTest, CompleteGivesEverythingAndDropsNothing) {
  StatefulHarness harness = Windows(OutputMode::kComplete);
  harness.Run({Batch(R"([["a", 0, 1], ["a", 10000000, 4]])")}, 0, 0);
  harness.Commit();
  harness.Restore(3);

  EXPECT_EQ(harness.Run({Batch(R"([["a", 0, 2]])")}, 50, 50), kBoth);
  EXPECT_EQ(harness.counters().rows_dropped_late, 0);
}

}  // namespace
}  // namespace tidemill::worker
