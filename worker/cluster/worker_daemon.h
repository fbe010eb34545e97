#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tidemill::worker {

// The worker process: a Worker, its link to the driver and its exchange server, wired together. A
// failed fsync ends the process itself (exit 70). *Thread-safe.*
class WorkerDaemon {
 public:
  struct Options {
    std::string id;                      // unique in the cluster; letters, digits, '.', '_' and '-'
    bool has_passing_id = false;         // no later process will come back under it
    std::vector<std::string> drivers;    // addresses, tried in turn
    std::string root;                    // "" or the cluster's root: its newest term comes first
    std::string listen = "127.0.0.1:0";  // for exchange streams
    std::string advertise;               // what others connect to; "": the address listened on
    int slots = 1;
    int64_t memory_bytes = 0;  // limit of all state; 0: none
    std::string data_dir;      // local disk; made where missing
    std::string holder;        // "pid=17 host=a"
    std::string build;
    bool allows_remote = false;  // --insecure-bind
  };
  // Listens and begins to look for a driver; that none answers is no error, it is retried. Errors:
  // INVALID_WORKER_ID, NO_ADVERTISED_ADDRESS (kUsage), WORKER_ID_IN_USE (kConflict) where another
  // process has the id and the data directory, those of RpcServer::Start.
  static arrow::Result<std::unique_ptr<WorkerDaemon>> Start(Options options);
  ~WorkerDaemon();

  const std::string& listen() const;  // with the port in use

  // The first call leaves politely (key groups go to others first; where no driver answers, at
  // once), the second one ends now.
  void Leave();
  // Blocks until the daemon has ended: OK after Leave, kFenced where a newer process has its id.
  arrow::Status Wait();

 private:
  struct Impl;
  explicit WorkerDaemon(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::worker
