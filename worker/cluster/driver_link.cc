#include "worker/cluster/driver_link.h"

#include <algorithm>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "proto/control.pb.h"
#include "worker/rpc/messages.h"

namespace tidemill::worker {

namespace {

using std::chrono::microseconds;

constexpr microseconds kFirstDelay{50'000};
constexpr microseconds kLongestDelay{200'000};

}  // namespace

class DriverLink::Impl : public std::enable_shared_from_this<DriverLink::Impl> {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}

  void Connect();
  void Leave();
  void Stop();

  Executor* executor() const { return options_.executor; }

 private:
  enum class State {
    kApart,        // waits, or looks for a driver
    kRegistering,  // Register is sent
    kRegistered,
    kEnded,
  };

  void OnConnected(std::shared_ptr<DriverStream> stream);
  void SendRegister();
  void OnMessage(const proto::ToWorker& message);
  void OnRegistered(const proto::Registered& message);
  void OnRefused(const arrow::Status& why);
  void CheckRegistration();
  void Beat();
  // Runs after `delay` unless the stream has changed by then.
  void After(microseconds delay, void (Impl::*body)());
  void Send(proto::ToDriver message);
  void CloseStream();
  void Lose(const arrow::Status& why);
  void End(const arrow::Status& why);

  const Options options_;
  // On the executor only.
  State state_ = State::kApart;
  std::shared_ptr<DriverStream> stream_;
  uint64_t generation_ = 0;  // of the stream: callbacks of older ones do nothing
  uint64_t highest_term_ = 0;
  int attempt_ = 0;
  microseconds delay_ = kFirstDelay;
  microseconds heartbeat_{0};
  microseconds patience_{0};  // without any message
  SteadyTime heard_{};
  SteadyTime last_beat_{};
  bool is_leaving_ = false;
};

DriverLink::DriverLink(Options options) : impl_(std::make_shared<Impl>(std::move(options))) {}

DriverLink::~DriverLink() { Stop(); }

void DriverLink::Start() {
  impl_->executor()->Post([impl = impl_] { impl->Connect(); });
}
void DriverLink::Leave() {
  impl_->executor()->Post([impl = impl_] { impl->Leave(); });
}
void DriverLink::Stop() {
  impl_->executor()->Post([impl = impl_] { impl->Stop(); });
}

void DriverLink::Impl::Connect() {
  if (state_ != State::kApart || stream_ != nullptr) return;
  options_.io->Post([self = shared_from_this(), attempt = attempt_++] {
    auto stream = self->options_.connect(attempt);
    self->options_.executor->Post(
        [self, stream = std::move(stream)] { self->OnConnected(stream); });
  });
}

void DriverLink::Impl::OnConnected(std::shared_ptr<DriverStream> stream) {
  if (state_ != State::kApart) {
    if (stream != nullptr) stream->Close();
    return;
  }
  if (stream == nullptr) {
    return Lose(MakeError(ErrorKind::kUnavailable, "NO_DRIVER", "no driver is known"));
  }
  stream_ = std::move(stream);
  state_ = State::kRegistering;
  const std::weak_ptr<Impl> weak = weak_from_this();
  const uint64_t generation = ++generation_;
  SendRegister();
  stream_->Start(options_.executor, {.on_message =
                                         [weak, generation](const proto::ToWorker& message) {
                                           const auto self = weak.lock();
                                           if (self && self->generation_ == generation)
                                             self->OnMessage(message);
                                         },
                                     .on_close =
                                         [weak, generation](const arrow::Status& why) {
                                           const auto self = weak.lock();
                                           if (self && self->generation_ == generation)
                                             self->Lose(why);
                                         }});
  After(options_.registration_patience, &Impl::CheckRegistration);
}

void DriverLink::Impl::SendRegister() {
  Worker& worker = *options_.worker;
  proto::ToDriver message;
  proto::Register* hello = message.mutable_register_worker();
  hello->set_worker(worker.name());
  hello->set_incarnation(worker.incarnation());
  hello->set_slots(worker.slots());
  hello->set_exchange_address(options_.exchange_address);
  hello->set_build(options_.build);
  hello->set_memory_bytes(options_.memory_bytes);
  for (proto::JobReport& report : worker.Report()) *hello->add_jobs() = std::move(report);
  Send(std::move(message));
}

void DriverLink::Impl::OnMessage(const proto::ToWorker& message) {
  heard_ = options_.clock->SteadyNow();
  if (message.has_refused()) return OnRefused(ReadError(message.refused().error()));
  if (message.has_registered()) return OnRegistered(message.registered());
  if (state_ != State::kRegistered) {
    return Lose(MakeError(ErrorKind::kUnavailable, "PROTOCOL_ERROR",
                          "the driver's first answer is neither Registered nor Refused"));
  }
  if (message.has_heartbeat()) return;
  if (message.has_released()) return End(arrow::Status::OK());
  options_.worker->Handle(message);
}

void DriverLink::Impl::OnRegistered(const proto::Registered& message) {
  if (state_ != State::kRegistering || message.heartbeat_us() <= 0 || message.lease_us() <= 0) {
    return Lose(MakeError(ErrorKind::kUnavailable, "PROTOCOL_ERROR",
                          "an answer to Register that cannot be one"));
  }
  if (message.cluster_term() < highest_term_) {
    return Lose(MakeError(ErrorKind::kUnavailable, "DRIVER_SUPERSEDED",
                          "the driver is older than one that was seen before"));
  }
  highest_term_ = message.cluster_term();
  state_ = State::kRegistered;
  attempt_ = 0;
  delay_ = kFirstDelay;
  heartbeat_ = microseconds(message.heartbeat_us());
  patience_ = microseconds(message.lease_us());
  LogInfo("worker_registered")
      .With("worker", options_.worker->name())
      .With("incarnation", options_.worker->incarnation())
      .With("term", highest_term_)
      .With("driver", message.driver_incarnation());
  options_.worker->Connect(stream_);
  last_beat_ = heard_;
  Beat();
}

void DriverLink::Impl::OnRefused(const arrow::Status& why) {
  LogWarn("worker_refused").With("worker", options_.worker->name()).With("why", why.message());
  // A driver that cannot take anybody now is no reason to go.
  if (KindOf(why) == ErrorKind::kUnavailable) return Lose(why);
  // Nothing is invalid about what the user said: it is another program.
  if (KindOf(why) == ErrorKind::kInvalid)
    return End(MakeError(ErrorKind::kGeneral, ErrorClassOf(why), why.message()));
  End(why);
}

void DriverLink::Impl::CheckRegistration() {
  if (state_ != State::kRegistering) return;
  Lose(MakeError(ErrorKind::kUnavailable, "NO_ANSWER", "the driver does not answer Register"));
}

void DriverLink::Impl::Beat() {
  const SteadyTime now = options_.clock->SteadyNow();
  // After a pause of this process what the driver said meanwhile is still unread.
  if (now - last_beat_ > heartbeat_ + patience_ / 2) heard_ = now;
  last_beat_ = now;
  if (now - heard_ >= patience_) {
    return Lose(MakeError(ErrorKind::kUnavailable, "LEASE_EXPIRED", "the driver says nothing"));
  }
  proto::ToDriver message;
  message.mutable_heartbeat();
  Send(std::move(message));
  After(heartbeat_, &Impl::Beat);
}

void DriverLink::Impl::After(microseconds delay, void (Impl::*body)()) {
  options_.executor->PostAfter(delay, [weak = weak_from_this(), generation = generation_, body] {
    const auto self = weak.lock();
    if (self && self->generation_ == generation) (self.get()->*body)();
  });
}

void DriverLink::Impl::Send(proto::ToDriver message) {
  message.set_worker(options_.worker->name());
  message.set_incarnation(options_.worker->incarnation());
  stream_->Send(std::move(message));
}

void DriverLink::Impl::CloseStream() {
  ++generation_;
  if (stream_ != nullptr) std::exchange(stream_, nullptr)->Close();
}

void DriverLink::Impl::Lose(const arrow::Status& why) {
  if (state_ == State::kEnded) return;
  if (is_leaving_) return End(arrow::Status::OK());
  if (state_ == State::kRegistered) {
    LogWarn("driver_lost").With("worker", options_.worker->name()).With("why", why.message());
  }
  state_ = State::kApart;
  CloseStream();
  options_.worker->Disconnect();
  After(std::exchange(delay_, std::min(2 * delay_, kLongestDelay)), &Impl::Connect);
}

void DriverLink::Impl::Leave() {
  if (state_ == State::kEnded) return;
  is_leaving_ = true;
  options_.worker->Leave();
  if (state_ != State::kRegistered) return End(arrow::Status::OK());
  proto::ToDriver message;
  message.mutable_leave();
  Send(std::move(message));
}

void DriverLink::Impl::Stop() {
  if (state_ == State::kEnded) return;
  state_ = State::kEnded;
  CloseStream();
  options_.worker->Disconnect();
}

void DriverLink::Impl::End(const arrow::Status& why) {
  if (state_ == State::kEnded) return;
  if (!is_leaving_ || !why.ok()) {
    Stop();
    if (options_.on_end) options_.on_end(why);
    return;
  }
  state_ = State::kEnded;
  CloseStream();
  options_.worker->Keep([on_end = options_.on_end] {
    if (on_end) on_end(arrow::Status::OK());
  });
}

}  // namespace tidemill::worker
