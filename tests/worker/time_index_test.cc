#include "worker/stateful/time_index.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "state/table/key_codec.h"

namespace tidemill::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class TimeIndexTest : public ::testing::Test {
 protected:
  TimeIndexTest() { index_.Begin(table_, /*version=*/1); }

  std::vector<uint32_t> TakeUpTo(int64_t time) {
    std::vector<uint32_t> rows;
    index_.TakeUpTo(time, &rows);
    return rows;
  }

  const state::HotTable table_{
      {.keys = state::KeyCodec::Make({arrow::int64()}).ValueOrDie(), .values = {}}};
  TimeIndex index_;
};

TEST_F(TimeIndexTest, TheTimeItselfGoesAndTheNextMicrosecondStays) {
  index_.Add(1000, 0);
  index_.Add(1001, 1);
  index_.Add(-5, 2);

  EXPECT_THAT(TakeUpTo(1000), ElementsAre(2, 0));
  EXPECT_THAT(TakeUpTo(1000), IsEmpty());
  index_.Add(999, 3);
  EXPECT_THAT(TakeUpTo(1001), ElementsAre(3, 1));
}

TEST_F(TimeIndexTest, RandomRowsGoOnceAndInTime) {
  std::mt19937_64 random(3);
  std::multimap<int64_t, uint32_t> model;
  uint32_t row = 0;
  for (int64_t watermark = 0; watermark < 200'000'000; watermark += 1'700'000) {
    for (uint64_t count = random() % 60; count > 0; --count, ++row) {
      const auto time = watermark - 2'000'000 + static_cast<int64_t>(random() % 90'000'000);
      index_.Add(time, row);
      model.emplace(time, row);
    }

    std::vector<uint32_t> taken = TakeUpTo(watermark);

    std::vector<uint32_t> expected;
    const auto end = model.upper_bound(watermark);
    for (auto at = model.begin(); at != end; ++at) expected.push_back(at->second);
    model.erase(model.begin(), end);
    std::sort(expected.begin(), expected.end());
    std::sort(taken.begin(), taken.end());
    ASSERT_EQ(taken, expected) << watermark;
  }
}

}  // namespace
}  // namespace tidemill::worker
