#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "common/transport/in_memory_stream.h"
#include "proto/control.pb.h"
#include "worker/worker.h"

namespace tidemill::testing {

// Plays the driver for real workers in this process: says what the test tells it and waits for the
// answers. *Thread-compatible.*
class ScriptedDriver {
 public:
  ScriptedDriver(int workers, int slots_per_worker, std::string checkpoint);
  ~ScriptedDriver();

  // Deploys to all workers and spreads key groups evenly over the slots. With snapshots or extents
  // the state is restored up to `committed_epoch`. Fails the test on an error answer.
  void Deploy(const proto::PhysicalPlan& plan, int key_groups, int64_t snapshot_min_bytes = 0);
  std::vector<proto::Assigned> Assign(const std::vector<proto::Snapshot>& snapshots,
                                      const std::vector<proto::Extent>& extents,
                                      int64_t committed_epoch);
  // Assigns to the only worker while one of its slots is busy; whether the answer waited for it.
  bool AssignmentWaitsForEverySlot();

  // Runs one attempt and returns what every worker prepared (or an empty list after a Failed).
  std::vector<proto::Prepared> RunEpoch(const proto::EpochPlan& plan, uint64_t attempt,
                                        int64_t committed_epoch, uint64_t committed_attempt);
  void Commit(int64_t epoch, uint64_t attempt);
  void Abort(int64_t epoch, uint64_t attempt);
  void Undeploy();
  // The next snapshot that any worker reports.
  proto::Snapshot WaitForSnapshot();

  const proto::Failed& last_failure() const { return last_failure_; }

 private:
  using Stream = MessageStream<proto::ToWorker, proto::ToDriver>;

  void SendToAll(const proto::ToWorker& message);
  void SendAssign(const std::vector<proto::Snapshot>& snapshots,
                  const std::vector<proto::Extent>& extents, int64_t committed_epoch);
  // The next message other than a registration; snapshots only when asked for.
  proto::ToDriver Next(bool wants_snapshot = false);

  const int slots_per_worker_;
  const std::string checkpoint_;
  int num_key_groups_ = 0;
  uint64_t assignment_version_ = 0;
  proto::Failed last_failure_;

  Mutex mutex_;
  CondVar arrived_;
  std::deque<proto::ToDriver> inbox_ GUARDED_BY(mutex_);

  worker::LocalExchangeNetwork network_;
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::unique_ptr<Executor> driver_executor_;
  std::vector<std::unique_ptr<Executor>> worker_executors_;
  std::vector<std::unique_ptr<Executor>> slot_executors_;
  std::unique_ptr<Executor> io_;
};

}  // namespace tidemill::testing
