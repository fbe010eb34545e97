#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/transport/message_stream.h"

namespace grpc {
class ByteBuffer;
}

namespace tidemill::rpc {

// A two-way stream of frames over gRPC. On the wire a frame is one gRPC message; what is in it is
// the users' affair. Handlers' on_close says kUnavailable, class CONNECTION_LOST, where the peer
// vanished, did not answer keep-alives or broke a limit, and OK where it closed.
//
// Send queues: where more than Limits::queued_bytes wait for a peer that does not read, the stream
// is given up as lost, so that memory does not grow.
using FrameStream = MessageStream<grpc::ByteBuffer, grpc::ByteBuffer>;

struct Limits {
  int64_t message_bytes = 16 << 20;  // a longer frame from the peer breaks the stream
  int64_t queued_bytes = 64 << 20;
};

// Names of the streams (proto/cluster.proto).
inline constexpr char kControlMethod[] = "/tidemill.Control/Serve";
inline constexpr char kExchangeMethod[] = "/tidemill.Exchange/Serve";

// Channels of this process to one peer. Dead peers are noticed by keep-alive after about
// `dead_after`; a broken channel is not used again, so make a new one to reconnect. *Thread-safe.*
class Channel {
 public:
  // `address` is "host:port". Does not connect yet.
  static std::shared_ptr<Channel> Make(const std::string& address, Limits limits = {});
  virtual ~Channel() = default;

  // Opens a stream of a method. Never blocks: where the peer cannot be reached, on_close says so
  // (class CANNOT_CONNECT).
  virtual std::shared_ptr<FrameStream> OpenStream(const std::string& method) = 0;
};

}  // namespace tidemill::rpc
