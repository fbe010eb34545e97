#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/control.pb.h"
#include "worker/slot/slot.h"
#include "worker/state_keeper.h"
#include "worker/worker.h"

namespace tidemill::worker {

// One deployed job on one worker: collects what its slots report for the open attempt, and drives
// changelog, snapshots and restore. All methods on the worker's thread. *Thread-compatible.*
class JobOnWorker : public std::enable_shared_from_this<JobOnWorker> {
 public:
  struct Environment {
    std::string worker;
    std::string incarnation;
    int64_t deployment = 0;  // of this incarnation; the files of each have their own names
    std::string data_dir;
    FileSystem* fs = nullptr;
    Executor* executor = nullptr;  // the worker's: callbacks of I/O are posted to it
    Executor* io = nullptr;
    std::vector<std::shared_ptr<Slot>> slots;
    std::shared_ptr<DriverStream> stream;
  };

  // Errors: what the plan says when it does not bind.
  static arrow::Result<std::shared_ptr<JobOnWorker>> Deploy(const proto::Deploy& message,
                                                            Environment environment);
  // Undeploys from all slots, at once: I/O that is under way may keep this alive beyond the next
  // deployment of the job.
  void Undeploy();

  void Assign(const proto::Assign& message);
  void RunEpoch(const proto::RunEpoch& message, uint64_t term);
  void Commit(int64_t epoch, uint64_t attempt);
  void Abort();

  void OnComputed(SlotReport report);
  void OnStaged(const AttemptId& id, arrow::Result<connectors::StagedOutput> staged);
  void OnFailed(const AttemptId& id, const arrow::Status& error);
  void OnCaptured(std::unique_ptr<state::FlushBatch> batch);

 private:
  // The attempt that runs, until Prepared or Failed is sent.
  struct OpenAttempt {
    AttemptId id;
    int slots_computing = 0;
    int slots_staging = 0;
    std::vector<state::ChangelogSections> changes;
    bool is_changelog_durable = false;
    proto::Prepared prepared;
    int64_t started_us = 0;
    int64_t computed_us = 0;
  };

  JobOnWorker(Environment environment) : environment_(std::move(environment)) {}

  void Restore(std::shared_ptr<const Assignment> assignment, const proto::Assign& message,
               std::vector<std::vector<uint32_t>> new_groups);
  void FinishAssign(uint64_t version, std::shared_ptr<const Assignment> assignment,
                    arrow::Status status, std::vector<std::vector<RestoredTable>> tables,
                    int64_t restored_rows);
  bool IsOpen(const AttemptId& id) const { return open_ != nullptr && open_->id == id; }
  void WriteChangelog();
  void OnChangelogWritten(const AttemptId& id, arrow::Result<std::vector<state::Extent>> extents);
  void SendAssigned(uint64_t version, const arrow::Status& status, int64_t restored_rows);
  void MaybeSendPrepared();
  void SendFailed(const AttemptId& id, const arrow::Status& error);
  // Counts a commit; true when the slots should capture.
  bool NoteCommitted(int64_t epoch, uint64_t attempt);
  void Send(proto::ToDriver message);

  const Environment environment_;
  std::shared_ptr<const DeployedJob> job_;
  std::string state_dir_;
  std::unique_ptr<OperatorStates> table_maker_;
  std::unique_ptr<StateKeeper> keeper_;
  std::shared_ptr<const Assignment> assignment_;
  std::vector<int> own_slots_;                // assignment index of slot i, -1 for none
  std::vector<std::vector<uint32_t>> owned_;  // key groups by own slot
  std::unique_ptr<OpenAttempt> open_;
  AttemptId prepared_;  // newest attempt reported
  int64_t prepared_changelog_bytes_ = 0;
  int64_t prepared_state_bytes_ = 0;
  int64_t committed_epoch_ = -1;
  std::vector<std::unique_ptr<state::FlushBatch>> captured_;
  int64_t captured_epoch_ = -1;
  int slots_capturing_ = 0;
};

}  // namespace tidemill::worker
