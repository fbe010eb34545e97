#include "driver/cluster/driver_daemon.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <optional>
#include <utility>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/executor.h"
#include "common/base/logging.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "common/rpc/proto_stream.h"
#include "common/rpc/rpc_server.h"
#include "driver/api/driver_service.h"
#include "driver/api/http_routes.h"
#include "driver/api/metrics.h"
#include "driver/cluster/cluster_root.h"
#include "driver/cluster/job_board.h"
#include "driver/cluster/worker_registry.h"
#include "driver/http/http_server.h"

namespace tidemill::driver {

namespace {

constexpr int kIoThreads = 8;

std::string HolderText() {
  char host[256] = {};
  if (::gethostname(host, sizeof(host) - 1) != 0) return fmt::format("pid={}", ::getpid());
  return fmt::format("pid={} host={}", ::getpid(), host);
}

void PrintToStdout(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// One line per epoch, with the time of each phase.
void LogProgress(const EpochProgress& progress) {
  LogLine line(LogLevel::kInfo, "epoch_committed");
  line.With("job", progress.name).With("epoch", progress.epoch).With("attempt", progress.attempt);
  line.With("input_rows", progress.input_rows).With("output_rows", progress.output_rows);
  for (const auto& [phase, micros] : progress.duration_us) line.With(phase + "_us", micros);
}

// The registry is made before the board that listens to it.
class BoardListener final : public RegistryListener {
 public:
  void OnWorkerJoined(const std::string& worker) override { board->OnWorkerJoined(worker); }
  void OnWorkerLeaving(const std::string& worker) override { board->OnWorkerLeaving(worker); }

  JobBoard* board = nullptr;
};

}  // namespace

struct DriverDaemon::Impl {
  explicit Impl(Options daemon_options) : options(std::move(daemon_options)) {}
  ~Impl();

  arrow::Status Start();
  arrow::Status Listen();
  void MakeBoard();
  proto::GetClusterReply Describe() const;
  DriverQueries Queries();
  // The daemon is to end; the first reason counts.
  void End(const arrow::Status& why) EXCLUDES(mutex);
  // Not while it stops, nor once it was fenced.
  bool IsServing() EXCLUDES(mutex);

  const Options options;
  const std::string holder = HolderText();
  std::unique_ptr<Executor> cluster = MakeThreadExecutor("cluster");  // the registry's, the board's
  std::unique_ptr<Executor> io = MakePoolExecutor("io", kIoThreads);
  DriverMetrics metrics;
  BoardListener listener;
  std::unique_ptr<ClusterRoot> root;
  std::unique_ptr<WorkerRegistry> registry;
  std::unique_ptr<JobBoard> board;
  DriverService service;
  std::unique_ptr<rpc::RpcServer> server;
  std::unique_ptr<HttpServer> http;
  // Before that, whoever comes is sent away: the ports are taken before the term is, and the term
  // before the jobs are known. Release and acquire: what stands above is written before.
  std::atomic<bool> is_open{false};

  Mutex mutex;
  CondVar has_ended;
  std::optional<arrow::Status> outcome GUARDED_BY(mutex);
  bool is_stopping GUARDED_BY(mutex) = false;
};

DriverDaemon::Impl::~Impl() {
  is_open.store(false, std::memory_order_release);
  if (http != nullptr) http->Stop();
  if (server != nullptr) server->Stop();
  cluster->Stop();
  io->Stop();
  board.reset();
}

void DriverDaemon::Impl::End(const arrow::Status& why) {
  if (ErrorClassOf(why) == "FSYNC_FAILED") {
    // Nothing in memory is known to be on disk.
    std::fprintf(stderr, "%s\n", RenderError(why).c_str());
    ::_exit(static_cast<int>(ErrorKind::kBug));
  }
  MutexLock lock(&mutex);
  if (!outcome.has_value()) outcome = why;
  has_ended.NotifyAll();
}

bool DriverDaemon::Impl::IsServing() {
  MutexLock lock(&mutex);
  return is_open.load(std::memory_order_acquire) && !is_stopping && !outcome.has_value();
}

arrow::Status DriverDaemon::Impl::Listen() {
  rpc::RpcServer::Options rpc_options{.listen = options.listen,
                                      .allows_remote = options.allows_remote};
  rpc_options.streams[rpc::kControlMethod] = [this](const std::string& peer,
                                                    std::shared_ptr<rpc::FrameStream> frames) {
    if (!is_open.load(std::memory_order_acquire)) return frames->Close();
    registry->Serve(
        std::make_shared<rpc::ProtoStream<proto::ToWorker, proto::ToDriver>>(std::move(frames)),
        peer);
  };
  rpc_options.services.push_back(service.service());
  ARROW_ASSIGN_OR_RAISE(server, rpc::RpcServer::Start(std::move(rpc_options)));
  HttpServer::Options http_options{.listen = options.http,
                                   .allows_remote = options.allows_remote,
                                   .handler = MakeHttpRoutes(Queries(), &metrics)};
  ARROW_ASSIGN_OR_RAISE(http, HttpServer::Start(std::move(http_options)));
  return arrow::Status::OK();
}

void DriverDaemon::Impl::MakeBoard() {
  registry = std::make_unique<WorkerRegistry>(
      WorkerRegistry::Options{.clock = Clock::System(),
                              .executor = cluster.get(),
                              .cluster_term = root->term(),
                              .driver_incarnation = NewUuid(Random::System()),
                              .build = options.build,
                              .listener = &listener});
  JobBoard::Options board_options{.fs = FileSystem::Local(),
                                  .clock = Clock::System(),
                                  .random = Random::System(),
                                  .executor = cluster.get(),
                                  .io = io.get(),
                                  .root = root.get(),
                                  .registry = registry.get(),
                                  .print = PrintToStdout};
  board_options.make_executor = [](const std::string&) { return MakeThreadExecutor("job"); };
  board_options.on_progress = [this](const EpochProgress& progress) {
    metrics.OnEpoch(progress);
    LogProgress(progress);
  };
  board_options.on_fatal = [this](const arrow::Status& why) { End(why); };
  board = std::make_unique<JobBoard>(std::move(board_options));
  listener.board = board.get();
}

arrow::Status DriverDaemon::Impl::Start() {
  ARROW_RETURN_NOT_OK(Listen());
  ARROW_ASSIGN_OR_RAISE(root, ClusterRoot::Open({.fs = FileSystem::Local(),
                                                 .random = Random::System(),
                                                 .path = options.root,
                                                 .listen = server->address(),
                                                 .holder = holder}));
  MakeBoard();
  ARROW_RETURN_NOT_OK(board->Resume());
  registry->Start();
  service.Open(board.get(), Describe());
  is_open.store(true, std::memory_order_release);
  LogInfo("driver_started")
      .With("term", root->term())
      .With("listen", server->address())
      .With("http", http->address())
      .With("root", options.root);
  return arrow::Status::OK();
}

proto::GetClusterReply DriverDaemon::Impl::Describe() const {
  proto::GetClusterReply reply;
  reply.set_term(root->term());
  reply.set_pid(::getpid());
  reply.set_listen(server->address());
  reply.set_http(http->address());
  reply.set_root(options.root);
  reply.set_build(options.build);
  return reply;
}

DriverQueries DriverDaemon::Impl::Queries() {
  // Asks the board, where there is one.
  const auto ask = [this](const auto& done, const auto& question) {
    if (is_open.load(std::memory_order_acquire)) return question(board.get());
    done(MakeError(ErrorKind::kUnavailable, "DRIVER_STARTING", "the driver does not serve now"));
  };
  return {
      .is_serving = [this] { return IsServing(); },
      .describe =
          [this] {
            return is_open.load(std::memory_order_acquire) ? Describe() : proto::GetClusterReply();
          },
      .list_jobs = [ask](auto done) { ask(done, [&](JobBoard* b) { b->ListJobs(done); }); },
      .get_job = [ask](const std::string& job,
                       auto done) { ask(done, [&](JobBoard* b) { b->GetJob(job, done); }); },
      .list_workers = [ask](auto done) { ask(done, [&](JobBoard* b) { b->ListWorkers(done); }); }};
}

DriverDaemon::DriverDaemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
DriverDaemon::~DriverDaemon() = default;

arrow::Result<std::unique_ptr<DriverDaemon>> DriverDaemon::Start(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  ARROW_RETURN_NOT_OK(impl->Start());
  return std::unique_ptr<DriverDaemon>(new DriverDaemon(std::move(impl)));
}

const std::string& DriverDaemon::listen() const { return impl_->server->address(); }
const std::string& DriverDaemon::http() const { return impl_->http->address(); }
uint64_t DriverDaemon::term() const { return impl_->root->term(); }

void DriverDaemon::Stop() {
  {
    MutexLock lock(&impl_->mutex);
    if (!std::exchange(impl_->is_stopping, true)) {
      impl_->board->Shutdown([impl = impl_.get()] { impl->End(arrow::Status::OK()); });
      return;
    }
  }
  impl_->End(arrow::Status::OK());
}

arrow::Status DriverDaemon::Wait() {
  MutexLock lock(&impl_->mutex);
  while (!impl_->outcome.has_value()) impl_->has_ended.Wait(&impl_->mutex);
  return *impl_->outcome;
}

}  // namespace tidemill::driver
