#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/base/executor.h"
#include "common/rpc/frame_stream.h"
#include "worker/exchange/exchange_network.h"

namespace tidemill::worker {

// The exchange of a worker process: slots of its own get batches by pointer, slots of other workers
// over one stream of frames per peer (worker/exchange/frame_codec.h), opened when it is first
// needed. A frame names the attempt it belongs to, so that what is left of old attempts is dropped
// by the slots.
//
// A stream that ends loses what was on its way, and nobody can tell how much: every attempt that
// sent something over it is reported as broken, once, and what the attempt sends to that peer from
// then on is dropped; the next attempt opens a new stream. Attempts are forgotten when a later
// epoch of their job sends something. Memory is bounded by the exchange window
// (kExchangeWindowBytes); what is ahead of the peer's transport waits here (OutgoingStream).
// *Thread-safe.*
class PeerNetwork final : public ExchangeNetwork {
 public:
  // Messages between workers since the start; what stays in the process is not counted.
  struct Counters {
    int64_t frames_sent = 0;
    int64_t bytes_sent = 0;
    int64_t frames_received = 0;
    int64_t bytes_received = 0;
    int64_t streams_lost = 0;     // that this worker opened
    int64_t streams_refused = 0;  // that others opened
  };

  struct Options {
    std::string worker;  // this one
    std::string incarnation;
    std::string build;  // workers of another one are refused
    // Streams deliver on it; serial.
    Executor* executor = nullptr;
    std::function<std::shared_ptr<rpc::FrameStream>(const ExchangePeer& peer)> connect;
    // An attempt cannot complete: a stream to a peer that it used has ended (kUnavailable), or its
    // rows cannot be sent (ROW_TOO_LARGE, kResource). Once per attempt, which may be one that is
    // committed meanwhile. On `executor`.
    std::function<void(const AttemptId& attempt, const arrow::Status& why)> on_broken;
  };
  explicit PeerNetwork(Options options);
  ~PeerNetwork() override;

  void Attach(const SlotAddress& address, SlotMailbox* mailbox) override;
  void Detach(const SlotAddress& address) override;
  // Where the workers of a job's assignment are. A peer whose incarnation or address changed gets a
  // new stream; peers of no assignment are closed.
  void SetPeers(const std::string& job, std::vector<ExchangePeer> peers) override;

  // A stream that another worker opened to this one. Its first frame says who it is; frames that do
  // not parse, from another build, or for another incarnation of this worker, end it.
  void Serve(const std::string& peer_address, std::shared_ptr<rpc::FrameStream> stream);
  void Stop();

  void SendFrames(const SlotAddress& to, const AttemptId& attempt,
                  std::vector<ExchangeFrame> frames) override;
  void SendProgress(const SlotAddress& to, const AttemptId& attempt,
                    const ExchangeProgress& progress) override;

  Counters counters() const;

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace tidemill::worker
