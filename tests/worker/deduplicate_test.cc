#include "worker/stateful/deduplicate.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "tests/worker/stateful_fixture.h"
#include "worker/stateful/global_limit.h"

namespace tidemill::worker {
namespace {

using Lines = std::vector<std::string>;

const std::shared_ptr<arrow::DataType> kTime = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");

// Rows (k STRING, n INT, t TIMESTAMP), t in microseconds.
std::shared_ptr<arrow::RecordBatch> Batch(const std::string& json) {
  return testing::MakeBatch("k STRING, n INT, t TIMESTAMP", json);
}

// By k alone, t being the event time or not.
StatefulHarness ByWord(bool has_event_time, std::optional<int64_t> delay_us = {}) {
  DeduplicatePlan plan{.operator_id = 3, .key_columns = {0}, .key_types = {arrow::utf8()}};
  if (has_event_time) plan.event_time = {2, 0};
  plan.delay_us = delay_us;
  StatefulOperator op{3, "dedupe", plan.key_types, {}, false};
  if (delay_us) op.value_types.push_back(arrow::int64());
  return {op, {0}, [plan](OperatorStates* states) { return Deduplicate::Make(plan, states); }};
}

// By k and t, the event time.
StatefulHarness ByWordAndTime() {
  DeduplicatePlan plan{
      .operator_id = 3, .key_columns = {2, 0}, .key_types = {kTime, arrow::utf8()}};
  plan.event_time = {2, 0};
  plan.event_key = {0, 0};
  return {{3, "dedupe", plan.key_types, {}, false}, {2, 0}, [plan](OperatorStates* states) {
            return Deduplicate::Make(plan, states);
          }};
}

TEST(DeduplicateTest, TheFirstRowOfAKeyPassesWithAllItsColumnsAndLaterOnesNever) {
  StatefulHarness harness = ByWord(/*has_event_time=*/false);

  EXPECT_EQ(harness.Run({Batch(R"([["a", 1, null], ["b", 2, null], ["a", 3, null]])"),
                         Batch(R"([["b", 4, null], [null, 5, null], [null, 6, null]])")},
                        EpochInfo()),
            (Lines{R"({"k":"a","n":1})", R"({"k":"b","n":2})", R"({"n":5})"}));
  EXPECT_EQ(harness.counters().rows_updated, 3);
  EXPECT_EQ(harness.counters().custom.at("numDroppedDuplicateRows"), 3);
  harness.Commit();
  EXPECT_EQ(harness.Run({Batch(R"([["a", 7, null], ["c", 8, null]])")}, EpochInfo()),
            (Lines{R"({"k":"c","n":8})"}));
  EXPECT_EQ(harness.state_rows(), 4);
}

TEST(DeduplicateTest, WhatAnUndoneEpochHasSeenPassesAgain) {
  StatefulHarness harness = ByWord(/*has_event_time=*/false);
  harness.Run({Batch(R"([["a", 1, null]])")}, EpochInfo());
  harness.Commit();
  const auto input = Batch(R"([["a", 2, null], ["b", 3, null]])");

  const Lines first = harness.Run({input}, EpochInfo());
  harness.Undo();

  EXPECT_EQ(harness.Run({input}, EpochInfo()), first);
  EXPECT_EQ(first, (Lines{R"({"k":"b","n":3})"}));
}

TEST(DeduplicateTest, LateRowsAreDroppedAndThoseWithoutATimeAreNotLate) {
  StatefulHarness harness = ByWord(/*has_event_time=*/true);

  EXPECT_EQ(
      harness.Run({Batch(R"([["at", 1, 10000000], ["after", 2, 10001000],
                                   ["none", 3, null]])")},
                  /*late_s=*/10, /*eviction_s=*/10),
      (Lines{R"({"k":"after","n":2,"t":"1970-01-01T00:00:10.001Z"})", R"({"k":"none","n":3})"}));
  EXPECT_EQ(harness.counters().rows_dropped_late, 1);
  EXPECT_EQ(harness.counters().rows_removed, 0);  // No key is an event time.
}

TEST(DeduplicateTest, AKeyWithTheEventTimeGoesWhenTheWatermarkReachesIt) {
  StatefulHarness harness = ByWordAndTime();
  harness.Run({Batch(R"([["a", 1, 10000000], ["a", 2, 10000001], ["a", 3, null]])")}, 0, 0);
  EXPECT_EQ(harness.state_rows(), 3);
  harness.Commit();

  harness.Run({}, 0, 9);
  EXPECT_EQ(harness.counters().rows_removed, 0);
  harness.Commit();
  harness.Run({}, 9, 10);
  EXPECT_EQ(harness.counters().rows_removed, 1);
  harness.Undo();
  harness.Run({}, 9, 10);
  EXPECT_EQ(harness.counters().rows_removed, 1);
  harness.Commit();
  harness.Restore();
  harness.Run({}, 10, 1000);

  EXPECT_EQ(harness.counters().rows_removed, 1);
  EXPECT_EQ(harness.state_rows(), 1);  // NULL stays.
}

TEST(DeduplicateTest, WithinTheWatermarkAKeyGoesADelayAfterItsFirstRow) {
  StatefulHarness harness = ByWord(/*has_event_time=*/true, /*delay_us=*/5 * kSecond);
  const Lines first =
      harness.Run({Batch(R"([["a", 1, 10000000], ["a", 2, 14000000], ["none", 3, null]])")}, 0, 0);
  EXPECT_EQ(first.size(), 2u);
  harness.Commit();
  harness.Restore();

  harness.Run({}, 0, 5);  // A row without a time counts as of 1970.
  EXPECT_EQ(harness.counters().rows_removed, 1);
  harness.Commit();
  harness.Run({}, 5, 14);
  EXPECT_EQ(harness.counters().rows_removed, 0);
  harness.Commit();
  harness.Run({}, 14, 15);
  EXPECT_EQ(harness.counters().rows_removed, 1);
  harness.Commit();

  EXPECT_EQ(harness.Run({Batch(R"([["a", 4, 16000000]])")}, 15, 15),
            (Lines{R"({"k":"a","n":4,"t":"1970-01-01T00:00:16.000Z"})"}));
}

TEST(DeduplicateTest, WithATimeToLiveAKeyGoesSoLongAfterItsFirstRow) {
  DeduplicatePlan plan{.operator_id = 3, .key_columns = {0}, .key_types = {arrow::utf8()}};
  plan.ttl_us = 10 * kSecond;
  StatefulHarness harness(
      {3, "dedupe", plan.key_types, {arrow::int64()}, false}, {0},
      [plan](OperatorStates* states) { return Deduplicate::Make(plan, states); });
  const auto run_at = [&](int64_t second, const std::string& json) {
    EpochInfo epoch;
    epoch.epoch_time_us = second * kSecond;
    return harness.Run({Batch(json)}, epoch).size();
  };
  EXPECT_EQ(run_at(100, R"([["a", 1, null], ["b", 2, null], ["a", 3, null]])"), 2u);
  harness.Commit();
  EXPECT_EQ(run_at(109, R"([["a", 1, null]])"), 0u);  // It lives no longer for that.
  harness.Commit();
  harness.Restore();
  EXPECT_EQ(run_at(110, R"([["a", 1, null], ["a", 1, null]])"), 1u);
  EXPECT_EQ(harness.counters().rows_removed, 2);
  EXPECT_EQ(harness.state_rows(), 1);
}

TEST(GlobalLimitTest, CountsOverAllEpochs) {
  const GlobalLimitPlan plan{1, 3};
  StatefulHarness harness(
      {1, "globalLimit", {}, {arrow::int64()}, false}, {},
      [plan](OperatorStates* states) { return GlobalLimit::Make(plan, states); });
  const auto two = testing::MakeBatch("n INT", "[[1], [2]]");

  EXPECT_EQ(harness.Run({two}, EpochInfo()).size(), 2u);
  harness.Commit();
  EXPECT_EQ(harness.Run({two, two}, EpochInfo()).size(), 1u);
  EXPECT_EQ(harness.counters().rows_updated, 1);
  harness.Undo();
  harness.Restore();
  EXPECT_EQ(harness.Run({two, two}, EpochInfo()), (Lines{R"({"n":1})"}));
  harness.Commit();
  EXPECT_EQ(harness.Run({two}, EpochInfo()), Lines{});
  EXPECT_EQ(harness.counters().rows_updated, 0);
  EXPECT_EQ(harness.state_rows(), 1);
}

}  // namespace
}  // namespace tidemill::worker
