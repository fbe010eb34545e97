#pragma once

#include <memory>
#include <string>
#include <vector>

#include "driver/job/progress.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// The driver's counters, for Prometheus: tidemill_driver_<noun>_<unit>. What a job counts carries
// its name as the label `job_name` (Prometheus itself sets `job`), from its first epoch on until it
// is no longer active. *Thread-safe.*
class DriverMetrics {
 public:
  DriverMetrics();
  ~DriverMetrics();

  // An epoch was committed.
  void OnEpoch(const EpochProgress& progress);
  // All jobs of the driver, also ended ones: counts them by state, forgets the series of the ended.
  void SetJobs(const std::vector<proto::JobInfo>& jobs);
  void SetWorkers(const std::vector<proto::WorkerInfo>& workers);

  // Prometheus' text exposition (version 0.0.4), with the process's memory as of now.
  std::string Text();

 private:
  struct Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::driver
