#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace tidemill::driver {

// Watermarks are milliseconds since 1970, as Spark's are; they begin at 0 and never go back.

// What a range condition of a stream-stream join says about one side: rows up to
// (watermark of the other side + offset_us) can find no partner any more; one millisecond earlier
// where the condition includes equality.
struct JoinBound {
  int64_t offset_us = 0;
  bool is_inclusive = false;
};

// How long one side of a join keeps its rows.
struct JoinSideRule {
  enum class Kind { kForever, kKey, kValue };
  Kind kind = Kind::kForever;     // kKey: until the watermark passes the time in the join key
  std::vector<JoinBound> bounds;  // kValue: the earliest of them decides
};

// How watermarks flow through the operators of a plan, sources first. Operators that no watermark
// reaches have none.
struct WatermarkGraph {
  struct Node {
    enum class Kind {
      kPass,       // the least watermark of its inputs, or none
      kWatermark,  // gives the global watermark; number `watermark` in the plan, where several
                   // nodes may have the same: those of one relation that is read twice
      kStateful,   // stateful operator `operator_id`; gives what it gets
      kJoin,       // stateful too; gives what its state still may emit
    };
    Kind kind = Kind::kPass;
    std::vector<int> inputs;  // nodes before this one
    int watermark = -1;
    int64_t delay_ms = 0;  // kWatermark
    int operator_id = -1;
    // Whether it has something to do when the watermark has advanced and no row has come.
    bool evicts = false;
    JoinSideRule left, right;  // kJoin
  };
  std::vector<Node> nodes;

  int num_watermarks() const;
};

// What one stateful operator goes by in one epoch. Rows up to `late_ms` are dropped, state up to
// `eviction_ms` goes at the end. For joins: rows of a side up to its own state watermark go.
struct OperatorWatermark {
  int operator_id = 0;
  int64_t late_ms = 0;
  int64_t eviction_ms = 0;
  std::optional<int64_t> left_state_ms;
  std::optional<int64_t> right_state_ms;

  bool operator==(const OperatorWatermark&) const = default;
};

// Spark's WatermarkPropagator: the watermark that the input of each stateful operator has, where
// the global one is `global_ms`. By operator id; operators without a watermark are left out.
std::map<int, int64_t> InputWatermarks(const WatermarkGraph& graph, int64_t global_ms);

// The operators' watermarks of an epoch: late by the global watermark of the epoch before it,
// evicting by its own, so that what an operator evicts is not late for the one above it.
std::vector<OperatorWatermark> OperatorWatermarks(const WatermarkGraph& graph, int64_t late_ms,
                                                  int64_t eviction_ms);

// Whether an epoch without input is due after one that ran with `used_ms`: an operator would evict
// more with `next_ms`.
bool WantsEpoch(const WatermarkGraph& graph, int64_t used_ms, int64_t next_ms);

enum class WatermarkPolicy { kMin, kMax };

// The global watermark of a job: per watermark of the plan the newest event time less its delay,
// then the least (or greatest) of them, 0 standing for one that has seen no row.
// *Thread-compatible.*
class WatermarkTracker {
 public:
  WatermarkTracker() = default;
  WatermarkTracker(const WatermarkGraph& graph, WatermarkPolicy policy);

  // The greatest event time that watermark number `watermark` saw in an epoch.
  void Observe(int watermark, int64_t max_event_ms);
  // After all of an epoch's Observe: the watermark of the next epoch.
  void Advance();

  int64_t global_ms() const { return global_ms_; }
  // By watermark of the plan; for the log.
  const std::vector<std::optional<int64_t>>& by_watermark() const { return by_watermark_; }
  // As logged. Another number of watermarks than the plan's (it was changed) starts them anew.
  void Restore(const std::vector<std::optional<int64_t>>& by_watermark, int64_t global_ms);

 private:
  std::vector<int64_t> delays_ms_;
  std::vector<std::optional<int64_t>> by_watermark_;
  WatermarkPolicy policy_ = WatermarkPolicy::kMin;
  int64_t global_ms_ = 0;
};

}  // namespace tidemill::driver
