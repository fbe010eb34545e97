#include "common/rpc/callback_threads.h"

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>

namespace tidemill::rpc::internal {

namespace {

// One call on a channel that leads nowhere: without credentials it fails every call and opens no
// connection, but uses the threads from then on.
struct IdleUser {
  IdleUser() {
    struct Call {
      grpc::ClientContext context;
      grpc::ByteBuffer request;
      grpc::ByteBuffer reply;
    };
    const auto call = std::make_shared<Call>();
    const grpc::Slice empty;
    call->request = grpc::ByteBuffer(&empty, 1);
    stub.UnaryCall(&call->context, "/nowhere", grpc::StubOptions(), &call->request, &call->reply,
                   [call](const grpc::Status&) {});
  }

  grpc::GenericStub stub{grpc::CreateCustomChannel("", nullptr, grpc::ChannelArguments())};
};

}  // namespace

void KeepCallbackThreads() {
  static const IdleUser* const user = new IdleUser;  // Never destroyed: that is the point.
  (void)user;
}

}  // namespace tidemill::rpc::internal
