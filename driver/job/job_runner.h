#pragma once

#include <arrow/result.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "common/transport/message_stream.h"
#include "connectors/sink.h"
#include "connectors/source.h"
#include "driver/job/progress.h"
#include "driver/log/frozen_settings.h"
#include "driver/spec/job_spec.h"

namespace tidemill::proto {
class PhysicalPlan;
class ToDriver;
class ToWorker;
}  // namespace tidemill::proto

namespace tidemill::driver {

using WorkerStream = MessageStream<proto::ToWorker, proto::ToDriver>;

// One planned job. Source and sink specifications are taken from the plan. *Plain data.*
struct JobDefinition {
  std::string name;
  std::shared_ptr<const proto::PhysicalPlan> plan;
  Trigger trigger;
  FrozenSettings settings;
  std::string checkpoint;          // directory, absolute
  bool is_durable = true;          // false: temporary, nothing is fsynced
  int64_t base_interval = 100;     // commits between Base records (setting log.base_interval)
  int64_t snapshot_min_bytes = 0;  // setting state.snapshot_min_bytes; 0: the workers' default
  double snapshot_ratio = 0;       // setting state.snapshot_ratio; 0: the workers' default
  std::chrono::microseconds polling_delay{10'000};  // default trigger without data
};

// A worker of the job. The stream is for this job alone.
struct WorkerLink {
  std::string name;
  int slots = 1;
  std::shared_ptr<WorkerStream> stream;
};

// Everything outside; must outlive the job. Console output (`print`) comes from I/O threads, one
// call at a time.
struct JobEnvironment {
  FileSystem* fs = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;  // serial: the job's own
  Executor* io = nullptr;        // a pool, for blocking calls
  std::vector<WorkerLink> workers;
  std::string holder;  // "pid=17 host=a": what others are told who holds the checkpoint
  std::function<void(std::string_view)> print;
  std::function<void(const EpochProgress&)> on_progress;  // after each epoch, on `executor`
  // An fsync failed: does not return in production (exit 70). Left empty: prints and ends the
  // process.
  std::function<void(const arrow::Status&)> on_fatal;
  // For tests; left empty: those of connectors/.
  std::function<arrow::Result<std::unique_ptr<connectors::SourceDriver>>(
      const connectors::SourceSpec&, connectors::SourceDriverContext)>
      make_source;
  std::function<arrow::Result<std::unique_ptr<connectors::SinkDriver>>(
      const connectors::SinkSpec&, connectors::SinkDriverContext)>
      make_sink;
};

struct JobResult {
  arrow::Status status;  // OK also after a stop
  bool was_stopped = false;
  std::string job_uuid;  // "" where the checkpoint could not be opened
  int64_t last_committed = -1;
  int64_t epochs = 0;      // committed by this run
  int64_t input_rows = 0;  // of these
  int64_t output_rows = 0;
  std::vector<EpochProgress> recent;  // the last 100 at most
};

enum class StopMode {
  kDrain,  // finish the open epoch
  kNow,    // abandon it; the next start runs it again
};

// Runs one job: recovers it from its checkpoint, drives its epochs through the workers until the
// trigger is done, an error or a stop, and then undeploys it. An actor on environment.executor; the
// executors must keep running until on_done. *Thread-safe.*
class JobRunner {
 public:
  // `on_done` is called exactly once, on environment.executor, when nothing of the job runs any
  // more; errors of the start arrive there too. The runner may be destroyed from then on, or once
  // the executors have been stopped.
  static std::unique_ptr<JobRunner> Start(JobDefinition definition, JobEnvironment environment,
                                          std::function<void(JobResult)> on_done);
  ~JobRunner();

  void Stop(StopMode mode);

 private:
  class Actor;
  explicit JobRunner(std::shared_ptr<Actor> actor);

  const std::shared_ptr<Actor> actor_;
};

}  // namespace tidemill::driver
