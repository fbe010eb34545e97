#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "state/table/hot_table.h"

namespace tidemill::worker {

// Rows of some keys of a batch, in the order of their arrival: of the i-th key asked for they are
// rows[offsets[i]] up to rows[offsets[i + 1]].
struct RowMatches {
  std::vector<uint32_t> offsets;
  std::vector<uint32_t> rows;

  std::span<const uint32_t> Of(size_t i) const {
    return std::span(rows).subspan(offsets[i], offsets[i + 1] - offsets[i]);
  }
};

// Any number of rows per key in one hot table: each is kept under (key, sequence), a BIGINT that is
// larger than that of every live row before it, and has the table's value columns. Which rows a key
// has is known in memory only: an index beside the table, made anew whenever the table says that
// row numbers may have changed (restore, undo, renumbering). Joins keep their sides so, session
// windows their sessions. *Thread-compatible.*
class RowStore {
 public:
  static constexpr uint32_t kNoRow = state::HotTable::kNoRow;

  // The key columns of the table of rows that are kept under `types`.
  static std::vector<std::shared_ptr<arrow::DataType>> KeyTypes(
      std::vector<std::shared_ptr<arrow::DataType>> types);
  // The keys of a batch as the verbs below take them. Errors: as KeyCodec::Encode.
  static arrow::Status EncodeKeys(const state::KeyCodec& codec,
                                  std::vector<std::shared_ptr<arrow::Array>> columns, int64_t rows,
                                  state::EncodedKeys* out);

  // `codec` is of KeyTypes, as the table's.
  explicit RowStore(std::shared_ptr<const state::KeyCodec> codec) : codec_(std::move(codec)) {}

  // Says which table the other verbs are about; before them whenever tables or epochs may have come
  // and gone since, at least once for every batch. `version` is OperatorStates::version(). The
  // table must outlive the verbs. Cheap where nothing has changed.
  void Attach(state::HotTable* table, uint64_t version);

  // Adds a row for each of the keys [begin, end), with NULL values. rows[i] belongs to key
  // begin + i; they are writable (touched) for the rest of the epoch.
  void Insert(const state::EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows);
  // The same for some of the keys, by their place in the batch.
  void Insert(const state::EncodedKeys& keys, std::span<const uint32_t> picked, uint32_t* rows);
  // The live rows of the keys [begin, end).
  void Find(const state::EncodedKeys& keys, int64_t begin, int64_t end, RowMatches* out);
  // The same one by one, for keys that may have more rows than should be collected: the first row
  // of every key or kNoRow, then the row after a live one, or kNoRow.
  void FindFirst(const state::EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* first);
  uint32_t Next(uint32_t row);
  // Removes live rows; also HotTable::Erase of the table does.
  void Erase(std::span<const uint32_t> rows) { table_->Erase(rows); }

  state::HotTable& table() { return *table_; }

 private:
  // The rows of one key are a chain through next_; those that are not live are skipped and cut out
  // in passing, all but the last.
  struct Chain {
    uint32_t first = kNoRow;
    uint32_t last = kNoRow;
  };

  void Rebuild();
  void Append(uint32_t chain, uint32_t row);
  uint32_t SkipDead(uint32_t row) const;

  const std::shared_ptr<const state::KeyCodec> codec_;
  state::HotTable* table_ = nullptr;
  uint64_t layout_ = 0;
  uint64_t version_ = 0;
  int64_t next_sequence_ = 0;
  std::unique_ptr<state::HotTable> directory_;  // keys with sequence 0; row i has chains_[i]
  state::PodVector<Chain> chains_;
  state::PodVector<uint32_t> next_;  // by row of the table
  state::EncodedKeys stored_;        // scratch: keys on their way into a table
  std::vector<uint32_t> found_;      // scratch: rows of the directory
  std::vector<uint32_t> picked_;     // scratch
};

}  // namespace tidemill::worker
