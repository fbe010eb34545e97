#include "driver/epoch/epoch_sizer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

namespace tidemill::driver {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// A job whose epochs take a fixed time and a time per byte.
struct Job {
  microseconds fixed{};
  double bytes_per_second = 0;

  microseconds ComputeOf(int64_t bytes) const {
    return microseconds(
        static_cast<int64_t>(static_cast<double>(bytes) / bytes_per_second * 1'000'000));
  }
  // Works off a backlog of `bytes` in so many epochs at most; returns how long the last one lasted.
  microseconds Run(EpochSizer* sizer, int64_t bytes, int epochs) const {
    microseconds last{};
    for (int i = 0; i < epochs && bytes > 0; ++i) {
      const int64_t taken = std::min(sizer->budget(), bytes);
      bytes -= taken;
      last = fixed + ComputeOf(taken);
      sizer->OnCommitted(taken, last, ComputeOf(taken));
    }
    return last;
  }
};

constexpr int64_t kEndless = std::numeric_limits<int64_t>::max();

TEST(EpochSizerTest, EpochsOfABacklogReachTheTarget) {
  for (const double speed : {2e6, 20e6, 300e6, 2e9}) {
    EpochSizer sizer(milliseconds(200));
    const Job job{milliseconds(10), speed};
    EXPECT_NEAR(static_cast<double>(job.Run(&sizer, kEndless, 20).count()), 200'000, 2'000)
        << speed;
  }
}

TEST(EpochSizerTest, FollowsAJobThatGetsSlower) {
  EpochSizer sizer(milliseconds(200));
  Job{milliseconds(5), 200e6}.Run(&sizer, kEndless, 20);
  const auto last = Job{milliseconds(5), 10e6}.Run(&sizer, kEndless, 10);
  EXPECT_NEAR(static_cast<double>(last.count()), 200'000, 2'000);
}

// What an epoch costs anyway must not eat the work.
TEST(EpochSizerTest, AtLeastHalfOfAnEpochIsWork) {
  EpochSizer sizer(milliseconds(200));
  const auto last = Job{milliseconds(1000), 50e6}.Run(&sizer, kEndless, 20);
  EXPECT_NEAR(static_cast<double>(last.count()), 2'000'000, 20'000);
}

TEST(EpochSizerTest, SmallEpochsSayNothingAboutLargeOnes) {
  EpochSizer sizer(milliseconds(200));
  for (int i = 0; i < 100; ++i) sizer.OnCommitted(1000, milliseconds(5), milliseconds(4));
  sizer.OnCommitted(0, milliseconds(500), milliseconds(400));
  EXPECT_EQ(sizer.budget(), EpochSizer::kFirstBytes);
}

TEST(EpochSizerTest, StaysWithinItsBounds) {
  EpochSizer sizer(milliseconds(200));
  Job{milliseconds(0), 1e3}.Run(&sizer, kEndless, 50);
  EXPECT_EQ(sizer.budget(), EpochSizer::kLeastBytes);
  Job{milliseconds(0), 1e12}.Run(&sizer, kEndless, 50);
  EXPECT_EQ(sizer.budget(), EpochSizer::kMostBytes);
}

TEST(EpochSizerTest, WithoutATargetThereIsNoLimit) {
  EpochSizer sizer(microseconds(0));
  sizer.OnCommitted(1 << 30, milliseconds(5000), milliseconds(4000));
  EXPECT_EQ(sizer.budget(), std::numeric_limits<int64_t>::max());
}

}  // namespace
}  // namespace tidemill::driver
