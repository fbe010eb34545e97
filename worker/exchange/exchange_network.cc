#include "worker/exchange/exchange_network.h"

#include <utility>

namespace tidemill::worker {

void LocalExchangeNetwork::Attach(const SlotAddress& address, SlotMailbox* mailbox) {
  MutexLock lock(&mutex_);
  mailboxes_[address] = mailbox;
}

void LocalExchangeNetwork::Detach(const SlotAddress& address) {
  MutexLock lock(&mutex_);
  mailboxes_.erase(address);
}

// The lock is held over the call, so that a mailbox is never used after Detach; mailboxes only
// enqueue.
void LocalExchangeNetwork::SendFrames(const SlotAddress& to, const AttemptId& attempt,
                                      std::vector<ExchangeFrame> frames) {
  MutexLock lock(&mutex_);
  if (auto found = mailboxes_.find(to); found != mailboxes_.end())
    found->second->OnFrames(attempt, std::move(frames));
}

void LocalExchangeNetwork::SendProgress(const SlotAddress& to, const AttemptId& attempt,
                                        const ExchangeProgress& progress) {
  MutexLock lock(&mutex_);
  if (auto found = mailboxes_.find(to); found != mailboxes_.end())
    found->second->OnProgress(attempt, progress);
}

}  // namespace tidemill::worker
