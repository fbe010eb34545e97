#pragma once

#include <cstdint>
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
class ToDriver;
class ToWorker;
}  // namespace tidemill::proto

namespace tidemill::worker {

using DriverStream = MessageStream<proto::ToDriver, proto::ToWorker>;

struct WorkerOptions {
  std::string name;  // unique in the cluster
  int slots = 1;
  std::string data_dir;  // local disk for RocksDB and restore; made when needed
};

// Everything outside; must outlive the worker. The executors for slots are serial, one each.
struct WorkerEnvironment {
  FileSystem* fs = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;  // serial: the worker's own
  std::vector<Executor*> slot_executors;
  Executor* io = nullptr;  // a pool, for blocking calls
  ExchangeNetwork* network = nullptr;
};

// Runs the jobs that drivers deploy: gives each slot its share of an epoch, makes the changelog
// durable, reports Prepared. An actor on environment.executor. Before the destructor, the executors
// must have been stopped, or nothing may be deployed. *Thread-safe.*
class Worker {
 public:
  Worker(WorkerOptions options, WorkerEnvironment environment);
  ~Worker();

  // Serves one driver stream until it closes; what was deployed over it is then undeployed.
  void Serve(std::shared_ptr<DriverStream> stream);

 private:
  class Actor;
  const std::shared_ptr<Actor> actor_;
};

}  // namespace tidemill::worker
