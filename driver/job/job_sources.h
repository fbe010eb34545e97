#pragma once

#include <arrow/result.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "connectors/source.h"

namespace tidemill::driver {

// What the sources of a job have for its next epoch. *Plain data.*
struct PolledInput {
  std::vector<connectors::EpochInput> inputs;  // by source
  // The sources' positions before it, for a Base; where they were asked for.
  std::optional<std::vector<std::string>> snapshots;
  Timestamp trigger{};  // wall clock: the poll began
  SteadyTime begin{};
  SteadyTime end{};

  bool has_data() const;
};

// The sources of a job, asked together. Blocks. *Thread-compatible*: one call at a time.
class JobSources {
 public:
  // `clock` must outlive this.
  JobSources(std::vector<std::unique_ptr<connectors::SourceDriver>> sources, Clock* clock);

  // Fixes the ends for available-now.
  arrow::Status FixEnds();
  // Takes the next input of each source, each within the limit. When one of them fails, what the
  // ones before it gave stays here for the next call: they have advanced and will not give it
  // again.
  arrow::Result<PolledInput> Poll(connectors::ReadLimit limit, bool wants_snapshots);
  // The input is committed; a source that cannot tidy up loses nothing and is logged.
  void Commit(const std::vector<connectors::EpochInput>& inputs);

  std::vector<std::string> Descriptions() const;

 private:
  const std::vector<std::unique_ptr<connectors::SourceDriver>> sources_;
  Clock* const clock_;
  // Of a poll that failed, by source: what it gave.
  std::vector<std::optional<connectors::EpochInput>> taken_;
  std::optional<std::vector<std::string>> snapshots_;  // before that poll
};

}  // namespace tidemill::driver
