#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "common/base/mutex.h"
#include "deploy/client/driver_address.h"
#include "deploy/client/driver_client.h"
#include "deploy/client/interrupt.h"

namespace tidemill::deploy {

// Follows one job to its end, over restarts of the driver: where the connection breaks, the driver
// is looked for again (it may have another address), for a minute. Console output of that time is
// not seen. *Thread-safe.*
class JobFollower {
 public:
  // `interrupt` must outlive this.
  JobFollower(DriverOptions options, Interrupt* interrupt)
      : options_(std::move(options)), interrupt_(interrupt) {}

  // The job's final state. Errors: INTERRUPTED (kGeneral) after a signal or Cancel.
  arrow::Result<proto::JobInfo> Follow(const std::string& job,
                                       const std::function<void(std::string_view)>& on_text);
  void Cancel();

 private:
  void SetClient(std::shared_ptr<DriverClient> client);
  bool is_cancelled() const;

  const DriverOptions options_;
  Interrupt* const interrupt_;
  mutable Mutex mutex_;
  bool is_cancelled_ GUARDED_BY(mutex_) = false;
  std::shared_ptr<DriverClient> client_ GUARDED_BY(mutex_);
};

// How a command that waited for the job ends: OK where it finished or was stopped, else the job's
// own error, JOB_FAILED (kJobFailed) where that has no class of its own.
arrow::Status OutcomeOf(const proto::JobInfo& job);

}  // namespace tidemill::deploy
