#include "driver/spec/job_values.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "common/base/ascii.h"
#include "driver/spec/map_reader.h"

namespace tidemill::driver {

namespace {

constexpr std::array<std::string_view, 5> kFileFormats = {"text", "json", "csv", "parquet", "orc"};

bool IsFileFormat(std::string_view format) {
  return std::find(kFileFormats.begin(), kFileFormats.end(), format) != kFileFormats.end();
}

}  // namespace

arrow::Status BadValue(std::string_view key, std::string_view value, Span span,
                       const std::vector<std::string_view>& allowed) {
  const std::string nearest = NearestName(value, allowed);
  return SpecError("BAD_VALUE", fmt::format("bad value of {}: {}", key, value), span,
                   nearest.empty() ? fmt::format("{} is {}", key, fmt::join(allowed, ", "))
                                   : fmt::format("did you mean {}?", nearest));
}

arrow::Result<connectors::OutputMode> ReadOutputMode(const std::string& text, Span span) {
  const std::string lower = AsciiLower(text);
  if (lower == "append") return connectors::OutputMode::kAppend;
  if (lower == "update") return connectors::OutputMode::kUpdate;
  if (lower == "complete") return connectors::OutputMode::kComplete;
  return BadValue("outputMode", text, span, {"append", "update", "complete"});
}

arrow::Result<Trigger> ReadTrigger(const std::string& text, Span span) {
  if (text == "available-now") return Trigger{.kind = TriggerKind::kAvailableNow};
  if (text == "once") return Trigger{.kind = TriggerKind::kOnce};
  if (text.find_first_of("0123456789") != std::string::npos) return ReadProcessingTime(text, span);
  return BadValue("trigger", text, span, {"available-now", "once", "{processingTime: 1 second}"});
}

arrow::Result<Trigger> ReadProcessingTime(const std::string& text, Span span) {
  Options options;
  options.Set("processingTime", text);
  const auto micros = options.GetDurationMicros("processingTime", 0);
  if (!micros.ok()) {
    return SpecError("BAD_VALUE", fmt::format("bad value of processingTime: {}", text), span,
                     "a duration such as 250ms, 1 second or 5 minutes");
  }
  return Trigger{TriggerKind::kProcessingTime, std::chrono::microseconds(*micros)};
}

void SetOption(const std::string& key, const std::string& value, const std::string& format,
               const std::string& directory, Options* options) {
  const bool is_path = AsciiLower(key) == "path" && IsFileFormat(format);
  options->Set(key, is_path ? AbsolutePath(directory, value) : value);
}

std::string AbsolutePath(const std::string& directory, const std::string& path) {
  const bool has_scheme = path.find(':') < path.find('/') && path.find('/') != std::string::npos;
  if (has_scheme) return path;
  const std::filesystem::path joined = std::filesystem::path(directory) / path;
  std::string normal = joined.lexically_normal().string();
  while (normal.size() > 1 && normal.back() == '/') normal.pop_back();
  return normal;
}

arrow::Result<std::string> CurrentDirectory() {
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::current_path(error);
  if (!error) return directory.string();
  return MakeError(ErrorKind::kGeneral, "IO_ERROR",
                   fmt::format("the current directory cannot be read: {}", error.message()));
}

}  // namespace tidemill::driver
