#include "driver/job/epoch_in_flight.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "driver/epoch/term_number.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

int64_t Micros(SteadyTime from, SteadyTime to) {
  if (from == SteadyTime{} || to < from) return 0;
  return std::chrono::duration_cast<std::chrono::microseconds>(to - from).count();
}

void AddState(const proto::OperatorProgress& from, std::vector<StateProgress>* all) {
  auto found = std::find_if(all->begin(), all->end(), [&](const StateProgress& state) {
    return state.operator_id == from.operator_id();
  });
  if (found == all->end()) {
    all->push_back({.operator_id = from.operator_id(), .operator_name = from.name()});
    found = all->end() - 1;
  }
  found->rows_total += from.rows_total();
  found->rows_updated += from.rows_updated();
  found->rows_removed += from.rows_removed();
  found->memory_bytes += from.memory_bytes();
  found->rows_dropped_late += from.rows_dropped_late();
  for (const auto& [name, value] : from.custom()) found->custom[name] += value;
}

std::optional<EventTimeProgress> EventTimesOf(const EpochInFlight& epoch) {
  if (epoch.plan.operators().empty() && epoch.plan.watermark_ms() == 0) return std::nullopt;
  EventTimeProgress times{.watermark_ms = epoch.plan.watermark_ms()};
  int first = -1;
  int64_t count = 0;
  double sum = 0;
  for (const auto& [worker, message] : epoch.prepared) {
    for (const proto::EventTimeStats& stats : message.event_times()) {
      if (stats.count() == 0 || (first >= 0 && stats.watermark() > first)) continue;
      const bool is_new = !times.has_rows || stats.watermark() < first;
      if (is_new) times = {true, stats.max_ms(), stats.min_ms(), 0, times.watermark_ms};
      if (is_new) count = 0, sum = 0;
      first = stats.watermark();
      times.max_ms = std::max<int64_t>(times.max_ms, stats.max_ms());
      times.min_ms = std::min<int64_t>(times.min_ms, stats.min_ms());
      count += stats.count();
      sum += stats.sum_ms();
    }
  }
  if (count > 0) times.average_ms = static_cast<int64_t>(sum / static_cast<double>(count));
  return times;
}

}  // namespace

int64_t EpochInFlight::LargestInputBytes() const {
  int64_t largest = 0;
  for (const connectors::EpochInput& input : inputs) {
    if (!input.has_data()) continue;
    int64_t bytes = 0;
    for (const connectors::Split& split : input.splits) {
      bytes += static_cast<int64_t>(split.payload.size());
      if (!split.path.empty()) bytes += split.end - split.begin;
    }
    largest = std::max(largest, bytes);
  }
  return largest;
}

int64_t EpochInFlight::InputRows() const {
  int64_t rows = 0;
  for (const auto& [worker, message] : prepared) {
    for (const int64_t of_source : message.source_rows()) rows += of_source;
  }
  return rows;
}

int64_t EpochInFlight::OutputRows() const {
  int64_t rows = 0;
  for (const auto& [worker, message] : prepared) rows += message.output_rows();
  return rows;
}

void BeginAttempt(uint64_t attempt, SteadyTime now, EpochInFlight* epoch) {
  epoch->attempt = attempt;
  epoch->prepared.clear();
  epoch->outputs.reset();
  epoch->times.run_sent = now;
}

void TakeOutputs(EpochInFlight* epoch) {
  auto outputs = std::make_shared<std::vector<connectors::StagedOutput>>();
  for (auto& [worker, message] : epoch->prepared) {
    for (proto::StagedOutput& output : *message.mutable_outputs()) {
      outputs->push_back(ReadStagedOutput(std::move(output)));
    }
    message.clear_outputs();
  }
  epoch->outputs = std::move(outputs);
}

proto::CommitRecord MakeCommit(const EpochInFlight& epoch) {
  proto::CommitRecord commit;
  commit.set_epoch(epoch.plan.epoch());
  commit.set_attempt(epoch.attempt);
  commit.set_plan_hash(epoch.plan_hash);
  for (const auto& [worker, message] : epoch.prepared) {
    commit.mutable_extents()->MergeFrom(message.extents());
  }
  commit.set_input_rows(epoch.InputRows());
  commit.set_output_rows(epoch.OutputRows());
  return commit;
}

EpochProgress MakeProgress(const EpochInFlight& epoch) {
  const EpochTimes& times = epoch.times;
  EpochProgress progress{.timestamp = times.trigger,
                         .epoch = epoch.plan.epoch(),
                         .input_rows = epoch.InputRows(),
                         .output_rows = epoch.OutputRows(),
                         .attempt = CountInTerm(epoch.attempt)};
  progress.event_time = EventTimesOf(epoch);
  auto& durations = progress.duration_us;
  durations["latestOffset"] = Micros(times.poll_begin, times.poll_end);
  if (times.poll_end != SteadyTime{}) {
    durations["queryPlanning"] = Micros(times.poll_end, times.plan_begin);
  }
  durations["walCommit"] = Micros(times.plan_begin, times.plan_durable);
  durations["addBatch"] = Micros(times.run_sent, times.sinks_committed);
  durations["sinkCommit"] = Micros(times.prepared, times.sinks_committed);
  durations["commitOffsets"] = Micros(times.commit_begin, times.commit_durable);
  const SteadyTime begin = times.poll_begin == SteadyTime{} ? times.run_sent : times.poll_begin;
  durations["triggerExecution"] = Micros(begin, times.commit_durable);
  for (const auto& [worker, message] : epoch.prepared) {
    durations["compute"] = std::max(durations["compute"], message.compute_us());
    durations["changelog"] = std::max(durations["changelog"], message.changelog_us());
    for (const proto::OperatorProgress& op : message.operators()) AddState(op, &progress.state);
  }
  for (size_t i = 0; i < epoch.inputs.size(); ++i) {
    SourceProgress source{.start_offset = epoch.inputs[i].start_offset,
                          .end_offset = epoch.inputs[i].end_offset,
                          .latest_offset = epoch.inputs[i].latest_offset,
                          .metrics = epoch.inputs[i].metrics};
    for (const auto& [worker, message] : epoch.prepared) {
      if (static_cast<int>(i) < message.source_rows_size()) {
        source.input_rows += message.source_rows(static_cast<int>(i));
      }
    }
    progress.sources.push_back(std::move(source));
  }
  return progress;
}

}  // namespace tidemill::driver
