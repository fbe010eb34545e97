#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/executor.h"
#include "driver/cluster/console_followers.h"
#include "driver/cluster/job_board.h"
#include "driver/job/io_strand.h"
#include "driver/job/job_runner.h"
#include "driver/spec/job_spec.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// What the board holds of one job, on the board's executor. *Thread-compatible.*
struct JobRecord {
  proto::RegisteredJob registered;  // its info is what is known now
  bool is_accepted = false;         // it is durable in the root
  bool is_resumed = false;          // by this driver, from the root or its checkpoint
  bool is_ended = false;            // its outcome is known, and durable where that was possible

  // While it runs.
  JobSpec spec;
  std::shared_ptr<Executor> executor;
  std::unique_ptr<JobRunner> runner;
  bool is_user_stop = false;
  std::optional<StopMode> stop_mode;  // the strongest that was asked for

  std::shared_ptr<IoStrand> store;  // writes of its file, in order
  std::shared_ptr<ConsoleFollowers> followers = std::make_shared<ConsoleFollowers>();
  // Each is called once; an empty one has been.
  std::vector<std::shared_ptr<JobBoard::Reply<proto::JobInfo>>> stop_waiters;
  std::deque<EpochProgress> recent;  // oldest first

  const proto::JobInfo& info() const { return registered.info(); }
  proto::JobInfo* mutable_info() { return registered.mutable_info(); }

  // It is about to go on from its checkpoint; counters are those of a run.
  void OnResumed(JobSpec planned);
  void OnPhase(JobPhase phase, const arrow::Status& error);
  void OnRestores(const std::vector<RestoreProgress>& restores);
  void OnProgress(EpochProgress progress, Timestamp now);
  // The info once the run has come to `result`; `error` is its error with the place in the
  // specification.
  proto::JobInfo OutcomeOf(const JobResult& result, const arrow::Status& error,
                           Timestamp now) const;
};

using JobRecordPtr = std::shared_ptr<JobRecord>;

bool HasEnded(proto::JobInfo::State state);
int64_t MicrosOf(Timestamp time);

// The job that a user means by `text`: an id, a name (of an active job first, else of the newest),
// or a unique prefix of an id. `jobs` are oldest first. Errors: JOB_NOT_FOUND, JOB_AMBIGUOUS
// (kNotFound).
arrow::Result<JobRecordPtr> FindJob(const std::vector<JobRecordPtr>& jobs, std::string_view text);

}  // namespace tidemill::driver
