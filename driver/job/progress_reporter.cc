#include "driver/job/progress_reporter.h"

#include <utility>

namespace tidemill::driver {

namespace {

constexpr size_t kRecentProgress = 100;

}  // namespace

void ProgressReporter::Opened(std::string job_uuid, int64_t last_committed,
                              std::vector<std::string> sources, std::string sink) {
  result_.job_uuid = std::move(job_uuid);
  result_.last_committed = last_committed;
  sources_ = std::move(sources);
  sink_ = std::move(sink);
}

void ProgressReporter::Committed(const EpochInFlight& epoch, int slots, int64_t state_bytes) {
  EpochProgress progress = MakeProgress(epoch);
  progress.id = result_.job_uuid;
  progress.run_id = run_id_;
  progress.name = name_;
  if (previous_trigger_ != Timestamp{}) {
    progress.seconds_since_previous =
        std::chrono::duration<double>(progress.timestamp - previous_trigger_).count();
  }
  previous_trigger_ = progress.timestamp;
  progress.sink_description = sink_;
  progress.shuffle_partitions = slots;
  progress.checkpoint_state_bytes = state_bytes;
  for (size_t i = 0; i < progress.sources.size() && i < sources_.size(); ++i) {
    progress.sources[i].description = sources_[i];
  }
  // Static tables are not part of Spark's progress.
  std::erase_if(progress.sources,
                [](const SourceProgress& source) { return source.description.empty(); });
  result_.last_committed = progress.epoch;
  result_.epochs++;
  result_.input_rows += progress.input_rows;
  result_.output_rows += progress.output_rows;
  if (on_progress_) on_progress_(progress);
  result_.recent.push_back(std::move(progress));
  if (result_.recent.size() > kRecentProgress) result_.recent.erase(result_.recent.begin());
}

JobResult ProgressReporter::Finish(arrow::Status status, bool was_stopped) {
  result_.status = std::move(status);
  result_.was_stopped = was_stopped;
  return std::move(result_);
}

}  // namespace tidemill::driver
