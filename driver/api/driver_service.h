#pragma once

#include <memory>

#include "driver/cluster/job_board.h"
#include "proto/cluster.pb.h"

namespace grpc {
class Service;
}

namespace tidemill::driver {

// What clients may ask of the driver over gRPC (service Driver of proto/cluster.proto): validates,
// passes on to the board or the memory tables, and answers when they do. Errors are a gRPC status
// with the proto::Error in its details. A client that reads its job's console output too slowly
// loses some of it, with a note; it never holds up the job. *Thread-safe.*
class DriverService {
 public:
  DriverService();
  ~DriverService();  // The server must have been stopped.

  // For the server; lives as long as this.
  grpc::Service* service();

  // Until then calls are refused (kUnavailable). `board` must outlive the server; `cluster` is what
  // GetCluster says beside the workers.
  void Open(JobBoard* board, proto::GetClusterReply cluster);

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::driver
