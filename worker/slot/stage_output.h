#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "connectors/sink.h"
#include "worker/exchange/exchange_network.h"
#include "worker/exchange/hash_partitioner.h"
#include "worker/plan/stage_plan.h"
#include "worker/slot/assignment.h"

namespace tidemill::worker {

// Where the rows of one stage go from one slot in one epoch: an exchange or the sink. The caller
// says which lane and chunk rows belong to. *Thread-compatible.*
class RowOutput {
 public:
  virtual ~RowOutput() = default;

  virtual arrow::Status Send(int lane, int64_t chunk, Rows rows) = 0;
  virtual void EndChunk(int lane, int64_t chunk) = 0;
  virtual void EndLane(int lane, int64_t chunk) = 0;
  // False while consumers are too far behind for this chunk; asked before more rows are made.
  virtual bool MayProduce(int64_t chunk) const = 0;
  virtual void OnProgress(const ExchangeProgress& progress) {}
  // Lets go of what was collected for other slots; called at the end of each step.
  virtual void Flush() {}
};

// To other slots: by key group, all to the gathering slot, or all to every slot.
class ExchangeOutput final : public RowOutput {
 public:
  // `partitioner` is null unless the stage's output is by hash. `network` and `assignment` must
  // outlive this.
  ExchangeOutput(const StagePlan& stage, AttemptId attempt, const Assignment* assignment,
                 HashPartitioner* partitioner, ExchangeNetwork* network);

  arrow::Status Send(int lane, int64_t chunk, Rows rows) override;
  void EndChunk(int lane, int64_t chunk) override;
  void EndLane(int lane, int64_t chunk) override;
  bool MayProduce(int64_t chunk) const override;
  void OnProgress(const ExchangeProgress& progress) override;
  void Flush() override;

 private:
  // What one consumer is known to have, and what it was sent beyond that.
  struct Consumer {
    int64_t chunk = 0;                      // that it is at
    std::map<int64_t, int64_t> unconsumed;  // bytes by chunk
    int64_t unconsumed_bytes = 0;
  };

  arrow::Status Add(size_t slot, ExchangeFrame frame);
  void SendToAll(const ExchangeFrame& frame);

  const int stage_;
  const AttemptId attempt_;
  const Assignment* const assignment_;
  HashPartitioner* const partitioner_;
  ExchangeNetwork* const network_;
  std::vector<int> consumers_;                       // slot indices
  std::vector<Consumer> consumed_;                   // by slot index
  std::vector<std::vector<ExchangeFrame>> pending_;  // by slot index
};

// To the sink writer of this slot.
class SinkOutput final : public RowOutput {
 public:
  explicit SinkOutput(connectors::SinkWriter* writer) : writer_(writer) {}

  arrow::Status Send(int lane, int64_t chunk, Rows rows) override;
  void EndChunk(int lane, int64_t chunk) override {}
  void EndLane(int lane, int64_t chunk) override {}
  bool MayProduce(int64_t chunk) const override { return !writer_->is_full(); }

  int64_t rows_written() const { return rows_written_; }

 private:
  connectors::SinkWriter* const writer_;
  int64_t rows_written_ = 0;
};

}  // namespace tidemill::worker
