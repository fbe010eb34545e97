#pragma once

#include <string>
#include <string_view>

namespace tidemill {

// The decimal digits of a number without its sign, rounded half up like Java's formatter does.
class DecimalDigits {
 public:
  // Of plain or scientific notation: "12.5", "1.0E10".
  static DecimalDigits Parse(std::string_view text);

  bool is_zero() const { return digits_.empty(); }
  int exponent() const { return point_ - 1; }  // of the first digit; 0 for zero
  void RoundToSignificant(int count) { Round(count); }
  // With `places` digits behind the point, which is left out for none.
  std::string Fixed(int places) const;
  // "1.50e+01".
  std::string Scientific(int places) const;

 private:
  void Round(int count);  // to the first `count` digits; may be negative

  std::string digits_;  // without zeros at either end
  int point_ = 1;       // how many digits stand before the point, perhaps negative
};

// Commas between groups of three digits before the point.
std::string GroupedDigits(std::string_view digits);

// Double.toString and Float.toString.
std::string JavaText(double value);
std::string JavaText(float value);

}  // namespace tidemill
