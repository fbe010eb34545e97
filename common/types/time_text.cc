#include "common/types/time_text.h"

#include <cstdlib>

#include "common/types/civil_time.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

char* PutPadded(uint32_t value, int count, char* to) {
  for (int i = count - 1; i >= 0; --i) {
    to[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
  return to + count;
}

char* PutPair(char before, int value, char* to) {
  *to++ = before;
  return PutPadded(static_cast<uint32_t>(value), 2, to);
}

char* PutDate(int64_t days, char* to) {
  const CivilDate date = CivilFromDays(days);
  if (date.year > 9999) *to++ = '+';
  if (date.year < 0) *to++ = '-';
  const auto year = static_cast<uint32_t>(std::abs(date.year));
  int digits = 4;
  for (uint32_t limit = 10'000; digits < 9 && year >= limit; limit *= 10) ++digits;
  to = PutPadded(year, digits, to);
  return PutPair('-', date.day, PutPair('-', date.month, to));
}

}  // namespace

void AppendDateTimeText(int64_t local_seconds, char separator, std::string* out) {
  const int64_t days = FloorDiv(local_seconds, kSecondsPerDay);
  const auto second = static_cast<int>(local_seconds - days * kSecondsPerDay);
  char text[40];
  char* to = PutDate(days, text);
  to = PutPair(separator, second / 3600, to);
  to = PutPair(':', second / 60 % 60, to);
  to = PutPair(':', second % 60, to);
  out->append(text, to - text);
}

void AppendOffsetText(int32_t offset_seconds, std::string* out) {
  if (offset_seconds == 0) {
    *out += 'Z';
    return;
  }
  const int size = std::abs(offset_seconds);
  char text[12];
  char* to = PutPair(offset_seconds < 0 ? '-' : '+', size / 3600, text);
  to = PutPair(':', size / 60 % 60, to);
  if (size % 60 != 0) to = PutPair(':', size % 60, to);
  out->append(text, to - text);
}

void AppendPadded(uint32_t value, int count, std::string* out) {
  char text[12];
  out->append(text, PutPadded(value, count, text) - text);
}

void AppendDateText(int32_t days, std::string* out) {
  char text[24];
  out->append(text, PutDate(days, text) - text);
}

void AppendTimestampText(int64_t micros, const TimeZone& zone, std::string* out) {
  const int64_t seconds = FloorDiv(micros, kMicrosPerSecond);
  AppendDateTimeText(seconds + UtcOffsetSeconds(zone, micros), ' ', out);
  auto fraction = static_cast<uint32_t>(FloorMod(micros, kMicrosPerSecond));
  if (fraction == 0) return;
  int digits = 6;
  for (; fraction % 10 == 0; fraction /= 10) --digits;
  *out += '.';
  AppendPadded(fraction, digits, out);
}

}  // namespace tidemill
