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
#include "driver/epoch/watermark.h"
#include "driver/job/progress.h"
#include "driver/log/frozen_settings.h"
#include "driver/spec/job_spec.h"

namespace tidemill::proto {
class JobReport;
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
  WatermarkGraph watermarks;  // of the plan
  FrozenSettings settings;
  std::string checkpoint;          // directory, absolute
  bool is_durable = true;          // false: temporary, nothing is fsynced
  int64_t base_interval = 100;     // commits between Base records (setting log.base_interval)
  int64_t base_bytes = 16 << 20;   // of records between them, at most (of plans that hold rows)
  int64_t snapshot_min_bytes = 0;  // setting state.snapshot_min_bytes; 0: the workers' default
  std::string changelog_codec;     // setting state.changelog_codec; "": none
  double snapshot_ratio = 0;       // setting state.snapshot_ratio; 0: the workers' default
  int max_slots = 0;               // that the job may use; 0: all
  int64_t memory_bytes = 0;        // of its state per worker; 0: no limit
  std::string job_uuid;            // for a checkpoint that is new; "": a random one
  std::chrono::microseconds polling_delay{10'000};  // default trigger without data
  // What an epoch under load should last; 0: epochs take all there is.
  std::chrono::microseconds target_duration{0};
};

// A worker of the job. The stream is for this job alone.
struct WorkerLink {
  std::string name;
  int slots = 1;
  std::shared_ptr<WorkerStream> stream;
  std::string incarnation;
  std::string exchange_address;  // "" in one process
  // What it still has of this job from an earlier stream; null for nothing.
  std::shared_ptr<const proto::JobReport> report;
};

// A worker that reads state from the checkpoint. *Plain data.*
struct RestoreProgress {
  std::string worker;
  bool is_ahead = false;  // while epochs go on
  int64_t key_groups = 0;
  int64_t key_groups_read = 0;
  int64_t rows = 0;  // read so far
};

enum class JobPhase { kStarting, kWaitingForWorkers, kRunning, kRetrying, kStopping };

// Everything outside; must outlive the job. Console output (`print`) comes from I/O threads, one
// call at a time.
struct JobEnvironment {
  FileSystem* fs = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;     // serial: the job's own
  Executor* io = nullptr;           // a pool, for blocking calls
  std::vector<WorkerLink> workers;  // at the start; more may come by AddWorker
  // Wait when there is no worker (a cluster), in place of failing with NO_WORKERS (one process).
  bool waits_for_workers = false;
  // After a recovery, how long to wait before the first assignment: workers that kept the job's
  // state come back meanwhile, and one that misses an epoch has lost it.
  std::chrono::microseconds settle{0};
  std::string holder;  // "pid=17 host=a": what others are told who holds the checkpoint
  // Whether such a text is that of an older driver of this cluster, whose locks do not count. May
  // be empty.
  std::function<bool(std::string_view holder)> outranks;
  // FENCED (kFenced) where there is a newer driver of this cluster: the job must not take its
  // checkpoint. On I/O threads; may be empty.
  std::function<arrow::Status()> check_driver;
  std::function<void(std::string_view)> print;
  std::function<void(const EpochProgress&)> on_progress;  // after each epoch, on `executor`
  // The job waits, runs, or retries after `error`; on `executor`, on each change. May be empty.
  std::function<void(JobPhase phase, const arrow::Status& error)> on_phase;
  // Workers that read state from the checkpoint now, by name; on `executor`, on each change. May be
  // empty.
  std::function<void(const std::vector<RestoreProgress>&)> on_restores;
  // So many slots own the job's key groups from now on; on `executor`. May be empty.
  std::function<void(int slots)> on_slots;
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
  kDrain,     // finish the open epoch
  kNow,       // abandon it; the next start runs it again
  kHandOver,  // as kDrain, but workers keep what they have, for the next driver of the cluster
};

// Runs one job: recovers it from its checkpoint, drives its epochs through the workers until the
// trigger is done, an error or a stop, and then undeploys it. An actor on environment.executor; the
// executors must keep running until on_done.
//
// Workers come and go while it runs. One that is added is given key groups before the next attempt;
// what it reports to have is kept where it is the state of the last commit, and dropped else. One
// whose stream ends is lost: the open attempt is undone and its key groups are restored elsewhere.
// One that is released keeps its part of the open attempt, then gives its key groups up.
// *Thread-safe.*
class JobRunner {
 public:
  // `on_done` is called exactly once, on environment.executor, when nothing of the job runs any
  // more; errors of the start arrive there too. The runner may be destroyed from then on, or once
  // the executors have been stopped.
  static std::unique_ptr<JobRunner> Start(JobDefinition definition, JobEnvironment environment,
                                          std::function<void(JobResult)> on_done);
  ~JobRunner();

  void Stop(StopMode mode);

  // A worker of a name that is there replaces it, as if that one had been lost first. After the end
  // of the job the link's stream is closed at once.
  void AddWorker(WorkerLink link);
  // Ends with the closing of the worker's stream, once its key groups have other owners (or, where
  // there is no other worker, once no attempt is out).
  void ReleaseWorker(const std::string& name);

 private:
  class Actor;
  explicit JobRunner(std::shared_ptr<Actor> actor);

  const std::shared_ptr<Actor> actor_;
};

}  // namespace tidemill::driver
