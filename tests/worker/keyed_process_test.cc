#include "worker/stateful/keyed_process.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/worker/session_timeout.h"
#include "tests/worker/stateful_fixture.h"

namespace tidemill::worker {
namespace {

using Lines = std::vector<std::string>;

KeyedProcessPlan PlanOf(TimerClock clock, std::function<std::unique_ptr<KeyedFunction>()> make) {
  KeyedProcessPlan plan;
  plan.operator_id = 5;
  plan.key_columns = {0};
  plan.input_schema = ParseDdlSchema("user STRING, at TIMESTAMP").ValueOrDie();
  plan.key_schema = ParseDdlSchema("user STRING").ValueOrDie();
  plan.state_schema = SessionTimeout::StateSchema();
  plan.event_time = {1, 0};
  plan.clock = clock;
  plan.make_function = std::move(make);
  return plan;
}

StatefulHarness HarnessOf(const KeyedProcessPlan& plan) {
  return {KeyedProcess::StateOf(plan), plan.key_columns,
          [plan](OperatorStates* states) { return KeyedProcess::Make(plan, states); }};
}

// Sessions that end after five seconds of silence, by event time.
StatefulHarness Sessions() {
  return HarnessOf(
      PlanOf(TimerClock::kEventTime, [] { return std::make_unique<SessionTimeout>(5 * kSecond); }));
}

// Rows (user, at in seconds).
std::shared_ptr<arrow::RecordBatch> Events(
    const std::vector<std::pair<std::string, int64_t>>& rows) {
  std::string json = "[";
  for (const auto& [user, at] : rows) {
    if (json.size() > 1) json += ",";
    json += "[\"" + user + "\"," + std::to_string(at * kSecond) + "]";
  }
  return testing::MakeBatch("user STRING, at TIMESTAMP", json + "]");
}

std::string Session(const std::string& user, int64_t first, int64_t last, int64_t events) {
  return "{\"user\":\"" + user + "\",\"first\":" + std::to_string(first * kSecond) +
         ",\"last\":" + std::to_string(last * kSecond) + ",\"events\":" + std::to_string(events) +
         "}";
}

TEST(KeyedProcessTest, SessionsEndWhenTheWatermarkIsPastTheirTimeout) {
  StatefulHarness harness = Sessions();
  EXPECT_EQ(harness.Run({Events({{"a", 10}, {"b", 11}, {"a", 12}}), Events({{"a", 11}})}, 0, 0),
            Lines{});
  harness.Commit();
  EXPECT_EQ(harness.Run({Events({{"b", 14}})}, 0, 17), Lines{});  // Not past it yet.
  harness.Commit();

  EXPECT_EQ(harness.Run({}, 17, 18), (Lines{Session("a", 10, 12, 3)}));
  harness.Commit();
  EXPECT_EQ(harness.Run({Events({{"a", 18}, {"c", 19}})}, 18, 20),
            (Lines{Session("b", 11, 14, 2)}));
  EXPECT_EQ(harness.counters().rows_dropped_late, 1);
  harness.Commit();
  EXPECT_EQ(harness.state_rows(), 2);  // c and its timer
}

TEST(KeyedProcessTest, AnUndoneEpochComesOutTheSameAgain) {
  StatefulHarness harness = Sessions();
  harness.Run({Events({{"a", 10}, {"b", 11}})}, 0, 0);
  harness.Commit();
  const auto input = Events({{"b", 14}, {"c", 15}});

  const Lines first = harness.Run({input}, 0, 17);
  harness.Undo();
  harness.Undo();

  EXPECT_EQ(first, (Lines{Session("a", 10, 10, 1)}));
  EXPECT_EQ(harness.Run({input}, 0, 17), first);
  harness.Commit();
  EXPECT_EQ(harness.Run({}, 17, 100), (Lines{Session("b", 11, 14, 2), Session("c", 15, 15, 1)}));
}

TEST(KeyedProcessTest, StateRestoredOnAnotherNumberOfSlotsGoesOnEqually) {
  std::vector<Lines> outcomes;
  for (const int slots : {1, 2, 3}) {
    StatefulHarness harness = Sessions();
    Lines all;
    for (int64_t epoch = 0; epoch < 8; ++epoch) {
      std::vector<std::pair<std::string, int64_t>> events;
      for (int64_t i = 0; i < 50; ++i) {
        const int64_t at = epoch * 10 + (i * 7) % 10;
        if ((i % 11 + epoch) % 3 == 0) events.emplace_back("user" + std::to_string(i % 11), at);
      }
      const int64_t watermark = std::max<int64_t>(0, epoch * 10 - 3);
      const Lines lines = harness.Run({Events(events)}, watermark, watermark);
      all.insert(all.end(), lines.begin(), lines.end());
      harness.Commit();
      harness.Restore(epoch % 2 == 0 ? slots : 1);
    }
    EXPECT_FALSE(all.empty());
    outcomes.push_back(all);
  }

  EXPECT_EQ(outcomes[1], outcomes[0]);
  EXPECT_EQ(outcomes[2], outcomes[0]);
}

// Counts the rows of a user and gives the count.
class Counter final : public KeyedFunction {
 public:
  arrow::Result<KeyedAnswer> Call(const KeyedCall& call) override {
    KeyedAnswer answer;
    arrow::Int64Builder counts;
    for (size_t key = 0; key < call.row_ends.size(); ++key) {
      const auto& events = static_cast<const arrow::Int64Array&>(*call.state->column(2));
      const int64_t before = key == 0 ? 0 : call.row_ends[key - 1];
      const int64_t count = call.row_ends[key] - before;
      const bool has_state = call.has_state[key] != 0;
      ARROW_RETURN_NOT_OK(
          counts.Append(count + (has_state ? events.Value(static_cast<int64_t>(key)) : 0)));
      answer.written.push_back(static_cast<uint32_t>(key));
    }
    ARROW_ASSIGN_OR_RAISE(const auto column, counts.Finish());
    const auto length = column->length();
    answer.state =
        arrow::RecordBatch::Make(SessionTimeout::StateSchema(), length, {column, column, column});
    answer.output = arrow::RecordBatch::Make(ParseDdlSchema("user STRING, n BIGINT").ValueOrDie(),
                                             length, {call.keys->column(0), column});
    return answer;
  }
};

EpochInfo At(int64_t seconds) {
  EpochInfo epoch;
  epoch.epoch_time_us = seconds * kSecond;
  return epoch;
}

TEST(KeyedProcessTest, AStateIsForgottenWhenItsTimeToLiveIsOver) {
  KeyedProcessPlan plan =
      PlanOf(TimerClock::kProcessingTime, [] { return std::make_unique<Counter>(); });
  plan.time_to_live_us = 10 * kSecond;
  StatefulHarness harness = HarnessOf(plan);
  const auto input = Events({{"a", 1}, {"a", 2}});

  EXPECT_EQ(harness.Run({input}, At(100)), (Lines{R"({"user":"a","n":2})"}));
  harness.Commit();
  EXPECT_EQ(harness.Run({input}, At(109)), (Lines{R"({"user":"a","n":4})"}));
  harness.Commit();
  harness.Restore();
  EXPECT_EQ(harness.Run({}, At(118)), Lines{});
  EXPECT_EQ(harness.state_rows(), 1);
  harness.Commit();
  EXPECT_EQ(harness.Run({input}, At(119)), (Lines{R"({"user":"a","n":2})"}));
  harness.Undo();
  harness.Run({}, At(119));
  EXPECT_EQ(harness.counters().rows_removed, 1);
  EXPECT_EQ(harness.state_rows(), 0);
}

TEST(KeyedProcessTest, ProcessingTimersFireWhenTheEpochTimeIsPast) {
  const int64_t silence_us = 5 * kSecond;
  StatefulHarness harness = HarnessOf(PlanOf(
      TimerClock::kProcessingTime, [=] { return std::make_unique<SessionTimeout>(silence_us); }));
  harness.Run({Events({{"a", 10}})}, At(10));
  harness.Commit();

  EXPECT_EQ(harness.Run({}, At(15)), Lines{});
  harness.Commit();
  EXPECT_EQ(harness.Run({}, At(16)), (Lines{Session("a", 10, 10, 1)}));
  EXPECT_EQ(harness.state_rows(), 0);
}

}  // namespace
}  // namespace tidemill::worker
