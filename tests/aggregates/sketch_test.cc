// How exact and how small the sketches are.
#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "tests/aggregates/aggregate_fixture.h"
#include "worker/aggregates/sketches/numeric_histogram.h"
#include "worker/aggregates/sketches/quantile_summary.h"
#include "worker/aggregates/sketches/t_digest.h"

namespace tidemill::worker {
namespace {

constexpr int kValues = 100'000;

std::vector<double> RandomValues() {
  std::mt19937_64 random(3);
  std::lognormal_distribution<double> spread(0, 2);
  std::vector<double> values(kValues);
  for (double& value : values) value = spread(random);
  return values;
}

// How far the rank of `value` is from the wanted one, in parts of the number of values.
double RankError(const std::vector<double>& sorted, double value, double fraction) {
  const auto rank = std::lower_bound(sorted.begin(), sorted.end(), value) - sorted.begin();
  return std::abs(static_cast<double>(rank) / static_cast<double>(sorted.size()) - fraction);
}

TEST(QuantileSummaryTest, MergedPartsKeepTheRankErrorAndStaySmall) {
  const std::vector<double> values = RandomValues();
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  constexpr double kError = 0.01;
  QuantileSummary whole(kError);
  for (int part = 0; part < 40; ++part) {
    QuantileSummary summary(kError);
    summary.Insert(std::span(values).subspan(part * (kValues / 40), kValues / 40));
    summary.Compress();
    whole.Merge(summary);
  }

  std::string bytes;
  whole.EncodeTo(&bytes);
  EXPECT_LT(bytes.size(), 24 * 2000u);
  for (const double fraction : {0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.999}) {
    EXPECT_LE(RankError(sorted, whole.Query(fraction), fraction), kError) << fraction;
  }
}

TEST(QuantileSummaryTest, ManySmallPartsDoNotMakeItGrow) {
  const std::vector<double> values = RandomValues();
  QuantileSummary whole(0.01);
  size_t most = 0;
  for (int begin = 0; begin < kValues; begin += 20) {
    QuantileSummary summary(0.01);
    summary.Insert(std::span(values).subspan(begin, 20));
    summary.Compress();
    whole.Merge(summary);
    most = std::max(most, whole.num_samples());
  }

  EXPECT_LT(most, 1000u);
}

TEST(QuantileSummaryTest, IsExactWhileNothingHasToBeLeftOut) {
  QuantileSummary summary(1.0 / 10'000);
  const std::vector<double> values = {9, 1, 5, 3, 7};

  summary.Insert(values);
  summary.Compress();

  EXPECT_EQ(summary.Query(0.0), 1);
  EXPECT_EQ(summary.Query(0.5), 5);
  EXPECT_EQ(summary.Query(0.8), 7);
  EXPECT_EQ(summary.Query(1.0), 9);
}

TEST(TDigestTest, IsMostExactNearBothEnds) {
  const std::vector<double> values = RandomValues();
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  TDigest whole(100);
  for (int part = 0; part < 40; ++part) {
    std::string bytes = TDigest::EmptyBytes();
    bytes.append(reinterpret_cast<const char*>(values.data() + part * (kValues / 40)),
                 kValues / 40 * sizeof(double));
    whole.Merge(TDigest::Decode(100, bytes).ValueOrDie());
  }

  std::string bytes;
  whole.EncodeTo(&bytes);
  EXPECT_LT(bytes.size(), 3000u);
  EXPECT_LE(RankError(sorted, whole.Query(0.5), 0.5), 0.02);
  EXPECT_LE(RankError(sorted, whole.Query(0.99), 0.99), 0.002);
  EXPECT_LE(RankError(sorted, whole.Query(0.999), 0.999), 0.001);
  EXPECT_EQ(whole.Query(0), sorted.front());
  EXPECT_EQ(whole.Query(1), sorted.back());
}

TEST(NumericHistogramTest, JoinsTheNearestBinsAndCountsEveryNumber) {
  NumericHistogram histogram(3);

  for (const double value : {1.0, 10.0, 2.0, 100.0, 1.0}) histogram.Add(value);

  ASSERT_EQ(histogram.bins().size(), 3u);
  EXPECT_NEAR(histogram.bins()[0].x, 4.0 / 3, 1e-12);
  EXPECT_EQ(histogram.bins()[0].y, 3);
  EXPECT_EQ(histogram.bins()[1].x, 10);
  EXPECT_EQ(histogram.bins()[2].y, 1);
}

TEST(NumericHistogramTest, TooManyBinsInACheckpointAreCorrupt) {
  NumericHistogram histogram(5);
  for (int i = 0; i < 5; ++i) histogram.Add(i);
  std::string bytes;
  histogram.EncodeTo(&bytes);

  EXPECT_EQ(ErrorClassOf(NumericHistogram::Decode(4, bytes).status()), "CHECKPOINT_CORRUPT");
}

}  // namespace
}  // namespace tidemill::worker
