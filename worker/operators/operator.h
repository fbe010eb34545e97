#pragma once

#include <arrow/result.h>

#include <memory>

#include "common/expr/function_registry.h"
#include "worker/exchange/frame.h"
#include "worker/operators/epoch_info.h"

namespace tidemill::worker {

// Takes rows from an operator. The next operator, an exchange or a sink.
class RowConsumer {
 public:
  virtual ~RowConsumer() = default;
  virtual arrow::Status Consume(Rows rows) = 0;
};

inline constexpr int64_t kEmitRows = 1 << 14;

// One step of a stage's pipeline, on one slot (and, in a source stage, for one lane). Push model:
// every call gives its output to `out` before it returns. What an operator computes depends on the
// rows it is given and on committed state alone, never on time or on other slots.
// *Thread-compatible*: touched by its slot's thread only.
class Operator {
 public:
  virtual ~Operator() = default;

  // An epoch begins; `epoch` outlives it.
  virtual void Begin(const EpochInfo& epoch) {}
  // Rows of one batch, in order. `context` describes this batch.
  virtual arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) = 0;
  // A chunk of the lane ends here: a place where buffered rows may be flushed, never must.
  virtual arrow::Status EndChunk(const EvalContext& context, RowConsumer* out) {
    return arrow::Status::OK();
  }
  // One piece, of about kEmitRows rows, of what a stateful or sorting operator gives once the
  // stage's input of the epoch has ended; false when nothing is left. Asked for one key group after
  // the other or in turn, as consumers have room; a gathered stage asks for key group 0 alone.
  virtual arrow::Result<bool> EmitNext(const EvalContext& context, uint32_t key_group,
                                       RowConsumer* out) {
    return false;
  }
  // The lane, or the stage's input of the epoch, ends (behind EmitNext): what is buffered goes out.
  virtual arrow::Status EndInput(const EvalContext& context, RowConsumer* out) {
    return arrow::Status::OK();
  }
  // Adds what the operator has counted since Begin.
  virtual void Report(EpochCounters* counters) const {}
  // Forgets what is left of an epoch, which may not have ended.
  virtual void Reset() {}
};

}  // namespace tidemill::worker
