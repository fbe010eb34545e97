#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/workload.h"
#include "tests/simulation/world.h"

namespace tidemill::testing {

// What a run of the simulation came to.
struct Outcome {
  std::string violation;  // "" where everything held
  uint64_t trace_hash = 0;
  uint64_t tasks = 0;
  Micros virtual_time{0};
  int faults = 0;
  int64_t files = 0;
};

// One run: a driver and up to four workers in one thread on virtual time. While input arrives,
// faults from the seed hit them; then everything that died is started again, and the jobs must
// bring out what a computation from the input gives, within bounded time. *Thread-compatible.*
class SimulatedCluster {
 public:
  explicit SimulatedCluster(uint64_t seed);
  ~SimulatedCluster();

  // For planted bugs and traces, before Run.
  World* world() { return &world_; }
  FileSystem* outside() { return outside_.get(); }
  Outcome Run();

 private:
  enum class Fault {
    kKillWorker,
    kKillDriver,
    kKillWorkerSoon,
    kKillDriverSoon,
    kPowerLoss,
    kPauseWorker,
    kPauseDriver,
    kBreakConnection,
    kStallConnection,
    kAddWorker,
    kRemoveWorker,
    kLeave,
    kReplaceWorker,
    kSecondDriver,
    kDiskErrors,
    kSyncErrors,
  };
  static constexpr int kFaults = 16;

  struct Place {  // of a worker: a name and its process
    std::string name;
    int slots = 1;
    bool is_wanted = true;                  // is started again
    std::unique_ptr<WorkerProcess> worker;  // null while none runs
  };

  void ScheduleInput();
  void ScheduleFault();
  void Do(Fault fault);
  void RemoveWorker(Place* place, bool is_polite);
  void KillSoon(const ProcessPtr& process);
  void PauseForAWhile(const ProcessPtr& process);
  void EndFaults();

  void StartWorker(int index);
  void StartDriver();
  Place* AnyPlace();  // with a worker
  DriverProcess* AnyDriver();
  // Buries what has died, and has it started again.
  void Reap();
  void KillAll();
  void OnResult(const driver::JobResult& result);
  // Runs until `is_done`; false where the time is up, or a rule was broken.
  template <class Condition>
  bool RunUntil(Micros deadline, Condition is_done);
  void Fail(const std::string& why);
  void CheckAtTheEnd();

  World world_;
  Workload workload_;
  const std::unique_ptr<FileSystem> outside_;
  std::vector<Fault> profile_;  // the faults of this seed
  std::vector<Place> places_;
  std::vector<std::unique_ptr<WorkerProcess>> replaced_;  // by newer processes of their names
  std::vector<std::unique_ptr<DriverProcess>> drivers_;
  bool has_faults_ = true;
  bool restarts_ = true;
  bool has_failing_disk_ = false;  // or had, a moment ago
  int num_faults_ = 0;
  std::string violation_;
};

}  // namespace tidemill::testing
