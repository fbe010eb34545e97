#include "state/durable/verify.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "common/base/error.h"
#include "state/durable/changelog.h"
#include "state/durable/checksum.h"
#include "state/table/row_block.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

void VerifySnapshot(FileSystem* fs, const std::string& state_dir, const Snapshot& snapshot,
                    std::set<std::string>* seen, VerifyReport* report) {
  bool has_current = false;
  for (const SnapshotFile& file : snapshot.files) {
    has_current |= file.local_name == "CURRENT";
    if (!seen->insert(file.name).second) continue;
    ++report->snapshot_files;
    report->bytes += file.size;
    arrow::Status status =
        VerifyFile(fs, JoinPath(state_dir, file.name), {file.size, file.checksum}, nullptr);
    if (!status.ok()) report->problems.push_back(std::move(status));
  }
  if (!has_current)
    report->problems.push_back(CorruptState(
        fmt::format("state snapshot lists no CURRENT file: snapshot={}", snapshot.id)));
}

arrow::Status VerifyExtent(FileSystem* fs, const std::string& state_dir, const Extent& extent) {
  ARROW_ASSIGN_OR_RAISE(const std::string bytes, ReadExtent(fs, state_dir, extent));
  RowBlock block;
  return ForEachSection(extent, bytes, [&](const ChangelogSection& section) {
    return ParseRowBlock(section.block, &block);
  });
}

}  // namespace

VerifyReport VerifyState(FileSystem* fs, const std::string& state_dir,
                         std::span<const Snapshot> snapshots, std::span<const Extent> extents) {
  VerifyReport report;
  std::set<std::string> seen;
  for (const Snapshot& snapshot : snapshots)
    VerifySnapshot(fs, state_dir, snapshot, &seen, &report);
  for (const Extent& extent : extents) {
    ++report.extents;
    report.bytes += extent.length;
    arrow::Status status = VerifyExtent(fs, state_dir, extent);
    if (!status.ok()) report.problems.push_back(std::move(status));
  }
  return report;
}

}  // namespace tidemill::state
