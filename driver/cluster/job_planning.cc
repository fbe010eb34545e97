#include "driver/cluster/job_planning.h"

#include <fmt/format.h>

#include <map>
#include <utility>

#include "common/base/error.h"
#include "driver/job/plan_job.h"
#include "driver/log/checkpoint_dir.h"

namespace tidemill::driver {

namespace {

constexpr size_t kMaxTextBytes = 1 << 20;
constexpr size_t kMaxNameBytes = 200;

arrow::Status Invalid(std::string message) {
  return MakeError(ErrorKind::kInvalid, "INVALID_SUBMISSION", std::move(message));
}

arrow::Result<std::vector<JobSpec>> ReadSpecs(const proto::SubmitRequest& request) {
  if (request.specification().size() > kMaxTextBytes) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SPECIFICATION.FILE",
                     fmt::format("a job specification has at most {} bytes, got {}", kMaxTextBytes,
                                 request.specification().size()));
  }
  if (request.directory().empty() || request.directory().front() != '/') {
    return Invalid(fmt::format("the directory of a submission is absolute: directory={}",
                               request.directory()));
  }
  if (request.max_slots() < 0 || request.memory_bytes() < 0) {
    return Invalid(fmt::format("limits are not negative: slots={} memory={}", request.max_slots(),
                               request.memory_bytes()));
  }
  const std::map<std::string, std::string> conf(request.conf().begin(), request.conf().end());
  ARROW_ASSIGN_OR_RAISE(
      auto specs, ReadJobText(request.specification(), request.file(), request.directory(), conf));
  if (!request.name().empty()) {
    if (specs.size() != 1) {
      return Invalid(
          fmt::format("a name can be given to one job, the specification has {}: name={}",
                      specs.size(), request.name()));
    }
    specs.front().name = request.name();
  }
  for (const JobSpec& spec : specs) {
    if (spec.name.empty() || spec.name.size() > kMaxNameBytes) {
      return Invalid(fmt::format("the name of a job has 1 to {} bytes: name={}", kMaxNameBytes,
                                 spec.name.substr(0, kMaxNameBytes)));
    }
  }
  return specs;
}

arrow::Result<PlannedSubmission> PlanOne(const PlanningContext& context,
                                         const proto::SubmitRequest& request, JobSpec spec) {
  PlannedSubmission planned;
  planned.spec = std::move(spec);
  // Before the planning: a schema that was inferred once is kept in the checkpoint.
  if (!planned.spec.checkpoint.has_value()) {
    planned.spec.checkpoint = context.root->CheckpointOf(planned.spec.name);
  }
  ARROW_ASSIGN_OR_RAISE(PlannedJob job, PlanJob(planned.spec, context.fs));
  ARROW_ASSIGN_OR_RAISE(planned.definition, MakeDefinition(planned.spec, job));
  planned.definition.max_slots = request.max_slots();
  planned.definition.memory_bytes = request.memory_bytes();
  planned.warnings = std::move(job.warnings);
  return planned;
}

}  // namespace

arrow::Result<std::vector<PlannedSubmission>> PlanSubmission(const PlanningContext& context,
                                                             const proto::SubmitRequest& request) {
  ARROW_ASSIGN_OR_RAISE(auto specs, ReadSpecs(request));
  std::vector<PlannedSubmission> planned;
  for (JobSpec& spec : specs) {
    ARROW_ASSIGN_OR_RAISE(PlannedSubmission one, PlanOne(context, request, std::move(spec)));
    ARROW_ASSIGN_OR_RAISE(const auto uuid, ReadJobUuid(context.fs, one.definition.checkpoint));
    one.definition.job_uuid = uuid.has_value() ? *uuid : NewUuid(context.random);
    planned.push_back(std::move(one));
  }
  return planned;
}

arrow::Result<PlannedSubmission> PlanRegistered(const PlanningContext& context,
                                                const proto::RegisteredJob& job) {
  ARROW_ASSIGN_OR_RAISE(auto specs, ReadSpecs(job.request()));
  if (job.index() < 0 || static_cast<size_t>(job.index()) >= specs.size()) {
    return Invalid(fmt::format("the specification does not have the job: index={}", job.index()));
  }
  ARROW_ASSIGN_OR_RAISE(PlannedSubmission planned,
                        PlanOne(context, job.request(), std::move(specs[job.index()])));
  ARROW_ASSIGN_OR_RAISE(const auto uuid, ReadJobUuid(context.fs, planned.definition.checkpoint));
  if (uuid.has_value() && *uuid != job.id()) {
    return MakeError(ErrorKind::kCorrupt, "CHECKPOINT_INCOMPATIBLE",
                     fmt::format("the checkpoint belongs to another job: path={} owner={} job={}",
                                 planned.definition.checkpoint, *uuid, job.id()));
  }
  planned.definition.job_uuid = job.id();
  return planned;
}

}  // namespace tidemill::driver
