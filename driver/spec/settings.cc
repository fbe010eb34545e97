#include "driver/spec/settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/options.h"
#include "common/types/value_format.h"

namespace tidemill::driver {

namespace {

using Type = SettingInfo::Type;

constexpr double kMaxBytes = 1e15;
constexpr double kMaxMicros = 3.6e9;

constexpr double kMaxTtlMicros = 3.2e14;  // ten years

constexpr std::array<SettingInfo, 12> kSettings = {{
    {"epoch.target_duration", Type::kDuration, "200ms", 0, kMaxMicros, false, false,
     "what a micro-batch under load should last: a backlog of sources without rate options is "
     "worked "
     "off in pieces; 0 for no limit"},
    {"join.broadcast_bytes", Type::kBytes, "10m", 0, kMaxBytes, false, false,
     "a bounded side of a join up to this size goes whole to every slot; -1 for never"},
    {"log.base_interval", Type::kInteger, "100", 1, 1e6, false, false,
     "commits in one file of the checkpoint's log before the next begins"},
    {"sink.shards", Type::kInteger, "8", 1, 32768, false, true,
     "shards in which a sink takes an epoch; divides state.key_groups"},
    {"source.split_bytes", Type::kBytes, "32m", 1024, kMaxBytes, false, false,
     "size of the ranges that a large file is cut into"},
    {"state.changelog_codec", Type::kChoice, "lz4", 0, 0, false, false,
     "how the rows that a micro-batch changes are compressed in the checkpoint",
     "lz4 zstd snappy none"},
    {"state.key_groups", Type::kInteger, "128", 1, 32768, true, true,
     "hash ranges of keys: the unit in which state is spread over workers"},
    {"state.snapshot_min_bytes", Type::kBytes, "64m", 1024, kMaxBytes, false, false,
     "changelog below this size never causes a snapshot"},
    {"state.snapshot_ratio", Type::kReal, "1.0", 0.01, 100, false, false,
     "a snapshot is made when the changelog is larger than the state times this"},
    {"state.ttl", Type::kDuration, "0", 0, kMaxTtlMicros, false, false,
     "how long a key of an aggregation or a deduplication that no watermark bounds stays after its "
     "last change (its first row), by the times of micro-batches; 0 for ever"},
    {"timeZone", Type::kTimeZone, "UTC", 0, 0, false, true,
     "the session's time zone: timestamps from and to text, date functions"},
    {"watermark.policy", Type::kChoice, "min", 0, 0, false, true,
     "which of several watermarks is that of the job: the least or the greatest", "min max"},
}};

// Spark's names for settings of ours.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kSparkNames = {{
    {"spark.sql.streaming.stateStore.compression.codec", "state.changelog_codec"},
    {"spark.sql.autoBroadcastJoinThreshold", "join.broadcast_bytes"},
    {"spark.sql.session.timeZone", "timeZone"},
    {"spark.sql.files.maxPartitionBytes", "source.split_bytes"},
    {"spark.sql.streaming.multipleWatermarkPolicy", "watermark.policy"},
}};

// Spark's settings that people bring along and that mean nothing here, with what to do instead.
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNoCounterpart = {{
    {"spark.sql.shuffle.partitions",
     "key groups replace shuffle partitions: set state.key_groups (a power of two), or nothing"},
    {"spark.sql.ansi.enabled", "ANSI mode is always on; try_ functions give NULL"},
    {"spark.sql.streaming.checkpointLocation", "write checkpointLocation in the specification"},
    {"spark.sql.streaming.stateStore.providerClass", "there is one state store"},
    {"spark.sql.adaptive.enabled", "stages of a stream are not re-planned"},
    {"spark.sql.streaming.noDataMicroBatches.enabled",
     "a micro-batch without input runs where one has state to evict; there is no switch"},
    {"spark.sql.streaming.statefulOperator.checkCorrectness.enabled",
     "the check cannot be turned off: use outputMode append"},
}};

arrow::Status BadValue(const SettingInfo& info, std::string_view value, std::string_view rule) {
  return MakeError(
      ErrorKind::kInvalid, "INVALID_SETTING_VALUE",
      fmt::format("bad value of a setting: {} must be {}: value={}", info.name, rule, value));
}

arrow::Status UnknownSetting(std::string_view name) {
  std::vector<std::string_view> names;
  names.reserve(kSettings.size());
  for (const SettingInfo& info : kSettings) names.push_back(info.name);
  const std::string nearest = NearestName(name, names);
  return WithHint(
      MakeError(ErrorKind::kInvalid, "UNKNOWN_SETTING", fmt::format("unknown setting: {}", name)),
      nearest.empty() ? fmt::format("settings are {}", fmt::join(names, ", "))
                      : fmt::format("did you mean {}?", nearest));
}

const SettingInfo* FindSetting(std::string_view name) {
  for (const SettingInfo& info : kSettings) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

std::optional<int64_t> WholeNumber(std::string_view text) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

arrow::Result<std::string> CheckInteger(const SettingInfo& info, std::string_view value) {
  const auto number = WholeNumber(value);
  const std::string rule =
      fmt::format("a {} from {} to {}", info.is_power_of_two ? "power of two" : "whole number",
                  static_cast<int64_t>(info.lowest), static_cast<int64_t>(info.highest));
  if (!number || *number < info.lowest || *number > info.highest) {
    return BadValue(info, value, rule);
  }
  if (info.is_power_of_two && (*number & (*number - 1)) != 0) return BadValue(info, value, rule);
  return std::to_string(*number);
}

arrow::Result<std::string> CheckBytes(const SettingInfo& info, std::string_view value) {
  if (info.lowest == 0 && value == "-1") return std::string(value);
  Options options;
  options.Set(std::string(info.name), std::string(value));
  const auto bytes = options.GetBytes(info.name, 0);
  if (!bytes.ok() || static_cast<double>(*bytes) < info.lowest ||
      static_cast<double>(*bytes) > info.highest) {
    return BadValue(info, value,
                    fmt::format("a size such as 32m, at least {}k", info.lowest / 1024));
  }
  return std::to_string(*bytes);
}

arrow::Result<std::string> CheckDuration(const SettingInfo& info, std::string_view value) {
  Options options;
  options.Set(std::string(info.name), value == "0" ? "0us" : std::string(value));
  const auto micros = options.GetDurationMicros(info.name, 0);
  if (!micros.ok() || static_cast<double>(*micros) < info.lowest ||
      static_cast<double>(*micros) > info.highest) {
    return BadValue(info, value,
                    fmt::format("a duration such as 200ms, at most {}h", info.highest / 3.6e9));
  }
  return fmt::format("{}us", *micros);
}

arrow::Result<std::string> CheckReal(const SettingInfo& info, std::string_view value) {
  const std::string text(value);
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(number >= info.lowest && number <= info.highest)) {
    return BadValue(info, value, fmt::format("a number from {} to {}", info.lowest, info.highest));
  }
  return fmt::format("{}", number);
}

arrow::Result<std::string> CheckChoice(const SettingInfo& info, std::string_view value) {
  std::string rule;
  for (std::string_view rest = info.choices; !rest.empty();) {
    const std::string_view choice = rest.substr(0, rest.find(' '));
    if (choice == value) return std::string(value);
    rest.remove_prefix(std::min(rest.size(), choice.size() + 1));
    rule += fmt::format("{}{}", rule.empty() ? "" : rest.empty() ? " or " : ", ", choice);
  }
  return BadValue(info, value, rule);
}

arrow::Result<std::string> CheckValue(const SettingInfo& info, std::string_view value) {
  switch (info.type) {
    case Type::kInteger:
      return CheckInteger(info, value);
    case Type::kBytes:
      return CheckBytes(info, value);
    case Type::kDuration:
      return CheckDuration(info, value);
    case Type::kReal:
      return CheckReal(info, value);
    case Type::kTimeZone:
      ARROW_RETURN_NOT_OK(FindTimeZone(value).status());
      return std::string(value);
    case Type::kChoice:
      return CheckChoice(info, value);
  }
  return std::string(value);
}

}  // namespace

std::span<const SettingInfo> AllSettings() { return kSettings; }

Settings::Settings() {
  for (const SettingInfo& info : kSettings) {
    // Not through CheckValue for time zones: the default needs no look into the zone database.
    if (info.type == Type::kTimeZone) {
      values_.emplace(info.name, info.fallback);
      continue;
    }
    const auto value = CheckValue(info, info.fallback);
    TIDEMILL_CHECK(value.ok());
    values_.emplace(info.name, *value);
  }
}

arrow::Result<Settings> Settings::Make(const std::map<std::string, std::string>& values) {
  Settings settings;
  for (const auto& [name, value] : values) ARROW_RETURN_NOT_OK(settings.Set(name, value));
  ARROW_RETURN_NOT_OK(settings.Finish());
  return settings;
}

arrow::Status Settings::Set(std::string_view name, std::string_view value) {
  for (const auto& [theirs, ours] : kSparkNames) {
    if (name == theirs) name = ours;
  }
  const SettingInfo* info = FindSetting(name);
  if (info == nullptr) {
    for (const auto& [theirs, instead] : kNoCounterpart) {
      if (name != theirs) continue;
      return WithHint(MakeError(ErrorKind::kInvalid, "UNSUPPORTED_SETTING",
                                fmt::format("Spark's setting has no counterpart: {}", name)),
                      std::string(instead));
    }
    return UnknownSetting(name);
  }
  ARROW_ASSIGN_OR_RAISE(values_[std::string(name)], CheckValue(*info, value));
  if (!IsSet(name)) set_.emplace_back(name);
  return arrow::Status::OK();
}

arrow::Status Settings::Finish() {
  if (!IsSet("sink.shards")) {
    values_["sink.shards"] = std::to_string(std::min(sink_shards(), key_groups()));
  }
  if (key_groups() % sink_shards() != 0) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SETTING_VALUE",
                     fmt::format("bad value of a setting: sink.shards must divide "
                                 "state.key_groups: value={} state.key_groups={}",
                                 sink_shards(), key_groups()));
  }
  return arrow::Status::OK();
}

bool Settings::IsSet(std::string_view name) const {
  return std::find(set_.begin(), set_.end(), name) != set_.end();
}

std::map<std::string, std::string> Settings::explicit_values() const {
  std::map<std::string, std::string> values;
  for (const std::string& name : set_) values.emplace(name, ValueOf(name));
  return values;
}

double Settings::snapshot_ratio() const {
  return std::strtod(ValueOf("state.snapshot_ratio").c_str(), nullptr);
}

const std::string& Settings::ValueOf(std::string_view name) const {
  const auto found = values_.find(name);
  TIDEMILL_CHECK(found != values_.end());
  return found->second;
}

std::chrono::microseconds Settings::DurationOf(std::string_view name) const {
  const std::string& micros = ValueOf(name);
  return std::chrono::microseconds(
      *WholeNumber(std::string_view(micros).substr(0, micros.size() - 2)));
}

int64_t Settings::IntegerOf(std::string_view name) const { return *WholeNumber(ValueOf(name)); }

}  // namespace tidemill::driver
