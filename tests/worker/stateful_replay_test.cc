#include <gtest/gtest.h>

#include "tests/worker/replay_fixture.h"

namespace tidemill::testing {
namespace {

class StatefulReplayTest : public ReplayFixture {
 protected:
  // One slot, three slots and three workers with two slots each give the same rows.
  void ExpectSameEverywhere(const std::string& query, connectors::OutputMode mode) {
    const auto plan = Plan(query, mode);
    const Outcome one = Run(plan, 1, 1, "one");
    ASSERT_EQ(one.rows.size(), static_cast<size_t>(kEpochs));
    EXPECT_FALSE(one.rows[0].empty());
    EXPECT_EQ(Run(plan, 1, 3, "three").rows, one.rows);
    EXPECT_EQ(Run(plan, 3, 2, "spread").rows, one.rows);
  }
};

TEST_F(StatefulReplayTest, TheFirstRowOfAKeyIsTheSameOne) {
  drop_duplicates_ = {{"k"}, false};
  ExpectSameEverywhere("SELECT k, x, n FROM t", connectors::OutputMode::kAppend);
}

TEST_F(StatefulReplayTest, WhatIsCountedBehindADeduplicationIsTheSame) {
  drop_duplicates_ = {{"k", "n"}, false};
  ExpectSameEverywhere("SELECT n % 7 AS m, sum(x) AS s, count(*) AS c FROM t GROUP BY n % 7",
                       connectors::OutputMode::kUpdate);
}

TEST_F(StatefulReplayTest, ALimitTakesTheSameRows) {
  ExpectSameEverywhere("SELECT k, x, n FROM t LIMIT 70000", connectors::OutputMode::kAppend);
}

TEST_F(StatefulReplayTest, SessionsAndTheirSumsAreTheSame) {
  ExpectSameEverywhere(
      "SELECT k, session_window(CAST(n AS TIMESTAMP), '3 seconds') AS s, sum(x) AS x, count(*) AS "
      "c FROM t GROUP BY k, session_window(CAST(n AS TIMESTAMP), '3 seconds')",
      connectors::OutputMode::kComplete);
}

}  // namespace
}  // namespace tidemill::testing
