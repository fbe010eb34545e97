#include "common/rpc/rpc_server.h"

#include <fmt/format.h>
#include <grpcpp/alarm.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/resource_quota.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "common/base/mutex.h"
#include "common/rpc/callback_threads.h"
#include "common/rpc/channel_options.h"
#include "common/rpc/doorkeeper.h"
#include "common/rpc/listener.h"
#include "common/rpc/stream_core.h"

namespace tidemill::rpc {

namespace {

using internal::StreamCore;

constexpr int kStreamsPerConnection = 256;
// Connections that have no stream are ended after this long, those that say nothing sensible at
// once or after the handshake's time.
constexpr int kIdleConnectionMs = 60'000;
constexpr int kHandshakeMs = 5'000;
// A backstop: above it gRPC stops to read and drops connections.
constexpr size_t kReceiveBytes = size_t{2} << 30;
// Streams that were closed before a stop may still flush for so long.
constexpr std::chrono::seconds kStopGrace{2};

arrow::Status Lost(const std::string& message) {
  return MakeError(ErrorKind::kUnavailable, "CONNECTION_LOST", message);
}

// The streams of one server that gRPC is not done with. *Thread-safe.*
class OpenStreams {
 public:
  void Add(StreamCore* key, std::weak_ptr<StreamCore> core) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    streams_[key] = std::move(core);
  }
  void Remove(StreamCore* key) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    streams_.erase(key);
    if (streams_.empty()) none_left_.NotifyAll();
  }
  void GiveUpAll(const arrow::Status& why) EXCLUDES(mutex_) {
    std::vector<std::weak_ptr<StreamCore>> all;
    {
      MutexLock lock(&mutex_);
      for (const auto& [key, core] : streams_) all.push_back(core);
    }
    for (const auto& one : all) {
      if (const auto core = one.lock()) core->GiveUp(why);
    }
  }
  void AwaitNone() EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    while (!streams_.empty()) none_left_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar none_left_;
  std::map<StreamCore*, std::weak_ptr<StreamCore>> streams_ GUARDED_BY(mutex_);
};

// The server's side of a call. Owns itself until gRPC is done with it.
class ServerCall final : public grpc::ServerGenericBidiReactor, public internal::StreamCall {
 public:
  ServerCall(grpc::CallbackServerContext* context, std::shared_ptr<StreamCore> core,
             std::shared_ptr<OpenStreams> open)
      : context_(context), peer_(context->peer()), core_(std::move(core)), open_(std::move(open)) {
    open_->Add(core_.get(), core_);
    StartSendInitialMetadata();  // Tells the client that it is connected.
    core_->Attach(this);
  }

  void Read(grpc::ByteBuffer* into) override { StartRead(into); }
  void Write(const grpc::ByteBuffer* frame) override { StartWrite(frame); }
  bool CloseInOrder() override {
    Finish();
    return false;
  }
  void Finish() override { ServerBidiReactor::Finish(grpc::Status::OK); }
  void Cancel() override { context_->TryCancel(); }
  void SetDeadline(std::chrono::milliseconds delay) override {
    if (deadline_ != nullptr) return;
    deadline_ = std::make_unique<grpc::Alarm>();
    deadline_->Set(std::chrono::system_clock::now() + delay, [core = core_](bool is_due) {
      if (is_due) core->OnOverdue();
    });
  }

  void OnReadDone(bool ok) override { core_->OnRead(ok); }
  void OnWriteDone(bool ok) override { core_->OnWritten(ok); }
  void OnCancel() override { core_->OnCancelled(); }
  void OnDone() override {
    core_->OnEnd(context_->IsCancelled() ? Lost("connection lost: peer=" + peer_)
                                         : arrow::Status::OK());
    open_->Remove(core_.get());
    delete this;
  }

 private:
  grpc::CallbackServerContext* const context_;
  const std::string peer_;  // The context forgets it with the connection.
  const std::shared_ptr<StreamCore> core_;
  const std::shared_ptr<OpenStreams> open_;
  std::unique_ptr<grpc::Alarm> deadline_;
};

// Ends a call that nobody serves.
class RefusedCall final : public grpc::ServerGenericBidiReactor {
 public:
  explicit RefusedCall(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

// Takes every call that no generated service takes.
class FrameService final : public grpc::CallbackGenericService {
 public:
  FrameService(std::map<std::string, RpcServer::OnStream> streams, Limits limits)
      : streams_(std::move(streams)), limits_(limits), open_(std::make_shared<OpenStreams>()) {}

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    const auto entry = streams_.find(context->method());
    if (entry == streams_.end()) {
      LogWarn("rpc_refused")
          .With("peer", context->peer())
          .With("method", context->method().substr(0, 100));
      return new RefusedCall({grpc::StatusCode::UNIMPLEMENTED, "no such method"});
    }
    if (is_stopping_.load(std::memory_order_relaxed)) {
      return new RefusedCall({grpc::StatusCode::UNAVAILABLE, "this server stops"});
    }
    auto core = std::make_shared<StreamCore>(context->peer(), limits_);
    auto user_end = internal::MakeUserEnd(core);
    auto* call = new ServerCall(context, std::move(core), open_);
    entry->second(context->peer(), std::move(user_end));
    return call;
  }

  void EndStreams() {
    is_stopping_.store(true, std::memory_order_relaxed);  // Late ones are ended by gRPC's shutdown.
    open_->GiveUpAll(Lost("this server stops"));
  }
  void AwaitStreams() { open_->AwaitNone(); }

 private:
  const std::map<std::string, RpcServer::OnStream> streams_;
  const Limits limits_;
  const std::shared_ptr<OpenStreams> open_;
  std::atomic<bool> is_stopping_{false};
};

class GrpcServer final : public RpcServer {
 public:
  explicit GrpcServer(Options* options) : service_(std::move(options->streams), options->limits) {}
  ~GrpcServer() override { Stop(); }

  arrow::Status Begin(Listener listener, const Options& options) {
    grpc::ServerBuilder builder;
    auto entrance = builder.experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD,
        grpc::InsecureServerCredentials());
    builder.RegisterCallbackGenericService(&service_);
    for (grpc::Service* service : options.services) builder.RegisterService(service);
    builder.SetMaxReceiveMessageSize(static_cast<int>(options.limits.message_bytes));
    builder.SetMaxSendMessageSize(-1);
    SetLimits(&builder);
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return MakeError(ErrorKind::kBug, "INTERNAL_ERROR",
                       "cannot start a server: address=" + listener.address);
    }
    address_ = std::move(listener.address);
    doorkeeper_ = std::make_unique<internal::Doorkeeper>(
        std::move(listener.socket), [entrance = std::shared_ptr(std::move(entrance))](int fd) {
          grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
          connection.fd = fd;
          entrance->HandleNewConnection(&connection);
        });
    return arrow::Status::OK();
  }

  const std::string& address() const override { return address_; }

  void Stop() override {
    {
      MutexLock lock(&mutex_);
      if (doorkeeper_ == nullptr || is_stopped_) return;
      is_stopped_ = true;
    }
    doorkeeper_->Stop();
    service_.EndStreams();
    server_->Shutdown(std::chrono::system_clock::now() + kStopGrace);
    server_->Wait();
    service_.AwaitStreams();
  }

 private:
  static void SetLimits(grpc::ServerBuilder* builder) {
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, internal::kKeepAliveMs);
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, internal::kKeepAliveTimeoutMs);
    builder->AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    // No limit of pings: where gRPC punishes a flood of them it makes an error with 7 KB of text of
    // each (70 MB at a time). Unread answers to pings it bounds anyway.
    builder->AddChannelArgument(GRPC_ARG_HTTP2_MAX_PING_STRIKES, 0);
    builder->AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsPerConnection);
    builder->AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleConnectionMs);
    builder->AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
    grpc::ResourceQuota quota("tidemill_rpc");
    quota.Resize(kReceiveBytes).SetMaxThreads(8);
    builder->SetResourceQuota(quota);
    builder->SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
    builder->SetSyncServerOption(grpc::ServerBuilder::MIN_POLLERS, 1);
    builder->SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
  }

  FrameService service_;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<internal::Doorkeeper> doorkeeper_;
  Mutex mutex_;
  bool is_stopped_ GUARDED_BY(mutex_) = false;
};

}  // namespace

arrow::Result<std::unique_ptr<RpcServer>> RpcServer::Start(Options options) {
  ARROW_ASSIGN_OR_RAISE(Listener listener, Listen(options.listen, options.allows_remote));
  internal::KeepCallbackThreads();
  auto server = std::make_unique<GrpcServer>(&options);
  ARROW_RETURN_NOT_OK(server->Begin(std::move(listener), options));
  return server;
}

}  // namespace tidemill::rpc
