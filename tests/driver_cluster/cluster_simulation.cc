#include "tests/driver_cluster/cluster_simulation.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "common/transport/in_memory_stream.h"

namespace tidemill::driver {

namespace {

constexpr char kBuild[] = "test";

// One job's executor: the simulation's thread until it is stopped.
class PartOfSimulation final : public Executor {
 public:
  explicit PartOfSimulation(Simulation* simulation) : simulation_(simulation) {}

  void Post(Task task) override {
    simulation_->Post([alive = alive_, task = std::move(task)] {
      if (*alive) task();
    });
  }
  void PostAfter(std::chrono::nanoseconds delay, Task task) override {
    simulation_->PostAfter(delay, [alive = alive_, task = std::move(task)] {
      if (*alive) task();
    });
  }
  void Stop() override { *alive_ = false; }

 private:
  Simulation* const simulation_;
  const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

class ToBoard final : public RegistryListener {
 public:
  explicit ToBoard(ClusterSimulation* cluster) : cluster_(cluster) {}
  void OnWorkerJoined(const std::string& worker) override {
    cluster_->board->OnWorkerJoined(worker);
  }
  void OnWorkerLeaving(const std::string& worker) override {
    cluster_->board->OnWorkerLeaving(worker);
  }

 private:
  ClusterSimulation* const cluster_;
};

}  // namespace

ClusterSimulation::ClusterSimulation() {
  EXPECT_TRUE(FileSystem::Local()->CreateDirectories(directory / "in").ok());
}

arrow::Status ClusterSimulation::StartDriver() {
  ARROW_ASSIGN_OR_RAISE(root, ClusterRoot::Open({.fs = FileSystem::Local(),
                                                 .random = &time,
                                                 .path = directory / "root",
                                                 .listen = "127.0.0.1:7400",
                                                 .holder = "pid=1 host=simulation"}));
  listener_ = std::make_unique<ToBoard>(this);
  registry =
      std::make_unique<WorkerRegistry>(WorkerRegistry::Options{.clock = &time,
                                                               .executor = &time,
                                                               .cluster_term = root->term(),
                                                               .driver_incarnation = "driver",
                                                               .build = kBuild,
                                                               .listener = listener_.get()});
  JobEnvironment fakes = FakeEnvironment(&time, FileSystem::Local(), &world);
  JobBoard::Options options{.fs = FileSystem::Local(),
                            .clock = &time,
                            .random = &time,
                            .executor = &time,
                            .io = &time,
                            .root = root.get(),
                            .registry = registry.get(),
                            .make_source = fakes.make_source,
                            .make_sink = fakes.make_sink};
  options.make_executor = [this](const std::string&) {
    return std::make_unique<PartOfSimulation>(&time);
  };
  options.on_fatal = [this](const arrow::Status& why) { fatal.push_back(why); };
  board = std::make_unique<JobBoard>(std::move(options));
  ARROW_RETURN_NOT_OK(board->Resume());
  registry->Start();
  return arrow::Status::OK();
}

void ClusterSimulation::Crash() {
  time.DropAll();
  board.reset();
  registry.reset();
  for (const auto& worker : workers) worker->Disconnect();
  streams_.clear();
  time.DropAll();
}

void ClusterSimulation::Leave(const std::string& name) {
  proto::ToDriver message;
  message.mutable_leave();
  streams_.at(name)->Send(std::move(message));
}

std::shared_ptr<FakeWorker> ClusterSimulation::AddWorker(const std::string& name) {
  workers.push_back(std::make_shared<FakeWorker>(name, FileSystem::Local()));
  Join(workers.back());
  return workers.back();
}

void ClusterSimulation::Join(const std::shared_ptr<FakeWorker>& worker) {
  auto streams = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
  registry->Serve(streams.first, "memory");
  const auto control = streams_[worker->name()] = streams.second;
  const WorkerLink link = worker->Connect(&time);
  proto::ToDriver hello;
  proto::Register* message = hello.mutable_register_worker();
  message->set_worker(link.name);
  message->set_incarnation(link.incarnation);
  message->set_slots(link.slots);
  message->set_exchange_address(link.exchange_address);
  message->set_build(kBuild);
  if (link.report != nullptr) *message->add_jobs() = *link.report;
  control->Send(std::move(hello));
  Connect(control, link.stream);
  Beat(control);
}

void ClusterSimulation::Beat(const std::weak_ptr<FakeWorker::Stream>& control) {
  const auto stream = control.lock();
  if (stream == nullptr) return;
  proto::ToDriver heartbeat;
  heartbeat.mutable_heartbeat();
  stream->Send(std::move(heartbeat));
  time.PostAfter(std::chrono::milliseconds(500), [this, control] { Beat(control); });
}

void ClusterSimulation::Connect(const std::shared_ptr<FakeWorker::Stream>& control,
                                const std::shared_ptr<WorkerStream>& worker) {
  // A fake worker knows of one job only and does not say which.
  const auto job = std::make_shared<std::string>();
  control->Start(&time, {.on_message =
                             [job, worker](proto::ToWorker message) {
                               if (message.has_registered() || message.has_heartbeat()) return;
                               if (message.has_released()) return;
                               if (message.has_deploy()) *job = message.deploy().job();
                               if (message.has_adopt()) *job = message.adopt().job();
                               worker->Send(std::move(message));
                             },
                         .on_close = [worker](const arrow::Status&) { worker->Close(); }});
  const std::weak_ptr<FakeWorker::Stream> weak = control;
  worker->Start(&time, {.on_message =
                            [job, weak](proto::ToDriver message) {
                              message.set_job(*job);
                              if (const auto control = weak.lock()) {
                                control->Send(std::move(message));
                              }
                            },
                        .on_close =
                            [weak](const arrow::Status&) {
                              if (const auto control = weak.lock()) control->Close();
                            }});
}

void ClusterSimulation::RunFor(std::chrono::milliseconds duration) {
  const SteadyTime end = time.SteadyNow() + duration;
  time.PostAfter(duration, [] {});
  while (time.SteadyNow() < end) ASSERT_TRUE(time.RunOne());
}

proto::SubmitRequest ClusterSimulation::Request(const std::string& name,
                                                const std::string& trigger) {
  proto::SubmitRequest request;
  request.set_specification(
      fmt::format("name: {}\n"
                  "sources:\n"
                  "  numbers: {{format: text, path: in}}\n"
                  "query: SELECT value FROM numbers\n"
                  "sink: {{format: noop}}\n"
                  "{}",
                  name, trigger.empty() ? "" : "trigger: " + trigger + "\n"));
  request.set_file("job.yaml");
  request.set_directory(directory.path());
  return request;
}

arrow::Result<proto::SubmitReply> ClusterSimulation::Submit(proto::SubmitRequest request) {
  return Answer<proto::SubmitReply>(
      [&](auto done) { board->Submit(std::move(request), std::move(done)); });
}

arrow::Result<proto::JobInfo> ClusterSimulation::Get(const std::string& job) {
  ARROW_ASSIGN_OR_RAISE(const auto reply, Answer<proto::GetJobReply>([&](auto done) {
                          board->GetJob(job, std::move(done));
                        }));
  return reply.info();
}

arrow::Result<proto::JobInfo> ClusterSimulation::Stop(const std::string& job, bool now) {
  return Answer<proto::JobInfo>([&](auto done) { board->StopJob(job, now, std::move(done)); });
}

std::vector<proto::JobInfo> ClusterSimulation::List() {
  return *Answer<std::vector<proto::JobInfo>>([&](auto done) { board->ListJobs(std::move(done)); });
}

void ClusterSimulation::Await(const std::string& job, proto::JobInfo::State state) {
  for (int tries = 0; tries < 1000; ++tries) {
    const auto info = Get(job);
    ASSERT_TRUE(info.ok()) << info.status();
    if (info->state() == state) return;
    RunFor(std::chrono::milliseconds(20));
  }
  FAIL() << "job=" << job << " is " << Get(job)->ShortDebugString();
}

}  // namespace tidemill::driver
