#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/mutex.h"
#include "common/transport/message_stream.h"

namespace tidemill {

namespace internal {

// One direction of an in-memory stream: a queue that is emptied on the receiver's executor.
// *Thread-safe.*
template <class Message>
class InMemoryLane : public std::enable_shared_from_this<InMemoryLane<Message>> {
 public:
  struct Receiver {
    std::function<void(Message)> on_message;
    std::function<void(const arrow::Status&)> on_close;
  };

  void Start(Executor* executor, Receiver receiver) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    if (is_cut_) return;
    executor_ = executor;
    receiver_ = std::make_shared<const Receiver>(std::move(receiver));
    Schedule();
  }

  void Push(Message message) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    if (is_cut_ || is_ended_) return;
    queue_.push_back(std::move(message));
    Schedule();
  }

  // The sender is gone: the receiver gets what is queued, then on_close with `why`.
  void End(const arrow::Status& why = arrow::Status::OK()) EXCLUDES(mutex_) {
    MutexLock lock(&mutex_);
    if (is_ended_) return;
    is_ended_ = true;
    why_ended_ = why;
    Schedule();
  }

  // The receiver is gone: nothing more is delivered.
  void Cut() EXCLUDES(mutex_) {
    std::shared_ptr<const Receiver> dropped;  // Dies after the lock is released.
    std::deque<Message> unread;
    MutexLock lock(&mutex_);
    is_cut_ = true;
    unread.swap(queue_);
    dropped.swap(receiver_);
  }

 private:
  void Schedule() REQUIRES(mutex_) {
    if (executor_ == nullptr || is_scheduled_ || is_cut_) return;
    if (queue_.empty() && !is_ended_) return;
    is_scheduled_ = true;
    executor_->Post([self = this->shared_from_this()] { self->Deliver(); });
  }

  void Deliver() EXCLUDES(mutex_) {
    while (true) {
      std::optional<Message> message;
      std::shared_ptr<const Receiver> receiver;
      arrow::Status why;
      {
        MutexLock lock(&mutex_);
        if (is_cut_) return;
        receiver = receiver_;
        if (!queue_.empty()) {
          message.emplace(std::move(queue_.front()));
          queue_.pop_front();
        } else if (is_ended_) {
          is_cut_ = true;
          why = why_ended_;
          receiver_.reset();  // It may own this stream.
        } else {
          is_scheduled_ = false;
          return;
        }
      }
      if (!message.has_value()) {
        if (receiver->on_close) receiver->on_close(why);
        return;
      }
      receiver->on_message(*std::move(message));
    }
  }

  Mutex mutex_;
  Executor* executor_ GUARDED_BY(mutex_) = nullptr;
  std::shared_ptr<const Receiver> receiver_ GUARDED_BY(mutex_);
  std::deque<Message> queue_ GUARDED_BY(mutex_);
  bool is_scheduled_ GUARDED_BY(mutex_) = false;
  bool is_ended_ GUARDED_BY(mutex_) = false;
  arrow::Status why_ended_ GUARDED_BY(mutex_);
  bool is_cut_ GUARDED_BY(mutex_) = false;
};

template <class Out, class In>
class InMemoryStream final : public MessageStream<Out, In> {
 public:
  using Handlers = typename MessageStream<Out, In>::Handlers;

  InMemoryStream(std::shared_ptr<InMemoryLane<Out>> out, std::shared_ptr<InMemoryLane<In>> in)
      : out_(std::move(out)), in_(std::move(in)) {}
  ~InMemoryStream() override { Close(); }

  void Start(Executor* executor, Handlers handlers) override {
    in_->Start(executor, {.on_message = std::move(handlers.on_message),
                          .on_close = std::move(handlers.on_close)});
  }
  void Send(Out message) override { out_->Push(std::move(message)); }
  void Close() override {
    in_->Cut();
    out_->End();
  }

 private:
  const std::shared_ptr<InMemoryLane<Out>> out_;
  const std::shared_ptr<InMemoryLane<In>> in_;
};

}  // namespace internal

template <class A, class B>
struct StreamPair {
  std::shared_ptr<MessageStream<A, B>> first;   // sends A, receives B
  std::shared_ptr<MessageStream<B, A>> second;  // sends B, receives A
};

// Two connected ends in this process. Dropping an end closes it.
template <class A, class B>
StreamPair<A, B> MakeInMemoryStreamPair() {
  auto forth = std::make_shared<internal::InMemoryLane<A>>();
  auto back = std::make_shared<internal::InMemoryLane<B>>();
  return {std::make_shared<internal::InMemoryStream<A, B>>(forth, back),
          std::make_shared<internal::InMemoryStream<B, A>>(back, forth)};
}

}  // namespace tidemill
