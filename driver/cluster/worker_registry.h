#pragma once

#include <arrow/status.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "driver/job/job_runner.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// What hears of workers that come and go; called on the registry's executor.
class RegistryListener {
 public:
  virtual ~RegistryListener() = default;
  // A worker has registered; jobs may be given to it (OpenJobStream). What it still has of jobs
  // that do not take it up here is undeployed.
  virtual void OnWorkerJoined(const std::string& worker) = 0;
  // It wants to go: release it from every job.
  virtual void OnWorkerLeaving(const std::string& worker) = 0;
};

// The workers of a cluster as its driver sees them: one control stream each, shared by all jobs,
// with heartbeats and leases (liveness only: what protects data are terms, incarnations and
// attempts).
//
// A worker is there from Register until its stream ends or its lease runs out; both end the streams
// of its jobs with kUnavailable. Register of a name that is there: the same incarnation takes over
// from its old stream; another one is the newer process, and the older one is Refused (kFenced),
// also when it comes back later. A worker of another build is Refused (kInvalid). A stream whose
// first message is no Register within a lease is closed.
//
// An actor on `executor`. *Thread-safe*, but for what is said to be for the executor only.
class WorkerRegistry {
 public:
  struct Options {
    Clock* clock = nullptr;
    Executor* executor = nullptr;  // serial
    uint64_t cluster_term = 0;
    std::string driver_incarnation;
    std::string build;
    std::chrono::microseconds heartbeat{500'000};
    std::chrono::microseconds lease{5'000'000};
    RegistryListener* listener = nullptr;
  };
  explicit WorkerRegistry(Options options);
  ~WorkerRegistry();  // The executor must have been stopped.

  // Begins heartbeats and lease checks.
  void Start();
  // Takes a new control stream; `peer` is for the log.
  void Serve(std::shared_ptr<WorkerStream> stream, std::string peer);
  // Closes all streams.
  void Stop();

  // On the executor only. A link for one job: what is sent on it goes out on the control stream,
  // messages about the job come in on it, with the report of the job that came with Register
  // (once). Closing it ends the job's use of the worker. When a worker that is leaving is in no job
  // any more it is Released. Null stream where the worker is gone.
  WorkerLink OpenJobStream(const std::string& worker, const std::string& job);

  // On the executor only.
  std::vector<std::string> AliveWorkers() const;    // that are not leaving
  std::vector<proto::WorkerInfo> Describe() const;  // also those lost lately

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill::driver
