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

// Carries frames between slots. What cannot be delivered is dropped: the attempt then never
// finishes and the driver's lease decides. *Thread-safe.*
class ExchangeNetwork {
 public:
  virtual ~ExchangeNetwork() = default;
  virtual void SendFrames(const SlotAddress& to, const AttemptId& attempt,
                          std::vector<ExchangeFrame> frames) = 0;
  virtual void SendProgress(const SlotAddress& to, const AttemptId& attempt,
                            const ExchangeProgress& progress) = 0;
};

// All slots in this process: batches are handed over by pointer.
class LocalExchangeNetwork final : public ExchangeNetwork {
 public:
  // `mailbox` must outlive its attachment.
  void Attach(const SlotAddress& address, SlotMailbox* mailbox);
  void Detach(const SlotAddress& address);

  void SendFrames(const SlotAddress& to, const AttemptId& attempt,
                  std::vector<ExchangeFrame> frames) override;
  void SendProgress(const SlotAddress& to, const AttemptId& attempt,
                    const ExchangeProgress& progress) override;

 private:
  Mutex mutex_;
  std::map<SlotAddress, SlotMailbox*> mailboxes_ GUARDED_BY(mutex_);
};

}  // namespace tidemill::worker
