#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "driver/epoch/assignment.h"
#include "driver/job/job_runner.h"
#include "driver/job/static_tables/kept_builds.h"
#include "driver/log/log_state.h"
#include "proto/control.pb.h"

namespace tidemill::driver {

// The workers of one job as its actor sees them: who is there, what is deployed on them, who owns
// what. Sends, never waits. On the actor's thread. *Thread-compatible.*
class WorkerSet {
 public:
  struct Handlers {
    std::function<void(const std::string& worker, proto::ToDriver message)> on_message;
    std::function<void(const std::string& worker, const arrow::Status& why)> on_lost;
  };
  // `max_slots`: that may be used; 0 for all.
  WorkerSet(uint32_t key_groups, int max_slots) : key_groups_(key_groups), max_slots_(max_slots) {}

  // Begins to listen to what is added from then on.
  void Start(Executor* executor, Handlers handlers);
  // No worker of the name may be there.
  void Add(WorkerLink link);
  bool Contains(const std::string& worker) const { return workers_.contains(worker); }
  // The stream has ended, or is not wanted any more and is closed: nothing that was sent on it is
  // delivered after that.
  void Remove(const std::string& worker);
  void SetLeaving(const std::string& worker) { workers_.at(worker).is_leaving = true; }
  // Undeploys, closes the stream and forgets the worker.
  void Release(const std::string& worker);

  std::set<std::string> names() const;
  std::set<std::string> leaving() const;
  bool empty() const { return workers_.empty(); }
  // That the newest Assign uses; before the first, those that could be used.
  int slots() const;

  // What is to be deployed from the next Assign on.
  struct Deployment {
    std::string job_uuid;
    uint64_t term = 0;
    proto::Deploy message;
  };
  void SetDeployment(Deployment deployment);

  // Gives every key group to a slot of one of these workers (AssignKeyGroups), and sends each what
  // it needs to restore what it does not have. What a new one reports to have is kept or dropped
  // first; only while no attempt is out. A worker that has key groups and keeps none is told to
  // drop them.
  struct Assigned {
    std::set<std::string> members;  // workers with slots in it
    // Who answers: also those that drop everything. Would nobody wait for them, they might be given
    // key groups again, after a commit, while they still have what they have now.
    std::set<std::string> asked;
  };
  Assigned Assign(uint64_t version, const std::set<std::string>& workers, const LogState& state);
  // Has each of these workers restore ahead what an Assign to them would give it and it does not
  // have; who has been asked, and the files that they read ("state/..."). Nobody where there is
  // nothing to restore, or where some have reports that an Assign must judge first.
  struct WarmUp {
    std::set<std::string> asked;
    std::set<std::string> files;
  };
  WarmUp SendWarmUp(uint64_t number, const std::set<std::string>& workers, const LogState& state);
  // The worker has restored all that the newest Assign gave it.
  void NoteAssigned(const std::string& worker);
  // It has refused what was deployed.
  void NoteNotDeployed(const std::string& worker) { workers_.at(worker).deployed.reset(); }

  // To the workers of the newest Assign that are still there.
  void SendRun(const proto::EpochPlan& plan, uint64_t attempt, int64_t committed_epoch,
               uint64_t committed_attempt);
  // Every one of them is prepared.
  void NotePrepared() { kept_builds_.NotePrepared(); }
  void SendAbort(int64_t epoch, uint64_t attempt);
  void SendCommitted(int64_t epoch, uint64_t attempt);
  void SendSnapshotLogged(const std::string& worker, const std::string& snapshot_id);
  // Closes all streams; `keeps`: without undeploying, for the next driver of the job.
  void Close(bool keeps);

 private:
  struct Worker {
    WorkerLink link;
    bool is_leaving = false;
    std::optional<uint64_t> deployed;  // fingerprint of its plan
    // By key group: the slot that has it for certain, or -1. What an Assign gives is certain once
    // it is answered; what one takes away is gone when it is sent.
    std::vector<int> held;
    std::vector<int> assigned;  // by the newest Assign
    // The slot that should have it, because it is on the worker's disk; empty: of none.
    std::vector<int> kept;

    bool HasNothing() const;
  };

  proto::ToWorker NewMessage() const;
  void Send(const Worker& worker, proto::ToWorker message) const;
  template <class Fill>
  void SendToAssigned(const Fill& fill);
  // Takes the report of a worker into `held`, where what it has is of use.
  void Adopt(const LogState& state, Worker* worker);
  void DeployOn(Worker* worker);
  void Undeploy(Worker* worker);
  KeyGroupAssignment Compute(const std::set<std::string>& workers) const;
  proto::Assign NewAssign(uint64_t version, const KeyGroupAssignment& assignment,
                          const LogState& state) const;
  // Sends a worker its part of an assignment.
  void SendAssign(const std::string& name, const proto::Assign& shared, const LogState& state,
                  Worker* worker);

  const uint32_t key_groups_;
  const int max_slots_;
  Executor* executor_ = nullptr;
  Handlers handlers_;
  std::map<std::string, Worker> workers_;
  Deployment deployment_;
  KeptBuilds kept_builds_;  // of what is deployed
  uint64_t version_ = 0;
  std::set<std::string> members_;             // workers with slots in the newest Assign
  int slots_ = 0;                             // of it
  std::vector<std::optional<SlotId>> owner_;  // by key group, of it
};

}  // namespace tidemill::driver
