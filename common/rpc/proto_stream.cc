#include "common/rpc/proto_stream.h"

#include <google/protobuf/message_lite.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/proto_buffer_reader.h>
#include <grpcpp/support/slice.h>

#include <utility>

#include "common/base/error.h"

namespace tidemill::rpc::internal {

bool ParseFrame(const grpc::ByteBuffer& frame, google::protobuf::MessageLite* message) {
  grpc::ByteBuffer same = frame;  // Shares the bytes; the reader wants one that is not const.
  grpc::ProtoBufferReader reader(&same);
  return reader.status().ok() && message->ParseFromZeroCopyStream(&reader) && reader.status().ok();
}

void SendFrame(FrameStream* stream, const google::protobuf::MessageLite& message) {
  const size_t size = message.ByteSizeLong();
  const grpc::Slice slice(size);
  // The slice is ours alone until it is sent.
  message.SerializeWithCachedSizesToArray(const_cast<uint8_t*>(slice.begin()));
  stream->Send(grpc::ByteBuffer(&slice, 1));
}

void StartFrames(const std::shared_ptr<FrameStream>& stream, Executor* executor,
                 std::function<bool(const grpc::ByteBuffer&)> on_frame,
                 std::function<void(const arrow::Status&)> on_close) {
  FrameStream::Handlers handlers;
  // The handlers die with the stream, so they hold it weakly.
  handlers.on_message = [weak = std::weak_ptr<FrameStream>(stream), on_frame = std::move(on_frame),
                         on_close](const grpc::ByteBuffer& frame) {
    const size_t size = frame.Length();
    if (on_frame(frame)) return;
    if (const auto stream = weak.lock()) stream->Close();
    if (on_close) {
      on_close(MakeError(ErrorKind::kUnavailable, "PROTOCOL_ERROR",
                         "peer sent a frame that does not parse: bytes=" + std::to_string(size)));
    }
  };
  handlers.on_close = std::move(on_close);
  stream->Start(executor, std::move(handlers));
}

}  // namespace tidemill::rpc::internal
