#include "deploy/client/driver_client.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <utility>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "driver/rpc/messages.h"
#include "proto/cluster.grpc.pb.h"

namespace tidemill::deploy {

namespace {

using std::chrono::milliseconds;
using std::chrono::system_clock;

constexpr milliseconds kConnectTime{3'000};
constexpr milliseconds kCallTime{10'000};
constexpr milliseconds kSubmitTime{60'000};  // A schema may be inferred from files.
constexpr milliseconds kReadTime{600'000};
constexpr int kMessageBytes = 64 << 20;

std::string Place(const DriverAddress& address) {
  return fmt::format("address={} found by {}", address.address, address.origin);
}

arrow::Status CannotConnect(const DriverAddress& address, std::string_view why) {
  return WithHint(MakeError(ErrorKind::kUnavailable, "CANNOT_CONNECT",
                            fmt::format("no driver answers: {}: {}", why, Place(address))),
                  "start a cluster with tidemill cluster up, or name its driver with --driver");
}

// The status of a call as ours; never OK.
arrow::Status FromGrpc(const grpc::Status& status, const DriverAddress& address) {
  proto::Error error;
  if (!status.error_details().empty() && error.ParseFromString(status.error_details())) {
    return driver::ReadError(error);
  }
  const auto unavailable = [&](const char* error_class, const char* what) {
    return MakeError(ErrorKind::kUnavailable, error_class,
                     fmt::format("{}: {}: {}", what, status.error_message(), Place(address)));
  };
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::ABORTED:
      return unavailable("CONNECTION_LOST", "the connection to the driver broke");
    case grpc::StatusCode::DEADLINE_EXCEEDED:
      return unavailable("NO_ANSWER", "the driver does not answer in time");
    case grpc::StatusCode::UNIMPLEMENTED:
      return unavailable("NOT_A_DRIVER", "what listens there is no driver of this version");
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return MakeError(ErrorKind::kResource, "MESSAGE_TOO_LARGE",
                       fmt::format("{}: {}", status.error_message(), Place(address)));
    default:
      return MakeError(ErrorKind::kGeneral, "CALL_FAILED",
                       fmt::format("{}: code={} {}", status.error_message(),
                                   static_cast<int>(status.error_code()), Place(address)));
  }
}

// Waits for a connection. One refusal is the answer: whoever starts a driver waits for it himself.
arrow::Status AwaitConnection(grpc::Channel* channel, const DriverAddress& address) {
  const auto deadline = system_clock::now() + kConnectTime;
  auto state = channel->GetState(/*try_to_connect=*/true);
  while (state != GRPC_CHANNEL_READY) {
    if (state == GRPC_CHANNEL_TRANSIENT_FAILURE || state == GRPC_CHANNEL_SHUTDOWN) {
      return CannotConnect(address, "connection refused");
    }
    if (!channel->WaitForStateChange(state, deadline)) {
      return CannotConnect(address, "no connection in time");
    }
    state = channel->GetState(/*try_to_connect=*/true);
  }
  return arrow::Status::OK();
}

}  // namespace

struct DriverClient::Impl {
  // Calls one unary method of the stub.
  template <class Request, class Reply>
  arrow::Result<Reply> Call(grpc::Status (proto::Driver::Stub::*method)(grpc::ClientContext*,
                                                                        const Request&, Reply*),
                            const Request& request, milliseconds time,
                            const DriverAddress& address) {
    grpc::ClientContext context;
    context.set_deadline(system_clock::now() + time);
    Reply reply;
    const grpc::Status status = (stub.get()->*method)(&context, request, &reply);
    if (!status.ok()) return FromGrpc(status, address);
    return reply;
  }

  // The context of the Follow that begins; nullptr at its end.
  void SetFollow(grpc::ClientContext* context) {
    MutexLock lock(&mutex);
    following = context;
    if (is_cancelled && context != nullptr) context->TryCancel();
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<proto::Driver::Stub> stub;
  Mutex mutex;
  grpc::ClientContext* following GUARDED_BY(mutex) = nullptr;
  bool is_cancelled GUARDED_BY(mutex) = false;
};

DriverClient::DriverClient(DriverAddress address, std::unique_ptr<Impl> impl)
    : address_(std::move(address)), impl_(std::move(impl)) {}
DriverClient::~DriverClient() = default;

arrow::Result<std::unique_ptr<DriverClient>> DriverClient::Connect(DriverAddress address) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // No back-off of an earlier channel.
  arguments.SetMaxReceiveMessageSize(kMessageBytes);
  auto impl = std::make_unique<Impl>();
  impl->channel =
      grpc::CreateCustomChannel(address.address, grpc::InsecureChannelCredentials(), arguments);
  ARROW_RETURN_NOT_OK(AwaitConnection(impl->channel.get(), address));
  impl->stub = proto::Driver::NewStub(impl->channel);
  return std::unique_ptr<DriverClient>(new DriverClient(std::move(address), std::move(impl)));
}

arrow::Result<proto::SubmitReply> DriverClient::Submit(const proto::SubmitRequest& request) {
  return impl_->Call(&proto::Driver::Stub::Submit, request, kSubmitTime, address_);
}

arrow::Result<std::vector<proto::JobInfo>> DriverClient::ListJobs() {
  ARROW_ASSIGN_OR_RAISE(
      const auto reply,
      impl_->Call(&proto::Driver::Stub::ListJobs, proto::ListJobsRequest(), kCallTime, address_));
  return std::vector<proto::JobInfo>(reply.jobs().begin(), reply.jobs().end());
}

arrow::Result<proto::GetJobReply> DriverClient::GetJob(const std::string& job) {
  proto::JobRequest request;
  request.set_job(job);
  return impl_->Call(&proto::Driver::Stub::GetJob, request, kCallTime, address_);
}

arrow::Result<proto::JobInfo> DriverClient::StopJob(const std::string& job, bool now) {
  proto::StopJobRequest request;
  request.set_job(job);
  request.set_now(now);
  ARROW_ASSIGN_OR_RAISE(const auto reply,
                        impl_->Call(&proto::Driver::Stub::StopJob, request, kSubmitTime, address_));
  return reply.info();
}

arrow::Result<proto::GetClusterReply> DriverClient::GetCluster() {
  return impl_->Call(&proto::Driver::Stub::GetCluster, proto::GetClusterRequest(), kCallTime,
                     address_);
}

arrow::Result<std::string> DriverClient::ReadTable(const std::string& table) {
  proto::ReadTableRequest request;
  request.set_table(table);
  grpc::ClientContext context;
  context.set_deadline(system_clock::now() + kReadTime);
  const auto reader = impl_->stub->ReadTable(&context, request);
  std::string stream;
  proto::ReadTableReply reply;
  while (reader->Read(&reply)) stream += reply.arrow_ipc();
  const grpc::Status status = reader->Finish();
  if (!status.ok()) return FromGrpc(status, address_);
  return stream;
}

arrow::Result<proto::JobInfo> DriverClient::Follow(
    const std::string& job, const std::function<void(std::string_view)>& on_text) {
  proto::JobRequest request;
  request.set_job(job);
  grpc::ClientContext context;
  impl_->SetFollow(&context);
  const auto reader = impl_->stub->FollowJob(&context, request);
  proto::JobInfo outcome;
  proto::FollowReply reply;
  while (reader->Read(&reply)) {
    if (!reply.console().empty()) on_text(reply.console());
    if (reply.has_outcome()) outcome = std::move(*reply.mutable_outcome());
  }
  const grpc::Status status = reader->Finish();
  impl_->SetFollow(nullptr);
  if (!status.ok()) return FromGrpc(status, address_);
  if (HasEnded(outcome)) return outcome;
  return MakeError(
      ErrorKind::kUnavailable, "CONNECTION_LOST",
      fmt::format("the driver stopped telling about the job: job={} {}", job, Place(address_)));
}

void DriverClient::CancelFollow() {
  MutexLock lock(&impl_->mutex);
  impl_->is_cancelled = true;
  if (impl_->following != nullptr) impl_->following->TryCancel();
}

bool HasEnded(const proto::JobInfo& job) {
  return job.state() == proto::JobInfo::FINISHED || job.state() == proto::JobInfo::STOPPED ||
         job.state() == proto::JobInfo::FAILED;
}

}  // namespace tidemill::deploy
