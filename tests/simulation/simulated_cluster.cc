#include "tests/simulation/simulated_cluster.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "common/base/error.h"

namespace tidemill::testing {

namespace {

constexpr Micros kSecond{1'000'000};
constexpr Micros kFaultTime{6'000'000};
constexpr Micros kPatience{120'000'000};  // after the last fault
constexpr Micros kLease{5'000'000};
constexpr size_t kMostWorkers = 4;
constexpr size_t kMostDrivers = 3;

}  // namespace

SimulatedCluster::SimulatedCluster(uint64_t seed)
    : world_(seed),
      workload_(&world_.disk, static_cast<Workload::Jobs>(world_.time.Draw(3))),
      outside_(world_.disk.Mount(nullptr)) {
  world_.disk.has_locks = world_.time.Chance(0.5);
  for (int fault = 0; fault < kFaults; ++fault) {
    if (world_.time.Chance(0.5)) profile_.push_back(static_cast<Fault>(fault));
  }
  const uint64_t workers = 1 + world_.time.Draw(3);
  for (uint64_t i = 0; i < workers; ++i) {
    places_.push_back({.name = fmt::format("w{}", i), .slots = int(1 + world_.time.Draw(2))});
  }
}

SimulatedCluster::~SimulatedCluster() { KillAll(); }

Outcome SimulatedCluster::Run() {
  ScheduleInput();
  for (size_t i = 0; i < places_.size(); ++i) StartWorker(static_cast<int>(i));
  StartDriver();
  ScheduleFault();
  world_.time.After(kFaultTime, nullptr, [this] { EndFaults(); });

  Micros next_look = kFaultTime;
  const bool is_drained = RunUntil(kFaultTime + kPatience, [&] {
    if (has_faults_ || world_.time.elapsed() < next_look) return false;
    next_look = world_.time.elapsed() + kSecond / 4;
    return workload_.Difference(outside_.get()).empty() &&
           workload_.LogProblem(outside_.get()).empty();
  });
  if (!is_drained) {
    Fail(fmt::format("the jobs did not finish: {} {}", workload_.Difference(outside_.get()),
                     workload_.LogProblem(outside_.get())));
  }
  if (violation_.empty()) CheckAtTheEnd();
  KillAll();
  world_.time.Trace(violation_.empty() ? "good" : violation_);
  return {.violation = violation_,
          .trace_hash = world_.time.trace_hash(),
          .tasks = world_.time.tasks_run(),
          .virtual_time = world_.time.elapsed(),
          .faults = num_faults_,
          .files = workload_.files()};
}

void SimulatedCluster::CheckAtTheEnd() {
  restarts_ = false;
  // Everything ends politely; then a start without workers cleans up.
  for (int round = 0; round < 2; ++round) {
    if (round == 1) {
      KillAll();
      StartDriver();
      const Micros pause = world_.time.elapsed() + kSecond / 2;
      RunUntil(pause, [] { return false; });
    }
    for (const auto& driver : drivers_) driver->Drain();
    if (!RunUntil(world_.time.elapsed() + kPatience, [this] { return drivers_.empty(); })) {
      return Fail("the jobs do not stop");
    }
  }
  if (const auto problem = workload_.Difference(outside_.get()); !problem.empty()) Fail(problem);
  if (const auto problem = workload_.CheckpointProblem(outside_.get()); !problem.empty()) {
    Fail(problem);
  }
}

template <class Condition>
bool SimulatedCluster::RunUntil(Micros deadline, Condition is_done) {
  while (violation_.empty() && world_.time.elapsed() < deadline) {
    Reap();
    if (is_done()) return true;
    if (!world_.time.RunOne()) {
      Fail("nothing happens any more");
    }
  }
  return false;
}

void SimulatedCluster::Fail(const std::string& why) {
  if (!violation_.empty()) return;
  violation_ = why;
  world_.time.Trace("VIOLATION: " + why);
}

void SimulatedCluster::OnResult(const driver::JobResult& result) {
  if (result.status.ok()) return;
  const std::string error_class = ErrorClassOf(result.status);
  const ErrorKind kind = KindOf(result.status);
  const bool is_disk = error_class == "IO_ERROR" || error_class == "DISK_FULL" ||
                       error_class == "CHANGELOG_BROKEN" || error_class == "NOT_SHARED";
  // Another driver has replaced the file by which workers know the directories.
  if (error_class == "NOT_SHARED" && drivers_.size() > 1) return;
  if (kind == ErrorKind::kUnavailable || kind == ErrorKind::kFenced) return;
  if (error_class == "CHECKPOINT_IN_USE" || (is_disk && has_failing_disk_)) return;
  Fail("a job failed: " + result.status.ToString());
}

// Life and death.

void SimulatedCluster::StartWorker(int index) {
  Place& place = places_[index];
  if (place.worker != nullptr || !place.is_wanted) return;
  place.worker = std::make_unique<WorkerProcess>(&world_, place.name, place.slots);
}

void SimulatedCluster::StartDriver() {
  DriverProcess::Options options;
  options.jobs = workload_.Definitions();
  options.on_result = [this](const driver::JobResult& result) { OnResult(result); };
  options.on_stranger = [this](const std::string& job) { Fail("nobody has fenced job " + job); };
  drivers_.push_back(std::make_unique<DriverProcess>(&world_, std::move(options)));
}

SimulatedCluster::Place* SimulatedCluster::AnyPlace() {
  std::vector<Place*> places;
  for (Place& place : places_) {
    if (place.worker != nullptr) places.push_back(&place);
  }
  return places.empty() ? nullptr : places[world_.time.Draw(places.size())];
}

DriverProcess* SimulatedCluster::AnyDriver() {
  return drivers_.empty() ? nullptr : drivers_[world_.time.Draw(drivers_.size())].get();
}

void SimulatedCluster::Reap() {
  const auto bury = [this](const ProcessPtr& process) {
    world_.network.BreakAllOf(process);
    world_.disk.Release(process);
    world_.time.Bury(process);
  };
  const auto wait = [this] {
    return has_faults_ ? world_.time.Draw(Micros(5'000), Micros(900'000)) : Micros(5'000);
  };
  for (size_t i = 0; i < places_.size(); ++i) {
    Place& place = places_[i];
    if (place.worker == nullptr || !place.worker->process()->is_dead) continue;
    bury(place.worker->process());
    place.worker.reset();
    if (!restarts_) continue;
    world_.time.After(wait(), nullptr, [this, i] { StartWorker(static_cast<int>(i)); });
  }
  std::erase_if(replaced_, [&](const auto& worker) {
    if (!worker->process()->is_dead) return false;
    bury(worker->process());
    return true;
  });
  for (auto driver = drivers_.begin(); driver != drivers_.end();) {
    if (!(*driver)->process()->is_dead) {
      ++driver;
      continue;
    }
    bury((*driver)->process());
    driver = drivers_.erase(driver);
    if (!restarts_) continue;
    world_.time.After(wait(), nullptr, [this] {
      if (drivers_.empty() && restarts_) StartDriver();
    });
  }
}

void SimulatedCluster::KillAll() {
  for (const Place& place : places_) {
    if (place.worker != nullptr) world_.time.Kill(place.worker->process(), "all");
  }
  for (const auto& worker : replaced_) world_.time.Kill(worker->process(), "all");
  for (const auto& driver : drivers_) world_.time.Kill(driver->process(), "all");
  Reap();
}

// Input and faults.

void SimulatedCluster::ScheduleInput() {
  const uint64_t files = 6 + world_.time.Draw(10);
  for (uint64_t i = 0; i < files; ++i) {
    world_.time.After(world_.time.Draw(Micros(0), kFaultTime), nullptr,
                      [this] { workload_.AddFile(&world_.time); });
  }
}

void SimulatedCluster::ScheduleFault() {
  if (profile_.empty()) return;
  world_.time.After(world_.time.Draw(Micros(20'000), Micros(1'400'000)), nullptr, [this] {
    if (!has_faults_) return;
    ++num_faults_;
    Do(profile_[world_.time.Draw(profile_.size())]);
    if (const auto problem = workload_.Surplus(outside_.get()); !problem.empty()) Fail(problem);
    ScheduleFault();
  });
}

void SimulatedCluster::KillSoon(const ProcessPtr& process) {
  process->steps_to_death = static_cast<int64_t>(1 + world_.time.Draw(60));
}

void SimulatedCluster::PauseForAWhile(const ProcessPtr& process) {
  if (process->is_paused) return;
  world_.time.Pause(process);
  const bool is_long = world_.time.Chance(0.3);
  world_.time.After(
      is_long ? world_.time.Draw(kLease, 2 * kLease) : world_.time.Draw(Micros(1'000), kSecond),
      nullptr, [this, process] { world_.time.Resume(process); });
}

void SimulatedCluster::RemoveWorker(Place* place, bool is_polite) {
  const auto wanted =
      std::count_if(places_.begin(), places_.end(), [](const Place& one) { return one.is_wanted; });
  if (wanted > 1) place->is_wanted = false;
  if (!is_polite) return world_.time.Kill(place->worker->process(), "is removed");
  world_.time.Trace(fmt::format("{} shall leave", place->worker->process()->name));
  place->worker->Leave();
}

void SimulatedCluster::Do(Fault fault) {
  VirtualTime& time = world_.time;
  Place* place = AnyPlace();
  WorkerProcess* worker = place == nullptr ? nullptr : place->worker.get();
  DriverProcess* driver = AnyDriver();
  const auto connections = world_.network.Connections();
  switch (fault) {
    case Fault::kKillWorker:
      if (worker != nullptr) time.Kill(worker->process(), "fault");
      return;
    case Fault::kKillDriver:
      if (driver != nullptr) time.Kill(driver->process(), "fault");
      return;
    case Fault::kKillWorkerSoon:
      if (worker != nullptr) KillSoon(worker->process());
      return;
    case Fault::kKillDriverSoon:
      if (driver != nullptr) KillSoon(driver->process());
      return;
    case Fault::kPowerLoss:
      KillAll();
      time.Trace("power loss");
      return world_.disk.Crash();
    case Fault::kPauseWorker:
      if (worker != nullptr) PauseForAWhile(worker->process());
      return;
    case Fault::kPauseDriver:
      if (driver != nullptr) PauseForAWhile(driver->process());
      return;
    case Fault::kBreakConnection:
      if (connections.empty()) return;
      time.Trace("break a connection");
      return connections[time.Draw(connections.size())]->Break();
    case Fault::kStallConnection:
      if (connections.empty()) return;
      time.Trace("stall a connection");
      return connections[time.Draw(connections.size())]->StallUntil(
          time.now() + time.Draw(Micros(10'000), kSecond));
    case Fault::kAddWorker:
      if (places_.size() >= kMostWorkers) return;
      places_.push_back(
          {.name = fmt::format("w{}", places_.size()), .slots = int(1 + time.Draw(2))});
      return StartWorker(static_cast<int>(places_.size()) - 1);
    case Fault::kRemoveWorker:
      if (place != nullptr) RemoveWorker(place, /*is_polite=*/false);
      return;
    case Fault::kLeave:
      if (place != nullptr) RemoveWorker(place, /*is_polite=*/true);
      return;
    case Fault::kReplaceWorker:
      if (place == nullptr) return;
      replaced_.push_back(std::move(place->worker));
      return StartWorker(static_cast<int>(place - places_.data()));
    case Fault::kSecondDriver:
      if (drivers_.size() < kMostDrivers) StartDriver();
      return;
    case Fault::kDiskErrors:
      time.Trace("the disk fails");
      has_failing_disk_ = true;
      world_.disk.faults = {.read_error = 0.05, .disk_full = 0.05};
      return time.After(time.Draw(Micros(20'000), kSecond), nullptr, [this] {
        world_.time.Trace("the disk works again");
        world_.disk.faults = {};
      });
    case Fault::kSyncErrors:
      world_.disk.faults.sync_error = 0.05;
      return time.After(time.Draw(Micros(10'000), kSecond / 4), nullptr,
                        [this] { world_.disk.faults.sync_error = 0; });
  }
}

void SimulatedCluster::EndFaults() {
  world_.time.Trace("the faults end");
  has_faults_ = false;
  world_.disk.faults = {};
  for (const Place& place : places_) {
    if (place.worker == nullptr) continue;
    place.worker->process()->steps_to_death = -1;
    world_.time.Resume(place.worker->process());
  }
  for (const auto& worker : replaced_) world_.time.Resume(worker->process());
  for (const auto& driver : drivers_) {
    driver->process()->steps_to_death = -1;
    world_.time.Resume(driver->process());
  }
}

}  // namespace tidemill::testing
