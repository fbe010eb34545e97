#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/transport/in_memory_stream.h"
#include "common/transport/message_stream.h"
#include "tests/simulation/message_text.h"
#include "tests/simulation/virtual_time.h"

namespace tidemill::testing {

// A connection between two processes of the simulation, as its network sees it.
// *Thread-compatible.*
class Connection {
 public:
  Connection(VirtualTime* time, ProcessPtr first, ProcessPtr second)
      : time_(time), ends_{std::move(first), std::move(second)} {}
  virtual ~Connection() = default;

  const ProcessPtr& end(int which) const { return ends_[which]; }
  bool is_broken() const { return is_broken_; }
  // What has not arrived is lost; both ends hear of it, each after a while.
  virtual void Break() = 0;
  // Nothing arrives until then; what was sent meanwhile comes late.
  void StallUntil(Micros when) { stalled_until_ = when; }

 protected:
  Micros ArrivalOf(Micros* last) {
    const bool is_slow = time_->Draw(64) == 0;
    const Micros delay =
        is_slow ? time_->Draw(Micros(1'000), Micros(50'000)) : time_->Draw(Micros(20), Micros(500));
    *last = std::max({*last + Micros(1), time_->now() + delay, stalled_until_});
    return *last;
  }

  VirtualTime* const time_;
  const std::array<ProcessPtr, 2> ends_;
  bool is_broken_ = false;
  Micros stalled_until_{0};
};

// One direction of a connection. *Thread-compatible.*
template <class Message>
struct SimulatedLane {
  // Null before the start and after the end.
  std::shared_ptr<const std::function<void(Message)>> on_message;
  std::shared_ptr<const std::function<void(const arrow::Status&)>> on_close;
  Executor* executor = nullptr;
  std::deque<std::function<void()>> early;  // what came before the start
  Micros last_arrival{0};
  bool is_ended = false;  // the sender sends nothing more
  bool is_cut = false;    // the receiver takes nothing more
};

// Two ends of a connection with delays from the seed. *Thread-compatible.*
template <class A, class B>
class SimulatedConnection final : public Connection,
                                  public std::enable_shared_from_this<SimulatedConnection<A, B>> {
 public:
  using Connection::Connection;

  SimulatedLane<A> forth;  // from the first end to the second
  SimulatedLane<B> back;

  void Break() override {
    if (is_broken_ || (forth.is_ended && back.is_ended)) return;
    is_broken_ = true;
    Lose(&forth, 1);
    Lose(&back, 0);
  }

  template <class Message>
  void Send(SimulatedLane<Message>* lane, int sender, Message message) {
    if (!time_->Step(ends_[sender])) return;
    if (is_broken_ || lane->is_ended || lane->is_cut) return;
    if (const std::string text = TextOf(message); !text.empty()) {
      time_->Trace(fmt::format("{} > {}: {}", ends_[sender]->name, ends_[1 - sender]->name, text));
    }
    auto shared = std::make_shared<Message>(std::move(message));
    Carry(lane, 1 - sender, [shared](SimulatedLane<Message>* at) {
      const auto handler = at->on_message;  // It may close the stream.
      if (handler != nullptr) (*handler)(std::move(*shared));
    });
  }

  template <class Message>
  void End(SimulatedLane<Message>* lane, int sender) {
    if (lane->is_ended) return;
    lane->is_ended = true;
    if (is_broken_ || lane->is_cut || ends_[sender]->is_dead) return;
    CarryClose(lane, 1 - sender, arrow::Status::OK());
  }

  template <class Message>
  void Cut(SimulatedLane<Message>* lane) {
    lane->is_cut = true;
    Forget(lane);
  }

  template <class Message>
  void Start(SimulatedLane<Message>* lane, Executor* executor,
             std::function<void(Message)> on_message,
             std::function<void(const arrow::Status&)> on_close) {
    if (lane->is_cut) return;
    lane->executor = executor;
    lane->on_message = std::make_shared<const std::function<void(Message)>>(std::move(on_message));
    lane->on_close =
        std::make_shared<const std::function<void(const arrow::Status&)>>(std::move(on_close));
    for (auto& delivery : std::exchange(lane->early, {})) executor->Post(std::move(delivery));
  }

 private:
  // Brings `deliver` to the receiver's executor, in order.
  template <class Message, class Deliver>
  void Carry(SimulatedLane<Message>* lane, int receiver, Deliver deliver, bool is_loss = false) {
    auto self = this->shared_from_this();
    const Micros arrival = this->ArrivalOf(&lane->last_arrival);
    time_->At(arrival, nullptr, [self, lane, receiver, deliver, is_loss] {
      if (self->ends_[receiver]->is_dead || (self->is_broken_ && !is_loss)) return;
      auto run = [self, lane, deliver] {
        if (!lane->is_cut) deliver(lane);
      };
      if (lane->executor != nullptr) return lane->executor->Post(std::move(run));
      if (!lane->is_cut) lane->early.push_back(std::move(run));
    });
  }

  template <class Message>
  void CarryClose(SimulatedLane<Message>* lane, int receiver, const arrow::Status& why,
                  bool is_loss = false) {
    Carry(
        lane, receiver,
        [why](SimulatedLane<Message>* at) {
          const auto handler = at->on_close;
          at->is_cut = true;
          Forget(at);  // The handlers may own the stream.
          if (handler != nullptr && *handler) (*handler)(why);
        },
        is_loss);
  }

  template <class Message>
  void Lose(SimulatedLane<Message>* lane, int receiver) {
    if (lane->is_cut) return;
    lane->last_arrival = time_->now() + time_->Draw(Micros(0), Micros(20'000));
    CarryClose(lane, receiver,
               MakeError(ErrorKind::kUnavailable, "CONNECTION_LOST", "the connection is lost"),
               /*is_loss=*/true);
  }

  template <class Message>
  static void Forget(SimulatedLane<Message>* lane) {
    const auto on_message = std::exchange(lane->on_message, nullptr);
    const auto on_close = std::exchange(lane->on_close, nullptr);
    const auto early = std::exchange(lane->early, {});
  }
};

// One end. Dropping it closes it.
template <class Out, class In, class Link>
class SimulatedStream final : public MessageStream<Out, In> {
 public:
  SimulatedStream(std::shared_ptr<Link> link, SimulatedLane<Out>* out, SimulatedLane<In>* in,
                  int end)
      : link_(std::move(link)), out_(out), in_(in), end_(end) {}
  ~SimulatedStream() override { Close(); }

  void Start(Executor* executor, typename MessageStream<Out, In>::Handlers handlers) override {
    link_->Start(in_, executor, std::move(handlers.on_message), std::move(handlers.on_close));
  }
  void Send(Out message) override { link_->Send(out_, end_, std::move(message)); }
  void Close() override {
    link_->Cut(in_);
    link_->End(out_, end_);
  }

 private:
  const std::shared_ptr<Link> link_;
  SimulatedLane<Out>* const out_;
  SimulatedLane<In>* const in_;
  const int end_;
};

// The network of a simulation: knows every connection, so that faults can find it.
// *Thread-compatible.*
class SimulatedNetwork {
 public:
  explicit SimulatedNetwork(VirtualTime* time) : time_(time) {}

  // `first` sends A.
  template <class A, class B>
  StreamPair<A, B> Connect(const ProcessPtr& first, const ProcessPtr& second) {
    using Link = SimulatedConnection<A, B>;
    auto link = std::make_shared<Link>(time_, first, second);
    std::erase_if(connections_, [](const auto& weak) { return weak.expired(); });
    connections_.push_back(link);
    return {std::make_shared<SimulatedStream<A, B, Link>>(link, &link->forth, &link->back, 0),
            std::make_shared<SimulatedStream<B, A, Link>>(link, &link->back, &link->forth, 1)};
  }

  // Nobody listens at the other end of the newest connection.
  void RefuseNewest() {
    if (const auto newest = connections_.back().lock()) newest->Break();
  }

  std::vector<std::shared_ptr<Connection>> Connections() const {
    std::vector<std::shared_ptr<Connection>> alive;
    for (const auto& weak : connections_) {
      if (auto connection = weak.lock(); connection && !connection->is_broken()) {
        alive.push_back(std::move(connection));
      }
    }
    return alive;
  }
  void BreakAllOf(const ProcessPtr& process) {
    for (const auto& connection : Connections()) {
      if (connection->end(0) == process || connection->end(1) == process) connection->Break();
    }
  }

 private:
  VirtualTime* const time_;
  std::vector<std::weak_ptr<Connection>> connections_;
};

}  // namespace tidemill::testing
