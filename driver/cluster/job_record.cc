#include "driver/cluster/job_record.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "driver/rpc/messages.h"

namespace tidemill::driver {

namespace {

constexpr size_t kRecentProgress = 100;

proto::JobInfo::State StateOf(JobPhase phase) {
  switch (phase) {
    case JobPhase::kStarting:
    case JobPhase::kWaitingForWorkers:
      return proto::JobInfo::STARTING;
    case JobPhase::kRunning:
      return proto::JobInfo::RUNNING;
    case JobPhase::kRetrying:
      return proto::JobInfo::RETRYING;
    case JobPhase::kStopping:
      return proto::JobInfo::STOPPING;
  }
  return proto::JobInfo::UNKNOWN;
}

}  // namespace

bool HasEnded(proto::JobInfo::State state) {
  return state == proto::JobInfo::FINISHED || state == proto::JobInfo::STOPPED ||
         state == proto::JobInfo::FAILED;
}

int64_t MicrosOf(Timestamp time) { return time.time_since_epoch().count(); }

void JobRecord::OnResumed(JobSpec planned) {
  mutable_info()->set_state(proto::JobInfo::STARTING);
  mutable_info()->set_epochs(0);
  mutable_info()->set_input_rows(0);
  mutable_info()->set_output_rows(0);
  spec = std::move(planned);
  is_resumed = true;
}

void JobRecord::OnPhase(JobPhase phase, const arrow::Status& error) {
  const auto state = StateOf(phase);
  // A stop was asked for: that is what the user wants to see.
  if (stop_mode.has_value() && state != proto::JobInfo::RETRYING) return;
  mutable_info()->set_state(state);
  mutable_info()->clear_error();
  if (state == proto::JobInfo::RETRYING && !error.ok()) {
    WriteError(error, mutable_info()->mutable_error());
  }
}

void JobRecord::OnRestores(const std::vector<RestoreProgress>& restores) {
  mutable_info()->clear_restores();
  for (const RestoreProgress& restore : restores) {
    proto::JobRestore* to = mutable_info()->add_restores();
    to->set_worker(restore.worker);
    to->set_is_ahead(restore.is_ahead);
    to->set_key_groups(restore.key_groups);
    to->set_key_groups_read(restore.key_groups_read);
    to->set_rows(restore.rows);
  }
}

void JobRecord::OnProgress(EpochProgress progress, Timestamp now) {
  proto::JobInfo* info = mutable_info();
  if (info->state() == proto::JobInfo::STARTING) info->set_state(proto::JobInfo::RUNNING);
  info->set_last_committed(progress.epoch);
  info->set_epochs(info->epochs() + 1);
  info->set_input_rows(info->input_rows() + progress.input_rows);
  info->set_output_rows(info->output_rows() + progress.output_rows);
  info->set_run_id(progress.run_id);
  info->set_committed_us(MicrosOf(now));
  info->set_checkpoint_state_bytes(progress.checkpoint_state_bytes);
  recent.push_back(std::move(progress));
  if (recent.size() > kRecentProgress) recent.pop_front();
}

proto::JobInfo JobRecord::OutcomeOf(const JobResult& result, const arrow::Status& error,
                                    Timestamp now) const {
  proto::JobInfo outcome = info();
  outcome.clear_error();
  if (!error.ok()) {
    outcome.set_state(proto::JobInfo::FAILED);
    WriteError(error, outcome.mutable_error());
  } else {
    outcome.set_state(result.was_stopped ? proto::JobInfo::STOPPED : proto::JobInfo::FINISHED);
  }
  outcome.set_finished_us(MicrosOf(now));
  outcome.set_slots(0);
  outcome.clear_restores();
  if (result.job_uuid.empty()) return outcome;  // It never got as far as its checkpoint.
  outcome.set_last_committed(result.last_committed);
  outcome.set_epochs(result.epochs);
  outcome.set_input_rows(result.input_rows);
  outcome.set_output_rows(result.output_rows);
  return outcome;
}

arrow::Result<JobRecordPtr> FindJob(const std::vector<JobRecordPtr>& jobs, std::string_view text) {
  JobRecordPtr named;
  std::vector<JobRecordPtr> prefixed;
  std::vector<std::string> names;
  for (const JobRecordPtr& job : jobs) {
    if (!job->is_accepted) continue;
    if (job->info().id() == text) return job;
    // Oldest first: a later one of the name wins, unless it has ended and the other has not.
    if (job->info().name() == text && (named == nullptr || named->is_ended || !job->is_ended)) {
      named = job;
    }
    if (!text.empty() && job->info().id().starts_with(text)) prefixed.push_back(job);
    names.push_back(job->info().name());
  }
  if (named != nullptr) return named;
  if (prefixed.size() == 1) return prefixed.front();
  if (prefixed.size() > 1) {
    return MakeError(
        ErrorKind::kNotFound, "JOB_AMBIGUOUS",
        fmt::format("several jobs have this prefix: prefix={} jobs={}", text, prefixed.size()));
  }
  const arrow::Status missing =
      MakeError(ErrorKind::kNotFound, "JOB_NOT_FOUND",
                fmt::format("the driver has no such job: job={}", text.substr(0, 200)));
  const std::string nearest = NearestName(text, names);
  return nearest.empty() ? missing : WithHint(missing, fmt::format("did you mean {}?", nearest));
}

}  // namespace tidemill::driver
