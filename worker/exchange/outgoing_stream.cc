#include "worker/exchange/outgoing_stream.h"

#include <grpcpp/support/byte_buffer.h>

#include <utility>

namespace tidemill::worker {

// The lock is held over the transport's Send, which only enqueues: that is what keeps the order.
void OutgoingStream::Connect(std::shared_ptr<rpc::FrameStream> stream, const ExchangeHello& hello) {
  MutexLock lock(&mutex_);
  if (is_closed_) return stream->Close();
  stream_ = std::move(stream);
  stream_->Send(*EncodeHello(hello).bytes);
  SendWaiting();
}

void OutgoingStream::Send(WireFrame frame) {
  MutexLock lock(&mutex_);
  if (is_closed_) return;
  waiting_.push_back(std::move(frame));
  if (stream_ != nullptr) SendWaiting();
}

void OutgoingStream::SendAhead(WireFrame frame) {
  MutexLock lock(&mutex_);
  if (is_closed_) return;
  if (stream_ == nullptr) {
    waiting_.push_back(std::move(frame));
  } else {
    SendNow(frame);
  }
}

void OutgoingStream::SendWaiting() {
  while (!waiting_.empty() && sent_bytes_ - received_bytes_ < kUnreceivedBytes) {
    for (const auto& schema : waiting_.front().schemas) {
      if (announced_.insert(schema->id).second) SendNow(EncodeSchema(*schema));
    }
    SendNow(waiting_.front());
    waiting_.pop_front();
  }
}

void OutgoingStream::SendNow(const WireFrame& frame) {
  sent_bytes_ += frame.size;
  stream_->Send(*frame.bytes);
}

bool OutgoingStream::OnReceived(int64_t bytes) {
  MutexLock lock(&mutex_);
  if (is_closed_) return true;
  if (bytes < received_bytes_ || bytes > sent_bytes_) return false;
  received_bytes_ = bytes;
  SendWaiting();
  return true;
}

void OutgoingStream::Close() {
  std::shared_ptr<rpc::FrameStream> closed;  // Dies after the lock is released.
  std::deque<WireFrame> dropped;
  MutexLock lock(&mutex_);
  is_closed_ = true;
  dropped.swap(waiting_);
  closed.swap(stream_);
  if (closed != nullptr) closed->Close();
}

}  // namespace tidemill::worker
