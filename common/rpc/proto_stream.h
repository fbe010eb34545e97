#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "common/rpc/frame_stream.h"

namespace google::protobuf {
class MessageLite;
}

namespace tidemill::rpc {

namespace internal {

// Frames of one protobuf message each, behind functions so that this header stays light.
bool ParseFrame(const grpc::ByteBuffer& frame, google::protobuf::MessageLite* message);
void SendFrame(FrameStream* stream, const google::protobuf::MessageLite& message);
// `on_frame` says whether it could read the frame; where not, the stream is closed and `on_close`
// called with PROTOCOL_ERROR.
void StartFrames(const std::shared_ptr<FrameStream>& stream, Executor* executor,
                 std::function<bool(const grpc::ByteBuffer&)> on_frame,
                 std::function<void(const arrow::Status&)> on_close);

}  // namespace internal

// A frame stream whose frames are protobuf messages. A frame that does not parse ends the stream;
// on_close says PROTOCOL_ERROR (kUnavailable). *Thread-safe.*
template <class Out, class In>
class ProtoStream final : public MessageStream<Out, In> {
 public:
  using Handlers = typename MessageStream<Out, In>::Handlers;

  explicit ProtoStream(std::shared_ptr<FrameStream> frames) : frames_(std::move(frames)) {}
  ~ProtoStream() override { frames_->Close(); }

  void Start(Executor* executor, Handlers handlers) override {
    internal::StartFrames(
        frames_, executor,
        [on_message = std::move(handlers.on_message)](const grpc::ByteBuffer& frame) {
          In message;
          if (!internal::ParseFrame(frame, &message)) return false;
          on_message(std::move(message));
          return true;
        },
        std::move(handlers.on_close));
  }
  void Send(Out message) override { internal::SendFrame(frames_.get(), message); }
  void Close() override { frames_->Close(); }

 private:
  const std::shared_ptr<FrameStream> frames_;
};

}  // namespace tidemill::rpc
