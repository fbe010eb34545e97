#include "worker/exchange/lane_merger.h"

#include <gtest/gtest.h>

#include "tests/testing/batches.h"

namespace tidemill::worker {
namespace {

ExchangeFrame MakeFrame(int lane, int64_t chunk, int rows, bool ends_chunk, bool ends_lane) {
  ExchangeFrame frame{
      .lane = lane, .chunk = chunk, .ends_chunk = ends_chunk || ends_lane, .ends_lane = ends_lane};
  if (rows > 0) {
    std::string json = "[";
    for (int i = 0; i < rows; ++i) json += i == 0 ? "[1]" : ",[1]";
    frame.rows.batch = testing::MakeBatch("a INT", json + "]");
  }
  return frame;
}

std::vector<int64_t> Drain(LaneMerger* merger) {
  std::vector<int64_t> sizes;
  while (auto rows = merger->Next()) sizes.push_back(rows->batch->num_rows());
  return sizes;
}

TEST(LaneMergerTest, InterleavesLanesChunkByChunkWhateverTheArrivalOrder) {
  LaneMerger merger(2);
  ASSERT_TRUE(merger.Add(MakeFrame(1, 0, 2, true, false)).ok());
  ASSERT_TRUE(merger.Add(MakeFrame(1, 1, 4, false, true)).ok());
  ASSERT_TRUE(merger.Add(MakeFrame(0, 0, 1, true, false)).ok());
  ASSERT_TRUE(merger.Add(MakeFrame(0, 1, 3, false, true)).ok());

  EXPECT_EQ(Drain(&merger), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_TRUE(merger.is_finished());
}

TEST(LaneMergerTest, WaitsForTheLaneThatIsNext) {
  LaneMerger merger(2);
  ASSERT_TRUE(merger.Add(MakeFrame(1, 0, 2, false, true)).ok());

  EXPECT_TRUE(Drain(&merger).empty());
  EXPECT_FALSE(merger.is_finished());

  ASSERT_TRUE(merger.Add(MakeFrame(0, 0, 1, false, true)).ok());
  EXPECT_EQ(Drain(&merger), (std::vector<int64_t>{1, 2}));
  EXPECT_TRUE(merger.is_finished());
}

TEST(LaneMergerTest, PassesOverLanesThatEndedEarlierAndOverEmptyPieces) {
  LaneMerger merger(2);
  ASSERT_TRUE(merger.Add(MakeFrame(0, 0, 0, false, true)).ok());
  ASSERT_TRUE(merger.Add(MakeFrame(1, 0, 1, true, false)).ok());
  ASSERT_TRUE(merger.Add(MakeFrame(1, 1, 0, true, false)).ok());
  ASSERT_TRUE(merger.Add(MakeFrame(1, 2, 2, false, true)).ok());

  EXPECT_EQ(Drain(&merger), (std::vector<int64_t>{1, 2}));
  EXPECT_TRUE(merger.is_finished());
}

TEST(LaneMergerTest, ChunkTellsWhatIsFullyTaken) {
  LaneMerger merger(2);
  ASSERT_TRUE(merger.Add(MakeFrame(0, 0, 1, true, false)).ok());
  Drain(&merger);
  EXPECT_EQ(merger.chunk(), 0);

  ASSERT_TRUE(merger.Add(MakeFrame(1, 0, 1, true, false)).ok());
  Drain(&merger);
  EXPECT_EQ(merger.chunk(), 1);
}

TEST(LaneMergerTest, RefusesWhatDoesNotContinueALane) {
  LaneMerger merger(2);
  ASSERT_TRUE(merger.Add(MakeFrame(0, 0, 1, true, false)).ok());
  ASSERT_TRUE(merger.Add(MakeFrame(1, 0, 1, false, true)).ok());

  EXPECT_FALSE(merger.Add(MakeFrame(0, 0, 1, true, false)).ok());
  EXPECT_FALSE(merger.Add(MakeFrame(0, 2, 1, true, false)).ok());
  EXPECT_FALSE(merger.Add(MakeFrame(1, 1, 1, true, false)).ok());
  EXPECT_FALSE(merger.Add(MakeFrame(2, 0, 1, true, false)).ok());
  EXPECT_FALSE(merger.Add(MakeFrame(-1, 0, 1, true, false)).ok());

  EXPECT_TRUE(merger.Add(MakeFrame(0, 1, 1, false, true)).ok());
  EXPECT_EQ(Drain(&merger).size(), 3u);
}

}  // namespace
}  // namespace tidemill::worker
