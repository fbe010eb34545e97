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
#include "tests/driver_cluster/scratch_root.h"

namespace tidemill::driver {

// The worker's end of a control stream that speaks for one job at a time: what a FakeWorker, which
// knows of jobs only, needs to be in a cluster. *Thread-compatible.*
class JobOnlyStream final : public FakeWorker::Stream {
 public:
  explicit JobOnlyStream(std::shared_ptr<FakeWorker::Stream> control)
      : control_(std::move(control)) {}
  ~JobOnlyStream() override { Close(); }

  void Start(Executor* executor, Handlers handlers) override;
  void Send(proto::ToDriver message) override;
  void Close() override { control_->Close(); }

 private:
  const std::shared_ptr<FakeWorker::Stream> control_;
  std::shared_ptr<std::string> job_ = std::make_shared<std::string>();
};

// A driver's registry and board and its workers, in one thread on virtual time; the root is a
// directory. The sources and sinks of jobs are those of `world`. *Thread-compatible.*
class ClusterSimulation {
 public:
  ClusterSimulation();
  ~ClusterSimulation() { Crash(); }

  // A driver begins: takes the next term and resumes the jobs.
  arrow::Status StartDriver();
  // It is gone, as after SIGKILL; the workers too.
  void Crash();
  std::shared_ptr<FakeWorker> AddWorker(const std::string& name);
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
  ScratchRoot directory;
  World world;
  std::vector<arrow::Status> fatal;
  std::unique_ptr<ClusterRoot> root;
  std::unique_ptr<WorkerRegistry> registry;
  std::unique_ptr<JobBoard> board;
  std::vector<std::shared_ptr<FakeWorker>> workers;

 private:
  std::unique_ptr<RegistryListener> listener_;
  std::map<std::string, std::shared_ptr<FakeWorker::Stream>> streams_;
};

}  // namespace tidemill::driver
