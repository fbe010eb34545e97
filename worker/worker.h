#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "common/transport/message_stream.h"
#include "worker/exchange/exchange_network.h"

namespace tidemill::proto {
class JobReport;
class ToDriver;
class ToWorker;
}  // namespace tidemill::proto

namespace tidemill::worker {

using DriverStream = MessageStream<proto::ToDriver, proto::ToWorker>;

struct WorkerOptions {
  std::string name;  // unique in the cluster; goes into file names
  int slots = 1;
  std::string data_dir;      // local disk for RocksDB and restore; made when needed
  std::string kept_dir;      // on the same disk, for what Keep leaves by job; "": nothing
  std::string found_dir;     // what the last incarnation has left; "": nothing
  int64_t memory_bytes = 0;  // limit for the state of all jobs (StateMemory); 0: none
  std::string incarnation;   // of the process; "": a random UUID
};

// Everything outside; must outlive the worker. The executors for slots are serial, one each.
struct WorkerEnvironment {
  FileSystem* fs = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;  // serial: the worker's own
  std::vector<Executor*> slot_executors;
  Executor* io = nullptr;  // a pool, for blocking calls
  ExchangeNetwork* network = nullptr;
  // An fsync failed, of any attempt: does not return in production (exit 70). From any thread. Left
  // empty: prints and ends the process.
  std::function<void(const arrow::Status&)> on_fatal;
};

// Runs the jobs that drivers deploy: gives each slot its share of an epoch, makes the changelog
// durable, reports Prepared. An actor on environment.executor. Before the destructor, the executors
// must have been stopped, or nothing may be deployed. *Thread-safe*, but for what is said to be for
// the executor only.
class Worker {
 public:
  Worker(WorkerOptions options, WorkerEnvironment environment);
  ~Worker();

  // In one process: registers with a driver and serves its stream until it closes; what was
  // deployed over it is then undeployed.
  void Serve(std::shared_ptr<DriverStream> stream);

  // In a cluster, where DriverLink has the only stream and jobs survive it; on the executor only.
  // From Connect on, jobs are taken from this stream. After Disconnect they keep what they have,
  // and say nothing until the next driver adopts them; what the last Report left out ends when that
  // one connects.
  std::vector<proto::JobReport> Report();
  void Connect(std::shared_ptr<DriverStream> stream);
  void Disconnect();
  void Handle(const proto::ToWorker& message);
  // The worker wants to go: tables of jobs that are taken from it are held for Keep.
  void Leave();
  // Instead of Disconnect, at the end: leaves tables on the local disk for the next incarnation.
  void Keep(std::function<void()> done);

  // Rows of an attempt were lost on their way from or to this worker: it cannot be committed.
  void OnAttemptBroken(const AttemptId& attempt, const arrow::Status& why);

  const std::string& name() const;
  const std::string& incarnation() const;
  int slots() const;

 private:
  class Actor;
  const std::shared_ptr<Actor> actor_;
};

}  // namespace tidemill::worker
