#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "state/table/cold_side.h"
#include "state/table/key_codec.h"
#include "state/table/key_index.h"
#include "state/table/pod_vector.h"
#include "state/table/row_block.h"
#include "state/table/state_column.h"

namespace tidemill::state {

// The rows of one operator and key group (or of a partial aggregation) in memory: a hash index over
// encoded keys, values in columns. A row is known by its number, which is stable until the epoch
// ends (CommitEpoch may renumber) and grows in insertion order.
//
// Where memory is short, rows that the tier below has leave (EvictClean): cold rows, which come
// back when their key is asked for (AdmitCold). Who walks all rows or erases by time must not
// evict.
//
// An epoch is open at any time. Within it rows may be inserted, changed (after Touch) and erased;
// then it is either committed or undone, which restores keys and values exactly as they were.
// Without `is_transactional` there is no undo, no change list and no Erase: the table only grows
// until Clear. *Thread-compatible.*
class HotTable {
 public:
  static constexpr uint32_t kNoRow = 0xffffffffu;

  struct Options {
    std::shared_ptr<const KeyCodec> keys;
    std::vector<std::shared_ptr<arrow::DataType>> values;
    bool is_transactional = true;
  };
  explicit HotTable(Options options);
  ~HotTable();

  // Looks up keys [begin, end) of a batch, adding those that are missing; rows[i] and is_new[i]
  // (may be nullptr) belong to key begin + i. A new row has NULL values and counts as changed.
  void FindOrInsert(const EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows,
                    uint8_t* is_new);
  // Adds keys [begin, end) that the caller knows to be missing and not NULL; hashes are not read.
  // The index learns of them when a lookup asks, so a table that is only added to has none.
  void Append(const EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows);
  // As FindOrInsert without adding: kNoRow where a key is missing.
  void Find(const EncodedKeys& keys, int64_t begin, int64_t end, uint32_t* rows);
  // Says that the values of these live rows are about to change. Repeats are cheap.
  void Touch(std::span<const uint32_t> rows);
  // Says that a row is in use, though it does not change: it is evicted after others.
  void Refer(uint32_t row) { marks_[row] |= kOneUse; }
  // Removes live rows; a later insert of the same key in this epoch gets a new row.
  void Erase(std::span<const uint32_t> rows);

  // Brings back the cold ones among the rows of keys [begin, end), unchanged. To be called before
  // FindOrInsert and Find, which know hot rows only; free of charge where no row is cold. Errors:
  // those of ColdRows; the epoch must be undone then.
  arrow::Status AdmitCold(const EncodedKeys& keys, int64_t begin, int64_t end) {
    return cold_rows() == 0 ? arrow::Status::OK() : AdmitFromCold(keys, begin, end);
  }

  // Ends the open epoch and begins the next one.
  void CommitEpoch(int64_t epoch);
  void UndoEpoch();
  // Removes everything at once, undo and marks too; keeps capacity.
  void Clear();

  StateColumn& column(int i) { return columns_[i]; }
  const StateColumn& column(int i) const { return columns_[i]; }
  int num_columns() const { return static_cast<int>(columns_.size()); }

  // Another number when rows may have come back or got other numbers (CommitEpoch now and then,
  // UndoEpoch, EvictClean, Clear): what was noted about rows by number counts no more.
  uint64_t layout() const { return layout_; }

  bool is_live(uint32_t row) const { return (marks_[row] & kLive) != 0; }
  uint32_t num_rows() const { return static_cast<uint32_t>(marks_.size()); }  // with erased ones
  int64_t size() const { return live_rows_; }                                 // hot ones
  int64_t cold_rows() const;
  // Live rows in insertion order.
  void LiveRows(std::vector<uint32_t>* rows) const;
  // Rows inserted, touched or erased in the open epoch, in order of the first such event.
  std::span<const uint32_t> changed_rows() const { return {changed_.data(), changed_.size()}; }
  std::string_view key(uint32_t row) const;
  bool is_null_key(uint32_t row) const { return (marks_[row] & kNullKey) != 0; }
  int64_t memory_bytes() const;
  int64_t cold_bytes() const;  // of these, what eviction does not give back

  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> KeyArrays(
      std::span<const uint32_t> rows, arrow::MemoryPool* pool) const;
  arrow::Result<std::vector<std::shared_ptr<arrow::Array>>> ValueArrays(
      std::span<const uint32_t> rows, arrow::MemoryPool* pool) const;

  // Rows changed in the open epoch as after-images and tombstones, in change order; rows that came
  // and went within the epoch are left out.
  void ExportChanges(RowBlock* out) const;
  // Between epochs: rows changed since the last capture (all of them the first time), unsorted,
  // each key once; they count as captured now.
  void CaptureDirty(RowBlock* out);
  // Between epochs, without cold rows: forgets all captures, so that the next one is a first one
  // again.
  void MarkAllDirty();
  // Between epochs, once `source` holds all that was captured: drops up to `max_rows` rows that are
  // as they were captured, those first that were in use least often, of these those that came
  // first, and gives their memory back. Returns how many. The source must hold them for as long as
  // this table lives. What is noted of cold keys takes `max_cold_bytes` at most, about; where that
  // is little, more keys are asked for that are not there.
  int64_t EvictClean(int64_t max_rows, std::shared_ptr<const ColdRows> source,
                     int64_t max_cold_bytes = std::numeric_limits<int64_t>::max());
  // Writes after-images and tombstones into the table, as changes of the open epoch; cold rows of
  // the same keys come back first. Errors: CHECKPOINT_CORRUPT (kCorrupt) where a row does not
  // decode; those of AdmitCold.
  arrow::Status Import(const RowBlock& block);

  // No row changed in the epochs after this one and before the open one; -1 at the beginning.
  int64_t last_changed_epoch() const { return last_changed_epoch_; }
  // For restore: what the rows imported so far represent.
  void set_last_changed_epoch(int64_t epoch) { last_changed_epoch_ = epoch; }

  struct ColdCounters {
    int64_t keys = 0;     // that were looked up in all while there were cold rows
    int64_t lookups = 0;  // keys that the tier below was asked for
    int64_t found = 0;
  };
  // Since the last call.
  ColdCounters TakeColdCounters();

  int32_t key_width() const { return keys_->width(); }
  int32_t value_width() const { return value_width_; }  // of encoded values; -1 where they differ
  const KeyCodec& key_codec() const { return *keys_; }

 private:
  // Bits of marks_.
  static constexpr uint8_t kLive = 1;
  static constexpr uint8_t kChanged = 2;   // in changed_
  static constexpr uint8_t kDirty = 4;     // committed since the last capture
  static constexpr uint8_t kCaptured = 8;  // its key was in a capture: its removal must be, too
  static constexpr uint8_t kNullKey = 16;
  static constexpr uint8_t kOneUse = 32;  // how often it was in use since it came, up to 7 times
  static constexpr uint8_t kUses = 7 * kOneUse;

  struct Range {
    int64_t begin;
    int64_t end;
  };
  template <class Width, bool kInsert, class Table>
  static void Probe(Table* table, Width width, const EncodedKeys& keys, Range range,
                    uint32_t* rows);
  template <bool kInsert, class Table>
  static void Dispatch(Table* table, const EncodedKeys& keys, Range range, uint32_t* rows);
  uint32_t AddRow(std::string_view key, uint8_t extra_marks);
  void AddValues(uint32_t first_new);
  void EnsureNullRow();
  std::string_view VariableKey(uint32_t row) const {
    const uint64_t begin = row == 0 ? 0 : key_ends_[row - 1];
    return {reinterpret_cast<const char*>(key_bytes_.data()) + begin, key_ends_[row] - begin};
  }
  // The tier below may have a row of its key, which is not NULL.
  bool is_flushed_key(uint32_t row) const {
    return (marks_[row] & (kCaptured | kNullKey)) == kCaptured;
  }
  uint8_t UsesOf(uint32_t row) const { return marks_[row] / kOneUse; }
  uint32_t TagOf(uint32_t row) const;
  void CatchUpIndex();
  void RemoveFromIndex(uint32_t row);
  void ReturnToIndex(uint32_t row);
  void DropHoles();
  void KeepRows(const std::vector<uint32_t>& kept, size_t evicted);
  uint32_t FindOne(std::string_view key, bool is_null);
  void RecordRemoval(uint32_t row);
  void FetchKeysAhead(std::span<const uint32_t> rows, size_t i) const;
  void ExportRows(std::span<const uint32_t> rows, RowBlock* out) const;
  arrow::Status KeysOf(const RowBlock& block, uint32_t begin, uint32_t end, EncodedKeys* out) const;
  arrow::Status ImportPuts(const RowBlock& block, uint32_t begin, uint32_t end);
  arrow::Status ReadValues(const RowBlock& block, uint32_t begin, std::span<const uint32_t> rows);
  arrow::Status AdmitFromCold(const EncodedKeys& keys, int64_t begin, int64_t end);
  arrow::Status Admit(const RowBlock& block);
  void UndoCold();
  arrow::Status GatherKeys(std::span<const uint32_t> rows, EncodedKeys* out) const;

  const std::shared_ptr<const KeyCodec> keys_;
  const bool is_transactional_;
  int32_t value_width_ = 0;
  KeyIndex index_;
  uint32_t indexed_rows_ = 0;  // live rows from here on are not in the index yet
  uint32_t null_row_ = kNoRow;
  PodVector<uint8_t> marks_;
  PodVector<uint64_t> key_ends_;  // variable width: of row i's bytes in key_bytes_
  PodVector<uint8_t> key_bytes_;
  std::vector<StateColumn> columns_;
  PodVector<uint32_t> changed_;
  PodVector<uint32_t> undo_rows_;  // row of the i-th undo value
  uint32_t epoch_first_row_ = 0;   // rows from here on were inserted in the open epoch
  int64_t live_rows_ = 0;
  int64_t holes_ = 0;  // committed erased rows
  int64_t last_changed_epoch_ = -1;
  uint64_t layout_ = 0;
  std::unique_ptr<RowBlock> tombstones_;  // removed since the last capture, known to it
  std::unique_ptr<ColdSide> cold_;        // null until a row is evicted
};

}  // namespace tidemill::state
