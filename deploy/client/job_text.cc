#include "deploy/client/job_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/json/json_view.h"
#include "common/types/time_zone.h"
#include "common/types/value_parse.h"
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
  // By how many rows an operator's state grows in a second, as of the recent epochs.
  std::string GrowthOf(size_t number) const;

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
  Line("checkpoint", job_.checkpoint_state_bytes() == 0
                         ? job_.checkpoint()
                         : fmt::format("{} ({} of state)", job_.checkpoint(),
                                       BytesText(job_.checkpoint_state_bytes())));
  for (const proto::JobRestore& restore : job_.restores()) {
    Line(restore.is_ahead() ? "reads ahead" : "restores",
         fmt::format("{}: {} of {} key groups, {} rows", restore.worker(),
                     restore.key_groups_read(), restore.key_groups(), CountText(restore.rows())));
  }
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

std::string StatusWriter::GrowthOf(size_t number) const {
  const auto& recent = status_.recent_progress();
  int64_t rows[2] = {};
  int64_t micros[2] = {};
  const std::string* const ends[] = {&*recent.begin(), &*recent.rbegin()};
  for (int i = 0; i < 2; ++i) {
    const auto progress = JsonView::Parse(*ends[i]);
    if (!progress.has_value()) return "";
    const auto states = (*progress)["stateOperators"].Elements();
    const bool has_time =
        ParseTimestamp(TextOf(*progress, "timestamp"), *UtcTimeZone(), &micros[i]);
    if (number >= states.size() || !has_time) return "";
    rows[i] = NumberOf(states[number], "numRowsTotal");
  }
  if (micros[1] <= micros[0]) return "";
  return RateText(1e6 * static_cast<double>(rows[1] - rows[0]) /
                  static_cast<double>(micros[1] - micros[0]));
}

void StatusWriter::WriteState(const JsonView& progress) {
  const auto states = progress["stateOperators"].Elements();
  const auto has_metric = [&](const char* name) {
    return std::any_of(states.begin(), states.end(), [&](const JsonView& state) {
      return !state["customMetrics"][name].is_null();
    });
  };
  const bool has_cold_rows = has_metric("coldRows");
  const bool is_on_disk = has_metric("diskBytes");
  std::vector<TextTable::Column> columns = {
      {"STATE"},           {"ROWS", kRight}, {"ROWS/S", kRight}, {"UPDATED", kRight},
      {"REMOVED", kRight}, {"LATE", kRight}, {"MEMORY", kRight}};
  if (is_on_disk) columns.push_back({"DISK", kRight});
  // Rows that are not in memory; the share of keys for which it was not needed to read the disk.
  if (has_cold_rows) columns.insert(columns.end(), {{"COLD", kRight}, {"HIT RATE", kRight}});
  TextTable table(std::move(columns));
  for (size_t number = 0; number < states.size(); ++number) {
    const JsonView& state = states[number];
    std::vector<std::string> cells = {TextOf(state, "operatorName"),
                                      CountText(NumberOf(state, "numRowsTotal")),
                                      GrowthOf(number),
                                      CountText(NumberOf(state, "numRowsUpdated")),
                                      CountText(NumberOf(state, "numRowsRemoved")),
                                      CountText(NumberOf(state, "numRowsDroppedByWatermark")),
                                      BytesText(NumberOf(state, "memoryUsedBytes"))};
    const JsonView metrics = state["customMetrics"];
    if (is_on_disk) cells.push_back(BytesText(NumberOf(metrics, "diskBytes")));
    if (has_cold_rows) {
      cells.push_back(CountText(NumberOf(metrics, "coldRows")));
      const auto keys = static_cast<double>(NumberOf(metrics, "coldKeys"));
      const auto lookups = static_cast<double>(NumberOf(metrics, "coldLookups"));
      cells.push_back(keys == 0 ? "" : fmt::format("{:.1f}%", 100 * (1 - lookups / keys)));
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
