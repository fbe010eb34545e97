#pragma once

#include <arrow/result.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "proto/control.pb.h"
#include "worker/memory_budget.h"
#include "worker/rpc/ownership.h"
#include "worker/slot/slot.h"
#include "worker/state_keeper.h"
#include "worker/state_memory.h"
#include "worker/table_restore.h"
#include "worker/worker.h"

namespace tidemill::worker {

// One deployed job on one worker: collects what its slots report for the open attempt, and drives
// changelog, snapshots and restore. Belongs to one driver stream at a time; between two of them it
// keeps what it has and says nothing. All methods on the worker's thread. *Thread-compatible.*
//
// Where memory is short (StateMemory), rows that changed are flushed to RocksDB and evicted between
// two epochs; an epoch that comes meanwhile waits where there is no memory left for it.
class JobOnWorker : public std::enable_shared_from_this<JobOnWorker> {
 public:
  struct Environment {
    std::string worker;
    std::string incarnation;
    std::string data_dir;
    std::string kept_path;  // of what Keep leaves; "": nothing is kept
    // What an earlier incarnation has kept of the job, or null.
    std::shared_ptr<const state::KeptTables> kept;
    FileSystem* fs = nullptr;
    Executor* executor = nullptr;  // the worker's: callbacks of I/O are posted to it
    Executor* io = nullptr;
    ExchangeNetwork* network = nullptr;
    std::vector<std::shared_ptr<Slot>> slots;
    MemoryBudget* memory = nullptr;
    // A number that this incarnation of the worker has not used yet, from 1: each deployment's
    // files have their own names, each capture its own answers.
    std::function<uint64_t()> next_number;
    // Ends the process where a write that must be durable was not. Any thread.
    std::function<void(const arrow::Status&)> check_fatal;
  };

  // Errors: what the plan says when it does not bind.
  static arrow::Result<std::shared_ptr<JobOnWorker>> Deploy(const proto::Deploy& message,
                                                            Environment environment,
                                                            std::shared_ptr<DriverStream> stream);
  // Proves that the driver's directories are seen here; an Assign waits for it.
  void CheckShared(const proto::Deploy& message, std::function<void(const arrow::Status&)> done);
  // Undeploys from all slots, at once: I/O that is under way may keep this alive beyond the next
  // deployment of the job, but changes and says nothing any more.
  void Undeploy();

  // The driver's stream has ended: a restore under way is given up, the open attempt goes on. False
  // where nothing is worth keeping.
  bool Detach();
  // Leaves the tables, as they are after the last commit that is known here, on the local disk for
  // the worker's next incarnation (state/durable/kept_state.h), if that is possible. The job does
  // nothing else any more.
  void Keep(std::function<void()> done);
  bool IsServedBy(const std::shared_ptr<DriverStream>& stream) const { return stream_ == stream; }
  // Rows were evicted to a tier that misses some: captured, but not flushed.
  bool CanBeAdopted() const { return !has_cold_rows_ || capture_ == 0; }
  proto::JobReport Report() const;
  void Adopt(const proto::Adopt& message, std::shared_ptr<DriverStream> stream);

  void Assign(const proto::Assign& message);
  void WarmUp(const proto::WarmUp& message);
  void RunEpoch(const proto::RunEpoch& message, uint64_t term);
  void Commit(int64_t epoch, uint64_t attempt);
  void Abort(int64_t epoch, uint64_t attempt);

  void OnComputed(SlotReport report);
  void OnStaged(const AttemptId& id, arrow::Result<connectors::StagedOutput> staged);
  void OnFailed(const AttemptId& id, const arrow::Status& error);
  void OnCaptured(uint64_t capture, std::unique_ptr<state::FlushBatch> batch);
  void OnEvicted(const EvictionReport& report);
  // Rows of the attempt were lost between workers.
  void OnBroken(const AttemptId& id, const arrow::Status& why);

 private:
  // The attempt that runs, until Prepared or Failed is sent.
  struct OpenAttempt {
    AttemptId id;
    std::shared_ptr<const EpochTask> waiting;  // for room in memory; else the slots have it
    int evictions = 0;                         // while it waited
    int slots_computing = 0;
    int slots_staging = 0;
    std::vector<state::ChangelogSections> changes;
    bool is_changelog_durable = false;
    proto::Prepared prepared;
    std::map<int, EventTimeStats> event_times;  // by watermark
    int64_t started_us = 0;
    int64_t computed_us = 0;
  };

  explicit JobOnWorker(Environment environment) : environment_(std::move(environment)) {}

  void MakeKeeper(bool takes_tier);
  void DropKept();
  // Returns the number of the capture.
  uint64_t StartCapture(bool is_for_snapshot);
  void CaptureToKeep();
  void KeepCaptured(std::shared_ptr<const StateKeeper::Batches> batches);
  void EndKeeping(const arrow::Status& kept);
  arrow::Status CheckKept(const proto::Assign& message, const Ownership& next) const;
  // Takes the warm tables.
  RestoreRequest MakeRequest(const proto::Assign& message, const Ownership& next);
  void OnWarm(uint64_t number, uint64_t warming, int64_t epoch, RestoredTables restored);
  void SetWarm(WarmTables warm, int64_t bytes);
  void SendRestoring(uint64_t number, int64_t key_groups, const state::Restorer::Progress& read);
  void SendWarmedUp(uint64_t number, const arrow::Status& status, int64_t rows);
  void ForgetRestores();
  void OnRestored(Ownership next, int64_t committed_epoch, RestoredTables restored);
  void SendAssigned(uint64_t version, const arrow::Status& status, int64_t restored_rows);

  bool IsOpen(const AttemptId& id) const { return open_ != nullptr && open_->id == id; }
  bool IsUnsettled(int64_t epoch, uint64_t attempt) const {
    return unsettled_.has_value() && unsettled_->epoch == epoch && unsettled_->attempt == attempt;
  }
  void NoteCommitted();  // the unsettled attempt
  // A number when it is time for the slots to capture, else 0.
  uint64_t BeginCapture();
  // The slots have been told how every attempt ended that they know of.
  bool IsSettled() const {
    return !unsettled_.has_value() || (open_ != nullptr && open_->waiting != nullptr);
  }
  // Gives the open attempt to the slots, which settle the one before and capture first.
  void StartSlots(std::shared_ptr<const EpochTask> task, uint64_t capture);
  // Between epochs: evicts where that is due, then lets the attempt that waits begin.
  void MakeRoom();
  void BeginEviction();
  template <class Body>
  void ForOwnSlots(const Body& body) {
    for (size_t slot = 0; slot < own_.slot_index.size(); ++slot) {
      if (own_.slot_index[slot] >= 0) body(environment_.slots[slot].get());
    }
  }
  bool OwnsKeyGroups() const {
    return std::ranges::any_of(own_.groups, [](const auto& groups) { return !groups.empty(); });
  }
  int CountOwnSlots() const {
    return static_cast<int>(std::ranges::count_if(own_.slot_index, [](int i) { return i >= 0; }));
  }

  void WriteChangelog();
  void OnChangelogWritten(const AttemptId& id, arrow::Result<std::vector<state::Extent>> extents);
  void MaybeSendPrepared();
  void OnFlushed(uint64_t capture, const arrow::Result<StateKeeper::Flushed>& flushed);
  void SendFailed(const AttemptId& id, const arrow::Status& error);
  void Send(proto::ToDriver message);

  Environment environment_;
  std::shared_ptr<DriverStream> stream_;  // null: no driver listens
  std::shared_ptr<const DeployedJob> job_;
  uint64_t plan_fingerprint_ = 0;
  StateKeeper::Options keeper_options_;
  std::shared_ptr<const OperatorStates> table_maker_;
  std::unique_ptr<StateKeeper> keeper_;
  bool is_shared_ = false;                        // CheckShared is done
  bool has_bad_slot_ = false;                     // one that could not take the job
  std::optional<proto::Assign> waiting_assign_;   // for CheckShared, or the end of a flush
  std::optional<proto::WarmUp> waiting_warm_up_;  // for CheckShared

  Ownership own_;
  WarmTables warm_;
  uint64_t warming_ = 0;     // number of the WarmUp that is being restored, 0 for none
  uint64_t restoring_ = 0;   // version of the Assign that is being restored, 0 for none
  uint64_t unanswered_ = 0;  // version of the newest Assign, until it is answered

  int64_t committed_epoch_ = -1;
  AttemptId newest_;                    // attempt started here
  std::optional<AttemptId> unsettled_;  // the same until it is committed or undone
  bool is_prepared_ = false;            // the unsettled attempt was reported as such
  std::unique_ptr<OpenAttempt> open_;
  std::vector<std::shared_ptr<const state::Extent>> prepared_extents_;
  state::TableHistory history_;

  uint64_t capture_ = 0;  // number of the one under way, 0 for none
  int64_t captured_epoch_ = -1;
  int slots_capturing_ = 0;
  int64_t captured_bytes_ = 0;
  std::vector<std::unique_ptr<state::FlushBatch>> captured_;

  std::unique_ptr<StateMemory> memory_;
  std::shared_ptr<const state::RocksDbTier> evict_to_;  // an eviction is due; holds all captured
  uint64_t eviction_ = 0;                               // number of the one under way, 0 for none
  int slots_evicting_ = 0;
  EvictionReport evicted_;  // what the slots have said so far
  bool has_cold_rows_ = false;
  std::map<int, int64_t> disk_bytes_;  // by operator, after the newest flush
  std::function<void()> on_kept_;      // Keep has begun
  bool is_captured_to_keep_ = false;
};

}  // namespace tidemill::worker
