#pragma once

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/types/value_format.h"
#include "state/durable/flush_batch.h"
#include "tests/testing/batches.h"
#include "worker/exchange/hash_partitioner.h"
#include "worker/operators/operator.h"
#include "worker/operators/operator_states.h"

namespace tidemill::worker {

constexpr int64_t kSecond = 1'000'000;

// One stateful operator over real tables, epoch after epoch. *Thread-compatible.*
class StatefulHarness {
 public:
  using MakeOperator =
      std::function<arrow::Result<std::unique_ptr<Operator>>(OperatorStates* states)>;
  static constexpr int kKeyGroups = 8;

  // `key_columns` are those of the input that the exchange in front of the operator goes by.
  StatefulHarness(StatefulOperator op, std::vector<int> key_columns, MakeOperator make)
      : op_(std::move(op)), key_columns_(std::move(key_columns)), make_(std::move(make)) {
    Restart({}, 1);
  }

  // What an epoch gives, as JSON, sorted. It stays open.
  std::vector<std::string> Run(const std::vector<std::shared_ptr<arrow::RecordBatch>>& input,
                               const EpochInfo& epoch) {
    Collector out(/*has_key_groups=*/!key_columns_.empty());
    for (Slot& slot : slots_) {
      slot.op->Reset();
      slot.op->Begin(epoch);
    }
    for (const auto& batch : input) {
      std::vector<Rows> pieces = Partition(batch);
      for (size_t slot = 0; slot < slots_.size(); ++slot) {
        if (pieces[slot].batch == nullptr) continue;
        EXPECT_EQ(slots_[slot].op->Process(Context(epoch), std::move(pieces[slot]), &out),
                  arrow::Status::OK());
      }
    }
    counters_ = {};
    for (Slot& slot : slots_) {
      for (const uint32_t group : slot.states->key_groups()) {
        while (slot.op->EmitNext(Context(epoch), group, &out).ValueOrDie()) {
        }
      }
      EXPECT_TRUE(slot.op->EndInput(Context(epoch), &out).ok());
      slot.op->Report(&counters_);
    }
    std::sort(out.rows.begin(), out.rows.end());
    return out.rows;
  }
  // With a late and an eviction watermark, in seconds.
  std::vector<std::string> Run(const std::vector<std::shared_ptr<arrow::RecordBatch>>& input,
                               int64_t late_s, int64_t eviction_s) {
    EpochInfo epoch;
    epoch.watermarks[op_.operator_id] = {late_s * kSecond, eviction_s * kSecond, {}, {}};
    return Run(input, epoch);
  }

  void Commit() {
    for (Slot& slot : slots_) slot.states->CommitEpoch(epoch_);
    ++epoch_;
  }
  void Undo() {
    for (Slot& slot : slots_) slot.states->UndoEpoch();
  }
  // Between epochs: another process with the same rows, which come in the order of a snapshot.
  void Restore(int slots = 1) {
    state::FlushBatch rows;
    for (Slot& slot : slots_) {
      slot.states->MarkAllDirty();
      slot.states->CaptureDirty(&rows);
    }
    Restart(rows, slots);
  }

  const EpochCounters::OfOperator& counters() { return counters_.operators[op_.operator_id]; }
  int64_t state_rows() const {
    int64_t rows = 0;
    for (const Slot& slot : slots_) rows += slot.states->Summarise(op_.operator_id).rows;
    return rows;
  }

 private:
  class Collector final : public RowConsumer {
   public:
    explicit Collector(bool has_key_groups) : has_key_groups_(has_key_groups) {}

    arrow::Status Consume(Rows piece) override {
      int32_t covered = 0;
      for (const GroupRun& run : piece.runs) {
        EXPECT_EQ(run.begin, covered);
        covered = run.end;
      }
      EXPECT_EQ(covered, has_key_groups_ ? piece.batch->num_rows() : 0);
      const JsonRowWriter writer(piece.batch->schema(), FindTimeZone("UTC").ValueOrDie());
      for (int64_t row = 0; row < piece.batch->num_rows(); ++row) {
        writer.AppendRow(*piece.batch, row, &rows.emplace_back());
      }
      return arrow::Status::OK();
    }
    std::vector<std::string> rows;

   private:
    const bool has_key_groups_;
  };

  static EvalContext Context(const EpochInfo& epoch) {
    EvalContext context;
    context.epoch_time_us = epoch.epoch_time_us;
    context.pool = arrow::default_memory_pool();
    context.zone = FindTimeZone("UTC").ValueOrDie();
    return context;
  }

  std::vector<Rows> Partition(const std::shared_ptr<arrow::RecordBatch>& batch) const {
    std::vector<std::shared_ptr<arrow::DataType>> types;
    for (const int column : key_columns_) types.push_back(batch->column(column)->type());
    std::vector<uint32_t> slot_of_group(kKeyGroups);
    const auto slots = static_cast<uint32_t>(slots_.size());
    for (uint32_t group = 0; group < kKeyGroups; ++group) slot_of_group[group] = group % slots;
    auto partitioner =
        HashPartitioner::Make(types, key_columns_, slot_of_group, static_cast<int>(slots))
            .ValueOrDie();
    return partitioner->Partition(batch).ValueOrDie();
  }

  void Restart(const state::FlushBatch& captured, int slots) {
    slots_.clear();
    for (int i = 0; i < slots; ++i) {
      Slot& slot = slots_.emplace_back();
      slot.states = OperatorStates::Make({op_}, kKeyGroups).ValueOrDie();
      for (uint32_t group = i; group < kKeyGroups; group += slots) {
        auto table = slot.states->MakeTable(op_.operator_id);
        Import(captured, group, table.get());
        slot.states->AddTable(op_.operator_id, group, std::move(table));
      }
      slot.op = make_(slot.states.get()).ValueOrDie();
    }
  }

  // Backwards: the order of keys in a snapshot is not that of their arrival.
  void Import(const state::FlushBatch& captured, uint32_t group, state::HotTable* table) const {
    for (const auto& run : captured.runs()) {
      if (run.key_group != group) continue;
      state::RowBlock backwards;
      backwards.Clear(run.rows.key_width, run.rows.value_width);
      for (uint32_t i = run.rows.num_rows; i-- > 0;)
        backwards.AppendRow(run.rows.flags[i], run.rows.Key(i), run.rows.Value(i));
      EXPECT_EQ(table->Import(backwards), arrow::Status::OK());
      table->CommitEpoch(epoch_);
    }
  }

  struct Slot {
    std::unique_ptr<OperatorStates> states;
    std::unique_ptr<Operator> op;
  };

  const StatefulOperator op_;
  const std::vector<int> key_columns_;
  const MakeOperator make_;
  std::vector<Slot> slots_;
  EpochCounters counters_;
  int64_t epoch_ = 0;
};

}  // namespace tidemill::worker
