#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>

namespace tidemill::driver {

// The driver process: root, registry, board, the gRPC server for workers and clients and the HTTP
// server, wired together. *Thread-safe.*
class DriverDaemon {
 public:
  struct Options {
    std::string listen = "127.0.0.1:7400";
    std::string http = "127.0.0.1:7480";
    std::string root;
    std::string build;
    bool allows_remote = false;  // --insecure-bind
  };
  // Listens, takes the term, resumes the jobs. Errors: those of RpcServer::Start and
  // ClusterRoot::Open.
  static arrow::Result<std::unique_ptr<DriverDaemon>> Start(Options options);
  ~DriverDaemon();

  const std::string& listen() const;  // with the ports in use
  const std::string& http() const;
  uint64_t term() const;

  // The first call drains the jobs, the second one ends now. They stay registered as running.
  void Stop();
  // Blocks until the daemon has ended: OK after Stop, kFenced where a newer driver took over. A
  // failed fsync ends the process itself (exit 70).
  arrow::Status Wait();

 private:
  struct Impl;
  explicit DriverDaemon(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::driver
