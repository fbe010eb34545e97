#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "worker/exchange/exchange_network.h"
#include "worker/exchange/lane_merger.h"
#include "worker/plan/stage_plan.h"
#include "worker/slot/assignment.h"

namespace tidemill::worker {

// What one slot takes from other stages in one epoch: their lanes in order, inputs side by side,
// build inputs before the others. Tells producers how far it is. *Thread-compatible.*
class StageInputs {
 public:
  struct Place {
    int stage = 0;           // that takes them, for errors
    int slot = 0;            // own index in the assignment
    std::vector<int> lanes;  // of the producing stages, by input
    // Rows must be of these (ascending); empty: rows have none, or any.
    std::vector<uint32_t> key_groups;
  };

  // All pointers must outlive this.
  StageInputs(const std::vector<StageInputPlan>* inputs, Place place, AttemptId attempt,
              const Assignment* assignment, ExchangeNetwork* network);

  // Errors: EXCHANGE_FRAME_INVALID (kUnavailable) for rows of another schema or of key groups that
  // are not here, or out of order.
  arrow::Status Add(ExchangeFrame frame);
  // The next rows in order; nothing when they have not arrived yet or when all inputs have ended.
  std::optional<Rows> Next();
  bool is_finished() const { return current_ == merged_.size(); }

 private:
  // Inputs that are merged with each other, lane after lane.
  struct Merged {
    LaneMerger lanes;
    std::vector<int> inputs;
    int64_t told_chunk = 0;
  };
  // Where the lanes of an input are.
  struct Input {
    size_t merged = 0;
    int first_lane = 0;
    std::shared_ptr<arrow::Schema> accepted_schema;  // the last one found to fit
  };

  arrow::Status CheckRows(int input, const Rows& rows);
  void TellProducers(Merged* merged);

  const std::vector<StageInputPlan>* const plan_;
  const Place place_;
  const AttemptId attempt_;
  const Assignment* const assignment_;
  ExchangeNetwork* const network_;
  std::vector<Input> inputs_;
  std::vector<Merged> merged_;  // in the order in which they are taken
  size_t current_ = 0;          // the first one that is not finished
};

}  // namespace tidemill::worker
