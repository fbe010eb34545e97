#include "worker/state_keeper.h"

#include <gtest/gtest.h>

#include <future>

#include "state/durable/restore.h"
#include "tests/state/state_testing.h"

namespace tidemill::worker {
namespace {

using Extents = arrow::Result<std::vector<state::Extent>>;

class StateKeeperTest : public ::testing::Test {
 protected:
  std::unique_ptr<StateKeeper> Keeper() {
    StateKeeper::Options options;
    options.fs = FileSystem::Local();
    options.io = io_.get();
    options.state_dir = directory_.path();
    options.worker = "w";
    options.incarnation = "i";
    options.local_dir = JoinPath(directory_.path(), "local");
    options.operators = {1};
    options.is_durable = false;
    return std::make_unique<StateKeeper>(std::move(options));
  }

  static std::shared_ptr<const std::vector<state::ChangelogSections>> Changes(int rows) {
    auto table = state::WordTable();
    for (int row = 0; row < rows; ++row)
      state::PutWord(table.get(), std::to_string(row), row, std::string(100, 'x'));
    auto slots = std::make_shared<std::vector<state::ChangelogSections>>(1);
    slots->front().Add(1, 0, *table);
    return slots;
  }

  std::future<Extents> Append(StateKeeper* keeper, int64_t epoch, int rows) {
    auto promise = std::make_shared<std::promise<Extents>>();
    keeper->Append(epoch, Changes(rows),
                   [promise](Extents extents) { promise->set_value(std::move(extents)); });
    return promise->get_future();
  }

  state::TestDirectory directory_;
  std::unique_ptr<Executor> io_ = MakePoolExecutor("io", 4);
};

// An attempt that was given up still writes while the next one appends.
TEST_F(StateKeeperTest, AppendsThatOverlapDoNotMixTheirBytes) {
  const auto keeper = Keeper();
  std::vector<std::future<Extents>> appended;
  for (int i = 0; i < 200; ++i) appended.push_back(Append(keeper.get(), 1, 1 + i % 50));

  for (auto& each : appended) {
    const Extents extents = each.get();
    ASSERT_TRUE(extents.ok()) << extents.status();
    ASSERT_EQ(extents->size(), 1u);
    const auto bytes = state::ReadExtent(FileSystem::Local(), directory_.path(), extents->front());
    EXPECT_TRUE(bytes.ok()) << bytes.status();
  }
}

TEST_F(StateKeeperTest, LargeChangesOfSeveralSlotsAreExtentsOfTheirOwn) {
  const auto keeper = Keeper();
  auto slots = std::make_shared<std::vector<state::ChangelogSections>>(3);
  auto table = state::WordTable();
  for (int row = 0; row < 20; ++row)
    state::PutWord(table.get(), std::to_string(row), row, std::string(1 << 20, 'x'));
  (*slots)[0].Add(1, 0, *table);
  (*slots)[2].Add(1, 7, *table);
  std::promise<Extents> promise;

  keeper->Append(1, slots, [&](Extents extents) { promise.set_value(std::move(extents)); });

  const Extents extents = promise.get_future().get();
  ASSERT_TRUE(extents.ok()) << extents.status();
  ASSERT_EQ(extents->size(), 2u);
  EXPECT_NE((*extents)[0].file, (*extents)[1].file);
  EXPECT_EQ((*extents)[0].key_groups, std::vector<uint32_t>{0});
  EXPECT_EQ((*extents)[1].key_groups, std::vector<uint32_t>{7});
  for (const state::Extent& extent : *extents) {
    EXPECT_TRUE(state::ReadExtent(FileSystem::Local(), directory_.path(), extent).ok());
  }
}

TEST_F(StateKeeperTest, ACaptureBeginsANewSegment) {
  const auto keeper = Keeper();
  const std::string first = Append(keeper.get(), 1, 1).get()->front().file;
  EXPECT_EQ(Append(keeper.get(), 2, 1).get()->front().file, first);

  keeper->BeginCapture(/*is_for_snapshot=*/true);

  const std::string second = Append(keeper.get(), 3, 1).get()->front().file;
  EXPECT_NE(second, first);
  EXPECT_EQ(Append(keeper.get(), 4, 1).get()->front().file, second);
}

// The driver that it was for is gone: the next one needs the changelog still, and another snapshot.
TEST_F(StateKeeperTest, ASnapshotThatNobodyHasHeardOfIsDueAgain) {
  const auto keeper = Keeper();
  keeper->OnCommitted(int64_t{1} << 40, 1);
  for (const bool counts : {false, true}) {
    EXPECT_TRUE(keeper->ShouldSnapshot());
    keeper->BeginCapture(/*is_for_snapshot=*/true);
    keeper->EndCapture(counts);
  }
  EXPECT_FALSE(keeper->ShouldSnapshot());
}

// Key group 3 is lost and comes back around captures; what was removed from it elsewhere must not
// come back with it.
class LostKeyGroupTest : public StateKeeperTest {
 protected:
  using Flushed = arrow::Result<StateKeeper::Flushed>;

  LostKeyGroupTest() : keeper_(Keeper()), table_(state::WordTable()) {
    state::PutWord(table_.get(), "removed elsewhere", 1, "x");
    state::PutWord(table_.get(), "stays", 1, "x");
    table_->CommitEpoch(0);
  }

  // What another owner has made of the table.
  void ComeBack() {
    table_ = state::WordTable();
    state::PutWord(table_.get(), "stays", 2, "y");
    table_->CommitEpoch(1);
  }
  void Capture() {
    keeper_->BeginCapture(/*is_for_snapshot=*/true);
    batches_ = std::make_shared<std::vector<std::unique_ptr<state::FlushBatch>>>();
    batches_->push_back(std::make_unique<state::FlushBatch>());
    batches_->back()->Add(1, 3, table_.get());
  }
  state::Snapshot Finish(int64_t epoch) {
    std::promise<Flushed> promise;
    keeper_->Flush(epoch, batches_, [&](Flushed made) { promise.set_value(std::move(made)); });
    state::Snapshot snapshot = promise.get_future().get().ValueOrDie().snapshot.value();
    keeper_->EndCapture(/*counts=*/true);
    return snapshot;
  }
  std::vector<std::string> Rows(const state::Snapshot& snapshot) {
    state::Restorer restorer({.fs = FileSystem::Local(),
                              .state_dir = directory_.path(),
                              .scratch_dir = JoinPath(directory_.path(), "scratch"),
                              .snapshots = {snapshot},
                              .committed_epoch = snapshot.epoch});
    auto table = state::WordTable();
    const std::vector<uint32_t> groups = {3};
    EXPECT_TRUE(restorer.Restore(groups, [&](int32_t, uint32_t) { return table.get(); }).ok());
    return state::DumpWords(*table);
  }

  std::unique_ptr<StateKeeper> keeper_;
  std::unique_ptr<state::HotTable> table_;
  std::shared_ptr<std::vector<std::unique_ptr<state::FlushBatch>>> batches_;
  const std::vector<std::string> came_back_ = {"stays=2/y"};
};

TEST_F(LostKeyGroupTest, IsWipedBetweenTwoCaptures) {
  Capture();
  EXPECT_EQ(Rows(Finish(0)).size(), 2u);
  keeper_->DropKeyGroups({3});
  ComeBack();

  Capture();

  EXPECT_EQ(Rows(Finish(1)), came_back_);
}

TEST_F(LostKeyGroupTest, IsWipedAfterTheCaptureUnderWay) {
  Capture();
  keeper_->DropKeyGroups({3});
  ComeBack();
  EXPECT_EQ(Rows(Finish(0)).size(), 2u);

  Capture();

  EXPECT_EQ(Rows(Finish(1)), came_back_);
}

TEST_F(LostKeyGroupTest, IsWipedAfterBeingAwayForACapture) {
  Capture();
  keeper_->DropKeyGroups({3});
  Finish(0);
  keeper_->BeginCapture(/*is_for_snapshot=*/true);
  batches_ = std::make_shared<std::vector<std::unique_ptr<state::FlushBatch>>>();
  EXPECT_TRUE(Finish(1).key_groups.empty());
  ComeBack();

  Capture();

  EXPECT_EQ(Rows(Finish(2)), came_back_);
}

}  // namespace
}  // namespace tidemill::worker
