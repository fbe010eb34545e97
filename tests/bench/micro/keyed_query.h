#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "tests/bench/micro/planned_query.h"
#include "worker/operators/operator_states.h"
#include "worker/slot/pipeline.h"

namespace tidemill::bench {

enum class KeyKind { kBigint, kString, kComposite };

// How rows choose among the keys.
enum class Draw {
  kEachOnce,  // row i has key i
  kRandom,    // uniformly
};

// SELECT <keys>, count(*), sum(v) FROM t GROUP BY <keys>, as it is deployed, and rows for it: the
// same ones in every run. *Immutable.*
class KeyedQuery {
 public:
  static constexpr int64_t kBatchRows = 16'384;
  static constexpr int kKeyGroups = 128;

  explicit KeyedQuery(KeyKind kind);

  const worker::JobPlan& plan() const { return *plan_; }
  // In front of the exchange, and behind it.
  const worker::StagePlan& source_stage() const { return plan_->stages.front(); }
  const worker::StagePlan& state_stage() const { return plan_->stages.back(); }
  int operator_id() const { return plan_->stateful.front().operator_id; }

  arrow::RecordBatchVector SourceRows(Draw draw, int64_t rows, int64_t keys) const;
  // What of such rows comes through the exchange, each batch aggregated by itself.
  std::vector<worker::Rows> PartialRows(Draw draw, int64_t rows, int64_t keys) const;

 private:
  std::shared_ptr<arrow::RecordBatch> SourceBatch(Draw draw, int64_t begin, int64_t end,
                                                  int64_t keys) const;

  const KeyKind kind_;
  const std::shared_ptr<const worker::JobPlan> plan_;
};

// The stage behind the exchange on the one slot that has all key groups. *Thread-compatible.*
class KeyedState {
 public:
  // `query` must outlive this.
  explicit KeyedState(const KeyedQuery* query);

  // In the open epoch.
  void Process(std::span<const worker::Rows> input);
  void Commit();
  int64_t epoch() const { return epoch_; }  // the open one
  worker::OperatorStates* states() { return states_.get(); }

 private:
  const KeyedQuery* const query_;
  const worker::EpochInfo info_;
  std::unique_ptr<worker::OperatorStates> states_;
  std::unique_ptr<worker::Pipeline> pipeline_;
  int64_t epoch_ = 0;
};

}  // namespace tidemill::bench
