#include "driver/job/job_sink.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "common/base/failpoint.h"

namespace tidemill::driver {

JobSink::JobSink(const JobDefinition* definition, const JobEnvironment* environment, Term term,
                 OpenedSink sink, std::function<void(const arrow::Status&)> on_error)
    : definition_(definition),
      environment_(environment),
      term_(std::move(term)),
      sink_(std::move(sink)),
      on_error_(std::move(on_error)) {}

arrow::Status JobSink::Commit(const connectors::EpochId& id, uint64_t plan_hash,
                              const std::vector<connectors::StagedOutput>& outputs) {
  Failpoint("driver.all_prepared");
  if (sink_.driver == nullptr) return arrow::Status::Cancelled("the sink did not open");
  const auto still_mine = [this] { return term_.CheckNewest().ok(); };
  arrow::Status status = sink_.driver->Commit(id, plan_hash, outputs, still_mine);
  if (!status.ok()) {
    on_error_(status);
    return WithContext(status, fmt::format("commit epoch {} to the sink", id.epoch));
  }
  Failpoint("driver.sink_committed");
  return status;
}

arrow::Status JobSink::Replace(const SinkOpening& opening) {
  sink_.driver.reset();  // It may hold the path that the new one wants.
  auto opened = OpenSink(*definition_, *environment_, opening, *definition_->plan);
  if (!opened.ok()) {
    on_error_(opened.status());
    return opened.status();
  }
  sink_ = *std::move(opened);
  return arrow::Status::OK();
}

}  // namespace tidemill::driver
