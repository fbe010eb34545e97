#include "driver/job/progress.h"

#include "common/types/json_object.h"

namespace tidemill::driver {

namespace {

double SecondsOf(const EpochProgress& progress) {
  const auto found = progress.duration_us.find("triggerExecution");
  return found == progress.duration_us.end() ? 0 : static_cast<double>(found->second) / 1e6;
}

// Left out where there is no finite rate, as in Spark.
void WriteRate(std::string_view key, int64_t rows, double seconds, JsonObject* object) {
  if (seconds > 0) object->Double(key, static_cast<double>(rows) / seconds);
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
  if (!state.custom.empty()) {
    JsonObject custom(object.Key("customMetrics"));
    for (const auto& [name, value] : state.custom) custom.Number(name, value);
    custom.End();
  }
  object.End();
}

// Spark's keys, sorted.
void WriteEventTime(const EventTimeProgress& times, JsonObject* object) {
  JsonObject event_time(object->Key("eventTime"));
  if (times.has_rows) {
    event_time.Time("avg", times.average_ms * 1000);
    event_time.Time("max", times.max_ms * 1000);
    event_time.Time("min", times.min_ms * 1000);
  }
  event_time.Time("watermark", times.watermark_ms * 1000);
  event_time.End();
}

void WriteSource(const SourceProgress& source, const EpochProgress& progress, std::string* out) {
  JsonObject object(out);
  object.Text("description", source.description);
  object.Json("startOffset", source.start_offset);
  object.Json("endOffset", source.end_offset);
  object.Json("latestOffset", source.latest_offset);
  object.Number("numInputRows", source.input_rows);
  WriteRate("inputRowsPerSecond", source.input_rows, progress.seconds_since_previous, &object);
  WriteRate("processedRowsPerSecond", source.input_rows, SecondsOf(progress), &object);
  if (!source.metrics.empty()) {
    JsonObject metrics(object.Key("metrics"));
    // Texts, as in Spark.
    for (const auto& [name, value] : source.metrics) metrics.Text(name, std::to_string(value));
    metrics.End();
  }
  object.End();
}

}  // namespace

std::string ProgressJson(const EpochProgress& progress) {
  std::string out;
  JsonObject object(&out);
  object.Text("id", progress.id);
  object.Text("runId", progress.run_id);
  object.Text("name", progress.name);
  object.Time("timestamp", progress.timestamp.time_since_epoch().count());
  object.Number("batchId", progress.epoch);
  object.Number("numInputRows", progress.input_rows);
  WriteRate("inputRowsPerSecond", progress.input_rows, progress.seconds_since_previous, &object);
  WriteRate("processedRowsPerSecond", progress.input_rows, SecondsOf(progress), &object);
  JsonObject durations(object.Key("durationMs"));
  for (const auto& [phase, micros] : progress.duration_us) {
    durations.Number(phase, (micros + 500) / 1000);
  }
  durations.End();
  if (progress.event_time) WriteEventTime(*progress.event_time, &object);
  object.Array("stateOperators", progress.state.size(),
               [&](size_t i) { WriteState(progress.state[i], progress, &out); });
  object.Array("sources", progress.sources.size(),
               [&](size_t i) { WriteSource(progress.sources[i], progress, &out); });
  JsonObject sink(object.Key("sink"));
  sink.Text("description", progress.sink_description);
  sink.Number("numOutputRows", progress.output_rows);
  sink.End();
  object.End();
  return out;
}

}  // namespace tidemill::driver
