#pragma once

#include <cmath>
#include <cstdint>

namespace tidemill {

// Which neighbour a number is rounded to: the nearest, a half away from zero (round) or to the even
// one (bround); or the one above (ceil) or below (floor).
enum class Half { kUp, kEven, kCeiling, kFloor };

// value / 10^digits rounded, for digits up to 38.
__int128 RoundedDivide(__int128 value, int digits, Half half);

// A finite number rounded to `scale` digits behind the point: its shortest decimal text is rounded
// and read again, which is what java.math.BigDecimal.valueOf does, whose zero has no sign. `half`
// is kUp or kEven.
double RoundByText(double x, int scale, Half half);
float RoundByText(float x, int scale, Half half);

// The same as RoundByText for a DOUBLE, and what is not finite as it is, mostly without the text.
// *Immutable.*
class DoubleRounder {
 public:
  DoubleRounder(int scale, Half half);

  double operator()(double x) const {
    const double size = std::fabs(x);
    const double scaled = size * power_;
    if (!(scaled < kMostScaled)) return std::isfinite(x) ? RoundByText(x, scale_, half_) : x;
    // The decimal text T of `size` lies within 2^-53 * size of it, and the product is rounded once
    // more: T * power_ is within 2.3e-16 * scaled of `scaled`. Further from the half than that,
    // both lie on the same side of it.
    const auto whole = static_cast<int64_t>(scaled);
    const double fraction = scaled - static_cast<double>(whole);
    bool goes_up = fraction > 0.5;
    if (std::fabs(fraction - 0.5) <= 1e-15 * (scaled + 1)) {
      if (scaled >= kMostTied) return RoundByText(x, scale_, half_);
      // Here T * power_ lies between `whole` and `whole` + 1. Let D be the decimal in the middle of
      // them, at most 15 digits, and `tie` the double nearest to it, as both operands are exact.
      // Reading keeps the order: `size` < tie means T < D, and `size` > tie means T > D. And if
      // they are equal, T is D: it is the shortest text of `tie`, so at most 15 digits too, and no
      // two such decimals share a double (DBL_DIG).
      const double tie = static_cast<double>(whole * 10 + 5) / next_power_;
      goes_up = size > tie || (size == tie && (half_ == Half::kUp || whole % 2 != 0));
    }
    // Both operands are exact, so this is the double nearest to the decimal.
    const double result = static_cast<double>(whole + (goes_up ? 1 : 0)) / power_;
    return std::copysign(result, x) + 0.0;  // no -0.0
  }

 private:
  static constexpr double kMostScaled = 1e15;
  static constexpr double kMostTied = 1e14;

  const int scale_;
  const Half half_;
  const double power_;       // 10^scale where that is exact, else NaN: always by text
  const double next_power_;  // 10^(scale + 1)
};

}  // namespace tidemill
