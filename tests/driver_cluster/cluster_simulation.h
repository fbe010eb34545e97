#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "driver/cluster/cluster_root.h"
#include "driver/cluster/job_board.h"
#include "driver/cluster/worker_registry.h"
#include "tests/driver/simulation.h"
#include "tests/testing/scratch_dir.h"

namespace tidemill::driver {

// A driver's registry and board and its workers, in one thread on virtual time; the root is a
// directory. The sources and sinks of jobs are those of `world`. *Thread-compatible.*
class ClusterSimulation {
 public:
  ClusterSimulation();
  ~ClusterSimulation() { Crash(); }

  // A driver begins: takes the next term and resumes the jobs.
  arrow::Status StartDriver();
  // It is gone, as after SIGKILL; the workers live on and may Join the next one.
  void Crash();
  std::shared_ptr<FakeWorker> AddWorker(const std::string& name);
  // A worker opens a control stream and registers with what it still has. It may be in one job.
  void Join(const std::shared_ptr<FakeWorker>& worker);
  // The worker asks to go.
  void Leave(const std::string& name);

  template <class Condition>
  void RunUntil(Condition condition) {
    for (int steps = 0; !condition(); ++steps) {
      ASSERT_TRUE(steps < 200'000 && time.RunOne());
    }
  }
  void RunFor(std::chrono::milliseconds duration);

  // A job over the world's numbers; trigger "" is the default one.
  proto::SubmitRequest Request(const std::string& name, const std::string& trigger = "");
  arrow::Result<proto::SubmitReply> Submit(proto::SubmitRequest request);
  arrow::Result<proto::JobInfo> Get(const std::string& job);
  arrow::Result<proto::JobInfo> Stop(const std::string& job, bool now = false);
  std::vector<proto::JobInfo> List();
  // Runs until the job is in this state.
  void Await(const std::string& job, proto::JobInfo::State state);

  // Calls an asynchronous question and waits for its answer.
  template <class T, class Ask>
  arrow::Result<T> Answer(Ask ask) {
    auto answer = std::make_shared<std::optional<arrow::Result<T>>>();
    ask([answer](arrow::Result<T> result) { *answer = std::move(result); });
    RunUntil([&] { return answer->has_value(); });
    if (!answer->has_value()) return arrow::Status::Cancelled("no answer");
    return **answer;
  }

  Simulation time;
  ScratchDir directory;
  World world;
  std::vector<arrow::Status> fatal;
  std::unique_ptr<ClusterRoot> root;
  std::unique_ptr<WorkerRegistry> registry;
  std::unique_ptr<JobBoard> board;
  std::vector<std::shared_ptr<FakeWorker>> workers;

 private:
  // Heartbeats for as long as the stream is there.
  void Beat(const std::weak_ptr<FakeWorker::Stream>& control);
  // What one end receives the other sends.
  void Connect(const std::shared_ptr<FakeWorker::Stream>& control,
               const std::shared_ptr<WorkerStream>& worker);

  std::unique_ptr<RegistryListener> listener_;
  std::map<std::string, std::shared_ptr<FakeWorker::Stream>> streams_;  // control, by worker
};

}  // namespace tidemill::driver
