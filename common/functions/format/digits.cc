#include "common/functions/format/digits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "common/types/value_format.h"

namespace tidemill {

DecimalDigits DecimalDigits::Parse(std::string_view text) {
  DecimalDigits number;
  int exponent = 0;
  const size_t mark = text.find_first_of("eE");
  if (mark != std::string_view::npos) {
    const size_t begin = mark + 1 + (text.substr(mark + 1, 1) == "+" ? 1 : 0);
    std::from_chars(text.data() + begin, text.data() + text.size(), exponent);
    text = text.substr(0, mark);
  }
  int before_point = 0;
  bool is_behind = false;
  for (const char c : text) {
    if (c == '.') is_behind = true;
    if (c < '0' || c > '9') continue;
    number.digits_ += c;
    if (!is_behind) ++before_point;
  }
  number.point_ = before_point + exponent;
  const size_t zeros = std::min(number.digits_.find_first_not_of('0'), number.digits_.size());
  number.digits_.erase(0, zeros);
  number.point_ -= static_cast<int>(zeros);
  number.Round(static_cast<int>(number.digits_.size()));
  return number;
}

void DecimalDigits::Round(int count) {
  if (count < static_cast<int>(digits_.size())) {
    const bool is_up = count >= 0 && digits_[count] >= '5';
    digits_.resize(std::max(count, 0));
    if (is_up) {
      size_t at = digits_.size();
      while (at > 0 && digits_[at - 1] == '9') --at;
      digits_.resize(at);
      if (at > 0) {
        ++digits_[at - 1];
      } else {
        digits_ = "1";
        ++point_;
      }
    }
  }
  while (!digits_.empty() && digits_.back() == '0') digits_.pop_back();
  if (digits_.empty()) point_ = 1;
}

std::string DecimalDigits::Fixed(int places) const {
  DecimalDigits rounded = *this;
  rounded.Round(point_ + places);
  std::string whole, fraction;
  if (!rounded.is_zero()) {
    const int before = std::max(rounded.point_, 0);
    whole = rounded.digits_.substr(0, before);
    whole.append(before - whole.size(), '0');
    fraction.append(std::max(-rounded.point_, 0), '0');
    if (static_cast<int>(rounded.digits_.size()) > before) {
      fraction += rounded.digits_.substr(before);
    }
  }
  fraction.resize(std::max(places, 0), '0');
  if (whole.empty()) whole = "0";
  return places > 0 ? fmt::format("{}.{}", whole, fraction) : whole;
}

std::string DecimalDigits::Scientific(int places) const {
  DecimalDigits rounded = *this;
  rounded.Round(places + 1);
  std::string digits = rounded.is_zero() ? "0" : rounded.digits_;
  digits.resize(places + 1, '0');
  const int exponent = rounded.exponent();
  return fmt::format("{}{}{}e{}{:02}", digits[0], places > 0 ? "." : "", digits.substr(1),
                     exponent < 0 ? '-' : '+', std::abs(exponent));
}

std::string GroupedDigits(std::string_view digits) {
  const size_t whole = std::min(digits.find_first_not_of("0123456789"), digits.size());
  std::string grouped;
  for (size_t i = 0; i < whole; ++i) {
    if (i > 0 && (whole - i) % 3 == 0) grouped += ',';
    grouped += digits[i];
  }
  return grouped.append(digits.substr(whole));
}

std::string JavaText(double value) { return JavaDoubleText(value); }
std::string JavaText(float value) { return JavaFloatText(value); }

}  // namespace tidemill
