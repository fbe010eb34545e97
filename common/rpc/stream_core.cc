#include "common/rpc/stream_core.h"

#include <fmt/format.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/logging.h"

namespace tidemill::rpc::internal {

namespace {

// What a queued frame takes beside its bytes, so that a flood of empty ones is bounded too.
constexpr int64_t kFrameOverhead = 256;
// A serial executor has other tasks too: after so many frames the delivery queues up again.
constexpr int kFramesPerTask = 64;

int64_t CostOf(const grpc::ByteBuffer& frame) {
  return static_cast<int64_t>(frame.Length()) + kFrameOverhead;
}

class UserEnd final : public FrameStream {
 public:
  explicit UserEnd(std::shared_ptr<StreamCore> core) : core_(std::move(core)) {}
  ~UserEnd() override { core_->Close(); }

  void Start(Executor* executor, Handlers handlers) override {
    core_->Start(executor, std::move(handlers));
  }
  void Send(grpc::ByteBuffer frame) override { core_->Send(frame); }
  void Close() override { core_->Close(); }

 private:
  const std::shared_ptr<StreamCore> core_;
};

}  // namespace

std::shared_ptr<FrameStream> MakeUserEnd(std::shared_ptr<StreamCore> core) {
  return std::make_shared<UserEnd>(std::move(core));
}

StreamCore::StreamCore(std::string peer, Limits limits) : peer_(std::move(peer)), limits_(limits) {}

StreamCore::~StreamCore() = default;

void StreamCore::Start(Executor* executor, FrameStream::Handlers handlers) {
  MutexLock lock(&mutex_);
  if (is_closed_) return;
  TIDEMILL_CHECK(executor_ == nullptr);
  executor_ = executor;
  receiver_ = std::make_shared<const FrameStream::Handlers>(std::move(handlers));
  ScheduleDelivery();
}

void StreamCore::Send(const grpc::ByteBuffer& frame) {
  // gRPC does not take a buffer that was never set.
  auto queued = frame.Valid() ? std::make_unique<grpc::ByteBuffer>(frame) : [] {
    const grpc::Slice empty;
    return std::make_unique<grpc::ByteBuffer>(&empty, 1);
  }();
  MutexLock lock(&mutex_);
  if (DropsFrames() || is_write_broken_ || is_finished_ || call_ == nullptr) return;
  to_send_bytes_ += CostOf(*queued);
  to_send_.push_back(std::move(queued));
  if (to_send_bytes_ > limits_.queued_bytes) {
    LogWarn("stream_given_up")
        .With("peer", peer_)
        .With("queued_bytes", to_send_bytes_)
        .With("limit", limits_.queued_bytes);
    GiveUpLocked(MakeError(ErrorKind::kUnavailable, "CONNECTION_LOST",
                           fmt::format("peer does not read: peer={} queued_bytes={} limit={}",
                                       peer_, to_send_bytes_, limits_.queued_bytes)));
    return;
  }
  WriteMore();
}

void StreamCore::Close() {
  Receiver dropped;  // Both die after the lock is released: handlers may own this stream.
  std::deque<Frame> unread;
  MutexLock lock(&mutex_);
  if (is_closed_) return;
  is_closed_ = true;
  dropped.swap(receiver_);
  unread.swap(received_);
  received_bytes_ = 0;
  executor_ = nullptr;
  if (call_ == nullptr || is_finished_) return;
  call_->SetDeadline(kCloseTimeout);
  WriteMore();
  ReadMore();
}

void StreamCore::GiveUp(const arrow::Status& why) {
  MutexLock lock(&mutex_);
  if (is_closed_) return;
  GiveUpLocked(why);
}

void StreamCore::GiveUpLocked(const arrow::Status& why) {
  if (has_end_) return;
  has_end_ = true;
  end_ = why;
  is_write_broken_ = true;
  if (call_ != nullptr && !is_finished_) {
    call_->Cancel();
    ReadMore();
  }
  ScheduleDelivery();
}

void StreamCore::Attach(StreamCall* call) {
  MutexLock lock(&mutex_);
  call_ = call;
  ReadMore();
}

void StreamCore::ReadMore() {
  if (call_ == nullptr || is_finished_ || is_reading_) return;
  if (received_.size() >= kUndeliveredFrames || received_bytes_ >= kUndeliveredBytes) return;
  is_reading_ = true;
  reading_ = std::make_unique<grpc::ByteBuffer>();
  call_->Read(reading_.get());
}

void StreamCore::OnRead(bool ok) {
  MutexLock lock(&mutex_);
  is_reading_ = false;
  Frame frame = std::move(reading_);
  if (!ok) {
    FinishCall();
    return;
  }
  if (!DropsFrames()) {
    received_bytes_ += CostOf(*frame);
    received_.push_back(std::move(frame));
    ScheduleDelivery();
  }
  ReadMore();
}

// The next frame, or the close behind the last one.
void StreamCore::WriteMore() {
  if (call_ == nullptr || is_finished_ || is_writing_ || is_write_broken_) return;
  if (!to_send_.empty()) {
    is_writing_ = true;
    call_->Write(to_send_.front().get());
  } else if (is_closed_ && !is_peer_told_) {
    is_peer_told_ = true;
    is_finished_ = !call_->CloseInOrder();
  }
}

void StreamCore::OnWritten(bool ok) {
  MutexLock lock(&mutex_);
  is_writing_ = false;
  if (!ok) is_write_broken_ = true;
  if (is_write_broken_) {
    to_send_.clear();
    to_send_bytes_ = 0;
  } else {
    to_send_bytes_ -= CostOf(*to_send_.front());
    to_send_.pop_front();
  }
  WriteMore();
}

void StreamCore::OnCancelled() {
  MutexLock lock(&mutex_);
  FinishCall();
}

void StreamCore::OnOverdue() {
  MutexLock lock(&mutex_);
  if (call_ == nullptr) return;
  LogWarn("stream_close_overdue").With("peer", peer_);
  call_->Cancel();
}

// The peer sends nothing more, so it wants nothing more either.
void StreamCore::FinishCall() {
  if (call_ == nullptr || is_finished_) return;
  is_write_broken_ = true;
  is_finished_ = true;
  call_->Finish();
  call_->SetDeadline(kCloseTimeout);
}

void StreamCore::OnEnd(const arrow::Status& status) {
  std::deque<Frame> unsent;
  MutexLock lock(&mutex_);
  call_ = nullptr;
  is_finished_ = true;
  unsent.swap(to_send_);
  to_send_bytes_ = 0;
  if (has_end_) return;
  has_end_ = true;
  end_ = status;
  ScheduleDelivery();
}

void StreamCore::ScheduleDelivery() {
  if (executor_ == nullptr || is_scheduled_ || is_closed_) return;
  if (received_.empty() && !has_end_) return;
  is_scheduled_ = true;
  executor_->Post([self = shared_from_this()] { self->Deliver(); });
}

StreamCore::Receiver StreamCore::TakeNext(Frame* frame, arrow::Status* end) {
  MutexLock lock(&mutex_);
  if (receiver_ == nullptr) {
    is_scheduled_ = false;
    return nullptr;
  }
  if (!received_.empty()) {
    *frame = std::move(received_.front());
    received_.pop_front();
    received_bytes_ -= CostOf(**frame);
    ReadMore();
    return receiver_;
  }
  is_scheduled_ = false;
  if (!has_end_) return nullptr;
  *end = end_;
  executor_ = nullptr;
  return std::exchange(receiver_, nullptr);  // It may own this stream.
}

void StreamCore::Deliver() {
  for (int i = 0; i < kFramesPerTask; ++i) {
    Frame frame;
    arrow::Status end;
    const Receiver receiver = TakeNext(&frame, &end);
    if (receiver == nullptr) return;
    if (frame == nullptr) {
      if (receiver->on_close) receiver->on_close(end);
      return;
    }
    if (receiver->on_message) receiver->on_message(*frame);
  }
  MutexLock lock(&mutex_);
  is_scheduled_ = false;
  ScheduleDelivery();
}

}  // namespace tidemill::rpc::internal
