#include "common/base/options.h"

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace tidemill {
namespace {

Options With(std::string key, std::string value) {
  Options options;
  options.Set(std::move(key), std::move(value));
  return options;
}

TEST(OptionsTest, KeysAreCaseInsensitiveAndTheLastValueWins) {
  Options options = With("maxFilesPerTrigger", "1");
  options.Set("MAXFILESPERTRIGGER", "2");

  EXPECT_EQ(options.GetInt("maxfilespertrigger", 0, 1, 10).ValueOrDie(), 2);
  EXPECT_EQ(options.values().size(), 1u);
}

TEST(OptionsTest, SizesHaveBinaryUnits) {
  EXPECT_EQ(With("x", "4096").GetBytes("x", 0).ValueOrDie(), 4096);
  EXPECT_EQ(With("x", "128m").GetBytes("x", 0).ValueOrDie(), int64_t{128} << 20);
  EXPECT_EQ(With("x", "1 GB").GetBytes("x", 0).ValueOrDie(), int64_t{1} << 30);
  EXPECT_FALSE(With("x", "1.5g").GetBytes("x", 0).ok());
  EXPECT_FALSE(With("x", "-1k").GetBytes("x", 0).ok());
  EXPECT_FALSE(With("x", "99999999999p").GetBytes("x", 0).ok());
}

TEST(OptionsTest, DurationsAddTheirParts) {
  EXPECT_EQ(With("x", "250ms").GetDurationMicros("x", 0).ValueOrDie(), 250'000);
  EXPECT_EQ(With("x", "1 hour 30 minutes").GetDurationMicros("x", 0).ValueOrDie(), 5'400'000'000);
  EXPECT_EQ(With("x", "7d").GetDurationMicros("x", 0).ValueOrDie(), int64_t{604'800'000'000});
  EXPECT_EQ(With("x", "10").GetDurationMicros("x", 0, "s").ValueOrDie(), 10'000'000);
  EXPECT_FALSE(With("x", "10").GetDurationMicros("x", 0).ok());
  EXPECT_FALSE(With("x", "soon").GetDurationMicros("x", 0).ok());
}

TEST(OptionsTest, ABadValueNamesItsOption) {
  const auto status = With("maxFilesPerTrigger", "many").GetInt("maxFilesPerTrigger", 0, 1, 9);

  EXPECT_EQ(ErrorClassOf(status.status()), "INVALID_OPTION_VALUE");
  EXPECT_NE(status.status().message().find("maxFilesPerTrigger"), std::string::npos);
}

TEST(OptionsTest, AnUnknownKeySuggestsTheNearestOne) {
  const auto status =
      With("maxFilePerTrigger", "1").RequireKnown({"maxFilesPerTrigger", "path"}, "text");

  EXPECT_EQ(ErrorClassOf(status), "UNKNOWN_OPTION");
  EXPECT_EQ(DetailOf(status)->hint, "did you mean maxFilesPerTrigger?");
}

}  // namespace
}  // namespace tidemill
