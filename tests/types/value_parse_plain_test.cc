#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

#include "common/types/time_zone.h"
#include "common/types/value_parse.h"

namespace tidemill {
namespace {

TEST(ValueParsePlainTest, PlainDoublesAreRoundedAsStrtodDoes) {
  std::mt19937_64 random(1);
  int plain = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = random() % 3 == 0 ? "-" : "";
    const auto digits = [&](uint64_t most) {
      for (uint64_t left = random() % (most + 1); left > 0; --left) {
        text += static_cast<char>('0' + random() % 10);
      }
    };
    digits(12);
    if (random() % 4 != 0) text += ".";
    digits(9);
    if (random() % 16 == 0) text += "e1";
    double value = 0;
    if (!ParsePlainDouble(text, &value)) continue;
    ++plain;
    EXPECT_EQ(std::bit_cast<uint64_t>(value),
              std::bit_cast<uint64_t>(std::strtod(text.c_str(), nullptr)))
        << text;
  }
  EXPECT_GT(plain, 50'000);
}

TEST(ValueParsePlainTest, OtherFormsOfNumbersAreLeftToOthers) {
  double value = 0;
  for (const char* text : {"", "-", ".", "1.", ".5", "1e3", "+1", "1.2.3", " 1", "1 ", "NaN", "--1",
                           "9007199254740993", "12345678901234567890", "0.1234567890123456789"}) {
    EXPECT_FALSE(ParsePlainDouble(text, &value)) << text;
  }
  EXPECT_TRUE(ParsePlainDouble("-0.0", &value));
  EXPECT_TRUE(std::signbit(value));
}

// The fast way knows no trailing blanks, which are trimmed.
TEST(ValueParsePlainTest, TimestampsHaveTheSameValueWithAndWithoutABlank) {
  const auto zone = FindTimeZone("Europe/Berlin").ValueOrDie();
  std::mt19937_64 random(2);
  int valid = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = "2024-02-29T23:59:59.123456";
    text.resize(19 + random() % 8);
    if (text.size() == 20) text.pop_back();
    if (random() % 2 == 0) text += 'Z';
    for (uint64_t left = random() % 3; left > 0; --left) {
      text[random() % text.size()] = "0123456789-T:. Z"[random() % 16];
    }
    int64_t value = 0;
    int64_t cast = 0;
    const bool is_valid = ParseTimestamp(text, *zone, &value);
    ASSERT_EQ(ParseTimestamp(text + " ", *zone, &cast), is_valid) << text;
    if (!is_valid) continue;
    ++valid;
    EXPECT_EQ(value, cast) << text;
    ASSERT_TRUE(ParseTimestampNtz(text, &value) && ParseTimestampNtz(text + " ", &cast)) << text;
    EXPECT_EQ(value, cast) << text;
  }
  EXPECT_GT(valid, 50'000);
}

}  // namespace
}  // namespace tidemill
