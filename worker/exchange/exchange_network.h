#pragma once

#include <map>
#include <string>
#include <vector>

#include "common/base/mutex.h"
#include "worker/exchange/frame.h"

namespace tidemill::worker {

// Where a slot takes what other slots send. Called from any thread; returns at once.
class SlotMailbox {
 public:
  virtual ~SlotMailbox() = default;
  virtual void OnFrames(const AttemptId& attempt, std::vector<ExchangeFrame> frames) = 0;
  virtual void OnProgress(const AttemptId& attempt, const ExchangeProgress& progress) = 0;
};

// Where another worker takes exchange streams.
struct ExchangePeer {
  std::string worker;
  std::string incarnation;
  std::string address;
};

// Carries frames between slots. What cannot be delivered is dropped, and then the attempt is
// reported as broken or its slot is gone with its worker. *Thread-safe.*
class ExchangeNetwork {
 public:
  virtual ~ExchangeNetwork() = default;

  // Slots of this process; `mailbox` must outlive its attachment.
  virtual void Attach(const SlotAddress& address, SlotMailbox* mailbox) = 0;
  virtual void Detach(const SlotAddress& address) = 0;
  // The other workers of a job's assignment; an empty list when the job is gone from here.
  virtual void SetPeers(const std::string& job, std::vector<ExchangePeer> peers) = 0;

  virtual void SendFrames(const SlotAddress& to, const AttemptId& attempt,
                          std::vector<ExchangeFrame> frames) = 0;
  virtual void SendProgress(const SlotAddress& to, const AttemptId& attempt,
                            const ExchangeProgress& progress) = 0;
};

// All slots in this process: batches are handed over by pointer.
class LocalExchangeNetwork final : public ExchangeNetwork {
 public:
  void Attach(const SlotAddress& address, SlotMailbox* mailbox) override;
  void Detach(const SlotAddress& address) override;
  void SetPeers(const std::string& job, std::vector<ExchangePeer> peers) override {}

  void SendFrames(const SlotAddress& to, const AttemptId& attempt,
                  std::vector<ExchangeFrame> frames) override;
  void SendProgress(const SlotAddress& to, const AttemptId& attempt,
                    const ExchangeProgress& progress) override;

 private:
  Mutex mutex_;
  std::map<SlotAddress, SlotMailbox*> mailboxes_ GUARDED_BY(mutex_);
};

}  // namespace tidemill::worker
