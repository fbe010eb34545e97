#include "driver/job/static_tables/kept_builds.h"

#include <gtest/gtest.h>

#include <string>

#include "proto/log.pb.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {
namespace {

// Source 0 is a stream, source 1 a build side that is broadcast and can be kept.
proto::PhysicalPlan BroadcastPlan() {
  proto::PhysicalPlan plan;
  for (int source = 0; source < 2; ++source) {
    proto::Stage* stage = plan.add_stages();
    stage->set_id(source);
    stage->set_source(source);
  }
  proto::Broadcast* broadcast = plan.add_broadcasts();
  broadcast->add_stages(1);
  broadcast->set_is_kept(true);
  return plan;
}

// Source 0 is a stream, source 1 the build side of a join that can be kept.
proto::PhysicalPlan JoinPlan(bool is_kept = true) {
  proto::PhysicalPlan plan;
  for (int source = 0; source < 2; ++source) {
    proto::Stage* stage = plan.add_stages();
    stage->set_id(source);
    stage->set_source(source);
  }
  proto::Stage* join = plan.add_stages();
  join->set_id(2);
  for (int side = 0; side < 2; ++side) {
    proto::StageInput* input = join->add_inputs();
    input->set_stage(side);
    input->set_side(side);
    input->set_is_build(side == 1);
    input->set_is_kept(is_kept && side == 1);
  }
  return plan;
}

proto::EpochPlan Epoch(const std::string& stream_file, const std::string& table_file,
                       int64_t table_time = 1) {
  proto::EpochPlan plan;
  plan.add_sources()->add_splits()->set_path(stream_file);
  proto::Split* split = plan.add_sources()->add_splits();
  split->set_path(table_file);
  split->set_mtime_us(table_time);
  return plan;
}

TEST(KeptBuildsTest, TheSameTableIsMadeOnceByAnAssignment) {
  KeptBuilds builds(JoinPlan());
  EXPECT_FALSE(builds.Begin(Epoch("a", "t"), 1));
  builds.NotePrepared();
  EXPECT_TRUE(builds.Begin(Epoch("b", "t"), 1));
  builds.NotePrepared();
  EXPECT_TRUE(builds.Begin(Epoch("c", "t"), 1));
  EXPECT_FALSE(builds.Begin(Epoch("d", "t"), 2)) << "somebody may be new";
}

TEST(KeptBuildsTest, ATableThatIsBroadcastIsMadeOnceToo) {
  KeptBuilds builds(BroadcastPlan());
  EXPECT_FALSE(builds.Begin(Epoch("a", "t"), 1));
  builds.NotePrepared();
  EXPECT_TRUE(builds.Begin(Epoch("b", "t"), 1));
  EXPECT_FALSE(builds.Begin(Epoch("c", "u"), 1));
}

TEST(KeptBuildsTest, AnotherTableIsMadeAnew) {
  KeptBuilds builds(JoinPlan());
  builds.Begin(Epoch("a", "t"), 1);
  builds.NotePrepared();
  EXPECT_FALSE(builds.Begin(Epoch("b", "u"), 1));
  builds.NotePrepared();
  EXPECT_FALSE(builds.Begin(Epoch("c", "u", /*table_time=*/2), 1)) << "a file that was rewritten";
}

TEST(KeptBuildsTest, AnAttemptThatHasNotEndedLeavesNothing) {
  KeptBuilds builds(JoinPlan());
  builds.Begin(Epoch("a", "t"), 1);
  EXPECT_FALSE(builds.Begin(Epoch("a", "t"), 1));
  builds.NotePrepared();
  builds.Forget();
  EXPECT_FALSE(builds.Begin(Epoch("b", "t"), 1));
}

TEST(KeptBuildsTest, OtherPlansKeepNothing) {
  KeptBuilds builds(JoinPlan(/*is_kept=*/false));
  builds.Begin(Epoch("a", "t"), 1);
  builds.NotePrepared();
  EXPECT_FALSE(builds.Begin(Epoch("b", "t"), 1));
}

}  // namespace
}  // namespace tidemill::driver
