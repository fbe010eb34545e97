#include "driver/job/progress.h"

#include <fmt/format.h>

#include "common/types/value_format.h"

namespace tidemill::driver {

namespace {

// Builds `{"a":1,"b":{...}}` member by member.
class JsonObject {
 public:
  explicit JsonObject(std::string* out) : out_(out) { out_->push_back('{'); }

  std::string* Key(std::string_view key) {
    if (!is_first_) out_->push_back(',');
    is_first_ = false;
    AppendJsonString(key, out_);
    out_->push_back(':');
    return out_;
  }
  void Text(std::string_view key, std::string_view value) { AppendJsonString(value, Key(key)); }
  void Number(std::string_view key, int64_t value) { Key(key)->append(fmt::format("{}", value)); }
  // Left out where there is no finite rate, as in Spark.
  void Rate(std::string_view key, int64_t rows, double seconds) {
    if (seconds > 0) AppendDoubleText(static_cast<double>(rows) / seconds, Key(key));
  }
  // JSON text as it is.
  void Json(std::string_view key, std::string_view json) {
    Key(key)->append(json.empty() ? "null" : json);
  }
  void End() { out_->push_back('}'); }

 private:
  std::string* const out_;
  bool is_first_ = true;
};

std::string IsoMillis(Timestamp time) {
  const auto millis = std::chrono::floor<std::chrono::milliseconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(millis);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(millis - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

double SecondsOf(const EpochProgress& progress) {
  const auto found = progress.duration_us.find("triggerExecution");
  return found == progress.duration_us.end() ? 0 : static_cast<double>(found->second) / 1e6;
}

void WriteState(const StateProgress& state, const EpochProgress& progress, std::string* out) {
  JsonObject object(out);
  object.Text("operatorName", state.operator_name);
  object.Number("numRowsTotal", state.rows_total);
  object.Number("numRowsUpdated", state.rows_updated);
  object.Number("numRowsRemoved", state.rows_removed);
  object.Number("memoryUsedBytes", state.memory_bytes);
  object.Number("numRowsDroppedByWatermark", state.rows_dropped_late);
  object.Number("numShufflePartitions", progress.shuffle_partitions);
  object.Number("numStateStoreInstances", progress.shuffle_partitions);
  object.End();
}

void WriteSource(const SourceProgress& source, const EpochProgress& progress, std::string* out) {
  JsonObject object(out);
  object.Text("description", source.description);
  object.Json("startOffset", source.start_offset);
  object.Json("endOffset", source.end_offset);
  object.Json("latestOffset", source.latest_offset);
  object.Number("numInputRows", source.input_rows);
  object.Rate("inputRowsPerSecond", source.input_rows, progress.seconds_since_previous);
  object.Rate("processedRowsPerSecond", source.input_rows, SecondsOf(progress));
  object.End();
}

template <class Items, class Write>
void WriteArray(const Items& items, Write write, std::string* out) {
  out->push_back('[');
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out->push_back(',');
    write(items[i]);
  }
  out->push_back(']');
}

}  // namespace

std::string ProgressJson(const EpochProgress& progress) {
  std::string out;
  JsonObject object(&out);
  object.Text("id", progress.id);
  object.Text("runId", progress.run_id);
  object.Text("name", progress.name);
  object.Text("timestamp", IsoMillis(progress.timestamp));
  object.Number("batchId", progress.epoch);
  object.Number("numInputRows", progress.input_rows);
  object.Rate("inputRowsPerSecond", progress.input_rows, progress.seconds_since_previous);
  object.Rate("processedRowsPerSecond", progress.input_rows, SecondsOf(progress));
  JsonObject durations(object.Key("durationMs"));
  for (const auto& [phase, micros] : progress.duration_us) {
    durations.Number(phase, (micros + 500) / 1000);
  }
  durations.End();
  object.Key("stateOperators");
  WriteArray(
      progress.state, [&](const StateProgress& state) { WriteState(state, progress, &out); }, &out);
  object.Key("sources");
  WriteArray(
      progress.sources, [&](const SourceProgress& source) { WriteSource(source, progress, &out); },
      &out);
  JsonObject sink(object.Key("sink"));
  sink.Text("description", progress.sink_description);
  sink.Number("numOutputRows", progress.output_rows);
  sink.End();
  object.End();
  return out;
}

}  // namespace tidemill::driver
