#include "state/durable/kept_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "state/durable/changelog.h"
#include "state/durable/snapshot_reader.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

constexpr char kFile[] = "KEPT";
constexpr char kDatabase[] = "db";
constexpr char kTitle[] = "tidemill kept state 1";
constexpr char kNoFile[] = "-";
constexpr char kChecksum[] = "checksum ";
constexpr size_t kKnownSnapshots = 64;  // two of each key group count, and workers are few

// Lines of words. The last one is the checksum of those before it.
std::string Render(const KeptState& kept) {
  std::string text = fmt::format("{}\nepoch {}\n", kTitle, kept.epoch);
  if (kept.database_epoch) text += fmt::format("database {}\n", *kept.database_epoch);
  for (const Extent& extent : kept.rows) {
    text += fmt::format("rows {} {} {} {} {}\n", extent.key_groups.front(), extent.offset,
                        extent.length, extent.checksum, extent.file);
  }
  for (const std::string& id : kept.snapshots) text += fmt::format("snapshot {}\n", id);
  for (const KeptGroup& group : kept.key_groups) {
    text +=
        fmt::format("group {} {} {} {} {}\n", group.key_group, group.slot, group.changed_epoch,
                    group.extent_offset, group.extent_file.empty() ? kNoFile : group.extent_file);
  }
  return text + fmt::format("{}{:016x}\n", kChecksum, Hash64(text));
}

arrow::Result<KeptState> Parse(const std::string& text) {
  const size_t body = text.rfind(kChecksum);
  if (body == std::string::npos || !text.starts_with(kTitle) ||
      text.substr(body) !=
          fmt::format("{}{:016x}\n", kChecksum, Hash64(std::string_view(text).substr(0, body))))
    return CorruptState("the list of kept state is damaged");
  KeptState kept;
  std::istringstream lines(text.substr(0, body));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream words(line);
    std::string kind;
    words >> kind;
    if (kind == "epoch") {
      words >> kept.epoch;
    } else if (kind == "database") {
      words >> kept.database_epoch.emplace();
    } else if (kind == "rows") {
      Extent& extent = kept.rows.emplace_back();
      words >> extent.key_groups.emplace_back() >> extent.offset >> extent.length >>
          extent.checksum >> extent.file;
      extent.epoch = kept.epoch;
    } else if (kind == "snapshot") {
      words >> kept.snapshots.emplace_back();
    } else {
      KeptGroup& group = kept.key_groups.emplace_back();
      words >> group.key_group >> group.slot >> group.changed_epoch >> group.extent_offset >>
          group.extent_file;
      if (group.extent_file == kNoFile) group.extent_file.clear();
    }
    if (words.fail()) return CorruptState("a line of the list of kept state: " + line);
  }
  return kept;
}

}  // namespace

std::optional<int64_t> KeptState::FitOf(uint32_t key_group, std::span<const Snapshot> others,
                                        std::span<const Extent> extents) const {
  const auto group = std::ranges::find(key_groups, key_group, &KeptGroup::key_group);
  if (group == key_groups.end()) return std::nullopt;
  for (const Extent& extent : extents) {
    if (extent.epoch == group->changed_epoch && extent.file == group->extent_file &&
        extent.offset == group->extent_offset && HoldsKeyGroup(extent.key_groups, key_group))
      return group->changed_epoch;
  }
  // The changelog before two snapshots is collected. A known snapshot after the change has it.
  std::optional<int64_t> fit;
  for (const Snapshot& snapshot : others) {
    if (snapshot.epoch >= group->changed_epoch && snapshot.epoch <= epoch &&
        HoldsKeyGroup(snapshot.key_groups, key_group) &&
        std::ranges::find(snapshots, snapshot.id) != snapshots.end())
      fit = std::max(fit.value_or(-1), snapshot.epoch);
  }
  return fit;
}

void TableHistory::Restored(std::span<const uint32_t> key_groups,
                            std::span<const Snapshot> snapshots, std::span<const Extent> extents,
                            int64_t committed_epoch) {
  std::vector<bool> is_open;  // by key group: nothing newer is known
  for (const uint32_t group : key_groups) {
    if (group >= changes_.size()) changes_.resize(group + 1);
    if (group >= is_open.size()) is_open.resize(group + 1);
    changes_[group] = {};
    is_open[group] = true;
  }
  for (const Snapshot& snapshot : snapshots) {
    Know(snapshot.id);
    if (snapshot.epoch > committed_epoch) continue;
    for (const uint32_t group : snapshot.key_groups) {
      if (group < is_open.size() && is_open[group])
        changes_[group].epoch = std::max(changes_[group].epoch, snapshot.epoch);
    }
  }
  for (auto extent = extents.rbegin(); extent != extents.rend(); ++extent) {
    if (extent->epoch > committed_epoch) continue;
    std::shared_ptr<const Extent> shared;
    for (const uint32_t group : extent->key_groups) {
      if (group >= is_open.size() || !is_open[group]) continue;
      is_open[group] = false;
      if (extent->epoch < changes_[group].epoch) continue;
      if (shared == nullptr) shared = std::make_shared<const Extent>(*extent);
      changes_[group] = {extent->epoch, shared};
    }
  }
}

void TableHistory::Changed(const std::shared_ptr<const Extent>& extent) {
  for (const uint32_t group : extent->key_groups) {
    if (group >= changes_.size()) changes_.resize(group + 1);
    changes_[group] = {extent->epoch, extent};
  }
}

void TableHistory::TookSnapshot(std::string id) { Know(std::move(id)); }

void TableHistory::Know(std::string snapshot) {
  if (std::ranges::find(snapshots_, snapshot) != snapshots_.end()) return;
  snapshots_.push_back(std::move(snapshot));
  if (snapshots_.size() > kKnownSnapshots) snapshots_.pop_front();
}

KeptState TableHistory::Describe(int64_t epoch,
                                 const std::vector<std::vector<uint32_t>>& groups_by_slot) const {
  KeptState kept;
  kept.epoch = epoch;
  kept.snapshots.assign(snapshots_.begin(), snapshots_.end());
  for (size_t slot = 0; slot < groups_by_slot.size(); ++slot) {
    for (const uint32_t group : groups_by_slot[slot]) {
      KeptGroup& entry = kept.key_groups.emplace_back();
      entry.key_group = group;
      entry.slot = static_cast<int>(slot);
      if (group >= changes_.size()) continue;
      const Change& change = changes_[group];
      entry.changed_epoch = change.epoch;
      if (change.extent == nullptr) continue;
      entry.extent_file = change.extent->file;
      entry.extent_offset = change.extent->offset;
    }
  }
  return kept;
}

arrow::Result<std::unique_ptr<KeptWriter>> KeptWriter::Begin(const std::string& dir,
                                                             KeptState kept) {
  std::unique_ptr<KeptWriter> writer(new KeptWriter(dir, std::move(kept)));
  FileSystem* const local = FileSystem::Local();
  for (const std::string& old : {dir, writer->unfinished()})
    ARROW_RETURN_NOT_OK(RemoveTree(local, old));
  ARROW_RETURN_NOT_OK(local->CreateDirectories(writer->unfinished()));
  return writer;
}

arrow::Status KeptWriter::AddRows(size_t number, const FlushBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(auto segment,
                        ChangelogSegment::Create({.fs = FileSystem::Local(),
                                                  .state_dir = unfinished(),
                                                  .worker = "kept",
                                                  .incarnation = "rows",
                                                  .sequence = static_cast<int64_t>(number)}));
  ChangelogSections sections(ChangelogCodec::kLz4);
  for (const FlushBatch::Run& run : batch.runs()) {
    sections.Clear();
    sections.AddRows(run.operator_id, run.key_group, run.last_changed_epoch, run.rows);
    ARROW_RETURN_NOT_OK(sections.Seal());
    const ChangelogSections* const slots[] = {&sections};
    ARROW_ASSIGN_OR_RAISE(Extent extent, segment->Append(epoch_, slots));
    MutexLock lock(&mutex_);
    kept_.rows.push_back(std::move(extent));
  }
  return segment->Sync();
}

arrow::Status KeptWriter::Finish(RocksDbTier* tier) {
  MutexLock lock(&mutex_);
  FileSystem* const local = FileSystem::Local();
  if (tier != nullptr) {
    const std::string database = JoinPath(unfinished(), kDatabase);
    ARROW_RETURN_NOT_OK(tier->LinkTo(database));
    ARROW_RETURN_NOT_OK(local->SyncDirectory(database));
    kept_.database_epoch = tier->flushed_epoch();
  }
  ARROW_RETURN_NOT_OK(PublishFile(local, JoinPath(unfinished(), kFile), Render(kept_)));
  return local->Rename(unfinished(), dir_, RenameMode::kNoReplace);
}

arrow::Result<std::unique_ptr<KeptTables>> KeptTables::Open(const std::string& dir) {
  std::unique_ptr<KeptTables> kept(new KeptTables(dir));
  ARROW_ASSIGN_OR_RAISE(const std::string text,
                        ReadFile(FileSystem::Local(), JoinPath(dir, kFile)));
  ARROW_ASSIGN_OR_RAISE(kept->state_, Parse(text));
  return kept;
}

KeptTables::KeptTables(std::string dir) : dir_(std::move(dir)) {}

KeptTables::~KeptTables() {
  reader_.reset();
  (void)RemoveTree(FileSystem::Local(), dir_);  // what stays goes with the worker's directory
}

arrow::Result<int64_t> KeptTables::ReadKeyGroup(
    uint32_t key_group, const std::function<HotTable*(int32_t)>& find) const {
  std::call_once(once_, [this] {
    if (!state_.database_epoch) return;
    auto opened = SnapshotReader::OpenLocal(JoinPath(dir_, kDatabase), *state_.database_epoch);
    opened_ = opened.status();
    if (opened.ok()) reader_ = *std::move(opened);
  });
  ARROW_RETURN_NOT_OK(opened_);
  int64_t rows = 0;
  if (reader_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(rows, reader_->ReadKeyGroup(key_group, find));
  }
  for (const Extent& extent : state_.rows) {
    if (extent.key_groups.front() != key_group) continue;
    ARROW_ASSIGN_OR_RAISE(const std::string bytes, ReadExtent(FileSystem::Local(), dir_, extent));
    ARROW_RETURN_NOT_OK(ForEachSection(extent, bytes, [&](const ChangelogSection& section) {
      HotTable* table = find(section.operator_id);
      if (table == nullptr) return CorruptState("the query has no such stateful operator");
      RowBlock block;
      ARROW_RETURN_NOT_OK(ParseRowBlock(section.block, &block));
      ARROW_RETURN_NOT_OK(table->Import(block));
      table->set_last_changed_epoch(section.unchanged_since);
      rows += block.num_rows;
      return arrow::Status::OK();
    }));
  }
  return rows;
}

}  // namespace tidemill::state
