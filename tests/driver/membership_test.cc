#include "driver/job/members/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemill::driver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Next = Membership::Next;

class MembershipTest : public testing::Test {
 protected:
  void SetUp() override {
    members_.Update({{"a", "b"}, {}});
    members_.ShowAll();
  }
  SteadyTime After(int ms) const { return began_ + std::chrono::milliseconds(ms); }

  Membership members_;
  const SteadyTime began_{};
};

TEST_F(MembershipTest, AWorkerThatJoinsIsShownWhenAllAreWarm) {
  members_.Update({{"a", "b", "c", "d"}, {}});
  ASSERT_TRUE(members_.wants_warm_up());
  EXPECT_THAT(members_.shown().workers, ElementsAre("a", "b"));
  members_.Begin({"c", "d"}, After(0));
  EXPECT_FALSE(members_.wants_warm_up());

  EXPECT_EQ(members_.OnWarm("c", 1, After(10)), Next::kNothing);
  EXPECT_EQ(members_.OnWarm("d", 1, After(20)), Next::kShown);
  EXPECT_THAT(members_.shown().workers, ElementsAre("a", "b", "c", "d"));
}

TEST_F(MembershipTest, ARoundThatTookLongIsFollowedByAnotherUpToANumber) {
  members_.Update({{"a", "b"}, {"b"}});
  members_.Begin({"a"}, After(0));
  for (uint64_t round = 1; round < 5; ++round) {
    ASSERT_EQ(members_.OnWarm("a", round, After(1000)), Next::kAgain);
    EXPECT_EQ(members_.OnWarm("a", round - 1, After(1000)), Next::kNothing) << "an old answer";
    EXPECT_THAT(members_.shown().leaving, IsEmpty());
    members_.Begin({"a"}, After(0));
  }
  EXPECT_EQ(members_.OnWarm("a", 5, After(1000)), Next::kShown);
  EXPECT_THAT(members_.shown().leaving, ElementsAre("b"));
}

TEST_F(MembershipTest, WhoComesDuringAWarmUpBecomesPartOfIt) {
  members_.Update({{"a", "b", "c"}, {}});
  members_.Begin({"c"}, After(0));
  members_.Update({{"a", "b", "c", "d"}, {}});
  EXPECT_FALSE(members_.wants_warm_up());
  ASSERT_EQ(members_.OnWarm("c", 1, After(10)), Next::kAgain);
  members_.Begin({"c", "d"}, After(10));
  EXPECT_EQ(members_.OnWarm("c", 2, After(20)), Next::kNothing);
  EXPECT_EQ(members_.OnWarm("d", 2, After(30)), Next::kShown);
  EXPECT_THAT(members_.shown().workers, ElementsAre("a", "b", "c", "d"));
}

TEST_F(MembershipTest, WhoComesBeforeTheAssignmentIsReadyWaitsForIt) {
  members_.Update({{"a", "b", "c"}, {}});
  members_.Begin({"c"}, After(0));
  ASSERT_EQ(members_.OnWarm("c", 1, After(10)), Next::kShown);
  members_.Update({{"a", "b", "c", "d"}, {}});
  EXPECT_FALSE(members_.wants_warm_up());
  EXPECT_THAT(members_.shown().workers, ElementsAre("a", "b", "c"));
  members_.OnAssigned();
  EXPECT_TRUE(members_.wants_warm_up());
}

TEST_F(MembershipTest, ALossShowsAllAtOnce) {
  members_.Update({{"a", "b", "c"}, {}});
  members_.Begin({"c"}, After(0));
  members_.Update({{"b", "c"}, {}});
  EXPECT_THAT(members_.shown().workers, ElementsAre("b", "c"));
  EXPECT_EQ(members_.OnWarm("c", 1, After(10)), Next::kNothing);
}

TEST_F(MembershipTest, AJoinerThatGoesAgainEndsItsWarmUp) {
  members_.Update({{"a", "b", "c"}, {}});
  members_.Begin({"c"}, After(0));
  members_.Update({{"a", "b"}, {}});
  EXPECT_FALSE(members_.is_warming());
  EXPECT_FALSE(members_.wants_warm_up());
  EXPECT_EQ(members_.OnWarm("c", 1, After(10)), Next::kNothing);
}

TEST_F(MembershipTest, WhoIsReleasedIsNoLoss) {
  members_.Update({{"a", "b", "c"}, {"a"}});
  members_.ShowAll();
  members_.Update({{"a", "b", "c", "d"}, {"a"}});
  members_.Begin({"d"}, After(0));
  members_.Forget("a");
  members_.Update({{"b", "c", "d"}, {}});
  EXPECT_TRUE(members_.is_warming());
  EXPECT_THAT(members_.shown().workers, ElementsAre("b", "c"));
  EXPECT_EQ(members_.OnWarm("d", 1, After(10)), Next::kShown);
  EXPECT_THAT(members_.shown().workers, ElementsAre("b", "c", "d"));
}

}  // namespace
}  // namespace tidemill::driver
