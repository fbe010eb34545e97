#pragma once

#include <arrow/status.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "common/rpc/frame_stream.h"

namespace tidemill::rpc::internal {

// What a stream asks of the gRPC call that carries it, one implementation per side. The operations
// return at once and never call back into the stream (gRPC reports on threads of its own).
class StreamCall {
 public:
  virtual ~StreamCall() = default;

  virtual void Read(grpc::ByteBuffer* into) = 0;          // reported by OnRead
  virtual void Write(const grpc::ByteBuffer* frame) = 0;  // reported by OnWritten
  // Tells the peer that this end has closed in order. False where nothing may be started any more
  // (server); else the stream reads on until the peer has closed too.
  virtual bool CloseInOrder() = 0;
  // Reads have ended: nothing is started any more.
  virtual void Finish() = 0;
  // Ends the call as lost: what is out is reported as failed.
  virtual void Cancel() = 0;
  // Reports OnOverdue after `delay`, unless the call has ended before.
  virtual void SetDeadline(std::chrono::milliseconds delay) = 0;
};

// One end of a stream, shared by its user, the gRPC call and tasks on the user's executor: each may
// go first. Holds the queues in both directions; one read and one write are out at a time, and none
// is read while `kUndelivered*` wait for the user. *Thread-safe.*
class StreamCore final : public std::enable_shared_from_this<StreamCore> {
 public:
  static constexpr size_t kUndeliveredFrames = 64;
  static constexpr int64_t kUndeliveredBytes = 16 << 20;
  // A peer that does not take what was sent before a close gets this long.
  static constexpr std::chrono::milliseconds kCloseTimeout{5000};

  StreamCore(std::string peer, Limits limits);
  ~StreamCore();

  // As in MessageStream.
  void Start(Executor* executor, FrameStream::Handlers handlers) EXCLUDES(mutex_);
  void Send(const grpc::ByteBuffer& frame) EXCLUDES(mutex_);
  void Close() EXCLUDES(mutex_);

  // Ends the stream as lost, from this side. Nothing where it has ended or was closed.
  void GiveUp(const arrow::Status& why) EXCLUDES(mutex_);

  // The call's reports. `call` is used until OnEnd returns.
  void Attach(StreamCall* call) EXCLUDES(mutex_);
  void OnRead(bool ok) EXCLUDES(mutex_);
  void OnWritten(bool ok) EXCLUDES(mutex_);
  void OnCancelled() EXCLUDES(mutex_);  // server: the peer or the connection is gone
  void OnOverdue() EXCLUDES(mutex_);
  void OnEnd(const arrow::Status& status) EXCLUDES(mutex_);

 private:
  using Frame = std::unique_ptr<grpc::ByteBuffer>;
  using Receiver = std::shared_ptr<const FrameStream::Handlers>;

  void GiveUpLocked(const arrow::Status& why) REQUIRES(mutex_);
  void ReadMore() REQUIRES(mutex_);
  void WriteMore() REQUIRES(mutex_);
  void FinishCall() REQUIRES(mutex_);
  void ScheduleDelivery() REQUIRES(mutex_);
  void Deliver() EXCLUDES(mutex_);
  // Where there is neither a frame nor an end to deliver, returns nothing.
  Receiver TakeNext(Frame* frame, arrow::Status* end) EXCLUDES(mutex_);
  bool DropsFrames() const REQUIRES(mutex_) { return is_closed_ || has_end_; }

  const std::string peer_;
  const Limits limits_;

  Mutex mutex_;
  StreamCall* call_ GUARDED_BY(mutex_) = nullptr;  // none before Attach and after OnEnd
  bool is_finished_ GUARDED_BY(mutex_) = false;    // nothing may be started on the call
  bool is_closed_ GUARDED_BY(mutex_) = false;      // by the user
  bool is_peer_told_ GUARDED_BY(mutex_) = false;   // CloseInOrder is done
  bool has_end_ GUARDED_BY(mutex_) = false;
  arrow::Status end_ GUARDED_BY(mutex_);

  std::deque<Frame> to_send_ GUARDED_BY(mutex_);  // the first one is being written
  int64_t to_send_bytes_ GUARDED_BY(mutex_) = 0;
  bool is_writing_ GUARDED_BY(mutex_) = false;
  bool is_write_broken_ GUARDED_BY(mutex_) = false;

  Frame reading_ GUARDED_BY(mutex_);
  bool is_reading_ GUARDED_BY(mutex_) = false;
  std::deque<Frame> received_ GUARDED_BY(mutex_);
  int64_t received_bytes_ GUARDED_BY(mutex_) = 0;

  Executor* executor_ GUARDED_BY(mutex_) = nullptr;
  Receiver receiver_ GUARDED_BY(mutex_);
  bool is_scheduled_ GUARDED_BY(mutex_) = false;
};

// The user's end: dropping it closes the stream.
std::shared_ptr<FrameStream> MakeUserEnd(std::shared_ptr<StreamCore> core);

}  // namespace tidemill::rpc::internal
