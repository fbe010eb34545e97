#include "driver/log/log_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"
#include "common/base/hash.h"

namespace tidemill::driver {

namespace {

arrow::Status DoesNotFollow(std::string_view what, int64_t expected, int64_t actual) {
  return MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
                   fmt::format("a record of the checkpoint's log cannot follow the one before it: "
                               "{}: expected={} actual={}",
                               what, expected, actual));
}

// The epochs of a key group's two newest snapshots; -1 where there are fewer.
struct NewestTwo {
  int64_t newest = -1;
  int64_t older = -1;
};

}  // namespace

std::string StateFile(const std::string& name) { return "state/" + name; }

uint64_t PlanHash(const proto::EpochPlan& plan) { return Hash64(plan.SerializeAsString()); }

arrow::Status LogState::Apply(const proto::LogRecord& record) {
  switch (record.record_case()) {
    case proto::LogRecord::kOpen:
      return arrow::Status::OK();
    case proto::LogRecord::kPlan:
      return ApplyPlan(record.plan().plan());
    case proto::LogRecord::kCommit:
      return ApplyCommit(record.commit());
    case proto::LogRecord::kDrop:
      for (const std::string& file : record.drop().files()) known_files_.erase(file);
      return arrow::Status::OK();
    case proto::LogRecord::kBase:
      return ApplyBase(record.base());
    case proto::LogRecord::RECORD_NOT_SET:
      break;
  }
  return MakeError(ErrorKind::kCorrupt, "CHECKPOINT_CORRUPT",
                   "the checkpoint's log holds a record of an unknown type");
}

arrow::Status LogState::ApplyPlan(const proto::EpochPlan& plan) {
  if (open_plan_.has_value()) {
    return DoesNotFollow("plan while an epoch is open", open_plan_->epoch(), plan.epoch());
  }
  if (plan.epoch() != last_committed_ + 1) {
    return DoesNotFollow("plan of epoch", last_committed_ + 1, plan.epoch());
  }
  is_fresh_ = false;
  open_plan_ = plan;
  open_plan_hash_ = PlanHash(plan);
  epoch_time_us_ = plan.epoch_time_us();
  plan_fingerprint_ = plan.plan_fingerprint();
  return arrow::Status::OK();
}

arrow::Status LogState::ApplyCommit(const proto::CommitRecord& commit) {
  if (!open_plan_.has_value() || commit.epoch() != open_plan_->epoch()) {
    return DoesNotFollow("commit of epoch", open_plan_.has_value() ? open_plan_->epoch() : -1,
                         commit.epoch());
  }
  if (commit.plan_hash() != open_plan_hash_) {
    return DoesNotFollow("plan hash of the commit", static_cast<int64_t>(open_plan_hash_),
                         static_cast<int64_t>(commit.plan_hash()));
  }
  last_committed_ = commit.epoch();
  committed_plan_hash_ = commit.plan_hash();
  committed_attempt_ = commit.attempt();
  watermarks_ = commit.watermarks();
  used_watermark_ms_ = open_plan_->watermark_ms();
  replays_.push_back(*std::move(open_plan_));
  open_plan_.reset();
  extents_.insert(extents_.end(), commit.extents().begin(), commit.extents().end());
  for (const proto::Extent& extent : commit.extents()) {
    known_files_.insert(StateFile(extent.file()));
    needed_files_.insert(StateFile(extent.file()));
    state_bytes_ += extent.length();
  }
  for (const proto::SinkMarker& marker : commit.markers()) {
    const auto same = std::find_if(markers_.begin(), markers_.end(),
                                   [&](const auto& m) { return m.shard() == marker.shard(); });
    if (same == markers_.end()) {
      markers_.push_back(marker);
    } else {
      *same = marker;
    }
  }
  if (!commit.snapshots().empty()) {
    snapshots_.insert(snapshots_.end(), commit.snapshots().begin(), commit.snapshots().end());
    std::stable_sort(snapshots_.begin(), snapshots_.end(),
                     [](const auto& a, const auto& b) { return a.epoch() < b.epoch(); });
    NameFiles();
    Prune();
  }
  return commit.has_next_plan() ? ApplyPlan(commit.next_plan()) : arrow::Status::OK();
}

arrow::Status LogState::ApplyBase(const proto::BaseRecord& base) {
  if (!is_fresh_ && base.epoch() != last_committed_) {
    return DoesNotFollow("base at epoch", last_committed_, base.epoch());
  }
  if (open_plan_.has_value()) {
    return DoesNotFollow("base while an epoch is open", open_plan_->epoch(), base.epoch());
  }
  is_fresh_ = false;
  last_committed_ = base.epoch();
  committed_plan_hash_ = base.plan_hash();
  committed_attempt_ = base.attempt();
  watermarks_ = base.watermarks();
  used_watermark_ms_ = base.used_watermark_ms();
  epoch_time_us_ = base.epoch_time_us();
  plan_fingerprint_ = base.plan_fingerprint();
  source_snapshots_.assign(base.source_snapshots().begin(), base.source_snapshots().end());
  replays_.clear();
  snapshots_.assign(base.snapshots().begin(), base.snapshots().end());
  extents_.assign(base.extents().begin(), base.extents().end());
  markers_.assign(base.markers().begin(), base.markers().end());
  known_files_.insert(base.droppable().begin(), base.droppable().end());
  NameFiles();
  return arrow::Status::OK();
}

void LogState::NameFiles() {
  needed_files_.clear();
  state_bytes_ = 0;
  for (const proto::Extent& extent : extents_) {
    needed_files_.insert(StateFile(extent.file()));
    state_bytes_ += extent.length();
  }
  for (const proto::Snapshot& snapshot : snapshots_) {
    for (const proto::SnapshotFile& file : snapshot.files()) {
      if (needed_files_.insert(StateFile(file.name())).second) state_bytes_ += file.size();
    }
  }
  known_files_.insert(needed_files_.begin(), needed_files_.end());
}

void LogState::Prune() {
  std::vector<NewestTwo> of_group(key_groups_);
  for (const proto::Snapshot& snapshot : snapshots_) {  // ascending
    for (const uint32_t group : snapshot.key_groups()) {
      if (group < key_groups_) {
        of_group[group] = {.newest = snapshot.epoch(), .older = of_group[group].newest};
      }
    }
  }
  // A range may be snapshotted at the same epoch by two workers in turn; both count.
  std::erase_if(snapshots_, [&](const proto::Snapshot& snapshot) {
    return std::none_of(snapshot.key_groups().begin(), snapshot.key_groups().end(),
                        [&](uint32_t group) {
                          return group < key_groups_ && snapshot.epoch() >= of_group[group].older;
                        });
  });
  std::erase_if(extents_, [&](const proto::Extent& extent) {
    return std::none_of(extent.key_groups().begin(), extent.key_groups().end(),
                        [&](uint32_t group) {
                          return group >= key_groups_ || extent.epoch() > of_group[group].older;
                        });
  });
  NameFiles();
}

std::vector<std::string> LogState::Garbage(const std::set<std::string>& in_use) const {
  std::vector<std::string> garbage;
  for (const std::string& file : known_files_) {
    if (!needed_files_.contains(file) && !in_use.contains(file)) garbage.push_back(file);
  }
  return garbage;
}

proto::BaseRecord LogState::MakeBase(std::vector<std::string> source_snapshots) const {
  proto::BaseRecord base;
  base.set_epoch(last_committed_);
  base.set_plan_fingerprint(plan_fingerprint_);
  for (std::string& snapshot : source_snapshots) base.add_source_snapshots(std::move(snapshot));
  base.mutable_snapshots()->Assign(snapshots_.begin(), snapshots_.end());
  base.mutable_extents()->Assign(extents_.begin(), extents_.end());
  base.mutable_markers()->Assign(markers_.begin(), markers_.end());
  base.set_epoch_time_us(epoch_time_us_);
  base.set_plan_hash(committed_plan_hash_);
  base.set_attempt(committed_attempt_);
  *base.mutable_watermarks() = watermarks_;
  base.set_used_watermark_ms(used_watermark_ms_);
  for (std::string& file : Garbage({})) base.add_droppable(std::move(file));
  return base;
}

}  // namespace tidemill::driver
