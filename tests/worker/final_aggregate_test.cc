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

// SELECT k, count(n) GROUP BY k, with a time to live of ten seconds.
StatefulHarness Living(OutputMode mode) {
  FinalAggregatePlan plan;
  plan.operator_id = 4;
  plan.output_mode = mode;
  plan.ttl_us = 10 * kSecond;
  const auto schema = ParseDdlSchema("k STRING, c BIGINT").ValueOrDie();
  plan.key_types = {schema->field(0)->type()};
  const std::vector<ExprPtr> args{MakeColumn(0, "n", arrow::int64())};
  plan.kernels = {
      MakeAggregateKernel(ResolveAggregateCall("count", args).ValueOrDie()).ValueOrDie()};
  StatefulOperator op{4, "stateStoreSave", plan.key_types, {arrow::int64(), arrow::int64()}, false};
  return {op, {0}, [plan, schema](OperatorStates* states) {
            return FinalAggregate::Make(plan, schema, states);
          }};
}

Lines RunAt(StatefulHarness* harness, int64_t second, const std::string& json) {
  EpochInfo epoch;
  epoch.epoch_time_us = second * kSecond;
  return harness->Run({testing::MakeBatch("k STRING, n BIGINT", json)}, epoch);
}

TEST(FinalAggregateTest, AKeyThatHasNotChangedForItsTimeToLiveBeginsAnew) {
  StatefulHarness harness = Living(OutputMode::kUpdate);
  RunAt(&harness, 100, R"([["a", 1], ["b", 1], [null, 1]])");
  harness.Commit();
  EXPECT_EQ(RunAt(&harness, 109, R"([["a", 1], ["a", 1]])"), (Lines{R"({"k":"a","c":3})"}));
  EXPECT_EQ(harness.counters().rows_removed, 0);
  harness.Commit();

  // b and NULL are over, and b comes back at once; a has lived on.
  const Lines want{R"({"k":"a","c":4})", R"({"k":"b","c":1})"};
  EXPECT_EQ(RunAt(&harness, 110, R"([["b", 1], ["a", 1]])"), want);
  harness.Undo();
  EXPECT_EQ(RunAt(&harness, 110, R"([["b", 1], ["a", 1]])"), want);
  EXPECT_EQ(harness.counters().rows_removed, 2);
  EXPECT_EQ(harness.counters().rows_updated, 2);
  harness.Commit();
  harness.Restore(3);

  EXPECT_EQ(RunAt(&harness, 119, R"([["b", 1]])"), (Lines{R"({"k":"b","c":2})"}));
  harness.Commit();
  EXPECT_EQ(RunAt(&harness, 120, "[]"), Lines{});
  EXPECT_EQ(harness.counters().rows_removed, 1);
  EXPECT_EQ(harness.state_rows(), 1);
}

TEST(FinalAggregateTest, WhatIsOverIsNoPartOfTheCompleteResult) {
  StatefulHarness harness = Living(OutputMode::kComplete);
  RunAt(&harness, 100, R"([["a", 1], ["b", 1]])");
  harness.Commit();
  RunAt(&harness, 105, R"([["b", 1]])");
  harness.Commit();
  EXPECT_EQ(RunAt(&harness, 110, R"([["c", 1]])"),
            (Lines{R"({"k":"b","c":2})", R"({"k":"c","c":1})"}));
  EXPECT_EQ(harness.counters().rows_removed, 1);
}

}  // namespace
}  // namespace tidemill::worker
