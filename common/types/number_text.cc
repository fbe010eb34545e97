#include <arrow/util/decimal.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "common/types/value_format.h"

namespace tidemill {

namespace {

// The shortest decimal that reads back as the same number: value = 0.d1d2...dn * 10^point.
struct ShortestDigits {
  char digits[24];
  int count = 0;
  int point = 0;
};

// Reads "d.ddde+XX", the output of std::to_chars.
ShortestDigits FromScientific(const char* begin, const char* end) {
  ShortestDigits shortest;
  for (; begin != end && *begin != 'e'; ++begin) {
    if (*begin != '.') shortest.digits[shortest.count++] = *begin;
  }
  begin += begin[1] == '+' ? 2 : 1;
  std::from_chars(begin, end, shortest.point);
  ++shortest.point;
  while (shortest.count > 1 && shortest.digits[shortest.count - 1] == '0') --shortest.count;
  return shortest;
}

// Java takes the nearest of the decimals with up to two digits where one digit would do:
// "4.9E-324", not "5.0E-324". It matters where neighbours are far apart only.
template <class T>
ShortestDigits DigitsOf(T value) {
  char text[40];
  auto result = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific);
  const ShortestDigits shortest = FromScientific(text, result.ptr);
  if (shortest.count > 1 || value >= std::numeric_limits<T>::min()) return shortest;
  result = std::to_chars(text, text + sizeof(text), value, std::chars_format::scientific, 1);
  T back = 0;
  std::from_chars(text, result.ptr, back);
  return back == value ? FromScientific(text, result.ptr) : shortest;
}

char* Put(const char* from, int count, char* to) { return std::copy_n(from, count, to); }

// Java's layout: plain from 10^-3 to below 10^7, else "d.dddE[-]n".
char* LayOut(const ShortestDigits& number, char* to) {
  const int count = number.count;
  const int point = number.point;
  if (point > 0 && point <= 7) {
    const int whole = std::min(count, point);
    to = Put(number.digits, whole, to);
    to = std::fill_n(to, point - whole, '0');
    *to++ = '.';
    if (count <= point) *to++ = '0';
    return Put(number.digits + whole, count - whole, to);
  }
  if (point <= 0 && point > -3) {
    *to++ = '0';
    *to++ = '.';
    to = std::fill_n(to, -point, '0');
    return Put(number.digits, count, to);
  }
  *to++ = number.digits[0];
  *to++ = '.';
  if (count == 1) *to++ = '0';
  to = Put(number.digits + 1, count - 1, to);
  *to++ = 'E';
  return std::to_chars(to, to + 6, point - 1).ptr;
}

template <class T>
void AppendFloating(T value, std::string* out) {
  if (std::isnan(value)) {
    *out += "NaN";
    return;
  }
  if (std::signbit(value)) *out += '-';
  value = std::fabs(value);
  if (std::isinf(value)) {
    *out += "Infinity";
  } else if (value == 0) {
    *out += "0.0";
  } else {
    char text[48];
    out->append(text, LayOut(DigitsOf(value), text) - text);
  }
}

}  // namespace

void AppendDoubleText(double value, std::string* out) { AppendFloating(value, out); }
void AppendFloatText(float value, std::string* out) { AppendFloating(value, out); }

std::string JavaDoubleText(double value) {
  std::string text;
  AppendDoubleText(value, &text);
  return text;
}

std::string JavaFloatText(float value) {
  std::string text;
  AppendFloatText(value, &text);
  return text;
}

void AppendIntText(int64_t value, std::string* out) {
  char text[24];
  out->append(text, std::to_chars(text, text + sizeof(text), value).ptr - text);
}

void AppendDecimalText(const arrow::Decimal128& value, int32_t scale, std::string* out) {
  auto bits = static_cast<unsigned __int128>(value.high_bits()) << 64 | value.low_bits();
  if (value.high_bits() < 0) {
    *out += '-';
    bits = -bits;
  }
  char text[48];
  char* const end = text + sizeof(text);
  char* begin = end;
  int digits = 0;
  // Division of 128 bits is slow, so most digits come from 64-bit pieces.
  while (bits != 0 || digits <= scale) {
    constexpr uint64_t kPiece = 10'000'000'000'000'000'000u;
    auto piece = static_cast<uint64_t>(bits % kPiece);
    bits /= kPiece;
    for (int i = 0; i < 19 && (bits != 0 || piece != 0 || digits <= scale); ++i) {
      if (digits == scale && scale > 0) *--begin = '.';
      *--begin = static_cast<char>('0' + piece % 10);
      piece /= 10;
      ++digits;
    }
  }
  out->append(begin, end - begin);
}

}  // namespace tidemill
