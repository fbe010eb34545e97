#include "worker/cluster/worker_daemon.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/executor.h"
#include "common/base/logging.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "common/rpc/newest_driver.h"
#include "common/rpc/proto_stream.h"
#include "common/rpc/rpc_server.h"
#include "proto/control.pb.h"
#include "worker/cluster/driver_link.h"
#include "worker/cluster/worker_directory.h"
#include "worker/exchange/peer_network.h"
#include "worker/worker.h"

namespace tidemill::worker {

namespace {

constexpr int kIoThreads = 4;
constexpr size_t kLongestId = 100;  // it is part of file names

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

arrow::Status CheckId(const std::string& id) {
  if (!id.empty() && id.size() <= kLongestId && id.front() != '.' &&
      std::all_of(id.begin(), id.end(), IsPlain)) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kUsage, "INVALID_WORKER_ID",
                   fmt::format("a worker's id is 1 to {} letters, digits, '.', '_' and '-', and "
                               "does not begin with '.': id={}",
                               kLongestId, id));
}

arrow::Status CheckAdvertise(const WorkerDaemon::Options& options) {
  const bool is_wildcard =
      options.listen.starts_with("0.0.0.0:") || options.listen.starts_with("[::]:");
  if (!is_wildcard || !options.advertise.empty()) return arrow::Status::OK();
  return MakeError(ErrorKind::kUsage, "NO_ADVERTISED_ADDRESS",
                   fmt::format("other workers cannot connect to a wildcard address: say with "
                               "--advertise where they find this one: listen={}",
                               options.listen));
}

}  // namespace

// Members are destroyed from the last to the first: threads outlive what runs on them.
struct WorkerDaemon::Impl {
  Options options;
  std::unique_ptr<WorkerDirectory> directory;
  std::unique_ptr<Executor> io;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<Executor> exchange_executor;
  std::vector<std::unique_ptr<Executor>> slot_executors;
  std::unique_ptr<PeerNetwork> network;
  std::unique_ptr<Worker> worker;
  std::unique_ptr<rpc::RpcServer> server;
  std::unique_ptr<DriverLink> link;

  Mutex mutex;
  CondVar ended_changed;
  bool is_leaving GUARDED_BY(mutex) = false;
  std::optional<arrow::Status> ended GUARDED_BY(mutex);

  explicit Impl(Options given) : options(std::move(given)) {}
  ~Impl();

  arrow::Status Start();
  void MakeNetwork(const std::string& incarnation);
  void MakeWorker(const std::string& incarnation);
  arrow::Status StartServer();
  void StartLink();
  std::shared_ptr<DriverStream> ConnectToDriver(int attempt) const;
  void End(const arrow::Status& why) EXCLUDES(mutex);
};

WorkerDaemon::Impl::~Impl() {
  if (link != nullptr) link->Stop();
  if (server != nullptr) server->Stop();
  if (network != nullptr) network->Stop();
  if (executor != nullptr) executor->Stop();
  if (exchange_executor != nullptr) exchange_executor->Stop();
  for (const auto& slot : slot_executors) slot->Stop();
  if (io != nullptr) io->Stop();
}

arrow::Status WorkerDaemon::Impl::Start() {
  ARROW_RETURN_NOT_OK(CheckId(options.id));
  ARROW_RETURN_NOT_OK(CheckAdvertise(options));
  WorkerDirectory::Options place{.fs = FileSystem::Local(),
                                 .random = Random::System(),
                                 .data_dir = options.data_dir,
                                 .id = options.id,
                                 .is_passing = options.has_passing_id,
                                 .holder = options.holder};
  ARROW_ASSIGN_OR_RAISE(directory, WorkerDirectory::Open(std::move(place)));
  io = MakePoolExecutor("io", kIoThreads);
  executor = MakeThreadExecutor("worker");
  exchange_executor = MakeThreadExecutor("exchange");
  const std::string incarnation = NewUuid(Random::System());
  MakeNetwork(incarnation);
  MakeWorker(incarnation);
  ARROW_RETURN_NOT_OK(StartServer());
  StartLink();
  return arrow::Status::OK();
}

void WorkerDaemon::Impl::MakeNetwork(const std::string& incarnation) {
  PeerNetwork::Options network_options;
  network_options.worker = options.id;
  network_options.incarnation = incarnation;
  network_options.build = options.build;
  network_options.executor = exchange_executor.get();
  network_options.connect = [](const ExchangePeer& peer) {
    return rpc::Channel::Make(peer.address)->OpenStream(rpc::kExchangeMethod);
  };
  network_options.on_broken = [this](const AttemptId& attempt, const arrow::Status& why) {
    worker->OnAttemptBroken(attempt, why);
  };
  network = std::make_unique<PeerNetwork>(std::move(network_options));
}

void WorkerDaemon::Impl::MakeWorker(const std::string& incarnation) {
  WorkerEnvironment environment;
  environment.fs = FileSystem::Local();
  environment.random = Random::System();
  environment.executor = executor.get();
  for (int slot = 0; slot < options.slots; ++slot) {
    slot_executors.push_back(MakeThreadExecutor(fmt::format("slot-{}", slot)));
    environment.slot_executors.push_back(slot_executors.back().get());
  }
  environment.io = io.get();
  environment.network = network.get();
  WorkerOptions worker_options;
  worker_options.name = options.id;
  worker_options.slots = options.slots;
  worker_options.data_dir = directory->path();
  worker_options.kept_dir = directory->kept_path();
  worker_options.found_dir = directory->found_path();
  worker_options.memory_bytes = options.memory_bytes;
  worker_options.incarnation = incarnation;
  worker = std::make_unique<Worker>(std::move(worker_options), std::move(environment));
}

arrow::Status WorkerDaemon::Impl::StartServer() {
  rpc::RpcServer::Options server_options;
  server_options.listen = options.listen;
  server_options.allows_remote = options.allows_remote;
  server_options.streams[rpc::kExchangeMethod] = [this](const std::string& peer,
                                                        std::shared_ptr<rpc::FrameStream> stream) {
    network->Serve(peer, std::move(stream));
  };
  ARROW_ASSIGN_OR_RAISE(server, rpc::RpcServer::Start(std::move(server_options)));
  return arrow::Status::OK();
}

void WorkerDaemon::Impl::StartLink() {
  DriverLink::Options link_options;
  link_options.worker = worker.get();
  link_options.clock = Clock::System();
  link_options.executor = executor.get();
  link_options.io = io.get();
  link_options.connect = [this](int attempt) { return ConnectToDriver(attempt); };
  link_options.exchange_address = options.advertise.empty() ? server->address() : options.advertise;
  link_options.build = options.build;
  link_options.memory_bytes = options.memory_bytes;
  link_options.on_end = [this](const arrow::Status& why) { End(why); };
  link = std::make_unique<DriverLink>(std::move(link_options));
  link->Start();
}

std::shared_ptr<DriverStream> WorkerDaemon::Impl::ConnectToDriver(int attempt) const {
  std::vector<std::string> candidates;
  if (!options.root.empty()) {
    const auto newest = rpc::NewestDriver(FileSystem::Local(), options.root);
    if (!newest.ok())
      LogWarn("root_unreadable").With("root", options.root).With("why", newest.status().message());
    if (newest.ok() && newest->has_value()) candidates.push_back(**newest);
  }
  candidates.insert(candidates.end(), options.drivers.begin(), options.drivers.end());
  if (candidates.empty()) return nullptr;
  const std::string& address = candidates[attempt % candidates.size()];
  return std::make_shared<rpc::ProtoStream<proto::ToDriver, proto::ToWorker>>(
      rpc::Channel::Make(address)->OpenStream(rpc::kControlMethod));
}

void WorkerDaemon::Impl::End(const arrow::Status& why) {
  MutexLock lock(&mutex);
  if (!ended.has_value()) ended = why;
  ended_changed.NotifyAll();
}

arrow::Result<std::unique_ptr<WorkerDaemon>> WorkerDaemon::Start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  ARROW_RETURN_NOT_OK(impl->Start());
  return std::unique_ptr<WorkerDaemon>(new WorkerDaemon(std::move(impl)));
}

WorkerDaemon::WorkerDaemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WorkerDaemon::~WorkerDaemon() = default;

const std::string& WorkerDaemon::listen() const { return impl_->server->address(); }

void WorkerDaemon::Leave() {
  bool is_second = false;
  {
    MutexLock lock(&impl_->mutex);
    is_second = std::exchange(impl_->is_leaving, true);
  }
  if (is_second) return impl_->End(arrow::Status::OK());
  impl_->link->Leave();
}

arrow::Status WorkerDaemon::Wait() {
  MutexLock lock(&impl_->mutex);
  while (!impl_->ended.has_value()) impl_->ended_changed.Wait(&impl_->mutex);
  return *impl_->ended;
}

}  // namespace tidemill::worker
