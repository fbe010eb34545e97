#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "driver/job/job_runner.h"
#include "driver/log/log_state.h"
#include "proto/control.pb.h"

namespace tidemill::driver {

// The workers of one job as its actor sees them: who is there, what is deployed on them, who owns
// what. Sends, never waits. On the actor's thread. *Thread-compatible.*
class WorkerSet {
 public:
  using OnMessage = std::function<void(const std::string& worker, proto::ToDriver message)>;
  using OnLost = std::function<void(const std::string& worker, const arrow::Status& why)>;

  explicit WorkerSet(std::vector<WorkerLink> links);

  // Begins to listen.
  void Start(Executor* executor, const OnMessage& on_message, const OnLost& on_lost);

  std::set<std::string> names() const;
  int slots() const;  // of all workers that are there
  bool empty() const { return workers_.empty(); }
  void Remove(const std::string& worker) { workers_.erase(worker); }

  // What is to be deployed from the next Assign on.
  struct Deployment {
    std::string job_uuid;
    uint64_t term = 0;
    proto::Deploy message;
  };
  void SetDeployment(Deployment deployment) { deployment_ = std::move(deployment); }

  // Gives every key group to one of the workers' slots, in contiguous ranges, and sends each worker
  // what it needs to restore its own. Deploys first where the worker has another plan or none.
  void Assign(uint64_t version, const std::set<std::string>& workers, const LogState& state,
              uint32_t key_groups);

  // To the workers of the newest Assign that are still there.
  void SendRun(const proto::EpochPlan& plan, uint64_t attempt, int64_t committed_epoch,
               uint64_t committed_attempt);
  void SendAbort(int64_t epoch, uint64_t attempt);
  void SendCommitted(int64_t epoch, uint64_t attempt);
  void SendSnapshotLogged(const std::string& worker, const std::string& snapshot_id);
  // Undeploys from all workers and closes their streams.
  void Close();

 private:
  struct Worker {
    WorkerLink link;
    uint64_t deployed = 0;  // fingerprint of its plan, 0 for none
  };

  proto::ToWorker NewMessage() const;
  template <class Fill>
  void SendToAssigned(const Fill& fill);
  void DeployOn(Worker* worker);

  std::map<std::string, Worker> workers_;
  Deployment deployment_;
  uint64_t version_ = 0;
  std::set<std::string> assigned_;
};

}  // namespace tidemill::driver
