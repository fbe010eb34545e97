#pragma once

#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "common/transport/in_memory_stream.h"
#include "proto/control.pb.h"
#include "tests/worker/grpc_mesh.h"
#include "worker/worker.h"

namespace tidemill::testing {

// Plays the driver for real workers in this process: says what the test tells it and waits for the
// answers. *Thread-compatible.*
class ScriptedDriver {
 public:
  // As a driver in this process, or as one of a cluster, whose streams the jobs outlive; in the
  // third, rows between workers go over gRPC.
  enum class Kind { kOneProcess, kCluster, kGrpcCluster };
  ScriptedDriver(int workers, int slots_per_worker, std::string checkpoint,
                 Kind kind = Kind::kOneProcess);
  ~ScriptedDriver();

  // Deploys to all workers and spreads key groups evenly over the slots. With snapshots or extents
  // the state is restored up to `committed_epoch`. Fails the test on an error answer.
  void Deploy(const proto::PhysicalPlan& plan, int key_groups, int64_t snapshot_min_bytes = 0);
  std::vector<proto::Assigned> Assign(const std::vector<proto::Snapshot>& snapshots,
                                      const std::vector<proto::Extent>& extents,
                                      int64_t committed_epoch);
  // The same with key group g for the slot that is number owners[g mod size] of all workers'.
  void SetOwners(std::vector<uint32_t> owners) { owners_ = std::move(owners); }
  // Deploys with this changed in the message and returns the answers.
  std::vector<proto::Deployed> TryDeploy(const proto::PhysicalPlan& plan, int key_groups,
                                         const std::function<void(proto::Deploy*)>& change);
  // Assigns to the only worker while one of its slots is busy; whether the answer waited for it.
  bool AssignmentWaitsForEverySlot();

  // Runs one attempt and returns what every worker prepared (or an empty list after a Failed).
  std::vector<proto::Prepared> RunEpoch(const proto::EpochPlan& plan, uint64_t attempt,
                                        int64_t committed_epoch, uint64_t committed_attempt);
  // Without waiting for an answer.
  void SendRun(const proto::EpochPlan& plan, uint64_t attempt, int64_t committed_epoch,
               uint64_t committed_attempt);
  void Commit(int64_t epoch, uint64_t attempt);
  void Abort(int64_t epoch, uint64_t attempt);
  void Undeploy();
  // The next snapshot that any worker reports.
  proto::Snapshot WaitForSnapshot();
  // The next message other than a registration or a snapshot.
  proto::ToDriver NextAnswer() { return Next(false); }

  // In a cluster: all streams end, new ones begin. What the workers report by worker; `waits`: once
  // each of them reports something.
  std::vector<proto::JobReport> Reconnect(bool waits = false);
  void Adopt(int64_t committed_epoch, uint64_t committed_attempt);
  void ReportBroken(int worker, int64_t epoch, uint64_t attempt);

  // Keeps the last slot, or all I/O threads, busy until the promise is set.
  std::shared_ptr<std::promise<void>> HoldSlot();
  std::shared_ptr<std::promise<void>> HoldIo();
  void SendAssign(const std::vector<proto::Snapshot>& snapshots,
                  const std::vector<proto::Extent>& extents, int64_t committed_epoch);
  uint64_t assignment_version() const { return assignment_version_; }

  // Ends the gRPC streams that lead to a worker, and waits until another one reports its attempt.
  proto::Failed BreakExchangeTo(int worker);

  const proto::Failed& last_failure() const { return last_failure_; }

 private:
  using Stream = MessageStream<proto::ToWorker, proto::ToDriver>;

  void Connect(size_t worker);
  // Runs `body` on the worker's thread and waits for it.
  void RunOn(size_t worker, const std::function<void()>& body);
  static std::shared_ptr<std::promise<void>> Hold(Executor* executor, int threads);
  void SendToAll(const proto::ToWorker& message);
  // The next message other than a registration; snapshots only when asked for.
  proto::ToDriver Next(bool wants_snapshot = false);

  const Kind kind_;
  const int slots_per_worker_;
  const std::string checkpoint_;
  int num_key_groups_ = 0;
  uint64_t term_ = 1;
  uint64_t assignment_version_ = 0;
  std::vector<uint32_t> owners_;  // empty: contiguous ranges
  proto::Failed last_failure_;

  Mutex mutex_;
  CondVar arrived_;
  std::deque<proto::ToDriver> inbox_ GUARDED_BY(mutex_);

  worker::LocalExchangeNetwork network_;
  std::unique_ptr<GrpcMesh> mesh_;
  std::vector<std::unique_ptr<worker::Worker>> workers_;
  std::vector<std::shared_ptr<Stream>> streams_;
  std::unique_ptr<Executor> driver_executor_;
  std::vector<std::unique_ptr<Executor>> worker_executors_;
  std::vector<std::unique_ptr<Executor>> slot_executors_;
  std::unique_ptr<Executor> io_;
};

}  // namespace tidemill::testing
