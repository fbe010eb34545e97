#include "driver/log/checkpoint_dir.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "driver/log/checkpoint_show.h"
#include "driver/plan/stages/plan_writer.h"
#include "tests/driver/log_fixture.h"

namespace tidemill::driver {
namespace {

using testing::HasSubstr;

class CheckpointDirTest : public LogFixture {
 protected:
  arrow::Result<std::unique_ptr<CheckpointDir>> Open(FrozenSettings settings = {}) {
    return CheckpointDir::Open({.fs = fs_,
                                .random = Random::System(),
                                .path = checkpoint_,
                                .settings = std::move(settings),
                                .is_durable = false,
                                .holder = "pid=17 host=here"});
  }

  static proto::PhysicalPlan SomePlan() {
    proto::PhysicalPlan plan;
    plan.set_time_zone("UTC");
    plan.set_query_text("SELECT 1");
    auto* options = plan.add_sources()->mutable_options();
    (*options)["path"] = "/in";
    (*options)["wholetext"] = "false";
    return plan;
  }
};

TEST_F(CheckpointDirTest, ARestartKeepsTheJobAndTakesTheNextTerm) {
  const std::string uuid = Open().ValueOrDie()->job_uuid();

  const auto again = Open().ValueOrDie();

  EXPECT_EQ(again->job_uuid(), uuid);
  EXPECT_EQ(again->term().number(), 2u);
}

TEST_F(CheckpointDirTest, AStartRemovesWhatStartsThatDiedWerePublishing) {
  (void)Open().ValueOrDie();
  for (const char* name : {"job.a.tmp", "term/1.a.tmp", "term/2.b.tmp", "term/9.c.tmp"}) {
    EXPECT_TRUE(fs_->Create(JoinPath(checkpoint_, name)).ok());
  }

  const auto again = Open().ValueOrDie();

  const auto names = again->ListFiles("").ValueOrDie();
  EXPECT_THAT(names, testing::UnorderedElementsAre("job", "lock", "term/1", "term/2",
                                                   "term/9.c.tmp"));  // of a driver to come
}

TEST_F(CheckpointDirTest, ASecondLiveHolderIsTurnedAwayAndFencesNobody) {
  const auto first = Open().ValueOrDie();

  const arrow::Status second = Open().status();

  EXPECT_EQ(ExitCodeOf(second), 7);
  EXPECT_EQ(ErrorClassOf(second), "CHECKPOINT_IN_USE");
  EXPECT_THAT(second.message(), HasSubstr("pid=17 host=here"));
  EXPECT_TRUE(first->term().CheckNewest().ok());
}

TEST_F(CheckpointDirTest, TheLockOfAnOlderSelfIsTakenOver) {
  const auto older = Open().ValueOrDie();
  const auto open_over = [&](const std::string& outranked) {
    return CheckpointDir::Open(
        {.fs = fs_,
         .random = Random::System(),
         .path = checkpoint_,
         .is_durable = false,
         .outranks = [outranked](std::string_view holder) { return holder == outranked; },
         .holder = "newer"});
  };
  EXPECT_EQ(ErrorClassOf(open_over("somebody else").status()), "CHECKPOINT_IN_USE");
  const auto newer = open_over("pid=17 host=here");
  ASSERT_TRUE(newer.ok()) << newer.status();
  EXPECT_EQ(KindOf(older->term().CheckNewest()), ErrorKind::kFenced);
  EXPECT_EQ(ErrorClassOf(Open().status()), "CHECKPOINT_IN_USE") << "the newer one holds it now";
}

TEST_F(CheckpointDirTest, WhoMayNotTakesNoTerm) {
  const auto holder = Open().ValueOrDie();
  const auto outranks_all = [](std::string_view) { return true; };
  const auto open = [&](int allowed) {
    return CheckpointDir::Open({.fs = fs_,
                                .random = Random::System(),
                                .path = checkpoint_,
                                .is_durable = false,
                                .outranks = outranks_all,
                                .check_right = [&allowed]() -> arrow::Status {
                                  if (allowed-- > 0) return arrow::Status::OK();
                                  return MakeError(ErrorKind::kFenced, "FENCED", "by the root");
                                },
                                .holder = "pid=18 host=there"})
        .status();
  };

  EXPECT_EQ(KindOf(open(0)), ErrorKind::kFenced);
  EXPECT_TRUE(holder->term().CheckNewest().ok()) << "nothing was taken";

  EXPECT_EQ(KindOf(open(1)), ErrorKind::kFenced);
  EXPECT_FALSE(holder->term().CheckNewest().ok()) << "lost its right while it took the term";
  EXPECT_EQ(CheckpointDir::HolderOf(*Term::NewestHolder(fs_, checkpoint_)), "pid=18 host=there");

  EXPECT_TRUE(open(2).ok());
}

TEST_F(CheckpointDirTest, ADifferentFrozenSettingIsRefusedByName) {
  ASSERT_TRUE(Open().ok());

  const arrow::Status key_groups = Open({.key_groups = 64}).status();
  EXPECT_EQ(ExitCodeOf(key_groups), 9);
  EXPECT_THAT(key_groups.message(), HasSubstr("state.key_groups"));
  EXPECT_THAT(key_groups.message(), HasSubstr("checkpoint=128 job=64"));
  EXPECT_THAT(Open({.time_zone = "Europe/Paris"}).status().message(), HasSubstr("timeZone"));
  EXPECT_TRUE(Open().ok()) << "a refused job leaves no lock behind";
}

TEST_F(CheckpointDirTest, FrozenSettingsCanBeReadBeforePlanning) {
  EXPECT_FALSE(ReadFrozenSettings(fs_, checkpoint_)->has_value());
  const FrozenSettings settings{.key_groups = 16, .schemas = {{"clicks", "a INT"}}};
  ASSERT_TRUE(Open(settings).ok());
  EXPECT_EQ(**ReadFrozenSettings(fs_, checkpoint_), settings);
}

TEST_F(CheckpointDirTest, WithoutItsJobFileACheckpointIsDamagedNotFresh) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(fs_->Remove(Path("job")).ok());

  const arrow::Status status = Open().status();

  EXPECT_EQ(ErrorClassOf(status), "CHECKPOINT_CORRUPT");
  EXPECT_THAT(status.message(), HasSubstr("job"));
}

TEST_F(CheckpointDirTest, EveryFlippedByteOfTheJobFileIsDetected) {
  ASSERT_TRUE(Open().ok());
  const std::string good = Contents("job");
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x04);
    Overwrite("job", bad);
    EXPECT_EQ(ErrorClassOf(Open().status()), "CHECKPOINT_CORRUPT") << at;
  }
}

TEST_F(CheckpointDirTest, ASparkCheckpointIsRefused) {
  ASSERT_TRUE(fs_->CreateDirectories(Path("offsets")).ok());
  EXPECT_THAT(Open().status().message(), HasSubstr("Spark"));
}

TEST_F(CheckpointDirTest, PlansAreKeptUnderTheirFingerprint) {
  const auto dir = Open().ValueOrDie();
  ASSERT_TRUE(dir->StorePlan(SomePlan()).ok());
  ASSERT_TRUE(dir->StorePlan(SomePlan()).ok());

  const auto loaded = dir->LoadPlan(FingerprintOf(SomePlan())).ValueOrDie();

  EXPECT_EQ(loaded.query_text(), "SELECT 1");
  EXPECT_EQ(loaded.sources(0).options().at("path"), "/in");
  EXPECT_EQ(ErrorClassOf(dir->LoadPlan(1).status()), "CHECKPOINT_CORRUPT");
}

TEST_F(CheckpointDirTest, TheQueryTextIsNotPartOfTheFingerprint) {
  proto::PhysicalPlan other = SomePlan();
  other.set_query_text("select 1");
  EXPECT_EQ(FingerprintOf(other), FingerprintOf(SomePlan()));
  other.set_time_zone("CET");
  EXPECT_NE(FingerprintOf(other), FingerprintOf(SomePlan()));
}

TEST_F(CheckpointDirTest, EveryFlippedByteOfAPlanIsDetected) {
  const auto dir = Open().ValueOrDie();
  ASSERT_TRUE(dir->StorePlan(SomePlan()).ok());
  const uint64_t fingerprint = FingerprintOf(SomePlan());
  const std::string name = CheckpointDir::PlanFileName(fingerprint);
  const std::string good = Contents(name);
  for (size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x01);
    Overwrite(name, bad);
    EXPECT_EQ(ErrorClassOf(dir->LoadPlan(fingerprint).status()), "CHECKPOINT_CORRUPT") << at;
  }
}

TEST_F(CheckpointDirTest, ShowPrintsTheRecordsAndTheStateFiles) {
  {
    const auto dir = Open().ValueOrDie();
    auto opened = CommitLog::Open(fs_, checkpoint_, dir->term(), false).ValueOrDie();
    ASSERT_TRUE(opened.log->Append(Plan(0)).ok());
    proto::LogRecord commit = CommitAndPlan(0);
    auto* extent = commit.mutable_commit()->add_extents();
    extent->set_file("w0.log");
    extent->set_length(12);
    for (const uint32_t group : {0, 1, 2, 7}) extent->add_key_groups(group);
    ASSERT_TRUE(opened.log->Append(commit).ok());
    Overwrite("state/w0.log", "twelve bytes");
    Overwrite("state/stray", "");
  }
  std::string text;
  const auto print = [&](std::string_view line) { text.append(line).append("\n"); };

  ASSERT_TRUE(ShowCheckpoint(fs_, checkpoint_, print).ok());
  const auto verified = VerifyLog(fs_, checkpoint_).ValueOrDie();

  EXPECT_THAT(text, HasSubstr("Plan epoch=0 plan=000000000000004d"));
  EXPECT_THAT(text, HasSubstr("Commit epoch=0 attempt=1"));
  EXPECT_THAT(text, HasSubstr("extent file=state/w0.log offset=0 length=12"));
  EXPECT_THAT(text, HasSubstr("key_groups=0-2,7"));
  EXPECT_THAT(text, HasSubstr("next Plan epoch=1"));
  EXPECT_THAT(text, HasSubstr("state/w0.log size=12 needed"));
  EXPECT_THAT(text, HasSubstr("state/stray size=0 not in the log"));
  EXPECT_EQ(verified.last_committed, 0);
  EXPECT_TRUE(verified.snapshots.empty());
  ASSERT_EQ(verified.extents.size(), 1u);
  EXPECT_EQ(verified.extents[0].file(), "w0.log");
}

}  // namespace
}  // namespace tidemill::driver
