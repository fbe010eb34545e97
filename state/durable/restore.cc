#include "state/durable/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "state/durable/changelog.h"
#include "state/durable/snapshot_reader.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

// Snapshots of a key group from which its changelog extents are kept.
constexpr int kRestorePaths = 2;

// Rows between two calls of a RoomMaker.
constexpr int64_t kRoomRows = 1 << 14;

// A snapshot that is opened when it is first needed, by whichever slot comes first.
struct Candidate {
  std::once_flag once;
  std::unique_ptr<SnapshotReader> reader;
  arrow::Status status;
};

// What is known about a table while the extents are applied.
struct TableProgress {
  HotTable* table = nullptr;
  int64_t complete_to = -1;  // the rows are those at the end of this epoch at least
  int64_t last_changed = -1;
};

// One call of Restore.
struct Run {
  const Restorer::TableFinder& find;
  const Restorer::RoomMaker& make_room;
  Restorer::Stats stats;
  std::map<std::pair<int32_t, uint32_t>, TableProgress> tables;  // by operator and key group
  std::map<uint32_t, int64_t> bases;  // by key group: epoch of its snapshot, -1 for none
  int64_t rows_with_room = 0;         // read when there was room for the last time

  bool Needs(const Extent& extent, uint32_t key_group) const {
    const auto base = bases.find(key_group);
    return base != bases.end() && base->second < extent.epoch;
  }
  arrow::Status MakeRoom(int64_t epoch) {
    const int64_t rows = stats.snapshot_rows + stats.kept_rows + stats.changelog_rows;
    if (!make_room || rows - rows_with_room < kRoomRows) return arrow::Status::OK();
    rows_with_room = rows;
    for (auto& [id, known] : tables) known.table->CommitEpoch(epoch);
    return make_room();
  }
};

// The tables of one key group while they are filled with all their rows.
class Base {
 public:
  Base(uint32_t key_group, Run* run) : key_group_(key_group), run_(run) {}

  template <class Reader>
  arrow::Result<int64_t> ReadFrom(const Reader& reader) {
    return reader.ReadKeyGroup(key_group_, [this](int32_t operator_id) {
      HotTable* table = run_->find(operator_id, key_group_);
      if (table != nullptr) tables_.emplace_back(operator_id, table);
      return table;
    });
  }
  void Clear() const {
    for (const auto& [operator_id, table] : tables_) table->Clear();
  }
  // They hold the rows of the end of `epoch`.
  void Take(int64_t epoch) const {
    for (const auto& [operator_id, table] : tables_)
      run_->tables[{operator_id, key_group_}] = {table, epoch, table->last_changed_epoch()};
  }

 private:
  const uint32_t key_group_;
  Run* const run_;
  std::vector<std::pair<int32_t, HotTable*>> tables_;
};

}  // namespace

struct Restorer::Impl {
  // Whether a key group can be restored from a snapshot.
  bool IsUsable(const Snapshot& snapshot, uint32_t key_group) const {
    return snapshot.epoch <= options.committed_epoch &&
           HoldsKeyGroup(snapshot.key_groups, key_group);
  }

  Options options;
  std::vector<Candidate> candidates;  // parallel to options.snapshots
  // For people.
  std::atomic<int64_t> key_groups_read = 0;
  std::atomic<int64_t> rows_read = 0;
  std::atomic<bool> is_kept_damaged = false;

  explicit Impl(Options given) : options(std::move(given)), candidates(options.snapshots.size()) {}
  ~Impl() {
    candidates.clear();
    (void)RemoveTree(FileSystem::Local(), options.scratch_dir);  // scratch
  }

  arrow::Result<const SnapshotReader*> Reader(size_t i, Run* run);
  arrow::Result<int64_t> RestoreBase(uint32_t key_group, Run* run);
  std::optional<int64_t> UseFilled(uint32_t key_group, Run* run);
  std::optional<int64_t> UseKept(uint32_t key_group, Run* run);
  bool HasExtentsSince(uint32_t key_group, int64_t epoch) const;
  arrow::Status ApplySection(const Extent& extent, const ChangelogSection& section, Run* run);
  arrow::Status ApplyExtents(Run* run);
};

arrow::Result<const SnapshotReader*> Restorer::Impl::Reader(size_t i, Run* run) {
  Candidate& candidate = candidates[i];
  const Snapshot& snapshot = options.snapshots[i];
  std::call_once(candidate.once, [&] {
    auto reader = SnapshotReader::Open(options.fs, options.state_dir,
                                       JoinPath(options.scratch_dir, snapshot.id), snapshot);
    candidate.status = reader.status();
    if (reader.ok()) {
      candidate.reader = std::move(*reader);
    } else if (KindOf(candidate.status) == ErrorKind::kCorrupt) {
      ++run->stats.corrupt_snapshots;
      LogWarn("snapshot_corrupt")
          .With("snapshot", snapshot.id)
          .With("epoch", snapshot.epoch)
          .With("error", candidate.status.message());
    }
  });
  ARROW_RETURN_NOT_OK(candidate.status);
  return candidate.reader.get();
}

// Whether all extents of a key group after the epoch are given: they are kept from the older of its
// two newest snapshots on.
bool Restorer::Impl::HasExtentsSince(uint32_t key_group, int64_t epoch) const {
  int newer = 0;
  for (const Snapshot& snapshot : options.snapshots) {
    if (snapshot.epoch > epoch && IsUsable(snapshot, key_group) && ++newer == kRestorePaths)
      return false;
  }
  return true;
}

// The epoch up to which the tables of a key group are filled already; clears those that are of no
// use.
std::optional<int64_t> Restorer::Impl::UseFilled(uint32_t key_group, Run* run) {
  std::vector<std::pair<int32_t, HotTable*>> tables;
  int64_t epoch = options.committed_epoch;
  for (const auto& [id, filled_to] : options.filled) {
    if (id.second != key_group) continue;
    HotTable* table = run->find(id.first, key_group);
    if (table == nullptr) continue;
    tables.emplace_back(id.first, table);
    epoch = std::min(epoch, filled_to);
  }
  if (tables.empty()) return std::nullopt;
  if (!HasExtentsSince(key_group, epoch)) {
    for (const auto& [operator_id, table] : tables) table->Clear();
    return std::nullopt;
  }
  for (const auto& [operator_id, table] : tables)
    run->tables[{operator_id, key_group}] = {table, epoch, table->last_changed_epoch()};
  run->stats.filled_tables += static_cast<int64_t>(tables.size());
  return epoch;
}

// Fills the tables of a key group from what was kept of it, if that fits; the epoch it stands for.
std::optional<int64_t> Restorer::Impl::UseKept(uint32_t key_group, Run* run) {
  if (options.kept == nullptr) return std::nullopt;
  const auto epoch = options.kept->state().FitOf(key_group, options.snapshots, options.extents);
  if (!epoch || *epoch > options.committed_epoch || !HasExtentsSince(key_group, *epoch))
    return std::nullopt;
  Base base(key_group, run);
  const auto rows = base.ReadFrom(*options.kept);
  if (!rows.ok()) {
    base.Clear();
    if (!is_kept_damaged.exchange(true, std::memory_order_relaxed)) {
      LogWarn("kept_state_unusable")
          .With("key_group", key_group)
          .With("error", rows.status().message());
    }
    return std::nullopt;
  }
  run->stats.kept_rows += *rows;
  rows_read.fetch_add(*rows, std::memory_order_relaxed);
  base.Take(*epoch);
  return epoch;
}

// Fills the tables of a key group from its newest sound snapshot and returns that one's epoch; -1
// where there is none. Extents are kept from the older of its two newest snapshots on (all where it
// has one): beyond these two a table that has not changed since would come back empty or stale, and
// no gap would tell.
arrow::Result<int64_t> Restorer::Impl::RestoreBase(uint32_t key_group, Run* run) {
  if (const auto epoch = UseFilled(key_group, run)) return *epoch;
  if (const auto epoch = UseKept(key_group, run)) return *epoch;
  int damaged = 0;
  arrow::Status last_problem;
  for (size_t i = 0; i < options.snapshots.size() && damaged < kRestorePaths; ++i) {
    const Snapshot& snapshot = options.snapshots[i];
    if (!IsUsable(snapshot, key_group)) continue;
    Base base(key_group, run);
    const auto reader = Reader(i, run);
    const auto rows = reader.ok() ? base.ReadFrom(**reader) : reader.status();
    if (rows.ok()) {
      run->stats.snapshot_rows += *rows;
      rows_read.fetch_add(*rows, std::memory_order_relaxed);
      base.Take(snapshot.epoch);
      return snapshot.epoch;
    }
    if (KindOf(rows.status()) != ErrorKind::kCorrupt) return rows.status();
    ++damaged;
    last_problem = rows.status();
    base.Clear();
    if (!reader.ok()) continue;  // said once, when it was opened
    ++run->stats.corrupt_snapshots;
    LogWarn("snapshot_corrupt")
        .With("snapshot", snapshot.id)
        .With("epoch", snapshot.epoch)
        .With("key_group", key_group)
        .With("error", rows.status().message());
  }
  if (damaged < kRestorePaths) return -1;
  return WithContext(last_problem,
                     fmt::format("no sound snapshot is left of key group {}, and the changelog "
                                 "before them is gone",
                                 key_group));
}

arrow::Status Restorer::Impl::ApplySection(const Extent& extent, const ChangelogSection& section,
                                           Run* run) {
  const auto [it, is_new] = run->tables.try_emplace({section.operator_id, section.key_group});
  TableProgress& known = it->second;
  if (is_new)
    known = {run->find(section.operator_id, section.key_group), run->bases.at(section.key_group),
             -1};
  if (known.table == nullptr)
    return CorruptState(fmt::format("the query has no stateful operator {}: file={} offset={}",
                                    section.operator_id, extent.file, extent.offset));
  if (known.complete_to < section.unchanged_since)
    return CorruptState(fmt::format(
        "changelog has a gap: file={} offset={} operator={} key_group={} restored_epoch={} "
        "needed_epoch={}: no sound snapshot covers it",
        extent.file, extent.offset, section.operator_id, section.key_group, known.complete_to,
        section.unchanged_since));
  RowBlock block;
  ARROW_RETURN_NOT_OK(ParseRowBlock(section.block, &block));
  ARROW_RETURN_NOT_OK(known.table->Import(block));
  known.complete_to = extent.epoch;
  known.last_changed = extent.epoch;
  run->stats.changelog_rows += block.num_rows;
  rows_read.fetch_add(block.num_rows, std::memory_order_relaxed);
  return arrow::Status::OK();
}

arrow::Status Restorer::Impl::ApplyExtents(Run* run) {
  int64_t last_epoch = -1;
  for (const Extent& extent : options.extents) {
    if (extent.epoch < last_epoch)
      return MakeError(ErrorKind::kBug, "INTERNAL_ERROR", "extents are not ascending by epoch");
    last_epoch = extent.epoch;
    if (extent.epoch > options.committed_epoch) break;
    if (std::none_of(extent.key_groups.begin(), extent.key_groups.end(),
                     [&](uint32_t group) { return run->Needs(extent, group); }))
      continue;
    ARROW_ASSIGN_OR_RAISE(const std::string bytes,
                          ReadExtent(options.fs, options.state_dir, extent));
    ARROW_RETURN_NOT_OK(ForEachSection(extent, bytes, [&](const ChangelogSection& section) {
      if (!run->Needs(extent, section.key_group)) return arrow::Status::OK();
      ARROW_RETURN_NOT_OK(ApplySection(extent, section, run));
      return run->MakeRoom(options.committed_epoch);
    }));
  }
  return arrow::Status::OK();
}

Restorer::Restorer(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
Restorer::~Restorer() = default;

Restorer::Progress Restorer::progress() const {
  return {impl_->key_groups_read.load(std::memory_order_relaxed),
          impl_->rows_read.load(std::memory_order_relaxed)};
}

arrow::Result<Restorer::Stats> Restorer::Restore(std::span<const uint32_t> key_groups,
                                                 const TableFinder& find,
                                                 const RoomMaker& make_room) {
  Run run{.find = find, .make_room = make_room};
  for (const uint32_t group : key_groups) {
    ARROW_ASSIGN_OR_RAISE(run.bases[group], impl_->RestoreBase(group, &run));
    impl_->key_groups_read.fetch_add(1, std::memory_order_relaxed);
    ARROW_RETURN_NOT_OK(run.MakeRoom(impl_->options.committed_epoch));
  }
  ARROW_RETURN_NOT_OK(impl_->ApplyExtents(&run));
  for (auto& [id, known] : run.tables) {
    known.table->CommitEpoch(impl_->options.committed_epoch);
    known.table->set_last_changed_epoch(known.last_changed);
    run.stats.rows += known.table->size() + known.table->cold_rows();
  }
  return run.stats;
}

}  // namespace tidemill::state
