#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "driver/job/job_start.h"

namespace tidemill::driver {

// The sink of a running job, and the change from one to another. Blocks. *Thread-compatible*: one
// call at a time.
class JobSink {
 public:
  // `definition` and `environment` must outlive this. `on_error` is called with every failure,
  // before it is returned.
  JobSink(const JobDefinition* definition, const JobEnvironment* environment, Term term,
          OpenedSink sink, std::function<void(const arrow::Status&)> on_error);

  arrow::Status Commit(const connectors::EpochId& id, uint64_t plan_hash,
                       const std::vector<connectors::StagedOutput>& outputs);
  // Closes the sink and opens that of the job's own plan.
  arrow::Status Replace(const SinkOpening& opening);

  std::string Description() const { return sink_.driver->Description(); }
  const std::optional<SharedFileProof>& shared_file() const { return sink_.shared_file; }

 private:
  const JobDefinition* const definition_;
  const JobEnvironment* const environment_;
  const Term term_;
  OpenedSink sink_;  // without driver: the last Replace failed
  const std::function<void(const arrow::Status&)> on_error_;
};

}  // namespace tidemill::driver
