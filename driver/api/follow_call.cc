#include "driver/api/follow_call.h"

#include <grpcpp/support/server_callback.h>

#include <optional>
#include <utility>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "driver/api/call_status.h"
#include "driver/api/follow_queue.h"

namespace tidemill::driver {

namespace {

// One client that follows a job. Text comes from the job's threads, the rest from gRPC's; one write
// is out at a time, and the call is finished only when none is. *Thread-safe.*
class FollowCall final : public grpc::ServerWriteReactor<proto::FollowReply>,
                         public std::enable_shared_from_this<FollowCall> {
 public:
  explicit FollowCall(JobBoard* board) : board_(board) {}

  void Begin(const std::string& job) {
    self_ = shared_from_this();
    follower_ = std::make_shared<const JobBoard::Follower>(
        JobBoard::Follower{.on_text = [self = self_](std::string_view text) { self->OnText(text); },
                           .done =
                               [self = self_](arrow::Result<proto::JobInfo> outcome) {
                                 self->OnOutcome(std::move(outcome));
                               }});
    board_->Follow(job, follower_);
  }

  void OnWriteDone(bool ok) override {
    {
      MutexLock lock(&mutex_);
      is_writing_ = false;
      is_cancelled_ = is_cancelled_ || !ok;
    }
    Advance();
  }

  void OnCancel() override {
    {
      MutexLock lock(&mutex_);
      is_cancelled_ = true;
    }
    Advance();
  }

  void OnDone() override {
    board_->Unfollow(follower_);
    follower_.reset();
    const auto last = std::move(self_);  // Dies with this function, maybe.
  }

 private:
  void OnText(std::string_view text) EXCLUDES(mutex_) {
    {
      MutexLock lock(&mutex_);
      queue_.Push(text);
    }
    Advance();
  }

  void OnOutcome(arrow::Result<proto::JobInfo> outcome) EXCLUDES(mutex_) {
    {
      MutexLock lock(&mutex_);
      if (outcome.ok()) {
        queue_.SetOutcome(*std::move(outcome));
      } else {
        error_ = outcome.status();
      }
      has_ended_ = true;
    }
    Advance();
  }

  // Begins the next write or ends the call, where none is out.
  void Advance() EXCLUDES(mutex_) {
    std::optional<grpc::Status> end;
    {
      MutexLock lock(&mutex_);
      if (is_writing_ || is_finished_) return;
      if (is_cancelled_) {
        end = grpc::Status::CANCELLED;
      } else if (auto next = queue_.Next()) {
        message_ = *std::move(next);
        is_writing_ = true;
      } else if (has_ended_) {
        end = ToGrpc(error_);
      } else {
        return;
      }
      is_finished_ = end.has_value();
    }
    if (end.has_value()) {
      Finish(*end);
    } else {
      StartWrite(&message_);
    }
  }

  JobBoard* const board_;
  std::shared_ptr<FollowCall> self_;
  std::shared_ptr<const JobBoard::Follower> follower_;
  proto::FollowReply message_;  // of the write that is out

  Mutex mutex_;
  FollowQueue queue_ GUARDED_BY(mutex_);
  arrow::Status error_ GUARDED_BY(mutex_);
  bool has_ended_ GUARDED_BY(mutex_) = false;
  bool is_writing_ GUARDED_BY(mutex_) = false;
  bool is_cancelled_ GUARDED_BY(mutex_) = false;
  bool is_finished_ GUARDED_BY(mutex_) = false;
};

}  // namespace

grpc::ServerWriteReactor<proto::FollowReply>* StartFollow(JobBoard* board, const std::string& job) {
  const auto call = std::make_shared<FollowCall>(board);
  call->Begin(job);
  return call.get();
}

}  // namespace tidemill::driver
