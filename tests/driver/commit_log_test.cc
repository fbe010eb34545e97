#include "driver/log/commit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "driver/log/checkpoint_show.h"
#include "driver/log/log_frame.h"
#include "tests/driver/log_fixture.h"

namespace tidemill::driver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class CommitLogTest : public LogFixture {
 protected:
  std::string ReadSummary() {
    const auto contents = ReadLog(fs_, checkpoint_);
    return contents.ok() ? Summary(*contents) : ErrorClassOf(contents.status());
  }

  // log/1.0 with Open1 Plan0 Commit0+Plan1 Commit1, then log/2.0 with Open2 Plan2 Commit2.
  void WriteTwoTerms() {
    auto first = OpenLog().ValueOrDie();
    ASSERT_TRUE(first.log->Append(Plan(0)).ok());
    ASSERT_TRUE(first.log->Append(CommitAndPlan(0)).ok());
    ASSERT_TRUE(first.log->Append(Commit(1)).ok());
    auto second = OpenLog().ValueOrDie();
    ASSERT_TRUE(second.log->Append(Plan(2)).ok());
    ASSERT_TRUE(second.log->Append(Commit(2)).ok());
  }

  static constexpr const char* kTwoTerms = "Open1 Plan0 Commit0+Plan1 Commit1 Open2 Plan2 Commit2";
};

TEST_F(CommitLogTest, TheNextTermReadsWhatTheOneBeforeWrote) {
  WriteTwoTerms();

  auto third = OpenLog().ValueOrDie();

  EXPECT_EQ(Summary(third.contents), kTwoTerms);
  EXPECT_EQ(third.log->term(), 3u);
  EXPECT_THAT(third.contents.files, ElementsAre("log/1.0", "log/2.0"));
  EXPECT_EQ(ReadSummary(), std::string(kTwoTerms) + " Open3");
}

TEST_F(CommitLogTest, AnEmptyOrMissingDirectoryIsAnEmptyLog) { EXPECT_EQ(ReadSummary(), ""); }

TEST_F(CommitLogTest, EveryFlippedByteIsDetectedOrATornTail) {
  WriteTwoTerms();
  for (const std::string name : {"log/1.0", "log/2.0"}) {
    const std::string good = Contents(name);
    for (size_t at = 0; at < good.size(); ++at) {
      std::string bad = good;
      bad[at] = static_cast<char>(bad[at] ^ 0x10);
      Overwrite(name, bad);
      const std::string summary = ReadSummary();
      // In the newest file the last record is what a crash could have torn; nothing else.
      const bool is_last =
          name == "log/2.0" && summary == "Open1 Plan0 Commit0+Plan1 Commit1 Open2 Plan2";
      EXPECT_TRUE(summary == "CHECKPOINT_CORRUPT" || is_last)
          << name << "@" << at << " " << summary;
    }
    Overwrite(name, good);
  }
}

TEST_F(CommitLogTest, EveryCutOfTheNewestFileIsATornTailAndOfAnOlderOneDamage) {
  WriteTwoTerms();
  const std::string newest = Contents("log/2.0");
  for (size_t length = 0; length < newest.size(); ++length) {
    Overwrite("log/2.0", newest.substr(0, length));
    EXPECT_THAT(std::string(kTwoTerms), StartsWith(ReadSummary())) << length;
  }
  Overwrite("log/2.0", newest);
  const std::string older = Contents("log/1.0");
  for (size_t length = 0; length < older.size(); ++length) {
    Overwrite("log/1.0", older.substr(0, length));
    EXPECT_EQ(ReadSummary(), "CHECKPOINT_CORRUPT") << length;
  }
}

TEST_F(CommitLogTest, GoesOnAfterATornTail) {
  WriteTwoTerms();
  const std::string newest = Contents("log/2.0");
  Overwrite("log/2.0", newest.substr(0, newest.size() - 3));

  auto third = OpenLog().ValueOrDie();
  ASSERT_TRUE(third.log->Append(Commit(2)).ok());

  EXPECT_GT(third.contents.torn_bytes, 0);
  EXPECT_EQ(ReadSummary(), "Open1 Plan0 Commit0+Plan1 Commit1 Open2 Plan2 Open3 Commit2");
}

TEST_F(CommitLogTest, ADriverThatDiedWhileItBeganItsFileLeavesNothingBehind) {
  WriteTwoTerms();
  ASSERT_TRUE(Term::Take(fs_, checkpoint_, "dies", false).ok());
  Overwrite("log/3.0", "");

  auto next = OpenLog().ValueOrDie();

  EXPECT_EQ(next.log->term(), 4u);
  EXPECT_EQ(Summary(next.contents), kTwoTerms);
}

TEST_F(CommitLogTest, AnErrorNamesFileOffsetBothValuesAndTheRepair) {
  WriteTwoTerms();
  std::string bad = Contents("log/1.0");
  bad[22] = static_cast<char>(bad[22] ^ 1);
  Overwrite("log/1.0", bad);

  const arrow::Status status = ReadLog(fs_, checkpoint_).status();

  EXPECT_EQ(ExitCodeOf(status), 9);
  EXPECT_THAT(status.message(), HasSubstr("file=" + Path("log/1.0") + " offset=0 expected="));
  EXPECT_THAT(DetailOf(status)->hint, HasSubstr("tidemill checkpoint repair " + checkpoint_));
}

TEST_F(CommitLogTest, ABaseBeginsAFileAndTheOlderOnesMayGo) {
  WriteTwoTerms();
  auto third = OpenLog().ValueOrDie();
  const std::vector<proto::LogRecord> records = {Base(2), Plan(3)};
  ASSERT_TRUE(third.log->AppendInNewFile(records).ok());
  ASSERT_TRUE(third.log->Append(Commit(3)).ok());

  EXPECT_EQ(ReadSummary(), "Open3 Base2 Plan3 Commit3");
  EXPECT_THAT(ReadLog(fs_, checkpoint_)->others, ElementsAre("log/1.0", "log/2.0", "log/3.0"));
  for (const std::string file : {"log/1.0", "log/2.0", "log/3.0"}) {
    ASSERT_TRUE(fs_->Remove(Path(file)).ok());
  }
  EXPECT_EQ(ReadSummary(), "Open3 Base2 Plan3 Commit3");
}

TEST_F(CommitLogTest, ATornBaseFallsBackToTheFileBeforeIt) {
  WriteTwoTerms();
  auto third = OpenLog().ValueOrDie();
  ASSERT_TRUE(third.log->AppendInNewFile(std::vector<proto::LogRecord>{Base(2)}).ok());
  const std::string file = Contents("log/3.1");

  Overwrite("log/3.1", file.substr(0, file.size() - 1));

  EXPECT_EQ(ReadSummary(), std::string(kTwoTerms) + " Open3 Open3");
}

TEST_F(CommitLogTest, AnOldTermIsFencedAtItsNextAppendAndItsRecordIsNotRead) {
  auto zombie = OpenLog().ValueOrDie();
  ASSERT_TRUE(zombie.log->Append(Plan(0)).ok());
  auto newer = OpenLog().ValueOrDie();

  const arrow::Status fenced = zombie.log->Append(Commit(0));

  EXPECT_EQ(ExitCodeOf(fenced), 10);
  EXPECT_THAT(fenced.message(), HasSubstr("pid=1 host=test"));
  EXPECT_EQ(ReadSummary(), "Open1 Plan0 Open2");
  EXPECT_EQ(ExitCodeOf(zombie.log->Append(Plan(1))), 10) << "once broken, always broken";
}

TEST_F(CommitLogTest, ARecordOfAnUnknownTypeIsAnError) {
  auto opened = OpenLog().ValueOrDie();
  std::string text = Contents("log/1.0");
  const uint64_t chain = ParseFrames(text).frames.back().checksum;
  AppendFrame(std::string_view("\x7a\x01x", 3), chain, &text);  // field 15

  Overwrite("log/1.0", text);

  EXPECT_THAT(ReadLog(fs_, checkpoint_).status().message(), HasSubstr("record type"));
}

TEST_F(CommitLogTest, ARecordOfAnotherLogIsDamageEvenAtTheEnd) {
  auto opened = OpenLog().ValueOrDie();
  std::string text = Contents("log/1.0");
  AppendFrame(Plan(0).SerializeAsString(), 12345, &text);

  Overwrite("log/1.0", text);

  EXPECT_THAT(ReadLog(fs_, checkpoint_).status().message(), HasSubstr("chain"));
}

TEST_F(CommitLogTest, RepairCutsAtTheDamageAndKeepsWhatItCutOff) {
  WriteTwoTerms();
  std::string bad = Contents("log/1.0");
  const int64_t commit_at = ReadLog(fs_, checkpoint_)->entries[2].place.offset;
  bad[commit_at + 25] = static_cast<char>(bad[commit_at + 25] ^ 1);
  Overwrite("log/1.0", bad);

  const auto done = RepairLog(fs_, checkpoint_).ValueOrDie();

  EXPECT_EQ(done.size(), 2u);
  EXPECT_EQ(ReadSummary(), "Open1 Plan0");
  EXPECT_EQ(Contents("log/1.0.damaged"), bad);
  EXPECT_TRUE(RepairLog(fs_, checkpoint_)->empty()) << "nothing left to repair";
}

TEST_F(CommitLogTest, RepairRefusesWhereNothingIsLeftToGoOnFrom) {
  WriteTwoTerms();
  std::string bad = Contents("log/1.0");
  bad[0] = static_cast<char>(bad[0] ^ 1);
  Overwrite("log/1.0", bad);

  EXPECT_EQ(ExitCodeOf(RepairLog(fs_, checkpoint_).status()), 9);
  EXPECT_EQ(Contents("log/1.0"), bad);
}

}  // namespace
}  // namespace tidemill::driver
