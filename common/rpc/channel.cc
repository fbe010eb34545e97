#include <fmt/format.h>
#include <grpcpp/alarm.h>
#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/rpc/callback_threads.h"
#include "common/rpc/channel_options.h"
#include "common/rpc/frame_stream.h"
#include "common/rpc/stream_core.h"

namespace tidemill::rpc {

namespace {

using internal::StreamCore;

// The client's side of a call. Owns itself until gRPC is done with it.
class ClientCall final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>,
                         public internal::StreamCall {
 public:
  ClientCall(std::shared_ptr<grpc::Channel> channel, std::string peer,
             std::shared_ptr<StreamCore> core)
      : channel_(std::move(channel)),
        stub_(channel_),
        peer_(std::move(peer)),
        core_(std::move(core)) {}

  void Begin(const std::string& method) {
    stub_.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
    AddHold();  // Operations come from the user's threads, until Finish.
    core_->Attach(this);
    StartCall();
  }

  void Read(grpc::ByteBuffer* into) override { StartRead(into); }
  void Write(const grpc::ByteBuffer* frame) override { StartWrite(frame); }
  bool CloseInOrder() override {
    StartWritesDone();
    return true;
  }
  void Finish() override { RemoveHold(); }
  void Cancel() override { context_.TryCancel(); }
  void SetDeadline(std::chrono::milliseconds delay) override {
    if (deadline_ != nullptr) return;
    deadline_ = std::make_unique<grpc::Alarm>();
    deadline_->Set(std::chrono::system_clock::now() + delay, [core = core_](bool is_due) {
      if (is_due) core->OnOverdue();
    });
  }

  void OnReadInitialMetadataDone(bool ok) override { is_connected_ = ok; }
  void OnReadDone(bool ok) override { core_->OnRead(ok); }
  void OnWriteDone(bool ok) override { core_->OnWritten(ok); }
  void OnDone(const grpc::Status& status) override {
    core_->OnEnd(Outcome(status));
    delete this;
  }

 private:
  arrow::Status Outcome(const grpc::Status& status) const {
    if (status.ok()) return arrow::Status::OK();
    const std::string reason =
        fmt::format("peer={} reason=\"{}\"", peer_, status.error_message().substr(0, 500));
    if (!is_connected_) {
      return MakeError(ErrorKind::kUnavailable, "CANNOT_CONNECT", "cannot connect: " + reason);
    }
    return MakeError(ErrorKind::kUnavailable, "CONNECTION_LOST", "connection lost: " + reason);
  }

  const std::shared_ptr<grpc::Channel> channel_;
  grpc::GenericStub stub_;
  const std::string peer_;
  const std::shared_ptr<StreamCore> core_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::Alarm> deadline_;
  bool is_connected_ = false;  // gRPC reports it before it reports anything else
};

class GrpcChannel final : public Channel {
 public:
  GrpcChannel(std::string address, Limits limits)
      : address_(std::move(address)),
        limits_(limits),
        channel_(grpc::CreateCustomChannel(TargetOf(address_), grpc::InsecureChannelCredentials(),
                                           Arguments(limits))) {}

  std::shared_ptr<FrameStream> OpenStream(const std::string& method) override {
    auto core = std::make_shared<StreamCore>(address_, limits_);
    auto user_end = internal::MakeUserEnd(core);
    (new ClientCall(channel_, address_, std::move(core)))->Begin(method);
    return user_end;
  }

 private:
  // Numeric addresses need no resolver.
  static std::string TargetOf(const std::string& address) {
    if (address.starts_with('[')) return "ipv6:" + address;
    const bool is_numeric =
        !address.empty() && address.find_first_not_of("0123456789.:") == std::string::npos;
    return (is_numeric ? "ipv4:" : "dns:///") + address;
  }

  static grpc::ChannelArguments Arguments(const Limits& limits) {
    grpc::ChannelArguments arguments;
    arguments.SetMaxReceiveMessageSize(static_cast<int>(limits.message_bytes));
    arguments.SetMaxSendMessageSize(-1);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, internal::kKeepAliveMs);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, internal::kKeepAliveTimeoutMs);
    arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
    // A channel is one connection of its own; who lost it makes a new channel.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
    arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, internal::kConnectTimeoutMs);
    arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
    arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
    arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
    arguments.SetInt(GRPC_ARG_SERVICE_CONFIG_DISABLE_RESOLUTION, 1);
    return arguments;
  }

  const std::string address_;
  const Limits limits_;
  const std::shared_ptr<grpc::Channel> channel_;
};

}  // namespace

std::shared_ptr<Channel> Channel::Make(const std::string& address, Limits limits) {
  internal::KeepCallbackThreads();
  return std::make_shared<GrpcChannel>(address, limits);
}

}  // namespace tidemill::rpc
