#pragma once

#include <functional>
#include <memory>

#include "common/rpc/listener.h"

namespace tidemill::rpc::internal {

// Accepts the connections of a server in gRPC's place, because gRPC 1.51 has no limit of
// connections, does not log what it refuses, and stops to listen for good when the process runs out
// of file descriptors. A connection is let in when it has sent the first bytes of HTTP/2, is
// dropped and logged when it has sent others or nothing for some seconds, and while too many are
// open. One thread. *Thread-safe.*
class Doorkeeper {
 public:
  // `let_in` takes a connected socket that does not block, and owns it.
  Doorkeeper(Socket listener, std::function<void(int fd)> let_in);
  ~Doorkeeper();  // Stops.

  // Accepts nothing more and gives up the port.
  void Stop();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::rpc::internal
