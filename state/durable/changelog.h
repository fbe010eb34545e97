#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/fs/file_system.h"
#include "state/durable/changelog_codec.h"
#include "state/durable/records.h"
#include "state/table/hot_table.h"
#include "state/table/pod_vector.h"
#include "state/table/row_block.h"

namespace tidemill::state {

// Sections of one epoch, one per changed table, collected by a slot on its own thread and then
// handed to the worker's segment. With a codec they are packed while they are added, so that what
// is not packed never takes much. *Thread-compatible.*
class ChangelogSections {
 public:
  ChangelogSections() = default;  // written as they are
  explicit ChangelogSections(ChangelogCodec codec) : codec_(codec) {}

  // Adds what the open epoch changed in `table`; nothing where it changed nothing.
  void Add(int32_t operator_id, uint32_t key_group, const HotTable& table);
  // Rows of a table that last changed in epoch `unchanged_since`.
  void AddRows(int32_t operator_id, uint32_t key_group, int64_t unchanged_since,
               const RowBlock& rows);
  // Behind the last Add, before anything else: packs the rest.
  arrow::Status Seal();
  void Clear();

  bool is_packed() const { return codec_ != ChangelogCodec::kNone; }
  std::string_view bytes() const {  // as they are written
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  uint32_t num_sections() const { return static_cast<uint32_t>(key_groups_.size()); }
  const std::vector<uint32_t>& key_groups() const { return key_groups_; }  // may repeat
  int64_t num_rows() const { return num_rows_; }

 private:
  void PackPending();

  ChangelogCodec codec_ = ChangelogCodec::kNone;
  PodVector<uint8_t> bytes_;     // large ones grow without a copy
  PodVector<uint8_t> unpacked_;  // with a codec: what is not in `bytes_` yet
  arrow::Status packed_;         // how that went
  std::vector<uint32_t> key_groups_;
  int64_t num_rows_ = 0;
  RowBlock block_;
};

// The append-only file of one worker incarnation in <checkpoint>/state. Bytes that no committed
// extent refers to mean nothing. After a failed Append or Sync the segment refuses everything.
// *Thread-compatible.*
class ChangelogSegment {
 public:
  struct Options {
    FileSystem* fs = nullptr;  // must outlive the segment
    std::string state_dir;     // <checkpoint>/state, exists
    std::string worker;
    std::string incarnation;  // UUID
    int64_t sequence = 0;     // of the worker's segments
    bool is_durable = true;   // false: nothing is ever synced
  };
  // Creates the file exclusively and makes its name durable.
  static arrow::Result<std::unique_ptr<ChangelogSegment>> Create(Options options);

  // Appends one extent with the sections of all slots, all packed or none. Call Sync before it is
  // reported.
  arrow::Result<Extent> Append(int64_t epoch, std::span<const ChangelogSections* const> slots);
  arrow::Status Sync();

  const std::string& name() const { return name_; }
  int64_t size() const { return size_; }

 private:
  ChangelogSegment(std::unique_ptr<WritableFile> file, std::string name, bool is_durable);

  const std::unique_ptr<WritableFile> file_;
  const std::string name_;
  const bool is_durable_;
  int64_t size_ = 0;
  bool is_broken_ = false;
};

// One section of an extent.
struct ChangelogSection {
  int32_t operator_id = 0;
  uint32_t key_group = 0;
  // The table did not change after this epoch and before the extent's.
  int64_t unchanged_since = -1;
  std::string_view block;  // ParseRowBlock
};

// Reads an extent, verifies its checksum and unpacks it. Errors: CHECKPOINT_CORRUPT (kCorrupt) with
// file, offset, expected and actual checksum; also where the file is missing or too short.
arrow::Result<std::string> ReadExtent(FileSystem* fs, const std::string& state_dir,
                                      const Extent& extent);
// Calls `visit` for each section of a verified extent's bytes, in order of writing. Errors:
// CHECKPOINT_CORRUPT, and what `visit` returns.
arrow::Status ForEachSection(const Extent& extent, std::string_view bytes,
                             const std::function<arrow::Status(const ChangelogSection&)>& visit);

}  // namespace tidemill::state
