#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "driver/job/epoch_in_flight.h"
#include "driver/job/job_runner.h"

namespace tidemill::driver {

// Tells what a job does: a progress per committed epoch, and the result of the run in the end.
// *Thread-compatible.*
class ProgressReporter {
 public:
  ProgressReporter(std::string name, std::string run_id,
                   std::function<void(const EpochProgress&)> on_progress)
      : name_(std::move(name)), run_id_(std::move(run_id)), on_progress_(std::move(on_progress)) {}

  void Opened(std::string job_uuid, int64_t last_committed, std::vector<std::string> sources,
              std::string sink);
  void SinkReplaced(std::string description) { sink_ = std::move(description); }
  // The epoch is durably committed; it ran on so many slots, and the checkpoint holds so many bytes
  // of state.
  void Committed(const EpochInFlight& epoch, int slots, int64_t state_bytes);
  JobResult Finish(arrow::Status status, bool was_stopped);

 private:
  const std::string name_;
  const std::string run_id_;
  const std::function<void(const EpochProgress&)> on_progress_;
  std::string sink_;
  std::vector<std::string> sources_;
  Timestamp previous_trigger_{};
  JobResult result_;
};

}  // namespace tidemill::driver
