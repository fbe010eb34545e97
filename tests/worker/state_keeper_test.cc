#include "worker/state_keeper.h"

#include <gtest/gtest.h>

#include <future>

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

TEST_F(StateKeeperTest, ACaptureBeginsANewSegment) {
  const auto keeper = Keeper();
  const std::string first = Append(keeper.get(), 1, 1).get()->front().file;
  EXPECT_EQ(Append(keeper.get(), 2, 1).get()->front().file, first);

  keeper->BeginCapture();

  const std::string second = Append(keeper.get(), 3, 1).get()->front().file;
  EXPECT_NE(second, first);
  EXPECT_EQ(Append(keeper.get(), 4, 1).get()->front().file, second);
}

}  // namespace
}  // namespace tidemill::worker
