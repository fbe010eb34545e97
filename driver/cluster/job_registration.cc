#include "driver/cluster/job_registration.h"

#include <set>
#include <string>
#include <utility>

#include "common/base/logging.h"

namespace tidemill::driver {

namespace {

arrow::Status StoreAll(ClusterRoot* root, const std::vector<proto::RegisteredJob>& jobs) {
  for (size_t i = jobs.size() - 1; i > 0; --i) {
    proto::RegisteredJob undecided = jobs[i];
    undecided.mutable_info()->set_state(proto::JobInfo::UNKNOWN);
    ARROW_RETURN_NOT_OK(root->StoreJob(undecided));
  }
  for (const proto::RegisteredJob& job : jobs) ARROW_RETURN_NOT_OK(root->StoreJob(job));
  return arrow::Status::OK();
}

}  // namespace

arrow::Status RegisterJobs(ClusterRoot* root, const std::vector<proto::RegisteredJob>& jobs) {
  arrow::Status stored = StoreAll(root, jobs);
  if (!stored.ok()) {
    for (const proto::RegisteredJob& job : jobs) {
      const arrow::Status removed = root->RemoveJob(job.id());
      if (removed.ok()) continue;
      LogWarn("job_file_left").With("job", job.id()).With("why", removed.ToString());
    }
  }
  return stored;
}

arrow::Result<std::vector<proto::RegisteredJob>> LoadRegisteredJobs(ClusterRoot* root) {
  ARROW_ASSIGN_OR_RAISE(auto loaded, root->LoadJobs());
  std::set<std::string> decided;
  for (const proto::RegisteredJob& job : loaded) {
    if (job.index() == 0) decided.insert(job.request().idempotency_key());
  }
  std::vector<proto::RegisteredJob> jobs;
  for (proto::RegisteredJob& job : loaded) {
    if (job.info().state() != proto::JobInfo::UNKNOWN) {
      jobs.push_back(std::move(job));
    } else if (decided.contains(job.request().idempotency_key())) {
      job.mutable_info()->set_state(proto::JobInfo::STARTING);
      ARROW_RETURN_NOT_OK(root->StoreJob(job));
      jobs.push_back(std::move(job));
    } else {
      LogWarn("submission_forgotten").With("job", job.id()).With("name", job.info().name());
      ARROW_RETURN_NOT_OK(root->RemoveJob(job.id()));
    }
  }
  return jobs;
}

}  // namespace tidemill::driver
