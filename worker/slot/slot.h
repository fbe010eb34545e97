#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "worker/exchange/exchange_network.h"
#include "worker/slot/job_slot.h"

namespace tidemill::worker {

// One thread's worth of a worker: runs its share of every job, cooperatively, and shares nothing.
// The public methods enqueue and return; the work happens on `executor`. *Thread-safe.*
class Slot final : public SlotMailbox, public std::enable_shared_from_this<Slot> {
 public:
  // `executor` is serial and, like everything in `environment`, outlives the slot.
  Slot(SlotAddress address, Executor* executor, SlotEnvironment environment,
       SlotListener* listener);

  void Deploy(std::shared_ptr<const DeployedJob> job);
  void Undeploy(const std::string& job);
  // `done` is called on the slot's thread once the job is ready for frames and epochs; not after an
  // error, which goes to the listener.
  void Assign(const std::string& job, std::shared_ptr<const Assignment> assignment, int self,
              std::vector<RestoredTable> tables, std::function<void()> done);
  void RunEpoch(std::shared_ptr<const EpochTask> task, uint64_t capture);
  void Commit(const std::string& job, int64_t epoch, uint64_t attempt, uint64_t capture);
  // `done` is called on the slot's thread once nothing of the attempt runs here.
  void Abort(const std::string& job, std::function<void()> done);
  // After a Commit or an Abort, before the next RunEpoch.
  void Evict(const std::string& job, std::shared_ptr<const Eviction> eviction);
  // `forgets_captures`: the next one is to hold all rows; not where rows were evicted.
  void Adopt(const std::string& job, int64_t committed_epoch, uint64_t committed_attempt,
             bool forgets_captures);

  void OnFrames(const AttemptId& attempt, std::vector<ExchangeFrame> frames) override;
  void OnProgress(const AttemptId& attempt, const ExchangeProgress& progress) override;

  const SlotAddress& address() const { return address_; }

 private:
  void PostTask(std::function<void(Slot*)> task);
  void ScheduleStep();
  void Step();
  void TakeInbox();
  // Null where the job is not deployed (any more).
  JobSlot* Find(const std::string& job);

  const SlotAddress address_;
  Executor* const executor_;
  const SlotEnvironment environment_;
  SlotListener* const listener_;
  std::atomic<bool> is_step_scheduled_{false};  // sequentially consistent: pairs with the inbox

  struct FrameMessage {
    AttemptId attempt;
    std::vector<ExchangeFrame> frames;
  };
  Mutex mutex_;
  std::vector<FrameMessage> frames_ GUARDED_BY(mutex_);
  std::vector<std::pair<AttemptId, ExchangeProgress>> progress_ GUARDED_BY(mutex_);

  std::map<std::string, std::unique_ptr<JobSlot>> jobs_;  // the slot's thread only
};

}  // namespace tidemill::worker
