#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/log/log_reader.h"
#include "proto/log.pb.h"

namespace tidemill::driver {

// Hash64 of the serialised plan: what sinks keep about an epoch.
uint64_t PlanHash(const proto::EpochPlan& plan);

// Where a checkpoint has a file of an extent or a snapshot: relative to it.
std::string StateFile(const std::string& name);

// What a log means: the fold of its records. Says what is committed, what is open, which files the
// state of the job consists of and which files nobody needs any more. *Thread-compatible.*
class LogState {
 public:
  explicit LogState(uint32_t key_groups) : key_groups_(key_groups) {}

  // The next record. Errors: CHECKPOINT_CORRUPT where it cannot follow the ones before it (an epoch
  // left out or planned twice, a commit of another plan).
  arrow::Status Apply(const proto::LogRecord& record);

  int64_t last_committed() const { return last_committed_; }
  uint64_t committed_plan_hash() const { return committed_plan_hash_; }
  uint64_t committed_attempt() const { return committed_attempt_; }
  // Planned, not committed.
  const std::optional<proto::EpochPlan>& open_plan() const { return open_plan_; }
  uint64_t open_plan_hash() const { return open_plan_hash_; }
  // After the last commit, and the global one that it ran with.
  const proto::Watermarks& watermarks() const { return watermarks_; }
  int64_t used_watermark_ms() const { return used_watermark_ms_; }
  int64_t epoch_time_us() const { return epoch_time_us_; }         // of the newest plan
  uint64_t plan_fingerprint() const { return plan_fingerprint_; }  // of the newest plan, 0 for none
  int64_t commits_since_base() const { return static_cast<int64_t>(replays_.size()); }

  // The sources' positions: what they said at the newest Base (empty before the first), and the
  // epochs committed since, in order.
  const std::vector<std::string>& source_snapshots() const { return source_snapshots_; }
  const std::vector<proto::EpochPlan>& replays() const { return replays_; }

  // The state after the last commit, ascending by epoch: for every key group its two newest
  // snapshots and the extents after the older of them (all extents where there are fewer).
  const std::vector<proto::Snapshot>& snapshots() const { return snapshots_; }
  const std::vector<proto::Extent>& extents() const { return extents_; }
  int64_t state_bytes() const { return state_bytes_; }  // of both, a file of two snapshots once
  const std::vector<proto::SinkMarker>& markers() const { return markers_; }

  // Files relative to the checkpoint ("state/...") that the log has named, has not dropped, and
  // that the state does not need. Files in `in_use` (being appended to) are left out.
  std::vector<std::string> Garbage(const std::set<std::string>& in_use) const;
  // Whether the state needs the file ("state/...").
  bool IsNeeded(const std::string& file) const { return needed_files_.contains(file); }

  // Everything above as a Base record; `source_snapshots` are the positions after the last commit.
  // An open plan is not part of it.
  proto::BaseRecord MakeBase(std::vector<std::string> source_snapshots) const;

 private:
  arrow::Status ApplyPlan(const proto::EpochPlan& plan);
  arrow::Status ApplyCommit(const proto::CommitRecord& commit);
  arrow::Status ApplyBase(const proto::BaseRecord& base);
  void NameFiles();
  // Forgets snapshots and extents that no key group needs.
  void Prune();

  uint32_t key_groups_;
  bool is_fresh_ = true;
  int64_t last_committed_ = -1;
  uint64_t committed_plan_hash_ = 0;
  uint64_t committed_attempt_ = 0;
  std::optional<proto::EpochPlan> open_plan_;
  uint64_t open_plan_hash_ = 0;
  proto::Watermarks watermarks_;
  int64_t used_watermark_ms_ = 0;
  int64_t epoch_time_us_ = 0;
  uint64_t plan_fingerprint_ = 0;
  std::vector<std::string> source_snapshots_;
  std::vector<proto::EpochPlan> replays_;
  std::vector<proto::Snapshot> snapshots_;
  std::vector<proto::Extent> extents_;
  int64_t state_bytes_ = 0;
  std::vector<proto::SinkMarker> markers_;
  std::set<std::string> known_files_;   // named and not dropped
  std::set<std::string> needed_files_;  // of snapshots_ and extents_
};

}  // namespace tidemill::driver
