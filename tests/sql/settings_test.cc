#include "driver/spec/settings.h"

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace tidemill::driver {
namespace {

std::string ErrorOf(const std::string& name, const std::string& value) {
  return RenderError(Settings::Make({{name, value}}).status());
}

TEST(SettingsTest, DefaultsAreThoseOfTheTable) {
  const Settings settings;

  EXPECT_EQ(settings.key_groups(), 128);
  EXPECT_EQ(settings.sink_shards(), 8);
  EXPECT_EQ(settings.time_zone(), "UTC");
  EXPECT_EQ(settings.split_bytes(), 32 << 20);
  EXPECT_EQ(settings.target_duration(), std::chrono::milliseconds(200));
  EXPECT_EQ(settings.broadcast_bytes(), 10 << 20);
  EXPECT_EQ(settings.base_interval(), 100);
  EXPECT_EQ(settings.snapshot_min_bytes(), 64 << 20);
  EXPECT_EQ(settings.snapshot_ratio(), 1.0);
}

TEST(SettingsTest, ValuesAreCheckedAgainstTheirBounds) {
  EXPECT_EQ(ErrorOf("state.key_groups", "100"),
            "error[INVALID_SETTING_VALUE]: bad value of a setting: state.key_groups must be a "
            "power of two from 1 to 32768: value=100 SQLSTATE: 22022");
  EXPECT_NE(ErrorOf("state.key_groups", "65536"), "");
  EXPECT_NE(ErrorOf("epoch.target_duration", "200").find("a duration such as 200ms"),
            std::string::npos);
  EXPECT_NE(ErrorOf("source.split_bytes", "lots").find("a size such as 32m"), std::string::npos);
  EXPECT_NE(ErrorOf("state.snapshot_ratio", "nan").find("a number from"), std::string::npos);
  EXPECT_NE(ErrorOf("timeZone", "Mars/Base"), "");
}

TEST(SettingsTest, SparkNamesAreMappedOrRefusedWithAReason) {
  auto settings = Settings::Make({{"spark.sql.session.timeZone", "+02:00"}});
  ASSERT_TRUE(settings.ok()) << settings.status();
  EXPECT_EQ(settings->time_zone(), "+02:00");

  EXPECT_EQ(ErrorOf("spark.sql.shuffle.partitions", "200"),
            "error[UNSUPPORTED_SETTING]: Spark's setting has no counterpart: "
            "spark.sql.shuffle.partitions SQLSTATE: 0A000\n"
            "     = help: key groups replace shuffle partitions: set state.key_groups (a power of "
            "two), or nothing");
}

// What one process has checked another one checks again.
TEST(SettingsTest, CanonicalValuesAreValues) {
  const std::map<std::string, std::string> given = {
      {"epoch.target_duration", "1 second 500ms"},
      {"join.broadcast_bytes", "-1"},
      {"source.split_bytes", "1m"},
      {"state.ttl", "36h"},
      {"spark.sql.streaming.multipleWatermarkPolicy", "max"},
  };
  const Settings settings = Settings::Make(given).ValueOrDie();
  EXPECT_EQ(settings.target_duration(), std::chrono::milliseconds(1500));
  EXPECT_EQ(settings.broadcast_bytes(), -1);
  EXPECT_EQ(settings.state_ttl(), std::chrono::hours(36));
  const Settings again = Settings::Make(settings.explicit_values()).ValueOrDie();
  EXPECT_EQ(again.values(), settings.values());
  EXPECT_EQ(Settings::Make({{"epoch.target_duration", "0"}})->target_duration().count(), 0);
}

TEST(SettingsTest, SinkShardsDivideKeyGroups) {
  auto few = Settings::Make({{"state.key_groups", "4"}});
  ASSERT_TRUE(few.ok()) << few.status();
  EXPECT_EQ(few->sink_shards(), 4);
  EXPECT_EQ(few->explicit_values(),
            (std::map<std::string, std::string>{{"state.key_groups", "4"}}));

  EXPECT_NE(ErrorOf("sink.shards", "3").find("must divide"), std::string::npos);
}

}  // namespace
}  // namespace tidemill::driver
