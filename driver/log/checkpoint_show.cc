#include "driver/log/checkpoint_show.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"
#include "driver/epoch/term_number.h"
#include "driver/log/checked_file.h"
#include "driver/log/checkpoint_dir.h"
#include "driver/log/log_reader.h"
#include "driver/log/log_state.h"

namespace tidemill::driver {

namespace {

std::string ShowGroups(const google::protobuf::RepeatedField<uint32_t>& groups) {
  std::string text;
  for (int i = 0; i < groups.size();) {
    int last = i;
    while (last + 1 < groups.size() && groups[last + 1] == groups[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text +=
        i == last ? fmt::format("{}", groups[i]) : fmt::format("{}-{}", groups[i], groups[last]);
    i = last + 1;
  }
  return text;
}

std::string ShowPlan(const proto::EpochPlan& plan) {
  std::string text =
      fmt::format("epoch={} plan={} hash={} lanes={} time_us={} seed={}", plan.epoch(),
                  HexOf(plan.plan_fingerprint()), HexOf(PlanHash(plan)), plan.lanes(),
                  plan.epoch_time_us(), HexOf(plan.seed()));
  for (int i = 0; i < plan.sources_size(); ++i) {
    const proto::SourceInput& input = plan.sources(i);
    text += fmt::format(" source{}: splits={} from={} to={}", i, input.splits_size(),
                        input.start_offset(), input.end_offset());
  }
  return text;
}

std::string ShowSnapshot(const proto::Snapshot& snapshot) {
  return fmt::format("snapshot id={} epoch={} files={} key_groups={}", snapshot.id(),
                     snapshot.epoch(), snapshot.files_size(), ShowGroups(snapshot.key_groups()));
}

std::string ShowExtent(const proto::Extent& extent) {
  return fmt::format("extent file=state/{} offset={} length={} checksum={} epoch={} key_groups={}",
                     extent.file(), extent.offset(), extent.length(), HexOf(extent.checksum()),
                     extent.epoch(), ShowGroups(extent.key_groups()));
}

// The lines of a record, the first without its place.
std::vector<std::string> ShowRecord(const proto::LogRecord& record) {
  std::vector<std::string> lines;
  if (record.has_open()) {
    const auto& open = record.open();
    lines.push_back(fmt::format("Open term={} format={} previous={} length={} hash={}", open.term(),
                                open.format_version(),
                                open.previous_file().empty() ? "none" : open.previous_file(),
                                open.previous_length(), HexOf(open.previous_hash())));
  } else if (record.has_plan()) {
    lines.push_back("Plan " + ShowPlan(record.plan().plan()));
  } else if (record.has_commit()) {
    const auto& commit = record.commit();
    lines.push_back(fmt::format("Commit epoch={} attempt={} hash={} input_rows={} output_rows={}",
                                commit.epoch(), ShowNumber(commit.attempt()),
                                HexOf(commit.plan_hash()), commit.input_rows(),
                                commit.output_rows()));
    for (const auto& extent : commit.extents()) lines.push_back(ShowExtent(extent));
    for (const auto& snapshot : commit.snapshots()) lines.push_back(ShowSnapshot(snapshot));
    if (commit.has_next_plan()) lines.push_back("next Plan " + ShowPlan(commit.next_plan()));
  } else if (record.has_drop()) {
    lines.push_back(fmt::format("Drop files={}", record.drop().files_size()));
    for (const std::string& file : record.drop().files()) lines.push_back(file);
  } else if (record.has_base()) {
    const auto& base = record.base();
    lines.push_back(fmt::format("Base epoch={} plan={} hash={} snapshots={} extents={}",
                                base.epoch(), HexOf(base.plan_fingerprint()),
                                HexOf(base.plan_hash()), base.snapshots_size(),
                                base.extents_size()));
    for (const auto& snapshot : base.snapshots()) lines.push_back(ShowSnapshot(snapshot));
    for (const auto& extent : base.extents()) lines.push_back(ShowExtent(extent));
  }
  return lines;
}

arrow::Status ShowStateFiles(FileSystem* fs, const std::string& checkpoint, const LogState& state,
                             const std::function<void(std::string_view)>& print) {
  const auto garbage_list = state.Garbage({});
  const std::set<std::string> garbage(garbage_list.begin(), garbage_list.end());
  std::vector<std::string> left = {"state"};
  while (!left.empty()) {
    const std::string dir = std::move(left.back());
    left.pop_back();
    auto entries = fs->List(JoinPath(checkpoint, dir));
    if (!entries.ok()) {
      if (KindOf(entries.status()) == ErrorKind::kNotFound) continue;
      return entries.status();
    }
    for (const FileInfo& entry : *entries) {
      const std::string name = JoinPath(dir, BaseName(entry.path));
      if (entry.is_directory) {
        left.push_back(name);
        continue;
      }
      print(fmt::format("{} size={} {}", name, entry.size,
                        state.IsNeeded(name)     ? "needed"
                        : garbage.contains(name) ? "to be deleted"
                                                 : "not in the log"));
    }
  }
  return arrow::Status::OK();
}

// Folds the records; an error names the record at which it came.
arrow::Result<LogState> Fold(const std::string& checkpoint, const LogContents& contents,
                             uint32_t key_groups) {
  LogState state(key_groups);
  for (const LogEntry& entry : contents.entries) {
    const arrow::Status applied = state.Apply(entry.record);
    if (!applied.ok()) {
      return WithContext(applied,
                         fmt::format("file={} offset={}", JoinPath(checkpoint, entry.place.file),
                                     entry.place.offset));
    }
  }
  return state;
}

arrow::Result<FrozenSettings> RequireSettings(FileSystem* fs, const std::string& checkpoint) {
  ARROW_ASSIGN_OR_RAISE(auto settings, ReadFrozenSettings(fs, checkpoint));
  if (settings.has_value()) return *std::move(settings);
  return MakeError(ErrorKind::kNotFound, "CHECKPOINT_NOT_FOUND",
                   fmt::format("there is no checkpoint here: path={}", checkpoint));
}

}  // namespace

arrow::Status ShowCheckpoint(FileSystem* fs, const std::string& checkpoint,
                             const std::function<void(std::string_view)>& print) {
  ARROW_ASSIGN_OR_RAISE(const FrozenSettings settings, RequireSettings(fs, checkpoint));
  print(fmt::format("job key_groups={} sink_shards={} timeZone={} ansi={}", settings.key_groups,
                    settings.sink_shards, settings.time_zone, settings.ansi));
  ARROW_ASSIGN_OR_RAISE(const LogContents contents, ReadLog(fs, checkpoint));
  for (const LogEntry& entry : contents.entries) {
    std::string prefix = fmt::format("{}@{} ", entry.place.file, entry.place.offset);
    for (const std::string& line : ShowRecord(entry.record)) {
      print(prefix + line);
      prefix = "    ";
    }
  }
  if (contents.torn_bytes > 0) {
    print(fmt::format("{}@{} torn tail: bytes={}", contents.files.back(), contents.accepted_length,
                      contents.torn_bytes));
  }
  for (const std::string& other : contents.others) print(other + " not needed");
  ARROW_ASSIGN_OR_RAISE(const LogState state, Fold(checkpoint, contents, settings.key_groups));
  return ShowStateFiles(fs, checkpoint, state, print);
}

arrow::Result<VerifiedLog> VerifyLog(FileSystem* fs, const std::string& checkpoint) {
  ARROW_ASSIGN_OR_RAISE(const FrozenSettings settings, RequireSettings(fs, checkpoint));
  ARROW_ASSIGN_OR_RAISE(const LogContents contents, ReadLog(fs, checkpoint));
  ARROW_ASSIGN_OR_RAISE(const LogState state, Fold(checkpoint, contents, settings.key_groups));
  auto plans = fs->List(JoinPath(checkpoint, "plan"));
  if (plans.ok()) {
    for (const FileInfo& plan : *plans) {
      if (!plan.path.ends_with(".tmp")) ARROW_RETURN_NOT_OK(ReadChecked(fs, plan.path).status());
    }
  }
  return VerifiedLog{.records = static_cast<int64_t>(contents.entries.size()),
                     .last_committed = state.last_committed(),
                     .torn_bytes = contents.torn_bytes,
                     .snapshots = state.snapshots(),
                     .extents = state.extents()};
}

}  // namespace tidemill::driver
