#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <set>

#include "common/base/mutex.h"
#include "common/rpc/frame_stream.h"
#include "worker/exchange/exchange_network.h"
#include "worker/exchange/frame_codec.h"

namespace tidemill::worker {

// This worker's stream to one peer. What was sent before it is connected waits, and so does what is
// more than kUnreceivedBytes ahead of what the peer has taken off the wire: else a burst would fill
// the transport's queue, which then gives up. A peer takes what arrives whatever its slots do, so
// waiting here cannot block an exchange for good; how much waits is bounded by the exchange window.
// *Thread-safe.*
class OutgoingStream {
 public:
  static constexpr int64_t kUnreceivedBytes = 16 << 20;

  explicit OutgoingStream(ExchangePeer peer) : peer_(std::move(peer)) {}

  const ExchangePeer& peer() const { return peer_; }

  // Once. Says hello and sends what waits.
  void Connect(std::shared_ptr<rpc::FrameStream> stream, const ExchangeHello& hello);
  // In order; schemas that the frame needs go first. Dropped after Close.
  void Send(WireFrame frame);
  // Passes what waits.
  void SendAhead(WireFrame frame);
  // The peer has received so many bytes in all; false where that cannot be.
  bool OnReceived(int64_t bytes);
  void Close();

 private:
  void SendWaiting() REQUIRES(mutex_);
  void SendNow(const WireFrame& frame) REQUIRES(mutex_);

  const ExchangePeer peer_;
  Mutex mutex_;
  std::shared_ptr<rpc::FrameStream> stream_ GUARDED_BY(mutex_);
  std::deque<WireFrame> waiting_ GUARDED_BY(mutex_);
  std::set<uint32_t> announced_ GUARDED_BY(mutex_);  // schemas that the peer knows
  int64_t sent_bytes_ GUARDED_BY(mutex_) = 0;
  int64_t received_bytes_ GUARDED_BY(mutex_) = 0;
  bool is_closed_ GUARDED_BY(mutex_) = false;
};

}  // namespace tidemill::worker
