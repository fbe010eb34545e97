#include "worker/exchange/peer_network.h"

#include <fmt/format.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "common/base/error.h"
#include "common/base/logging.h"
#include "common/base/mutex.h"
#include "worker/exchange/frame_codec.h"
#include "worker/exchange/outgoing_stream.h"

namespace tidemill::worker {

namespace {

// A receiver says how far it is whenever so much has arrived.
constexpr int64_t kReportedBytes = OutgoingStream::kUnreceivedBytes / 16;

using PeerKey = std::tuple<std::string, std::string, std::string>;

PeerKey KeyOf(const ExchangePeer& peer) { return {peer.worker, peer.incarnation, peer.address}; }

// A stream that another worker opened; touched on the executor only.
struct IncomingStream {
  std::string address;
  std::shared_ptr<rpc::FrameStream> stream;
  FrameDecoder decoder;
  bool is_known = false;  // has said hello
  bool is_closed = false;
  std::string worker;
  int64_t received_bytes = 0;
  int64_t reported_bytes = 0;
};

// What one attempt has used.
struct AttemptRecord {
  AttemptId id;
  std::map<std::string, std::shared_ptr<OutgoingStream>> streams;  // by worker
  bool is_broken = false;                                          // and reported
};

// Relaxed: nothing depends on them.
struct AtomicCounters {
  std::atomic<int64_t> frames_sent{0};
  std::atomic<int64_t> bytes_sent{0};
  std::atomic<int64_t> frames_received{0};
  std::atomic<int64_t> bytes_received{0};
  std::atomic<int64_t> streams_lost{0};
  std::atomic<int64_t> streams_refused{0};
};

void Count(std::atomic<int64_t>* counter, int64_t by = 1) {
  counter->fetch_add(by, std::memory_order_relaxed);
}

}  // namespace

// Shared with the handlers of streams, which may outlive the network.
class PeerNetwork::Impl : public std::enable_shared_from_this<Impl> {
 public:
  explicit Impl(Options options) : options_(std::move(options)) {}

  void SetPeers(const std::string& job, std::vector<ExchangePeer> peers);
  void Serve(const std::string& peer_address, std::shared_ptr<rpc::FrameStream> stream);
  void Stop();
  void SendFrames(const SlotAddress& to, const AttemptId& attempt,
                  std::vector<ExchangeFrame> frames);
  void SendProgress(const SlotAddress& to, const AttemptId& attempt,
                    const ExchangeProgress& progress);
  Counters counters() const;

  LocalExchangeNetwork* local() { return &local_; }

 private:
  // The stream that the attempt uses to the worker, opened where it has none yet; null where it
  // cannot be sent to.
  std::shared_ptr<OutgoingStream> StreamOf(const AttemptId& attempt, const std::string& worker);
  // Null for an attempt that is over.
  AttemptRecord* RecordOf(const AttemptId& attempt) REQUIRES(mutex_);
  const ExchangePeer* FindPeer(const std::string& job, const std::string& worker) const
      REQUIRES(mutex_);
  void Open(const std::shared_ptr<OutgoingStream>& stream);
  void CountSent(const WireFrame& frame);
  void OnAnswer(const std::shared_ptr<OutgoingStream>& stream, FrameDecoder* decoder,
                const grpc::ByteBuffer& message);
  void OnLost(const std::shared_ptr<OutgoingStream>& stream, const arrow::Status& why);
  // Reports the attempt, once, from the executor.
  void PostBroken(const AttemptId& attempt, const arrow::Status& why);

  void OnMessage(const std::shared_ptr<IncomingStream>& from, const grpc::ByteBuffer& message);
  arrow::Status Take(IncomingStream* from, const grpc::ByteBuffer& message);
  arrow::Status Welcome(IncomingStream* from, const ExchangeHello& hello) const;
  void CloseIncoming(const std::shared_ptr<IncomingStream>& from);

  const Options options_;
  LocalExchangeNetwork local_;
  RowsEncoder encoder_;
  AtomicCounters counters_;

  mutable Mutex mutex_;
  bool is_stopped_ GUARDED_BY(mutex_) = false;
  std::map<std::string, std::vector<ExchangePeer>> peers_ GUARDED_BY(mutex_);  // by job
  std::map<PeerKey, std::shared_ptr<OutgoingStream>> streams_ GUARDED_BY(mutex_);
  std::map<std::string, std::vector<AttemptRecord>> attempts_ GUARDED_BY(mutex_);  // by job
  std::set<std::shared_ptr<IncomingStream>> incoming_ GUARDED_BY(mutex_);
};

void PeerNetwork::Impl::SetPeers(const std::string& job, std::vector<ExchangePeer> peers) {
  std::vector<std::shared_ptr<OutgoingStream>> unused;
  {
    MutexLock lock(&mutex_);
    if (peers.empty()) {
      peers_.erase(job);
      attempts_.erase(job);
    } else {
      peers_[job] = std::move(peers);
    }
    std::set<PeerKey> used;
    for (const auto& [name, list] : peers_) {
      for (const ExchangePeer& peer : list) used.insert(KeyOf(peer));
    }
    std::erase_if(streams_, [&](const auto& entry) {
      if (used.contains(entry.first)) return false;
      unused.push_back(entry.second);
      return true;
    });
  }
  for (const auto& stream : unused) stream->Close();
}

void PeerNetwork::Impl::Stop() {
  std::map<PeerKey, std::shared_ptr<OutgoingStream>> streams;
  std::set<std::shared_ptr<IncomingStream>> incoming;
  {
    MutexLock lock(&mutex_);
    is_stopped_ = true;
    streams.swap(streams_);
    incoming.swap(incoming_);
    attempts_.clear();
    peers_.clear();
  }
  for (const auto& [key, stream] : streams) stream->Close();
  for (const auto& from : incoming) from->stream->Close();
}

AttemptRecord* PeerNetwork::Impl::RecordOf(const AttemptId& attempt) {
  std::vector<AttemptRecord>& records = attempts_[attempt.job];
  if (!records.empty() && records.back().id.epoch != attempt.epoch) {
    const AttemptId& newest = records.back().id;
    if (attempt.epoch < newest.epoch && attempt.attempt <= newest.attempt) return nullptr;
    records.clear();
  }
  for (AttemptRecord& record : records) {
    if (record.id == attempt) return &record;
  }
  AttemptRecord& added = records.emplace_back();
  added.id = attempt;
  return &added;
}

const ExchangePeer* PeerNetwork::Impl::FindPeer(const std::string& job,
                                                const std::string& worker) const {
  const auto list = peers_.find(job);
  if (list == peers_.end()) return nullptr;
  for (const ExchangePeer& peer : list->second) {
    if (peer.worker == worker) return &peer;
  }
  return nullptr;
}

std::shared_ptr<OutgoingStream> PeerNetwork::Impl::StreamOf(const AttemptId& attempt,
                                                            const std::string& worker) {
  std::shared_ptr<OutgoingStream> opened;
  {
    MutexLock lock(&mutex_);
    if (is_stopped_) return nullptr;
    const ExchangePeer* peer = FindPeer(attempt.job, worker);
    if (peer == nullptr && !peers_.contains(attempt.job)) return nullptr;  // The job has gone.
    AttemptRecord* record = RecordOf(attempt);
    if (record == nullptr) return nullptr;
    if (const auto used = record->streams.find(worker); used != record->streams.end())
      return used->second;  // Drops what it is given once it has ended.
    if (peer != nullptr) {
      auto& current = streams_[KeyOf(*peer)];
      if (current == nullptr) {
        current = std::make_shared<OutgoingStream>(*peer);
        opened = current;
      }
      record->streams[worker] = current;
      if (opened == nullptr) return current;
    }
  }
  if (opened == nullptr) {
    PostBroken(attempt, MakeError(ErrorKind::kUnavailable, "EXCHANGE_PEER_UNKNOWN",
                                  fmt::format("no address of a worker that takes part in the job: "
                                              "worker={}",
                                              worker)));
    return nullptr;
  }
  Open(opened);
  return opened;
}

void PeerNetwork::Impl::Open(const std::shared_ptr<OutgoingStream>& stream) {
  std::shared_ptr<rpc::FrameStream> frames = options_.connect(stream->peer());
  const std::weak_ptr<Impl> weak_self = weak_from_this();
  const std::weak_ptr<OutgoingStream> weak = stream;
  if (frames == nullptr) {
    options_.executor->Post([weak_self, stream] {
      if (auto self = weak_self.lock())
        self->OnLost(stream, arrow::Status::IOError("no connection"));
    });
    return;
  }
  rpc::FrameStream::Handlers handlers;
  handlers.on_message = [weak_self, weak, decoder = std::make_shared<FrameDecoder>()](
                            const grpc::ByteBuffer& message) {
    auto self = weak_self.lock();
    auto strong = weak.lock();
    if (self != nullptr && strong != nullptr) self->OnAnswer(strong, decoder.get(), message);
  };
  handlers.on_close = [weak_self, weak](const arrow::Status& why) {
    auto self = weak_self.lock();
    auto strong = weak.lock();
    if (self != nullptr && strong != nullptr) self->OnLost(strong, why);
  };
  stream->Connect(frames, {options_.worker, options_.incarnation, stream->peer().worker,
                           stream->peer().incarnation, options_.build});
  frames->Start(options_.executor, std::move(handlers));
}

void PeerNetwork::Impl::OnAnswer(const std::shared_ptr<OutgoingStream>& stream,
                                 FrameDecoder* decoder, const grpc::ByteBuffer& message) {
  const auto decoded = decoder->Decode(message);
  const auto* received = decoded.ok() ? std::get_if<DecodedReceived>(&*decoded) : nullptr;
  if (received != nullptr && stream->OnReceived(received->bytes)) return;
  OnLost(stream, decoded.ok() ? MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                                          "the peer gave an answer that makes no sense")
                              : decoded.status());
}

void PeerNetwork::Impl::OnLost(const std::shared_ptr<OutgoingStream>& stream,
                               const arrow::Status& why) {
  stream->Close();
  std::vector<AttemptId> broken;
  {
    MutexLock lock(&mutex_);
    const auto current = streams_.find(KeyOf(stream->peer()));
    if (current == streams_.end() || current->second != stream) return;  // Closed by this end.
    streams_.erase(current);
    for (auto& [job, records] : attempts_) {
      for (AttemptRecord& record : records) {
        const auto used = record.streams.find(stream->peer().worker);
        if (used == record.streams.end() || used->second != stream || record.is_broken) continue;
        record.is_broken = true;
        broken.push_back(record.id);
      }
    }
  }
  Count(&counters_.streams_lost);
  const std::string reason = why.ok() ? "closed by the peer" : why.message();
  LogWarn("exchange_stream_lost")
      .With("worker", stream->peer().worker)
      .With("address", stream->peer().address)
      .With("attempts", broken.size())
      .With("error", reason);
  const auto error =
      MakeError(ErrorKind::kUnavailable, "CONNECTION_LOST",
                fmt::format("the exchange stream to another worker has ended: worker={} "
                            "address={}: {}",
                            stream->peer().worker, stream->peer().address, reason));
  for (const AttemptId& attempt : broken) options_.on_broken(attempt, error);
}

void PeerNetwork::Impl::PostBroken(const AttemptId& attempt, const arrow::Status& why) {
  {
    MutexLock lock(&mutex_);
    AttemptRecord* record = is_stopped_ ? nullptr : RecordOf(attempt);
    if (record == nullptr || record->is_broken) return;
    record->is_broken = true;
  }
  options_.executor->Post([weak = weak_from_this(), attempt, why] {
    if (auto self = weak.lock()) self->options_.on_broken(attempt, why);
  });
}

void PeerNetwork::Impl::CountSent(const WireFrame& frame) {
  Count(&counters_.frames_sent);
  Count(&counters_.bytes_sent, frame.size);
}

// Encoding happens on the calling slot's thread, outside of all locks: what one slot sends stays in
// order, and nobody depends on the order of different slots.
void PeerNetwork::Impl::SendFrames(const SlotAddress& to, const AttemptId& attempt,
                                   std::vector<ExchangeFrame> frames) {
  if (to.worker == options_.worker) return local_.SendFrames(to, attempt, std::move(frames));
  const auto stream = StreamOf(attempt, to.worker);
  if (stream == nullptr) return;
  auto encoded = encoder_.Encode(attempt, to.slot, frames);
  if (!encoded.ok()) return PostBroken(attempt, encoded.status());
  for (WireFrame& frame : *encoded) {
    CountSent(frame);
    stream->Send(std::move(frame));
  }
}

void PeerNetwork::Impl::SendProgress(const SlotAddress& to, const AttemptId& attempt,
                                     const ExchangeProgress& progress) {
  if (to.worker == options_.worker) return local_.SendProgress(to, attempt, progress);
  const auto stream = StreamOf(attempt, to.worker);
  if (stream == nullptr) return;
  WireFrame frame = EncodeProgress(attempt, to.slot, progress);
  CountSent(frame);
  stream->SendAhead(std::move(frame));
}

void PeerNetwork::Impl::Serve(const std::string& peer_address,
                              std::shared_ptr<rpc::FrameStream> stream) {
  auto from = std::make_shared<IncomingStream>();
  from->address = peer_address;
  from->stream = std::move(stream);
  {
    MutexLock lock(&mutex_);
    if (is_stopped_) return from->stream->Close();
    incoming_.insert(from);
  }
  const std::weak_ptr<Impl> weak_self = weak_from_this();
  const std::weak_ptr<IncomingStream> weak = from;
  rpc::FrameStream::Handlers handlers;
  handlers.on_message = [weak_self, weak](const grpc::ByteBuffer& message) {
    auto self = weak_self.lock();
    auto strong = weak.lock();
    if (self != nullptr && strong != nullptr) self->OnMessage(strong, message);
  };
  // What was lost is the sender's to report.
  handlers.on_close = [weak_self, weak](const arrow::Status&) {
    auto self = weak_self.lock();
    auto strong = weak.lock();
    if (self != nullptr && strong != nullptr) self->CloseIncoming(strong);
  };
  from->stream->Start(options_.executor, std::move(handlers));
}

void PeerNetwork::Impl::CloseIncoming(const std::shared_ptr<IncomingStream>& from) {
  from->is_closed = true;
  from->stream->Close();
  MutexLock lock(&mutex_);
  incoming_.erase(from);
}

void PeerNetwork::Impl::OnMessage(const std::shared_ptr<IncomingStream>& from,
                                  const grpc::ByteBuffer& message) {
  if (from->is_closed) return;
  const arrow::Status taken = Take(from.get(), message);
  if (taken.ok()) return;
  Count(&counters_.streams_refused);
  LogWarn("exchange_frame_refused")
      .With("peer", from->address)
      .With("worker", from->worker)
      .With("error", taken.message());
  CloseIncoming(from);
}

arrow::Status PeerNetwork::Impl::Take(IncomingStream* from, const grpc::ByteBuffer& message) {
  ARROW_ASSIGN_OR_RAISE(DecodedMessage decoded, from->decoder.Decode(message));
  const auto* hello = std::get_if<ExchangeHello>(&decoded);
  if ((hello != nullptr) == from->is_known) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     from->is_known ? "a second hello" : "the first message is not a hello");
  }
  if (hello != nullptr) return Welcome(from, *hello);
  const auto size = static_cast<int64_t>(message.Length());
  Count(&counters_.frames_received);
  Count(&counters_.bytes_received, size);
  if (auto* frames = std::get_if<DecodedFrames>(&decoded)) {
    local_.SendFrames({options_.worker, frames->slot}, frames->attempt, std::move(frames->frames));
  } else if (const auto* progress = std::get_if<DecodedProgress>(&decoded)) {
    local_.SendProgress({options_.worker, progress->slot}, progress->attempt, progress->progress);
  } else if (!std::holds_alternative<DecodedSchema>(decoded)) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     "an answer to nothing that was sent");
  }
  from->received_bytes += size;
  if (from->received_bytes - from->reported_bytes >= kReportedBytes) {
    from->reported_bytes = from->received_bytes;
    from->stream->Send(*EncodeReceived(from->received_bytes).bytes);
  }
  return arrow::Status::OK();
}

arrow::Status PeerNetwork::Impl::Welcome(IncomingStream* from, const ExchangeHello& hello) const {
  if (hello.peer_worker != options_.worker || hello.peer_incarnation != options_.incarnation) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     "hello to another worker or incarnation");
  }
  // The driver takes workers of its own build only; this is for streams that come past it.
  if (hello.build != options_.build) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     fmt::format("hello from another build: got=\"{}\" want=\"{}\"", hello.build,
                                 options_.build));
  }
  from->is_known = true;
  from->worker = hello.worker;
  return arrow::Status::OK();
}

PeerNetwork::Counters PeerNetwork::Impl::counters() const {
  const auto read = [](const std::atomic<int64_t>& counter) {
    return counter.load(std::memory_order_relaxed);
  };
  return {.frames_sent = read(counters_.frames_sent),
          .bytes_sent = read(counters_.bytes_sent),
          .frames_received = read(counters_.frames_received),
          .bytes_received = read(counters_.bytes_received),
          .streams_lost = read(counters_.streams_lost),
          .streams_refused = read(counters_.streams_refused)};
}

PeerNetwork::PeerNetwork(Options options) : impl_(std::make_shared<Impl>(std::move(options))) {}

PeerNetwork::~PeerNetwork() { impl_->Stop(); }

void PeerNetwork::Attach(const SlotAddress& address, SlotMailbox* mailbox) {
  impl_->local()->Attach(address, mailbox);
}

void PeerNetwork::Detach(const SlotAddress& address) { impl_->local()->Detach(address); }

void PeerNetwork::SetPeers(const std::string& job, std::vector<ExchangePeer> peers) {
  impl_->SetPeers(job, std::move(peers));
}

void PeerNetwork::Serve(const std::string& peer_address, std::shared_ptr<rpc::FrameStream> stream) {
  impl_->Serve(peer_address, std::move(stream));
}

void PeerNetwork::Stop() { impl_->Stop(); }

void PeerNetwork::SendFrames(const SlotAddress& to, const AttemptId& attempt,
                             std::vector<ExchangeFrame> frames) {
  impl_->SendFrames(to, attempt, std::move(frames));
}

void PeerNetwork::SendProgress(const SlotAddress& to, const AttemptId& attempt,
                               const ExchangeProgress& progress) {
  impl_->SendProgress(to, attempt, progress);
}

PeerNetwork::Counters PeerNetwork::counters() const { return impl_->counters(); }

}  // namespace tidemill::worker
