#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "driver/cluster/cluster_root.h"
#include "driver/cluster/worker_registry.h"
#include "driver/job/job_runner.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// The jobs of a cluster: takes submissions, keeps them in the root, runs each with a JobRunner over
// the registry's workers, resumes all that were running after a restart of the driver, and answers
// questions about them. An actor on `executor`, the registry's. *Thread-safe*: every public method
// posts; answers come on any thread, once.
class JobBoard final : public RegistryListener {
 public:
  struct Options {
    FileSystem* fs = nullptr;
    Clock* clock = nullptr;
    Random* random = nullptr;
    Executor* executor = nullptr;  // serial; the registry's too
    Executor* io = nullptr;        // a pool
    // A serial executor for one job; must live until the board is gone.
    std::function<std::unique_ptr<Executor>(const std::string& name)> make_executor;
    ClusterRoot* root = nullptr;
    WorkerRegistry* registry = nullptr;
    std::function<void(std::string_view)> print;            // console output that nobody follows
    std::function<void(const EpochProgress&)> on_progress;  // of every job; for metrics
    // For tests; left empty: those of connectors/.
    decltype(JobEnvironment::make_source) make_source;
    decltype(JobEnvironment::make_sink) make_sink;
    // The driver is fenced or an fsync failed: the process must end.
    std::function<void(const arrow::Status&)> on_fatal;
  };
  explicit JobBoard(Options options);
  ~JobBoard() override;  // All executors must have been stopped.

  // Resumes the registered jobs that have not ended. Blocks on I/O; called once, before the rest.
  arrow::Status Resume();

  template <class T>
  using Reply = std::function<void(arrow::Result<T>)>;

  // Plans the specification and starts its jobs; the answer comes when they are durable in the
  // root. Errors: those of ReadJobText and PlanJob, rendered with places; JOB_EXISTS (kConflict)
  // where an active job has the name. A repeated idempotency key gets the answer of the first.
  void Submit(proto::SubmitRequest request, Reply<proto::SubmitReply> done);
  void ListJobs(Reply<std::vector<proto::JobInfo>> done);
  // `job`: an id, a unique prefix or a name. JOB_NOT_FOUND (kNotFound), JOB_AMBIGUOUS (kNotFound).
  void GetJob(const std::string& job, Reply<proto::GetJobReply> done);
  void StopJob(const std::string& job, bool now, Reply<proto::JobInfo> done);
  // Calls `on_text` with console output from now on, on one thread at a time, and `done` at the end
  // of the job. A follower that was cancelled is not called any more.
  struct Follower {
    std::function<void(std::string_view)> on_text;
    Reply<proto::JobInfo> done;
  };
  void Follow(const std::string& job, std::shared_ptr<const Follower> follower);
  void Unfollow(const std::shared_ptr<const Follower>& follower);
  void ListWorkers(Reply<std::vector<proto::WorkerInfo>> done);

  // Drains all jobs (they stay registered as running, for the next driver); `done` when none runs.
  void Shutdown(std::function<void()> done);

  void OnWorkerJoined(const std::string& worker) override;
  void OnWorkerLeaving(const std::string& worker) override;

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill::driver
