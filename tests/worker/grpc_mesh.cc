#include "tests/worker/grpc_mesh.h"

#include <utility>

#include "common/base/random.h"
#include "proto/control.pb.h"

namespace tidemill::testing {

GrpcMesh::GrpcMesh(int workers, const OnBroken& on_broken) : nodes_(workers) {
  for (int i = 0; i < workers; ++i) {
    Node& node = nodes_[i];
    node.executor = MakeThreadExecutor("exchange");
    worker::PeerNetwork::Options options;
    options.worker = "w" + std::to_string(i);
    options.incarnation = node.incarnation = NewUuid(Random::System());
    options.executor = node.executor.get();
    options.connect = [](const worker::ExchangePeer& peer) {
      return rpc::Channel::Make(peer.address)->OpenStream(rpc::kExchangeMethod);
    };
    options.on_broken = [i, on_broken](const worker::AttemptId& attempt, const arrow::Status& why) {
      on_broken(i, attempt, why);
    };
    node.network = std::make_unique<worker::PeerNetwork>(std::move(options));
    node.server = Listen("127.0.0.1:0", node.network.get());
    node.address = node.server->address();
  }
}

GrpcMesh::~GrpcMesh() { Stop(); }

std::unique_ptr<rpc::RpcServer> GrpcMesh::Listen(const std::string& address,
                                                 worker::PeerNetwork* network) {
  rpc::RpcServer::Options options;
  options.listen = address;
  options.streams[rpc::kExchangeMethod] = [network](const std::string& peer,
                                                    std::shared_ptr<rpc::FrameStream> stream) {
    network->Serve(peer, std::move(stream));
  };
  return rpc::RpcServer::Start(std::move(options)).ValueOrDie();
}

void GrpcMesh::AddTo(proto::Assign* assign) const {
  for (size_t i = 0; i < nodes_.size(); ++i) {
    proto::WorkerAddress* address = assign->add_workers();
    address->set_worker("w" + std::to_string(i));
    address->set_incarnation(nodes_[i].incarnation);
    address->set_exchange_address(nodes_[i].address);
  }
}

void GrpcMesh::BreakStreamsTo(int worker) {
  Node& node = nodes_[worker];
  node.server->Stop();
  node.server.reset();
  node.server = Listen(node.address, node.network.get());
}

void GrpcMesh::Stop() {
  for (Node& node : nodes_) node.network->Stop();
  for (Node& node : nodes_) node.server->Stop();
  for (Node& node : nodes_) node.executor->Stop();
}

}  // namespace tidemill::testing
