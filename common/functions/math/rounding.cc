#include "common/functions/math/rounding.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/functions/decimal.h"

namespace tidemill {

namespace {

template <class T>
T RoundText(T x, int scale, Half half) {
  char text[48];
  const auto end = std::to_chars(text, text + sizeof(text), x, std::chars_format::scientific).ptr;
  const char* mark = std::find(static_cast<const char*>(text), static_cast<const char*>(end), 'e');
  int exponent = 0;
  std::from_chars(mark + (mark[1] == '+' ? 2 : 1), end, exponent);
  __int128 digits = 0;
  int behind_point = 0;
  bool is_behind = false;
  for (const char* c = text; c != mark; ++c) {
    if (*c == '.') is_behind = true;
    if (*c < '0' || *c > '9') continue;
    digits = digits * 10 + (*c - '0');
    if (is_behind) ++behind_point;
  }
  const int drop = behind_point - exponent - scale;  // digits to round away
  if (drop <= 0) return x + T{0};                    // no -0.0
  if (drop > 38) return 0;
  // At most 17 digits.
  const auto rounded = static_cast<uint64_t>(RoundedDivide(digits, drop, half));
  char* to = std::to_chars(text, text + 24, rounded).ptr;
  *to++ = 'e';
  to = std::to_chars(to, text + sizeof(text), -scale).ptr;
  T value = 0;
  std::from_chars(text, to, value);
  return std::copysign(value, x) + T{0};
}

double ExactPower(int scale) {
  if (scale < 0 || scale > 15) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(PowerOfTen(scale));
}

}  // namespace

__int128 RoundedDivide(__int128 value, int digits, Half half) {
  const __int128 power = PowerOfTen(digits);
  const __int128 quotient = value / power;
  const __int128 rest = value % power;
  if (half == Half::kCeiling) return quotient + (rest > 0 ? 1 : 0);
  if (half == Half::kFloor) return quotient - (rest < 0 ? 1 : 0);
  const __int128 magnitude = rest < 0 ? -rest : rest;
  const __int128 other = power - magnitude;
  const bool is_tie = magnitude == other;
  const bool up = magnitude > other || (is_tie && (half == Half::kUp || quotient % 2 != 0));
  return quotient + (up && digits > 0 ? (value < 0 ? -1 : 1) : 0);
}

double RoundByText(double x, int scale, Half half) { return RoundText(x, scale, half); }
float RoundByText(float x, int scale, Half half) { return RoundText(x, scale, half); }

DoubleRounder::DoubleRounder(int scale, Half half)
    : scale_(scale), half_(half), power_(ExactPower(scale)), next_power_(power_ * 10) {}

}  // namespace tidemill
