#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "worker/join/build_table.h"
#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

class OperatorStates;

// The operators of one stage in a row, as one slot runs them (in a source stage: for one lane at a
// time). Kept over epochs, so that tables and buffers keep their memory. *Thread-compatible.*
class Pipeline {
 public:
  // `stage` must outlive this. `states` holds the tables of stateful operators, `broadcasts` those
  // of joins with what is broadcast; both must outlive this, and may be null where no operator
  // needs them.
  static arrow::Result<std::unique_ptr<Pipeline>> Make(const StagePlan& stage,
                                                       OperatorStates* states,
                                                       const BroadcastTables* broadcasts);

  // An epoch begins; `epoch` outlives it.
  void Begin(const EpochInfo& epoch);
  const StagePlan& stage() const { return *stage_; }
  const EpochInfo* epoch() const { return epoch_; }  // that has begun
  const BroadcastTables* broadcasts() const { return broadcasts_; }
  // What the operators have counted since.
  void Report(EpochCounters* counters) const;
  // Errors of these that are the data's fault (kJobFailed) name the operator and, where rows have
  // them, the key groups as their place.
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out);
  arrow::Status EndChunk(const EvalContext& context, RowConsumer* out);
  // A piece of what the first operator that has something left gives of the key group; false when
  // none has. Before EndInput.
  arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group, RowConsumer* out);
  arrow::Status EndInput(const EvalContext& context, RowConsumer* out);
  void Reset();

 private:
  // Hands what operator i - 1 gives to operator i, or to the pipeline's consumer.
  class Link final : public RowConsumer {
   public:
    arrow::Status Consume(Rows rows) override;

    Pipeline* pipeline = nullptr;
    size_t index = 0;
  };

  // Key groups of the rows that are being processed.
  struct KeyGroups {
    uint32_t first = 0;
    uint32_t last = 0;
  };

  // The error of operator `index` with its place, unless it comes from behind it.
  arrow::Status Blame(const arrow::Status& status, size_t index) const;

  const StagePlan* stage_ = nullptr;
  const BroadcastTables* broadcasts_ = nullptr;
  const EpochInfo* epoch_ = nullptr;
  std::vector<std::unique_ptr<Operator>> operators_;
  std::vector<Link> links_;  // links_[i] feeds operators_[i]; the last one feeds out_
  std::optional<KeyGroups> key_groups_;
  bool has_consumer_failed_ = false;
  const EvalContext* context_ = nullptr;
  RowConsumer* out_ = nullptr;
};

}  // namespace tidemill::worker
