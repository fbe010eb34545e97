#include "worker/slot/stage_output.h"

#include <arrow/record_batch.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <utility>

namespace tidemill::worker {

ExchangeOutput::ExchangeOutput(const StagePlan& stage, AttemptId attempt,
                               const Assignment* assignment, HashPartitioner* partitioner,
                               ExchangeNetwork* network)
    : stage_(stage.id),
      attempt_(std::move(attempt)),
      assignment_(assignment),
      partitioner_(partitioner),
      network_(network),
      consumed_(assignment->num_slots()),
      pending_(assignment->num_slots()) {
  if (stage.output == StageOutput::kGather) {
    consumers_.push_back(assignment->gather_slot());
    return;
  }
  for (int slot = 0; slot < assignment->num_slots(); ++slot) {
    if (stage.output == StageOutput::kBroadcast || assignment->OwnsKeyGroups(slot)) {
      consumers_.push_back(slot);
    }
  }
}

arrow::Status ExchangeOutput::Send(int lane, int64_t chunk, Rows rows) {
  ExchangeFrame frame{.stage = stage_, .lane = lane, .chunk = chunk};
  if (partitioner_ == nullptr) {
    frame.rows = std::move(rows);
    for (const int slot : consumers_) ARROW_RETURN_NOT_OK(Add(slot, frame));
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(std::vector<Rows> pieces, partitioner_->Partition(rows.batch));
  for (size_t slot = 0; slot < pieces.size(); ++slot) {
    if (pieces[slot].batch == nullptr) continue;
    frame.rows = std::move(pieces[slot]);
    ARROW_RETURN_NOT_OK(Add(slot, frame));
  }
  return arrow::Status::OK();
}

arrow::Status ExchangeOutput::Add(size_t slot, ExchangeFrame frame) {
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*frame.rows.batch));
  consumed_[slot].unconsumed[frame.chunk] += bytes;
  consumed_[slot].unconsumed_bytes += bytes;
  pending_[slot].push_back(std::move(frame));
  return arrow::Status::OK();
}

void ExchangeOutput::EndChunk(int lane, int64_t chunk) {
  SendToAll({.stage = stage_, .lane = lane, .chunk = chunk, .ends_chunk = true});
}

void ExchangeOutput::EndLane(int lane, int64_t chunk) {
  SendToAll({.stage = stage_, .lane = lane, .chunk = chunk, .ends_chunk = true, .ends_lane = true});
}

// The marks ride on the lane's last piece for a consumer where that has not left yet.
void ExchangeOutput::SendToAll(const ExchangeFrame& frame) {
  for (int slot : consumers_) {
    auto& pending = pending_[slot];
    if (!pending.empty() && pending.back().lane == frame.lane &&
        pending.back().chunk == frame.chunk && !pending.back().ends_chunk) {
      pending.back().ends_chunk = frame.ends_chunk;
      pending.back().ends_lane = frame.ends_lane;
    } else {
      pending.push_back(frame);
    }
  }
}

bool ExchangeOutput::MayProduce(int64_t chunk) const {
  return std::all_of(consumers_.begin(), consumers_.end(), [&](int slot) {
    const Consumer& consumer = consumed_[slot];
    return chunk <= consumer.chunk || (chunk < consumer.chunk + kExchangeWindowChunks &&
                                       consumer.unconsumed_bytes < kExchangeWindowBytes);
  });
}

void ExchangeOutput::OnProgress(const ExchangeProgress& progress) {
  // It may come from another process.
  if (progress.consumer < 0 || progress.consumer >= static_cast<int>(consumed_.size())) return;
  Consumer& consumer = consumed_[progress.consumer];
  consumer.chunk = std::max(consumer.chunk, progress.chunk);
  while (!consumer.unconsumed.empty() && consumer.unconsumed.begin()->first < consumer.chunk) {
    consumer.unconsumed_bytes -= consumer.unconsumed.begin()->second;
    consumer.unconsumed.erase(consumer.unconsumed.begin());
  }
}

void ExchangeOutput::Flush() {
  for (int slot : consumers_) {
    if (pending_[slot].empty()) continue;
    network_->SendFrames(assignment_->slots[slot], attempt_, std::exchange(pending_[slot], {}));
  }
}

arrow::Status SinkOutput::Send(int lane, int64_t chunk, Rows rows) {
  rows_written_ += rows.batch->num_rows();
  return writer_->Write(rows.batch);
}

}  // namespace tidemill::worker
