#include "deploy/client/job_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/json/json_view.h"
#include "deploy/client/text_table.h"
#include "driver/rpc/messages.h"

namespace tidemill::deploy {

namespace {

constexpr size_t kShortId = 8;
constexpr bool kRight = true;

std::string EpochText(int64_t epoch) { return epoch < 0 ? "" : CountText(epoch); }

std::string TextOf(const JsonView& object, std::string_view key) {
  return object[key].AsString().value_or("");
}

int64_t NumberOf(const JsonView& object, std::string_view key) {
  return object[key].AsInteger<int64_t>().value_or(0);
}

// "" where it is not there: Spark leaves out rates that are not finite.
std::string RateOf(const JsonView& object, std::string_view key) {
  const auto rate = object[key].AsDouble();
  return rate.has_value() ? RateText(*rate) : "";
}

// Any JSON value as it is; "" for null.
std::string JsonOf(const JsonView& object, std::string_view key) {
  const JsonView value = object[key];
  return value.is_null() ? "" : std::string(value.text());
}

class StatusWriter {
 public:
  StatusWriter(const proto::GetJobReply& status, int64_t now_us)
      : job_(status.info()), status_(status), now_us_(now_us) {}

  std::string Write() {
    WriteJob();
    WriteRows();
    WriteProgress();
    return std::move(out_);
  }

 private:
  void Line(std::string_view name, std::string_view value) {
    if (!value.empty()) out_ += fmt::format("  {:<12}{}\n", name, value);
  }
  void WriteJob();
  void WriteRows();
  void WriteProgress();
  void WritePhases(const JsonView& progress);
  void WriteSources(const JsonView& progress);
  void WriteState(const JsonView& progress);

  const proto::JobInfo& job_;
  const proto::GetJobReply& status_;
  const int64_t now_us_;
  std::string out_;
};

void StatusWriter::WriteJob() {
  out_ += fmt::format("{}  {}\n", job_.name(), StateName(job_.state()));
  Line("id", job_.id());
  Line("run id", job_.run_id());
  if (job_.has_error() && !job_.error().message().empty()) {
    std::string text = RenderError(driver::ReadError(job_.error()));
    for (size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
      text.insert(at + 1, 14, ' ');
    }
    Line("error", text);
  }
  Line("submitted", AgeText(job_.submitted_us(), now_us_));
  Line("ended", AgeText(job_.finished_us(), now_us_));
  Line("slots", CountText(job_.slots()));
  Line("checkpoint", job_.checkpoint());
}

void StatusWriter::WriteRows() {
  std::string epochs = fmt::format("{} in this run", CountText(job_.epochs()));
  if (job_.last_committed() >= 0) {
    epochs += fmt::format(", last {}", CountText(job_.last_committed()));
  }
  if (job_.committed_us() != 0) epochs += ", committed " + AgeText(job_.committed_us(), now_us_);
  Line("epochs", epochs);
  Line("rows",
       fmt::format("{} in, {} out", CountText(job_.input_rows()), CountText(job_.output_rows())));
}

void StatusWriter::WriteProgress() {
  if (status_.recent_progress().empty()) return;
  const auto parsed = JsonView::Parse(*status_.recent_progress().rbegin());
  if (!parsed.has_value()) return;
  const JsonView& progress = *parsed;
  const std::string arriving = RateOf(progress, "inputRowsPerSecond");
  const std::string processed = RateOf(progress, "processedRowsPerSecond");
  if (!processed.empty()) {
    Line("rows/s",
         fmt::format("{} arriving, {} processed", arriving.empty() ? "-" : arriving, processed));
  }
  out_ += fmt::format("\nLast epoch: batchId {}, {} rows, {}\n", NumberOf(progress, "batchId"),
                      CountText(NumberOf(progress, "numInputRows")), TextOf(progress, "timestamp"));
  WritePhases(progress);
  WriteSources(progress);
  const JsonView sink = progress["sink"];
  if (!sink.is_null()) {
    TextTable table({{"SINK"}, {"ROWS", kRight}});
    table.AddRow({TextOf(sink, "description"), CountText(NumberOf(sink, "numOutputRows"))});
    out_ += "\n" + table.Text(2);
  }
  WriteState(progress);
}

void StatusWriter::WritePhases(const JsonView& progress) {
  std::vector<std::pair<std::string, int64_t>> phases;
  for (const auto& [key, value] : progress["durationMs"].Fields()) {
    if (const auto millis = value.AsInteger<int64_t>()) phases.emplace_back(key, *millis);
  }
  // The longest first; the whole is the longest.
  std::stable_sort(phases.begin(), phases.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  TextTable table({{"PHASE"}, {"MS", kRight}});
  for (const auto& [phase, millis] : phases) table.AddRow({phase, CountText(millis)});
  if (!table.is_empty()) out_ += "\n" + table.Text(2);
}

void StatusWriter::WriteSources(const JsonView& progress) {
  TextTable table(
      {{"SOURCE"}, {"ROWS", kRight}, {"ROWS/S", kRight}, {"START"}, {"END"}, {"LATEST"}});
  for (const JsonView& source : progress["sources"].Elements()) {
    table.AddRow({TextOf(source, "description"), CountText(NumberOf(source, "numInputRows")),
                  RateOf(source, "processedRowsPerSecond"), JsonOf(source, "startOffset"),
                  JsonOf(source, "endOffset"), JsonOf(source, "latestOffset")});
  }
  if (!table.is_empty()) out_ += "\n" + table.Text(2);
}

void StatusWriter::WriteState(const JsonView& progress) {
  const auto states = progress["stateOperators"].Elements();
  const bool has_cold_rows = std::any_of(states.begin(), states.end(), [](const JsonView& state) {
    return !state["customMetrics"]["coldRows"].is_null();
  });
  std::vector<TextTable::Column> columns = {{"STATE"},           {"ROWS", kRight},
                                            {"UPDATED", kRight}, {"REMOVED", kRight},
                                            {"LATE", kRight},    {"MEMORY", kRight}};
  // Rows that are not in memory; keys that were looked up on disk, and found there.
  if (has_cold_rows)
    columns.insert(columns.end(), {{"COLD", kRight}, {"LOOKUPS", kRight}, {"FOUND", kRight}});
  TextTable table(std::move(columns));
  for (const JsonView& state : states) {
    std::vector<std::string> cells = {TextOf(state, "operatorName"),
                                      CountText(NumberOf(state, "numRowsTotal")),
                                      CountText(NumberOf(state, "numRowsUpdated")),
                                      CountText(NumberOf(state, "numRowsRemoved")),
                                      CountText(NumberOf(state, "numRowsDroppedByWatermark")),
                                      BytesText(NumberOf(state, "memoryUsedBytes"))};
    for (const char* name : {"coldRows", "coldLookups", "coldLookupsFound"}) {
      if (has_cold_rows) cells.push_back(CountText(NumberOf(state["customMetrics"], name)));
    }
    table.AddRow(std::move(cells));
  }
  if (!table.is_empty()) out_ += "\n" + table.Text(2);
}

}  // namespace

std::string StateName(proto::JobInfo::State state) { return proto::JobInfo::State_Name(state); }

std::string JobsText(const std::vector<proto::JobInfo>& jobs, int64_t now_us) {
  TextTable table({{"ID"},
                   {"NAME"},
                   {"STATE"},
                   {"BATCH", kRight},
                   {"ROWS IN", kRight},
                   {"ROWS OUT", kRight},
                   {"SLOTS", kRight},
                   {"SUBMITTED"},
                   {"LAST COMMIT"}});
  for (const proto::JobInfo& job : jobs) {
    table.AddRow({job.id().substr(0, kShortId), job.name(), StateName(job.state()),
                  EpochText(job.last_committed()), CountText(job.input_rows()),
                  CountText(job.output_rows()), CountText(job.slots()),
                  AgeText(job.submitted_us(), now_us), AgeText(job.committed_us(), now_us)});
  }
  return table.Text();
}

std::string JobStatusText(const proto::GetJobReply& status, int64_t now_us) {
  return StatusWriter(status, now_us).Write();
}

std::string WorkersText(const proto::GetClusterReply& cluster, int64_t now_us) {
  TextTable table({{"ID"},
                   {"STATE"},
                   {"SLOTS", kRight},
                   {"JOBS", kRight},
                   {"EXCHANGE"},
                   {"JOINED"},
                   {"HEARTBEAT"}});
  for (const proto::WorkerInfo& worker : cluster.workers()) {
    table.AddRow({worker.id(), worker.state(), CountText(worker.slots()), CountText(worker.jobs()),
                  worker.exchange_address(), AgeText(worker.registered_us(), now_us),
                  DurationText(worker.heartbeat_age_us()) + " ago"});
  }
  return table.Text();
}

}  // namespace tidemill::deploy
