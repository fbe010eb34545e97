#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tidemill::worker {

// What one stateful operator goes by in one epoch, in microseconds: rows up to `late_us` are
// dropped, state up to `eviction_us` goes at the end of the epoch. Joins evict a side's rows up to
// its own state watermark.
struct OperatorWatermark {
  int64_t late_us = 0;
  int64_t eviction_us = 0;
  std::optional<int64_t> left_state_us;
  std::optional<int64_t> right_state_us;
};

// What operators learn of an epoch before its rows. *Immutable.*
struct EpochInfo {
  std::map<int, OperatorWatermark> watermarks;  // by operator id; none where no watermark reaches
  int64_t epoch_time_us = 0;
  // Build sides that can be kept are as in the epoch before: no rows of theirs come.
  bool keeps_builds = false;

  // Null where no watermark reaches the operator.
  const OperatorWatermark* Find(int operator_id) const {
    const auto found = watermarks.find(operator_id);
    return found == watermarks.end() ? nullptr : &found->second;
  }
};

// Event times that one watermark of the plan has seen, in milliseconds as Spark counts them.
struct EventTimeStats {
  int watermark = 0;  // its number in the plan
  int64_t count = 0;
  int64_t min_ms = 0;
  int64_t max_ms = 0;
  double sum_ms = 0;

  void Add(int64_t time_ms) {
    if (count == 0 || time_ms < min_ms) min_ms = time_ms;
    if (count == 0 || time_ms > max_ms) max_ms = time_ms;
    sum_ms += static_cast<double>(time_ms);
    ++count;
  }
  void Add(const EventTimeStats& other) {
    if (other.count == 0) return;
    if (count == 0 || other.min_ms < min_ms) min_ms = other.min_ms;
    if (count == 0 || other.max_ms > max_ms) max_ms = other.max_ms;
    sum_ms += other.sum_ms;
    count += other.count;
  }
};

// What operators have counted in an epoch. *Thread-compatible.*
struct EpochCounters {
  struct OfOperator {
    int64_t rows_updated = 0;  // of the state: added or changed, each once
    int64_t rows_dropped_late = 0;
    int64_t rows_removed = 0;
    std::map<std::string, int64_t> custom;  // Spark's customMetrics

    void Add(const OfOperator& other) {
      rows_updated += other.rows_updated;
      rows_dropped_late += other.rows_dropped_late;
      rows_removed += other.rows_removed;
      for (const auto& [name, value] : other.custom) custom[name] += value;
    }
  };
  std::map<int, OfOperator> operators;   // by operator id
  std::map<int, EventTimeStats> events;  // by watermark
};

}  // namespace tidemill::worker
