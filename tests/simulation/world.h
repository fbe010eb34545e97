#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "driver/cluster/cluster_root.h"
#include "driver/cluster/worker_registry.h"
#include "driver/job/job_runner.h"
#include "tests/simulation/faulty_stream.h"
#include "tests/simulation/memory_file_system.h"
#include "tests/simulation/virtual_time.h"
#include "worker/cluster/driver_link.h"
#include "worker/exchange/peer_network.h"
#include "worker/worker.h"

namespace tidemill::testing {

class DriverProcess;
class WorkerProcess;

// What all processes of a simulated cluster share. *Thread-compatible.*
struct World {
  explicit World(uint64_t seed) : time(seed), network(&time), disk(&time) {}

  ProcessPtr NewProcess(const std::string& name);

  VirtualTime time;
  SimulatedNetwork network;
  MemoryDisk disk;
  int next_process = 1;
  // Those that listen, by address (the process's name).
  std::map<std::string, DriverProcess*> drivers;
  std::map<std::string, WorkerProcess*> workers;
  // A planted bug: puts something between a worker and its driver.
  std::function<std::shared_ptr<worker::DriverStream>(std::shared_ptr<worker::DriverStream>)>
      wrap_worker_stream;
};

// A worker process: a real Worker with its link to the driver and its exchange, whose threads are
// the simulation's. Destroyed only when its process is dead and buried. *Thread-compatible.*
class WorkerProcess {
 public:
  // `world` must outlive this.
  WorkerProcess(World* world, std::string name, int slots);
  ~WorkerProcess();

  const ProcessPtr& process() const { return process_; }
  // Asks to go politely.
  void Leave() { link_->Leave(); }
  // A peer's exchange stream.
  void ServePeer(const std::string& peer, std::shared_ptr<rpc::FrameStream> stream);

 private:
  std::shared_ptr<worker::DriverStream> FindDriver(int attempt);
  std::unique_ptr<worker::PeerNetwork> MakeNetwork(const std::string& incarnation);

  World* const world_;
  const std::string name_;
  const ProcessPtr process_;
  const std::unique_ptr<FileSystem> fs_;
  SimulatedExecutor executor_;
  SimulatedExecutor io_;
  std::vector<std::unique_ptr<SimulatedExecutor>> slot_executors_;
  std::unique_ptr<worker::PeerNetwork> network_;
  std::unique_ptr<worker::Worker> worker_;
  std::unique_ptr<worker::DriverLink> link_;
};

// A driver process: takes the root's term, keeps the workers' streams and has a JobRunner per job.
// A job that ends by an error is started again after a while; a driver that is fenced ends.
// *Thread-compatible.*
class DriverProcess final : public driver::RegistryListener {
 public:
  struct Options {
    std::vector<driver::JobDefinition> jobs;
    std::function<void(const driver::JobResult& result)> on_result;
    // A job was fenced, and by no driver of the cluster.
    std::function<void(const std::string& job)> on_stranger;
  };
  // `world` must outlive this.
  DriverProcess(World* world, Options options);
  ~DriverProcess() override;

  const ProcessPtr& process() const { return process_; }
  // A worker's control stream.
  void Serve(std::shared_ptr<driver::WorkerStream> stream, const std::string& peer);
  // Ends all jobs; the process ends when they have.
  void Drain();

  void OnWorkerJoined(const std::string& worker) override;
  void OnWorkerLeaving(const std::string& worker) override;

 private:
  struct Job {
    const driver::JobDefinition* definition = nullptr;
    std::unique_ptr<SimulatedExecutor> executor;
    std::unique_ptr<driver::JobRunner> runner;
    bool is_running = false;
  };
  void Begin(arrow::Result<std::unique_ptr<driver::ClusterRoot>> root);
  void CheckTerm();
  void Start(Job* job);
  void OnDone(Job* job, const driver::JobResult& result);
  void EndIfDrained();

  World* const world_;
  const Options options_;
  const ProcessPtr process_;
  const std::unique_ptr<FileSystem> fs_;
  SimulatedExecutor control_;
  SimulatedExecutor io_;
  std::unique_ptr<driver::ClusterRoot> root_;  // null until its term is taken
  std::unique_ptr<driver::WorkerRegistry> registry_;
  std::vector<std::unique_ptr<Job>> jobs_;
  bool is_draining_ = false;
};

}  // namespace tidemill::testing
