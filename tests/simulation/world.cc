#include "tests/simulation/world.h"

#include <fmt/format.h>
#include <grpcpp/support/byte_buffer.h>

#include <utility>

#include "common/base/error.h"
#include "common/rpc/newest_driver.h"
#include "driver/cluster/job_fencing.h"
#include "proto/control.pb.h"

namespace tidemill::testing {

namespace {

constexpr char kRoot[] = "/root";
constexpr char kBuild[] = "simulated";
constexpr Micros kTermCheck{500'000};

}  // namespace

ProcessPtr World::NewProcess(const std::string& name) {
  auto process = std::make_shared<Process>();
  process->id = next_process++;
  process->name = fmt::format("{}#{}", name, process->id);
  time.Trace(fmt::format("start {}", process->name));
  return process;
}

WorkerProcess::WorkerProcess(World* world, std::string name, int slots)
    : world_(world),
      name_(std::move(name)),
      process_(world->NewProcess(name_)),
      fs_(world->disk.Mount(process_)),
      executor_(&world->time, process_, SimulatedExecutor::Kind::kSerial),
      io_(&world->time, process_, SimulatedExecutor::Kind::kPool) {
  const std::string incarnation = NewUuid(&world->time);
  network_ = MakeNetwork(incarnation);
  worker::WorkerEnvironment environment{.fs = fs_.get(),
                                        .random = &world->time,
                                        .executor = &executor_,
                                        .io = &io_,
                                        .network = network_.get()};
  for (int slot = 0; slot < slots; ++slot) {
    slot_executors_.push_back(std::make_unique<SimulatedExecutor>(
        &world->time, process_, SimulatedExecutor::Kind::kSerial));
    environment.slot_executors.push_back(slot_executors_.back().get());
  }
  environment.on_fatal = [this](const arrow::Status& status) {
    world_->time.Kill(process_, "fatal: " + ErrorClassOf(status));
  };
  worker_ =
      std::make_unique<worker::Worker>(worker::WorkerOptions{.name = name_,
                                                             .slots = slots,
                                                             .data_dir = "/local/" + process_->name,
                                                             .incarnation = incarnation},
                                       std::move(environment));
  link_ = std::make_unique<worker::DriverLink>(worker::DriverLink::Options{
      .worker = worker_.get(),
      .clock = &world->time,
      .executor = &executor_,
      .io = &io_,
      .connect = [this](int attempt) { return FindDriver(attempt); },
      .exchange_address = process_->name,
      .build = kBuild,
      .on_end =
          [this](const arrow::Status& why) {
            world_->time.Kill(process_, why.ok() ? "has left" : ErrorClassOf(why));
          }});
  world_->workers[process_->name] = this;
  link_->Start();
}

WorkerProcess::~WorkerProcess() {
  world_->workers.erase(process_->name);
  link_.reset();
  worker_.reset();
  network_->Stop();
}

std::unique_ptr<worker::PeerNetwork> WorkerProcess::MakeNetwork(const std::string& incarnation) {
  worker::PeerNetwork::Options options;
  options.worker = name_;
  options.incarnation = incarnation;
  options.executor = &executor_;
  options.connect = [this](const worker::ExchangePeer& peer) -> std::shared_ptr<rpc::FrameStream> {
    const auto found = world_->workers.find(peer.address);
    const ProcessPtr other =
        found == world_->workers.end() ? std::make_shared<Process>() : found->second->process();
    auto pair = world_->network.Connect<grpc::ByteBuffer, grpc::ByteBuffer>(process_, other);
    if (found == world_->workers.end() || other->is_dead) {
      world_->network.RefuseNewest();
    } else {
      found->second->ServePeer(process_->name, pair.second);
    }
    return pair.first;
  };
  options.on_broken = [this](const worker::AttemptId& attempt, const arrow::Status& why) {
    worker_->OnAttemptBroken(attempt, why);
  };
  return std::make_unique<worker::PeerNetwork>(std::move(options));
}

void WorkerProcess::ServePeer(const std::string& peer, std::shared_ptr<rpc::FrameStream> stream) {
  network_->Serve(peer, std::move(stream));
}

// The driver that the root names; now and then any that listens, as a list of addresses gives.
std::shared_ptr<worker::DriverStream> WorkerProcess::FindDriver(int attempt) {
  std::string address;
  if (attempt % 3 == 2 && !world_->drivers.empty()) {
    auto any = world_->drivers.begin();
    std::advance(any, world_->time.Draw(world_->drivers.size()));
    address = any->first;
  } else {
    const auto newest = rpc::NewestDriver(fs_.get(), kRoot);
    if (!newest.ok() || !newest->has_value()) return nullptr;
    address = **newest;
  }
  const auto found = world_->drivers.find(address);
  if (found == world_->drivers.end() || found->second->process()->is_dead) return nullptr;
  auto pair =
      world_->network.Connect<proto::ToDriver, proto::ToWorker>(process_, found->second->process());
  found->second->Serve(pair.second, process_->name);
  return world_->wrap_worker_stream ? world_->wrap_worker_stream(pair.first) : pair.first;
}

DriverProcess::DriverProcess(World* world, Options options)
    : world_(world),
      options_(std::move(options)),
      process_(world->NewProcess("driver")),
      fs_(world->disk.Mount(process_)),
      control_(&world->time, process_, SimulatedExecutor::Kind::kSerial),
      io_(&world->time, process_, SimulatedExecutor::Kind::kPool) {
  for (const driver::JobDefinition& definition : options_.jobs) {
    auto job = std::make_unique<Job>();
    job->definition = &definition;
    job->executor = std::make_unique<SimulatedExecutor>(&world->time, process_,
                                                        SimulatedExecutor::Kind::kSerial);
    jobs_.push_back(std::move(job));
  }
  io_.Post([this] {
    auto root = driver::ClusterRoot::Open({.fs = fs_.get(),
                                           .random = &world_->time,
                                           .path = kRoot,
                                           .listen = process_->name,
                                           .holder = "simulated"});
    auto shared = std::make_shared<decltype(root)>(std::move(root));
    control_.Post([this, shared] { Begin(std::move(*shared)); });
  });
}

DriverProcess::~DriverProcess() { world_->drivers.erase(process_->name); }

void DriverProcess::Begin(arrow::Result<std::unique_ptr<driver::ClusterRoot>> root) {
  if (!root.ok()) return world_->time.Kill(process_, "no root: " + ErrorClassOf(root.status()));
  root_ = *std::move(root);
  registry_ = std::make_unique<driver::WorkerRegistry>(
      driver::WorkerRegistry::Options{.clock = &world_->time,
                                      .executor = &control_,
                                      .cluster_term = root_->term(),
                                      .driver_incarnation = NewUuid(&world_->time),
                                      .build = kBuild,
                                      .listener = this});
  registry_->Start();
  world_->drivers[process_->name] = this;
  for (const auto& job : jobs_) Start(job.get());
  CheckTerm();
}

void DriverProcess::CheckTerm() {
  io_.Post([this] {
    const arrow::Status newest = root_->CheckNewest();
    if (!newest.ok() && KindOf(newest) == ErrorKind::kFenced) {
      return world_->time.Kill(process_, "is fenced");
    }
    control_.PostAfter(kTermCheck, [this] { CheckTerm(); });
  });
}

void DriverProcess::Serve(std::shared_ptr<driver::WorkerStream> stream, const std::string& peer) {
  registry_->Serve(std::move(stream), peer);
}

void DriverProcess::OnWorkerJoined(const std::string& worker) {
  for (const auto& job : jobs_) {
    if (!job->is_running) continue;
    driver::WorkerLink link = registry_->OpenJobStream(worker, job->definition->job_uuid);
    if (link.stream != nullptr) job->runner->AddWorker(std::move(link));
  }
}

void DriverProcess::OnWorkerLeaving(const std::string& worker) {
  for (const auto& job : jobs_) {
    if (job->is_running) job->runner->ReleaseWorker(worker);
  }
}

// On the control executor.
void DriverProcess::Start(Job* job) {
  if (is_draining_) return;
  driver::JobEnvironment environment;
  environment.fs = fs_.get();
  environment.clock = &world_->time;
  environment.random = &world_->time;
  environment.executor = job->executor.get();
  environment.io = &io_;
  environment.waits_for_workers = true;
  environment.holder = root_->holder();
  environment.outranks = [this](std::string_view holder) { return root_->Outranks(holder); };
  environment.check_driver = [this] { return root_->CheckNewest(); };
  for (const std::string& worker : registry_->AliveWorkers()) {
    driver::WorkerLink link = registry_->OpenJobStream(worker, job->definition->job_uuid);
    if (link.stream != nullptr) environment.workers.push_back(std::move(link));
  }
  environment.on_fatal = [this](const arrow::Status& status) {
    world_->time.Kill(process_, "fatal: " + ErrorClassOf(status));
  };
  job->is_running = true;
  job->runner = driver::JobRunner::Start(
      *job->definition, std::move(environment), [this, job](const driver::JobResult& result) {
        control_.Post([this, job, result] { OnDone(job, result); });
      });
}

void DriverProcess::OnDone(Job* job, const driver::JobResult& result) {
  world_->time.Trace(fmt::format("{}: job {} ended: {}", process_->name, job->definition->name,
                                 result.status.ok() ? "OK" : ErrorClassOf(result.status)));
  job->is_running = false;
  options_.on_result(result);
  // As the board: one that is fenced by the root ends, and the valid one takes back what an older
  // driver has taken from it. There are no strangers here.
  const auto may_go_on = !result.status.ok() && KindOf(result.status) == ErrorKind::kFenced
                             ? driver::MayTakeBack(*root_, fs_.get(), job->definition->checkpoint)
                             : arrow::Result<bool>(true);
  if (!may_go_on.ok() && KindOf(may_go_on.status()) == ErrorKind::kFenced) {
    return world_->time.Kill(process_, "is fenced");
  }
  if (may_go_on.ok() && !*may_go_on) options_.on_stranger(job->definition->name);
  EndIfDrained();
  if (is_draining_) return;
  control_.PostAfter(world_->time.Draw(Micros(10'000), Micros(300'000)),
                     [this, job] { Start(job); });
}

void DriverProcess::Drain() {
  control_.Post([this] {
    is_draining_ = true;
    for (const auto& job : jobs_) {
      if (job->is_running) job->runner->Stop(driver::StopMode::kDrain);
    }
    EndIfDrained();
  });
}

void DriverProcess::EndIfDrained() {
  if (!is_draining_) return;
  for (const auto& job : jobs_) {
    if (job->is_running) return;
  }
  world_->time.Kill(process_, "has drained");
}

}  // namespace tidemill::testing
