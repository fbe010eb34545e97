#include "common/functions/math/rounding.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>

namespace tidemill {
namespace {

// The number rounded without and with its text, to the bit.
void ExpectAlike(double x, int scale) {
  for (const Half half : {Half::kUp, Half::kEven}) {
    const double quick = DoubleRounder(scale, half)(x);
    const double by_text = RoundByText(x, scale, half);
    ASSERT_EQ(std::bit_cast<uint64_t>(quick), std::bit_cast<uint64_t>(by_text))
        << x << " to " << scale << " digits: " << quick << " instead of " << by_text;
  }
}

double Neighbour(double x, int steps) {
  const double toward = steps < 0 ? 0 : std::numeric_limits<double>::infinity();
  for (; steps != 0; steps += steps < 0 ? 1 : -1) x = std::nextafter(x, toward);
  return x;
}

// The double nearest to digits * 10^-scale.
double Decimal(uint64_t digits, int scale) {
  const std::string text = fmt::format("{}e{}", digits, -scale);
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

TEST(RoundingTest, HalvesAreThoseOfTheDecimalText) {
  EXPECT_EQ(DoubleRounder(2, Half::kUp)(1.255), 1.26);
  EXPECT_EQ(DoubleRounder(2, Half::kEven)(1.255), 1.26);
  EXPECT_EQ(DoubleRounder(2, Half::kEven)(1.245), 1.24);
  EXPECT_EQ(DoubleRounder(1, Half::kUp)(-0.25), -0.3);
  EXPECT_EQ(DoubleRounder(1, Half::kEven)(-0.25), -0.2);
  EXPECT_EQ(DoubleRounder(0, Half::kUp)(0.49999999999999994), 0.0);
  EXPECT_EQ(DoubleRounder(-2, Half::kUp)(250.0), 300.0);
  EXPECT_TRUE(std::isnan(DoubleRounder(1, Half::kUp)(std::nan(""))));
}

// Doubles of any size, and their like of 1 to 17 digits.
TEST(RoundingTest, AnyDoubleRoundsAsItsText) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 500'000; ++i) {
    const double x = std::bit_cast<double>(random());
    if (std::isfinite(x)) ExpectAlike(x, static_cast<int>(random() % 20) - 2);
    const double size = std::pow(10.0, static_cast<int>(random() % 20));
    ExpectAlike(size * static_cast<double>(random()) / 0x1p64, static_cast<int>(random() % 17));
  }
}

// The middle between two neighbours, as a double, and the doubles around it.
TEST(RoundingTest, HalvesAndWhatIsCloseToThemRoundAsTheirText) {
  std::mt19937_64 random(2);
  constexpr uint64_t kMost = 100'000'000'000'000;
  for (int i = 0; i < 500'000; ++i) {
    const int scale = static_cast<int>(random() % 17);
    const auto whole = random() % kMost >> random() % 46;
    const double half = Decimal(whole * 10 + 5, scale + 1);
    ExpectAlike(Neighbour(half, static_cast<int>(random() % 9) - 4), scale);
    ExpectAlike(-half, scale);
    ExpectAlike(Neighbour(Decimal(whole, scale), static_cast<int>(random() % 5) - 2), scale);
  }
}

// All halves with few digits, where most data is.
TEST(RoundingTest, EveryShortHalfRoundsAsItsText) {
  for (int scale = 0; scale <= 4; ++scale) {
    for (uint64_t whole = 0; whole < 100'000; ++whole) {
      ExpectAlike(Decimal(whole * 10 + 5, scale + 1), scale);
    }
  }
}

}  // namespace
}  // namespace tidemill
