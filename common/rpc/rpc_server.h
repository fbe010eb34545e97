#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/rpc/frame_stream.h"

namespace grpc {
class Service;
}

namespace tidemill::rpc {

// A gRPC server: streams of frames by method name, and generated services beside them. Hostile
// input is refused by limits (message size, connections, keep-alive abuse) and logged.
// *Thread-safe.*
class RpcServer {
 public:
  // Called from a gRPC thread with the peer's address; the stream must be kept or it is closed.
  using OnStream =
      std::function<void(const std::string& peer, std::shared_ptr<FrameStream> stream)>;

  struct Options {
    std::string listen;          // "127.0.0.1:7400"; port 0 takes a free one
    bool allows_remote = false;  // --insecure-bind: else only loopback addresses
    Limits limits;
    std::map<std::string, OnStream> streams;  // by method; others are refused
    std::vector<grpc::Service*> services;     // borrowed until the server is gone
  };
  // Errors: ADDRESS_IN_USE (kConflict), INVALID_ADDRESS (kUsage), INSECURE_BIND (kUsage) for an
  // address that is not loopback. Two servers never share a port (SO_REUSEPORT is off).
  static arrow::Result<std::unique_ptr<RpcServer>> Start(Options options);
  virtual ~RpcServer() = default;  // Stops.

  virtual const std::string& address() const = 0;  // with the port in use
  // Refuses what is new, ends all calls and streams (their on_close is called) and waits for them.
  virtual void Stop() = 0;
};

}  // namespace tidemill::rpc
