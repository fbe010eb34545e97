#include "connectors/rate/rate_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <thread>

#include "common/base/error.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();

}  // namespace

arrow::Result<RateOptions> ParseRateOptions(const SourceSpec& spec) {
  const Options& options = spec.options;
  RateOptions parsed;
  parsed.is_per_batch = spec.format == "rate-micro-batch";
  const int64_t cores = std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, 64);
  ARROW_ASSIGN_OR_RAISE(parsed.partitions, options.GetInt("numPartitions", cores, 1, 4096));
  if (parsed.is_per_batch) {
    ARROW_RETURN_NOT_OK(options.RequireKnown(
        {"rowsPerBatch", "numPartitions", "startTimestamp", "advanceMillisPerBatch"}, spec.format));
    if (!options.Has("rowsPerBatch")) {
      return MakeError(ErrorKind::kInvalid, "MISSING_OPTION",
                       "source needs the option rowsPerBatch: format=rate-micro-batch");
    }
    ARROW_ASSIGN_OR_RAISE(parsed.rows_per_batch,
                          options.GetInt("rowsPerBatch", 0, 1, int64_t{1} << 40));
    ARROW_ASSIGN_OR_RAISE(parsed.start_timestamp_ms,
                          options.GetInt("startTimestamp", 0, 0, int64_t{1} << 50));
    ARROW_ASSIGN_OR_RAISE(parsed.advance_ms_per_batch,
                          options.GetInt("advanceMillisPerBatch", 1000, 0, int64_t{1} << 40));
    return parsed;
  }
  ARROW_RETURN_NOT_OK(
      options.RequireKnown({"rowsPerSecond", "rampUpTime", "numPartitions"}, spec.format));
  ARROW_ASSIGN_OR_RAISE(parsed.rows_per_second,
                        options.GetInt("rowsPerSecond", 1, 1, int64_t{1} << 40));
  ARROW_ASSIGN_OR_RAISE(const int64_t ramp_us,
                        options.GetDurationMicros("rampUpTime", 0, /*bare_unit=*/"s"));
  parsed.ramp_up_seconds = ramp_us / 1'000'000;
  return parsed;
}

int64_t RowsUntilSecond(int64_t seconds, int64_t rows_per_second, int64_t ramp_up_seconds) {
  const __int128 step = std::max<int64_t>(1, rows_per_second / (ramp_up_seconds + 1));
  const __int128 ramped = std::min(seconds, ramp_up_seconds);
  const __int128 rows =
      step * ramped * (ramped + 1) / 2 + (__int128{seconds} - ramped) * rows_per_second;
  return rows > kMax ? kMax : static_cast<int64_t>(rows);
}

std::string EncodeRateRange(const RateRange& range) {
  return fmt::format("{} {} {} {} {} {}", range.range_begin, range.range_end, range.start_ms,
                     range.span_ms, range.partition, range.partitions);
}

arrow::Result<RateRange> DecodeRateRange(std::string_view payload) {
  std::array<int64_t, 6> numbers{};
  const char* at = payload.data();
  const char* const end = at + payload.size();
  for (int64_t& number : numbers) {
    if (at != end && *at == ' ') ++at;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error != std::errc()) {
      return MakeError(ErrorKind::kCorrupt, "INVALID_SPLIT",
                       fmt::format("rate split: bad payload: value={}", payload));
    }
    at = next;
  }
  const RateRange range{.range_begin = numbers[0],
                        .range_end = numbers[1],
                        .start_ms = numbers[2],
                        .span_ms = numbers[3],
                        .partition = numbers[4],
                        .partitions = numbers[5]};
  if (at != end || range.partitions < 1 || range.partition < 0 ||
      range.range_end < range.range_begin) {
    return MakeError(ErrorKind::kCorrupt, "INVALID_SPLIT",
                     fmt::format("rate split: bad payload: value={}", payload));
  }
  return range;
}

}  // namespace tidemill::connectors
