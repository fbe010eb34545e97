#include "common/types/datetime_pattern/datetime_pattern.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <random>
#include <string>

#include "common/types/civil_time.h"

namespace tidemill {
namespace {

using Use = DatetimePattern::Use;

std::shared_ptr<const DatetimePattern> Compiled(const std::string& pattern, Use use) {
  return DatetimePattern::Compile(pattern, use).ValueOrDie();
}

// Texts of a pattern's own shape are read another way than all others. An empty optional section
// takes any pattern off that way.
TEST(DatetimePatternTest, TextsOfFixedShapeAreReadAsAllOthers) {
  const auto zone = FindTimeZone("Europe/Berlin").ValueOrDie();
  std::mt19937_64 random(1);
  int valid = 0;
  for (const char* pattern :
       {"yyyy-MM-dd HH:mm:ss", "yyyy-MM-dd", "dd.MM.yyyy HH:mm", "yyyy-MM-dd'T'HH:mm:ss.SSS",
        "yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "yyMMddHHmmss", "HH:mm:ssSS", "ddMM yyyy", "yyyyMMdd",
        "HHmmssyyyy", "yyyySSS", "yyyy-MM-dd'1'HH", "yyyy yyyy", "yyyy-M-d h:m a"}) {
    const auto fixed = Compiled(pattern, Use::kParse);
    const auto general = Compiled(std::string(pattern) + "[]", Use::kParse);
    const auto format = Compiled(pattern, Use::kFormat);
    for (int i = 0; i < 10'000; ++i) {
      std::string text;
      const int64_t from_1900_to_2100 =
          static_cast<int64_t>(random() % 6'311'520'000) - 2'208'988'800;
      format->Format(
          from_1900_to_2100 * kMicrosPerSecond + static_cast<int64_t>(random() % 1'000'000), *zone,
          &text);
      for (uint64_t left = random() % 3; left > 0 && !text.empty(); --left) {
        const size_t at = random() % text.size();
        if (random() % 8 == 0)
          text.erase(at, 1);
        else
          text[at] = "0123456789-T:. +"[random() % 16];
      }
      int64_t value = -1, expected = -1;
      ASSERT_EQ(fixed->Parse(text, *zone, &value), general->Parse(text, *zone, &expected))
          << text << " by " << pattern;
      ASSERT_EQ(value, expected) << text << " by " << pattern;
      ASSERT_EQ(fixed->ParseLocal(text, &value), general->ParseLocal(text, &expected)) << text;
      ASSERT_EQ(value, expected) << text << " by " << pattern;
      if (value != -1) ++valid;
    }
  }
  EXPECT_GT(valid, 50'000);
}

TEST(DatetimePatternTest, NumbersHaveTheirDigits) {
  const auto pattern =
      Compiled("y yyyy yy yyyyyyyyyy M MM D DDD H HH m s S SSS SSSSSSSSS", Use::kFormat);
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const auto micros = static_cast<int64_t>(random()) >> random() % 20;
    std::string text;
    pattern->Format(micros, *UtcTimeZone(), &text);
    const int64_t days = FloorDiv(micros, kMicrosPerDay);
    const CivilDate date = CivilFromDays(days);
    const int64_t time = micros - days * kMicrosPerDay;
    const int64_t second = time / kMicrosPerSecond, fraction = time % kMicrosPerSecond;
    const int64_t year = std::abs(date.year), day = days - DaysFromCivil({date.year, 1, 1}) + 1;
    const std::string minus = date.year < 0 ? "-" : "", sign = date.year > 9999 ? "+" : minus;
    EXPECT_EQ(text,
              fmt::format(
                  "{}{} {}{:04} {:02} {}{:010} {} {:02} {} {:03} {} {:02} {} {} {} {:03} {:06}000",
                  minus, year, sign, year, year % 100, minus, year, date.month, date.month, day,
                  day, second / 3600, second / 3600, second / 60 % 60, second % 60,
                  fraction / 100'000, fraction / 1000, fraction));
  }
}

TEST(DatetimePatternTest, LongTextsAreWrittenWhole) {
  const std::string words(150, 'x');
  std::string text = "> ";
  Compiled("yyyy'" + words + "'MM'" + words.substr(0, 40) + "'dd'" + words.substr(0, 50) + "'HH",
           Use::kFormat)
      ->Format(0, *UtcTimeZone(), &text);
  EXPECT_EQ(text,
            "> 1970" + words + "01" + words.substr(0, 40) + "01" + words.substr(0, 50) + "00");
}

}  // namespace
}  // namespace tidemill
