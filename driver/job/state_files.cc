#include "driver/job/state_files.h"

#include "driver/log/log_state.h"

namespace tidemill::driver {

namespace {

std::set<std::string> FilesOf(const proto::Snapshot& snapshot) {
  std::set<std::string> files;
  for (const proto::SnapshotFile& file : snapshot.files()) files.insert(StateFile(file.name()));
  return files;
}

}  // namespace

void StateFiles::NoteExtents(const std::string& worker,
                             const google::protobuf::RepeatedPtrField<proto::Extent>& extents) {
  std::set<std::string> files;
  for (const proto::Extent& extent : extents) files.insert(StateFile(extent.file()));
  if (!files.empty()) segments_[worker] = std::move(files);
}

void StateFiles::AddSnapshot(const std::string& worker, proto::Snapshot snapshot) {
  newest_[worker] = FilesOf(snapshot);
  waiting_.emplace_back(worker, std::move(snapshot));
}

void StateFiles::ForgetWorker(const std::string& worker) {
  segments_.erase(worker);
  newest_.erase(worker);
}

void StateFiles::NameSnapshots(proto::CommitRecord* commit) const {
  for (const auto& [worker, snapshot] : waiting_) *commit->add_snapshots() = snapshot;
}

std::vector<std::pair<std::string, std::string>> StateFiles::TakeNamed(
    const proto::CommitRecord& commit) {
  std::vector<std::pair<std::string, std::string>> named;
  named.reserve(commit.snapshots_size());
  for (int i = 0; i < commit.snapshots_size(); ++i) {
    named.emplace_back(waiting_[i].first, waiting_[i].second.id());
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + commit.snapshots_size());
  return named;
}

std::set<std::string> StateFiles::InUse(const EpochInFlight* open) const {
  std::set<std::string> files = warming_;
  for (const auto& [worker, of_worker] : segments_)
    files.insert(of_worker.begin(), of_worker.end());
  for (const auto& [worker, of_worker] : newest_) files.insert(of_worker.begin(), of_worker.end());
  for (const auto& [worker, snapshot] : waiting_) files.merge(FilesOf(snapshot));
  if (open == nullptr) return files;
  for (const auto& [worker, prepared] : open->prepared) {
    for (const proto::Extent& extent : prepared.extents()) files.insert(StateFile(extent.file()));
  }
  return files;
}

}  // namespace tidemill::driver
