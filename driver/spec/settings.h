#pragma once

#include <arrow/result.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidemill::driver {

// One setting as declared in the table: the only place that knows its name, default and bounds.
// *Plain data.*
struct SettingInfo {
  enum class Type { kInteger, kBytes, kDuration, kReal, kTimeZone, kChoice };

  std::string_view name;
  Type type = Type::kInteger;
  std::string_view fallback;
  double lowest = 0;
  double highest = 0;
  bool is_power_of_two = false;
  bool is_frozen = false;  // fixed when a checkpoint is made; another value is refused later
  std::string_view doc;
  std::string_view choices = "";  // of kChoice, with blanks between them
};

// All settings, in name order.
std::span<const SettingInfo> AllSettings();

// The settings of one job, checked; what was not set has its default. *Plain data.*
class Settings {
 public:
  Settings();
  // Errors as for Set and Finish.
  static arrow::Result<Settings> Make(const std::map<std::string, std::string>& values);

  // Checks one setting and stores it; Spark's names are mapped. Errors (kInvalid):
  // UNKNOWN_SETTING with the nearest name as hint, UNSUPPORTED_SETTING for Spark's that have no
  // counterpart, INVALID_SETTING_VALUE.
  arrow::Status Set(std::string_view name, std::string_view value);
  // Checks rules that span several settings, and fits defaults to what is set.
  arrow::Status Finish();

  int32_t key_groups() const { return static_cast<int32_t>(IntegerOf("state.key_groups")); }
  int32_t sink_shards() const { return static_cast<int32_t>(IntegerOf("sink.shards")); }
  const std::string& time_zone() const { return ValueOf("timeZone"); }
  const std::string& watermark_policy() const { return ValueOf("watermark.policy"); }
  int64_t broadcast_bytes() const { return IntegerOf("join.broadcast_bytes"); }
  std::chrono::microseconds target_duration() const { return DurationOf("epoch.target_duration"); }
  std::chrono::microseconds state_ttl() const { return DurationOf("state.ttl"); }
  int64_t split_bytes() const { return IntegerOf("source.split_bytes"); }
  int64_t base_interval() const { return IntegerOf("log.base_interval"); }
  const std::string& changelog_codec() const { return ValueOf("state.changelog_codec"); }
  int64_t snapshot_min_bytes() const { return IntegerOf("state.snapshot_min_bytes"); }
  double snapshot_ratio() const;

  // Set explicitly, by its own name.
  bool IsSet(std::string_view name) const;
  // Those that were set, by their own names.
  std::map<std::string, std::string> explicit_values() const;
  // Every setting with its value in canonical form (bytes as digits, durations in us), in
  // name order.
  const std::map<std::string, std::string, std::less<>>& values() const { return values_; }

 private:
  const std::string& ValueOf(std::string_view name) const;
  int64_t IntegerOf(std::string_view name) const;
  std::chrono::microseconds DurationOf(std::string_view name) const;

  std::map<std::string, std::string, std::less<>> values_;
  std::vector<std::string> set_;
};

}  // namespace tidemill::driver
