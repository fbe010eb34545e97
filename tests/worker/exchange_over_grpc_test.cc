#include <gtest/gtest.h>

#include "tests/worker/replay_fixture.h"

namespace tidemill::testing {
namespace {

class ExchangeOverGrpcTest : public ReplayFixture {};

TEST_F(ExchangeOverGrpcTest, WorkersGiveTheSameRowsInEveryEpochAsOneSlot) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c, avg(x) AS a FROM t GROUP BY k",
                         connectors::OutputMode::kUpdate);

  const Outcome one = Run(plan, 1, 1, "one");
  const Outcome spread = Run(plan, 3, 2, "spread", ScriptedDriver::Kind::kGrpcCluster);

  ASSERT_EQ(one.rows.size(), static_cast<size_t>(kEpochs));
  EXPECT_EQ(spread.rows, one.rows);
}

TEST_F(ExchangeOverGrpcTest, AnAttemptWhoseRowsMayBeLostIsReportedAndTheNextOneGetsThrough) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome undisturbed = Run(plan, 1, 1, "undisturbed");
  ScriptedDriver driver(2, 1, (root_ / "broken").string(), ScriptedDriver::Kind::kGrpcCluster);
  driver.Deploy(plan, kKeyGroups);
  driver.Assign({}, {}, -1);
  driver.RunEpoch(EpochRecord(0), 1, -1, 0);

  const proto::Failed failed = driver.BreakExchangeTo(1);
  const auto second = driver.RunEpoch(EpochRecord(0), 2, -1, 0);

  EXPECT_EQ(failed.epoch(), 0);
  EXPECT_EQ(failed.attempt(), 1u);
  EXPECT_EQ(failed.error().error_class(), "CONNECTION_LOST");
  std::multiset<std::string> rows;
  for (const auto& part : second) AddRows(part, &rows);
  EXPECT_EQ(rows, undisturbed.rows[0]);
}

}  // namespace
}  // namespace tidemill::testing
