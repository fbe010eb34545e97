#include "common/types/time_zone.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/types/civil_time.h"
#include "common/types/tz_file.h"
#include "tests/types/rows.h"

namespace tidemill {
namespace {

int64_t Micros(int64_t year, int month, int day, int hour = 0, int minute = 0) {
  return DaysFromCivil({year, month, day}) * kMicrosPerDay +
         (hour * 60 + minute) * 60 * kMicrosPerSecond;
}

TEST(CivilTimeTest, DaysAndDatesConvertBothWaysOverAllYears) {
  for (int64_t days = -3'000'000'000; days <= 3'000'000'000; days += 7'919'933) {
    const CivilDate date = CivilFromDays(days);
    ASSERT_EQ(DaysFromCivil(date), days);
    ASSERT_TRUE(date.month >= 1 && date.month <= 12 && date.day >= 1);
    ASSERT_LE(date.day, DaysInMonth(date.year, date.month));
  }
  EXPECT_EQ(DaysFromCivil({1970, 1, 1}), 0);
  EXPECT_EQ(DaysFromCivil({2000, 3, 1}), 11'017);
  EXPECT_EQ(DaysFromCivil({0, 1, 1}), -719'528);
}

TEST(TimeZoneTest, OffsetsHaveSparksSpellings) {
  const std::vector<std::pair<std::string, int32_t>> cases = {
      {"Z", 0},          {"UTC", 0},          {"GMT", 0},         {"UT", 0},
      {"+02:00", 7200},  {"-02:00", -7200},   {"GMT+3", 10800},   {"UTC-01:30", -5400},
      {"+1", 3600},      {"+1:30", 5400},     {"+01:3", 3780},    {"+0130", 5400},
      {"+013015", 5415}, {"+01:30:15", 5415}, {"-18:00", -64800}, {"UT+07", 25200},
      {"EST", -18000},
  };

  for (const auto& [name, seconds] : cases) {
    EXPECT_EQ(UtcOffsetSeconds(*Zone(name), 0), seconds) << name;
    EXPECT_EQ(LocalToUtcMicros(*Zone(name), 0), -seconds * kMicrosPerSecond) << name;
    EXPECT_EQ(TimeZoneName(*Zone(name)), name);
  }
}

TEST(TimeZoneTest, UnknownNamesAreRefused) {
  for (const char* name : {"", "z", "utc", "Europe/Nowhere", "+18:01", "+25", "+01:60", "+123",
                           "+1:2:3", "../etc/passwd", "Europe", "right/UTC", "GMT+", "+"}) {
    auto zone = FindTimeZone(name);
    ASSERT_FALSE(zone.ok()) << name;
    EXPECT_EQ(ErrorClassOf(zone.status()), "INVALID_TIMEZONE");
  }
}

TEST(TimeZoneTest, BerlinChangesOffsetThroughHistoryAndFuture) {
  const auto berlin = Zone("Europe/Berlin");

  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(1800, 1, 1)), 53 * 60 + 28);
  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(1945, 6, 1)), 3 * 3600);
  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(2026, 3, 29, 0, 59)), 3600);
  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(2026, 3, 29, 1, 0)), 7200);
  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(2026, 10, 25, 1, 0) - 1), 7200);
  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(2026, 10, 25, 1, 0)), 3600);
  for (int64_t year : {2037, 2038, 2100, 2437, 2438, 2500, 9999, 200'000}) {
    EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(year, 1, 15)), 3600) << year;
    EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(year, 7, 15)), 7200) << year;
  }
  // 2050-03-27 is the last Sunday of that March.
  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(2050, 3, 27, 1, 0) - 1), 3600);
  EXPECT_EQ(UtcOffsetSeconds(*berlin, Micros(2050, 3, 27, 1, 0)), 7200);
}

TEST(TimeZoneTest, LocalTimesInGapsAndOverlapsAreResolvedAsJavaDoes) {
  const auto berlin = Zone("Europe/Berlin");
  auto utc = [&](int month, int day, int hour, int minute) {
    return LocalToUtcMicros(*berlin, Micros(2026, month, day, hour, minute));
  };

  EXPECT_EQ(utc(3, 29, 1, 59), Micros(2026, 3, 29, 0, 59));
  EXPECT_EQ(utc(3, 29, 2, 30), Micros(2026, 3, 29, 1, 30)) << "gap: 02:30 becomes 03:30 +02:00";
  EXPECT_EQ(utc(3, 29, 3, 0), Micros(2026, 3, 29, 1, 0));
  EXPECT_EQ(utc(10, 25, 2, 30), Micros(2026, 10, 25, 0, 30)) << "overlap: still summer time";
  EXPECT_EQ(utc(10, 25, 3, 0), Micros(2026, 10, 25, 2, 0));
  EXPECT_EQ(LocalToUtcMicros(*berlin, Micros(2500, 7, 1)), Micros(2500, 6, 30, 22));
}

TEST(TimeZoneTest, SouthernAndOddRulesHoldInTheFuture) {
  EXPECT_EQ(UtcOffsetSeconds(*Zone("Australia/Sydney"), Micros(2090, 1, 1)), 11 * 3600);
  EXPECT_EQ(UtcOffsetSeconds(*Zone("Australia/Sydney"), Micros(2090, 7, 1)), 10 * 3600);
  EXPECT_EQ(UtcOffsetSeconds(*Zone("Europe/Dublin"), Micros(2090, 7, 1)), 3600);
  EXPECT_EQ(UtcOffsetSeconds(*Zone("America/Nuuk"), Micros(2090, 7, 1)), -3600);
  EXPECT_EQ(UtcOffsetSeconds(*Zone("Asia/Kolkata"), Micros(2090, 7, 1)), 19800);
  EXPECT_EQ(UtcOffsetSeconds(*Zone("PST"), Micros(2090, 7, 1)), -7 * 3600);
}

TEST(TzFileTest, BrokenFilesAreRefused) {
  EXPECT_FALSE(ParseTzFile(""));
  EXPECT_FALSE(ParseTzFile("TZif2"));
  std::string header = "TZif2" + std::string(15, '\0');
  std::string counts(24, '\0');
  counts[19] = 1;  // one type
  std::string file = header + std::string(24, '\0') + header + counts;
  const std::string type("\0\0\x0E\x10\0\0", 6);

  EXPECT_FALSE(ParseTzFile(file));
  EXPECT_FALSE(ParseTzFile(file + type));
  EXPECT_FALSE(ParseTzFile(file + type + "\nCET-\n"));
  EXPECT_FALSE(ParseTzFile(file + type + "\nCET-1CEST,M13.5.0,M10.5.0/3\n"));
  const auto fixed = ParseTzFile(file + type + "\n<+01>-1\n");
  ASSERT_TRUE(fixed);
  EXPECT_EQ(fixed->first_offset, 3600);
  EXPECT_TRUE(fixed->transitions.empty());
  EXPECT_TRUE(ParseTzFile(file + type + "\nCET-1CEST,J60/-1:30,300\n"));
}

}  // namespace
}  // namespace tidemill
