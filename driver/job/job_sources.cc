#include "driver/job/job_sources.h"

#include <algorithm>
#include <utility>

#include "common/base/logging.h"

namespace tidemill::driver {

bool PolledInput::has_data() const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const connectors::EpochInput& input) { return input.has_data(); });
}

JobSources::JobSources(std::vector<std::unique_ptr<connectors::SourceDriver>> sources, Clock* clock)
    : sources_(std::move(sources)), clock_(clock), taken_(sources_.size()) {}

arrow::Status JobSources::FixEnds() {
  for (const auto& source : sources_) ARROW_RETURN_NOT_OK(source->FixEnd());
  return arrow::Status::OK();
}

arrow::Result<PolledInput> JobSources::Poll(connectors::ReadLimit limit, bool wants_snapshots) {
  PolledInput polled{.trigger = clock_->Now(), .begin = clock_->SteadyNow()};
  const bool is_at_boundary = std::none_of(taken_.begin(), taken_.end(),
                                           [](const auto& input) { return input.has_value(); });
  if (is_at_boundary) {
    snapshots_.reset();
    if (wants_snapshots) {
      snapshots_.emplace();
      for (const auto& source : sources_) snapshots_->push_back(source->Snapshot());
    }
  }
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (taken_[i].has_value()) continue;
    ARROW_ASSIGN_OR_RAISE(auto input, sources_[i]->Next(limit));
    // One without news is asked again together with the source that failed.
    if (input.has_data()) {
      taken_[i] = std::move(input);
    } else {
      polled.inputs.resize(sources_.size());
      polled.inputs[i] = std::move(input);
    }
  }
  polled.inputs.resize(sources_.size());
  for (size_t i = 0; i < sources_.size(); ++i) {
    if (taken_[i].has_value()) polled.inputs[i] = *std::exchange(taken_[i], std::nullopt);
  }
  polled.snapshots = std::exchange(snapshots_, std::nullopt);
  polled.end = clock_->SteadyNow();
  return polled;
}

void JobSources::Commit(const std::vector<connectors::EpochInput>& inputs) {
  for (size_t i = 0; i < sources_.size() && i < inputs.size(); ++i) {
    const arrow::Status status = sources_[i]->Commit(inputs[i]);
    if (!status.ok()) LogWarn("source_commit_failed").With("error", status.ToString());
  }
}

std::vector<std::string> JobSources::Descriptions() const {
  std::vector<std::string> descriptions;
  for (const auto& source : sources_) descriptions.push_back(source->Description());
  return descriptions;
}

}  // namespace tidemill::driver
