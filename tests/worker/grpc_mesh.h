#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/rpc/rpc_server.h"
#include "worker/exchange/peer_network.h"

namespace tidemill::proto {
class Assign;
}

namespace tidemill::testing {

// An exchange of its own for each of several workers (w0, w1, ...) in this process, connected by
// gRPC over loopback. *Thread-compatible.*
class GrpcMesh {
 public:
  // `on_broken` gets the worker's index; on a thread of the mesh.
  using OnBroken =
      std::function<void(int, const worker::AttemptId& attempt, const arrow::Status& why)>;
  GrpcMesh(int workers, const OnBroken& on_broken);
  ~GrpcMesh();

  const std::string& incarnation(int worker) const { return nodes_[worker].incarnation; }
  worker::PeerNetwork* network(int worker) { return nodes_[worker].network.get(); }
  // Says where the workers are.
  void AddTo(proto::Assign* assign) const;
  // Ends all streams that lead to the worker; new ones find it again.
  void BreakStreamsTo(int worker);
  // Ends everything; before the workers go.
  void Stop();

 private:
  struct Node {
    std::string incarnation;
    std::string address;
    std::unique_ptr<Executor> executor;
    std::unique_ptr<worker::PeerNetwork> network;
    std::unique_ptr<rpc::RpcServer> server;
  };

  static std::unique_ptr<rpc::RpcServer> Listen(const std::string& address,
                                                worker::PeerNetwork* network);

  std::vector<Node> nodes_;
};

}  // namespace tidemill::testing
