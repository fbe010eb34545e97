#include "worker/stateful/session_aggregate.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>

#include "common/expr/expr.h"
#include "tests/worker/stateful_fixture.h"

namespace tidemill::worker {
namespace {

using Lines = std::vector<std::string>;
using connectors::OutputMode;

// A partial row: key, start and end in seconds, count, first value.
struct Partial {
  std::string key;  // JSON
  int64_t start = 0;
  int64_t end = 0;
  int64_t count = 1;
  std::string word = "w";
};

std::shared_ptr<arrow::RecordBatch> Batch(const std::vector<Partial>& rows) {
  std::string json = "[";
  for (const Partial& row : rows) {
    if (json.size() > 1) json += ",";
    json += "[" + row.key + ",[" + std::to_string(row.start * kSecond) + "," +
            std::to_string(row.end * kSecond) + "]," + std::to_string(row.count) + ",\"" +
            row.word + "\"]";
  }
  return testing::MakeBatch(
      "k STRING, s STRUCT<start: TIMESTAMP, end: TIMESTAMP>, n BIGINT, "
      "w STRING",
      json + "]");
}

std::shared_ptr<const AggregateKernel> Kernel(const std::string& function,
                                              const std::vector<ExprPtr>& args) {
  return MakeAggregateKernel(ResolveAggregateCall(function, args).ValueOrDie()).ValueOrDie();
}

// SELECT k, session_window(...) AS s, count(*) AS c, max(w) AS m GROUP BY 1, 2
StatefulHarness Sessions(OutputMode mode) {
  SessionAggregatePlan plan;
  plan.operator_id = 2;
  plan.output_mode = mode;
  plan.session_key = 1;
  plan.event_key = {1, 0};
  const auto schema =
      ParseDdlSchema("k STRING, s STRUCT<start: TIMESTAMP, end: TIMESTAMP>, c BIGINT, m STRING")
          .ValueOrDie();
  plan.key_types = {schema->field(0)->type(), schema->field(1)->type()};
  plan.kernels = {Kernel("count", {MakeColumn(0, "n", arrow::int64())}),
                  Kernel("max", {MakeColumn(0, "w", arrow::utf8())})};
  StatefulOperator op{2, "sessionWindowStateStoreSaveExec", SessionAggregate::KeyTypes(plan),
                      SessionAggregate::ValueTypes(plan), false};
  return {op, {0}, [plan, schema](OperatorStates* states) {
            return SessionAggregate::Make(plan, schema, states);
          }};
}

std::string Line(const std::string& key, int64_t start, int64_t end, int64_t count,
                 const std::string& word = "w") {
  const auto text = [](int64_t seconds) {
    std::string digits = std::to_string(seconds);
    if (digits.size() == 1) digits.insert(0, "0");
    return "\"1970-01-01T00:00:" + digits + ".000Z\"";
  };
  return "{" + (key.empty() ? "" : "\"k\":\"" + key + "\",") + "\"s\":{\"start\":" + text(start) +
         ",\"end\":" + text(end) + "},\"c\":" + std::to_string(count) + ",\"m\":\"" + word + "\"}";
}

TEST(SessionAggregateTest, SessionsOfAKeyThatOverlapOrTouchBecomeOne) {
  StatefulHarness harness = Sessions(OutputMode::kComplete);

  EXPECT_EQ(harness.Run({Batch({{"\"a\"", 10, 15, 1, "x"},
                                {"\"b\"", 12, 17},
                                {"\"a\"", 15, 20, 2, "z"},
                                {"\"a\"", 21, 26, 4, "y"},
                                {"null", 11, 16},
                                {"\"a\"", 12, 17, 8}})},
                        EpochInfo()),
            (Lines{Line("a", 10, 20, 11, "z"), Line("a", 21, 26, 4, "y"), Line("b", 12, 17, 1),
                   Line("", 11, 16, 1)}));
  EXPECT_EQ(harness.counters().rows_updated, 4);
}

TEST(SessionAggregateTest, ARowBetweenTwoSessionsJoinsThem) {
  StatefulHarness harness = Sessions(OutputMode::kComplete);
  harness.Run({Batch({{"\"a\"", 10, 15}, {"\"a\"", 20, 25, 2}, {"\"a\"", 40, 45}})}, EpochInfo());
  harness.Commit();
  harness.Restore();
  const auto bridge = Batch({{"\"a\"", 14, 21, 4}, {"\"a\"", 36, 41, 8}});
  const Lines expected{Line("a", 10, 25, 7), Line("a", 36, 45, 9)};

  EXPECT_EQ(harness.Run({bridge}, EpochInfo()), expected);
  EXPECT_EQ(harness.counters().rows_updated, 2);
  EXPECT_EQ(harness.counters().rows_removed, 2);
  harness.Undo();
  EXPECT_EQ(harness.Run({bridge}, EpochInfo()), expected);
  harness.Commit();
  EXPECT_EQ(harness.state_rows(), 2);
}

TEST(SessionAggregateTest, BatchesOfOneEpochMeetAsEpochsDo) {
  StatefulHarness harness = Sessions(OutputMode::kComplete);

  EXPECT_EQ(harness.Run({Batch({{"\"a\"", 10, 15}}), Batch({{"\"a\"", 20, 25}}),
                         Batch({{"\"a\"", 15, 20}})},
                        EpochInfo()),
            (Lines{Line("a", 10, 25, 3)}));
  EXPECT_EQ(harness.counters().rows_updated, 1);
  EXPECT_EQ(harness.counters().rows_removed, 0);
}

TEST(SessionAggregateTest, AppendGivesASessionOnceTheWatermarkHasReachedItsEnd) {
  StatefulHarness harness = Sessions(OutputMode::kAppend);
  EXPECT_EQ(harness.Run({Batch({{"\"a\"", 10, 15}, {"\"b\"", 11, 16}})}, 0, 0), Lines{});
  harness.Commit();
  EXPECT_EQ(harness.Run({Batch({{"\"a\"", 13, 18}})}, 0, 15), Lines{});  // It has grown.
  harness.Commit();
  harness.Restore();

  EXPECT_EQ(harness.Run({}, 15, 16), (Lines{Line("b", 11, 16, 1)}));
  EXPECT_EQ(harness.counters().rows_removed, 1);
  harness.Commit();
  EXPECT_EQ(harness.Run({Batch({{"\"b\"", 11, 16}, {"\"b\"", 12, 17}})}, 16, 18),
            (Lines{Line("a", 10, 18, 2), Line("b", 12, 17, 1)}));
  EXPECT_EQ(harness.counters().rows_dropped_late, 1);
  harness.Commit();
  EXPECT_EQ(harness.state_rows(), 0);
}

TEST(SessionAggregateTest, ManySessionsOfManyKeysAreThoseOfAPlainSort) {
  StatefulHarness harness = Sessions(OutputMode::kAppend);
  std::vector<Partial> rows;
  for (int64_t i = 0; i < 4000; ++i) {
    const int64_t at = (i * 7919) % 4000;
    if (at % 10 < 7) rows.push_back({"\"k" + std::to_string(at % 3) + "\"", at, at + 3});
  }
  for (size_t begin = 0; begin < rows.size(); begin += 500) {
    const auto end = std::min(rows.size(), begin + 500);
    EXPECT_EQ(harness.Run({Batch({rows.begin() + static_cast<std::ptrdiff_t>(begin),
                                  rows.begin() + static_cast<std::ptrdiff_t>(end)})},
                          0, 0),
              Lines{});
    harness.Commit();
  }
  // Of a key's times, every third second, those with a last digit of 7, 8 or 9 are missing: they
  // are at least 6 seconds apart there.
  int64_t sessions = 0;
  for (int64_t key = 0; key < 3; ++key) {
    int64_t last = -100;
    for (int64_t at = key; at < 4000; at += 3) {
      if (at % 10 >= 7) continue;
      sessions += at > last + 3 ? 1 : 0;
      last = at;
    }
  }

  EXPECT_EQ(harness.state_rows(), sessions);
  EXPECT_EQ(harness.Run({}, 0, 10000).size(), static_cast<size_t>(sessions));
  EXPECT_EQ(harness.state_rows(), 0);
}

}  // namespace
}  // namespace tidemill::worker
