#include "driver/epoch/recovery.h"

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace tidemill::driver {
namespace {

TEST(DecideRecoveryTest, AFreshCheckpointWithAFreshSinkPlansAnew) {
  const auto decision = DecideRecovery({}, {}, 1).ValueOrDie();
  EXPECT_FALSE(decision.open_epoch.has_value());
  EXPECT_FALSE(decision.is_published);
}

TEST(DecideRecoveryTest, AFreshCheckpointUnderASinkWithEpochsOfTheJobIsRefused) {
  const auto decision = DecideRecovery({}, {SinkFacts::Published{0, 1}}, 1);
  EXPECT_EQ(ErrorClassOf(decision.status()), "SINK_AHEAD_OF_LOG");
  EXPECT_EQ(KindOf(decision.status()), ErrorKind::kCorrupt);
}

TEST(DecideRecoveryTest, AnOlderPublishedEpochMeansNothing) {
  const LogFacts log{.last_committed = 5, .committed_plan_hash = 50};
  EXPECT_TRUE(DecideRecovery(log, {SinkFacts::Published{3, 99}}, 1).ok());
}

TEST(DecideRecoveryTest, TheLastCommittedEpochMustBeTheOnePublished) {
  const LogFacts log{.last_committed = 5, .committed_plan_hash = 50};
  EXPECT_TRUE(DecideRecovery(log, {SinkFacts::Published{5, 50}}, 1).ok());
  EXPECT_EQ(ErrorClassOf(DecideRecovery(log, {SinkFacts::Published{5, 51}}, 1).status()),
            "SINK_PLAN_MISMATCH");
}

TEST(DecideRecoveryTest, AChangedQueryFinishesTheOpenEpochWithItsOwnPlan) {
  const LogFacts log{.last_committed = 5, .open = LogFacts::Open{6, 60, 1}};
  EXPECT_TRUE(DecideRecovery(log, {}, 2).ValueOrDie().open_has_stored_plan);
  EXPECT_FALSE(DecideRecovery(log, {}, 1).ValueOrDie().open_has_stored_plan);
}

}  // namespace
}  // namespace tidemill::driver
