#include "state/durable/kept_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"
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

bool Holds(const std::vector<uint32_t>& key_groups, uint32_t key_group) {
  return std::binary_search(key_groups.begin(), key_groups.end(), key_group);
}

}  // namespace

std::optional<int64_t> KeptState::FitOf(uint32_t key_group, std::span<const Snapshot> others,
                                        std::span<const Extent> extents) const {
  const auto group = std::ranges::find(key_groups, key_group, &KeptGroup::key_group);
  if (group == key_groups.end()) return std::nullopt;
  for (const Extent& extent : extents) {
    if (extent.epoch == group->changed_epoch && extent.file == group->extent_file &&
        extent.offset == group->extent_offset && Holds(extent.key_groups, key_group))
      return group->changed_epoch;
  }
  // The changelog before two snapshots is collected. A known snapshot after the change has it.
  std::optional<int64_t> fit;
  for (const Snapshot& snapshot : others) {
    if (snapshot.epoch >= group->changed_epoch && snapshot.epoch <= epoch &&
        Holds(snapshot.key_groups, key_group) &&
        std::ranges::find(snapshots, snapshot.id) != snapshots.end())
      fit = std::max(fit.value_or(-1), snapshot.epoch);
  }
  return fit;
}

void TableHistory::Restored(std::span<const uint32_t> key_groups,
                            std::span<const Snapshot> snapshots, std::span<const Extent> extents,
                            int64_t committed_epoch) {
  for (const uint32_t group : key_groups) {
    if (group >= changes_.size()) changes_.resize(group + 1);
    changes_[group] = {};
  }
  const auto note = [&](uint32_t group, const Change& change) {
    if (change.epoch > committed_epoch || group >= changes_.size()) return;
    if (std::ranges::find(key_groups, group) == key_groups.end()) return;
    if (change.epoch >= changes_[group].epoch) changes_[group] = change;
  };
  for (const Snapshot& snapshot : snapshots) {
    Know(snapshot.id);
    for (const uint32_t group : snapshot.key_groups) note(group, {snapshot.epoch, nullptr});
  }
  for (const Extent& extent : extents) {
    const Change change{extent.epoch, std::make_shared<const Extent>(extent)};
    for (const uint32_t group : extent.key_groups) note(group, change);
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

arrow::Status KeepTables(RocksDbTier* tier, const std::string& dir, const KeptState& kept) {
  FileSystem* const local = FileSystem::Local();
  const std::string unfinished = dir + ".new";
  for (const std::string& old : {dir, unfinished}) ARROW_RETURN_NOT_OK(RemoveTree(local, old));
  ARROW_RETURN_NOT_OK(local->CreateDirectories(unfinished));
  const std::string database = JoinPath(unfinished, kDatabase);
  ARROW_RETURN_NOT_OK(tier->LinkTo(database));
  ARROW_RETURN_NOT_OK(local->SyncDirectory(database));
  ARROW_RETURN_NOT_OK(PublishFile(local, JoinPath(unfinished, kFile), Render(kept)));
  return local->Rename(unfinished, dir, RenameMode::kNoReplace);
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
    auto opened = SnapshotReader::OpenLocal(JoinPath(dir_, kDatabase), state_.epoch);
    opened_ = opened.status();
    if (opened.ok()) reader_ = *std::move(opened);
  });
  ARROW_RETURN_NOT_OK(opened_);
  return reader_->ReadKeyGroup(key_group, find);
}

}  // namespace tidemill::state
