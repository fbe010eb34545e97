#include "deploy/local_cluster/local_cluster.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <utility>

#include "common/base/error.h"
#include "common/fs/file_system.h"
#include "common/rpc/newest_driver.h"
#include "deploy/client/driver_client.h"
#include "deploy/local_cluster/daemon_process.h"
#include "driver/cluster/cluster_root.h"

namespace tidemill::deploy {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kStartTime{15};
constexpr std::chrono::seconds kDrainTime{6};  // of the driver, out of the stop time
constexpr std::chrono::seconds kStopTime{10};
constexpr milliseconds kPollDelay{50};
constexpr int64_t kShownLogBytes = 4000;
constexpr int kDefaultWorkers = 2;
constexpr const char* kAnyPort = "127.0.0.1:0";

arrow::Result<std::unique_ptr<FileLock>> LockCluster(const std::string& root) {
  FileSystem* fs = FileSystem::Local();
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(root));
  auto lock = fs->Lock(JoinPath(root, "cluster.lock"), fmt::format("pid={}", ::getpid()));
  if (lock.ok() || KindOf(lock.status()) != ErrorKind::kConflict) return lock;
  return MakeError(ErrorKind::kConflict, "CLUSTER_BUSY",
                   fmt::format("another cluster command is at work: root={}", root));
}

const proto::WorkerInfo* FindWorker(const proto::GetClusterReply& cluster, const std::string& id,
                                    std::string_view state) {
  for (const proto::WorkerInfo& worker : cluster.workers()) {
    if (worker.id() == id && (state.empty() || worker.state() == state)) return &worker;
  }
  return nullptr;
}

// What the driver at `listen` says, where it is the process `pid`.
std::optional<proto::GetClusterReply> Ask(const std::string& listen, pid_t pid) {
  auto client = DriverClient::Connect({listen, "cluster.json"});
  if (!client.ok()) return std::nullopt;
  auto reply = (*client)->GetCluster();
  if (!reply.ok() || reply->pid() != pid) return std::nullopt;
  return *std::move(reply);
}

class Starter {
 public:
  Starter(const ClusterUpOptions& options, Interrupt* interrupt)
      : options_(options),
        interrupt_(interrupt),
        boot_id_(BootId()),
        logs_(JoinPath(options.root, "logs")),
        deadline_(steady_clock::now() + kStartTime) {}

  arrow::Result<ClusterUpResult> Start(std::optional<ClusterFile> known);

 private:
  struct Started {
    std::string name;
    ProcessId process;
    std::string log;
    int64_t log_begin = 0;
  };

  // Keeps what runs of the known cluster and checks that it may stay as it is.
  arrow::Status Adopt(const ClusterFile& known);
  arrow::Status StartAll();
  arrow::Status StartDriver();
  arrow::Status AwaitDriver(const Started& driver);
  arrow::Status StartMissingWorkers();
  arrow::Status AwaitWorkers();
  arrow::Result<Started> Launch(const std::string& name, std::vector<std::string> words);
  // Waits a little; an error where the process has ended, the time is up or a signal came.
  arrow::Status Wait(const Started& process, std::string_view what);
  arrow::Status Failed(const Started& process, std::string_view what) const;
  void StopStarted();
  std::string UnusedId() const;

  const ClusterUpOptions options_;
  Interrupt* const interrupt_;
  const std::string boot_id_;
  const std::string logs_;
  const steady_clock::time_point deadline_;
  ClusterFile file_;
  std::vector<std::string> dead_ids_;  // of workers that were there
  size_t wanted_ = kDefaultWorkers;
  bool has_driver_ = false;
  std::vector<Started> started_;
};

arrow::Status Starter::Adopt(const ClusterFile& known) {
  file_.driver = known.driver;
  has_driver_ = IsRunning(known.driver.process, known.boot_id);
  for (const ClusterFile::Worker& worker : known.workers) {
    if (IsRunning(worker.process, known.boot_id)) {
      file_.workers.push_back(worker);
    } else {
      dead_ids_.push_back(worker.id);
    }
  }
  if (options_.workers == 0) wanted_ = known.workers.size();
  const auto conflict = [&](std::string_view what, const std::string& hint) {
    return WithHint(MakeError(ErrorKind::kConflict, "CLUSTER_RUNNING",
                              fmt::format("the cluster runs with other settings: {} root={}", what,
                                          options_.root)),
                    hint);
  };
  if (file_.workers.size() > wanted_) {
    const ClusterFile::Worker& last = file_.workers.back();
    return conflict(
        fmt::format("workers={} wanted={}", file_.workers.size(), wanted_),
        fmt::format("to let {} hand over and leave: kill -TERM {}", last.id, last.process.pid));
  }
  for (const ClusterFile::Worker& worker : file_.workers) {
    if (options_.slots == 0 || worker.slots == options_.slots) continue;
    return conflict(
        fmt::format("worker={} slots={} wanted={}", worker.id, worker.slots, options_.slots),
        "tidemill cluster down, then up; jobs go on where they were");
  }
  return arrow::Status::OK();
}

arrow::Result<ClusterUpResult> Starter::Start(std::optional<ClusterFile> known) {
  if (options_.workers > 0) wanted_ = static_cast<size_t>(options_.workers);
  if (known) ARROW_RETURN_NOT_OK(Adopt(*known));
  file_.boot_id = boot_id_;
  const arrow::Status status = StartAll();
  if (!status.ok()) {
    StopStarted();
    return status;
  }
  ClusterUpResult result;
  result.file = file_;
  result.was_running = started_.empty();
  for (const Started& process : started_) result.started.push_back(process.name);
  return result;
}

arrow::Status Starter::StartAll() {
  FileSystem* fs = FileSystem::Local();
  ARROW_RETURN_NOT_OK(fs->CreateDirectories(logs_));
  if (!has_driver_) ARROW_RETURN_NOT_OK(StartDriver());
  ARROW_RETURN_NOT_OK(StartMissingWorkers());
  ARROW_RETURN_NOT_OK(AwaitWorkers());
  return WriteClusterFile(fs, options_.root, file_);
}

arrow::Result<Starter::Started> Starter::Launch(const std::string& name,
                                                std::vector<std::string> words) {
  if (std::getenv("TIDEMILL_LOG_LEVEL") == nullptr) {
    words.insert(words.begin(), {"--log-level", "info"});
  }
  Started started{.name = name, .log = JoinPath(logs_, name + ".log")};
  const auto before = FileSystem::Local()->Stat(started.log);
  if (before.ok()) started.log_begin = before->size;
  ARROW_ASSIGN_OR_RAISE(started.process, StartDaemon(words, options_.root, started.log));
  started_.push_back(started);
  return started;
}

// A driver that was there comes back at its addresses, which clients may know, where they are free.
arrow::Status Starter::StartDriver() {
  const auto launch = [&](const std::string& listen, const std::string& http) -> arrow::Status {
    ARROW_ASSIGN_OR_RAISE(
        const Started driver,
        Launch("driver", {"driver", "--root", options_.root, "--listen", listen, "--http", http}));
    file_.driver.process = driver.process;
    return AwaitDriver(driver);
  };
  if (!file_.driver.listen.empty()) {
    const arrow::Status status = launch(file_.driver.listen, file_.driver.http);
    if (status.ok() || interrupt_->signal() != 0) return status;
    StopStarted();
    started_.clear();
  }
  return launch(kAnyPort, kAnyPort);
}

arrow::Status Starter::AwaitDriver(const Started& driver) {
  while (true) {
    const auto listen = rpc::NewestDriver(FileSystem::Local(), options_.root);
    if (listen.ok() && *listen) {
      const auto cluster = Ask(**listen, driver.process.pid);
      if (cluster) {
        file_.driver.listen = cluster->listen();
        file_.driver.http = cluster->http();
        return arrow::Status::OK();
      }
    }
    ARROW_RETURN_NOT_OK(Wait(driver, "the driver does not answer"));
  }
}

std::string Starter::UnusedId() const {
  for (int i = 0;; ++i) {
    std::string id = fmt::format("worker-{}", i);
    const auto has_id = [&](const ClusterFile::Worker& worker) { return worker.id == id; };
    if (std::none_of(file_.workers.begin(), file_.workers.end(), has_id)) return id;
  }
}

arrow::Status Starter::StartMissingWorkers() {
  size_t next_dead = 0;
  while (file_.workers.size() < wanted_) {
    const std::string id = next_dead < dead_ids_.size() ? dead_ids_[next_dead++] : UnusedId();
    std::vector<std::string> words = {"worker",
                                      "--root",
                                      options_.root,
                                      "--id",
                                      id,
                                      "--data",
                                      JoinPath(JoinPath(options_.root, "data"), id)};
    int slots = options_.slots;
    if (slots == 0 && !file_.workers.empty()) slots = file_.workers.front().slots;
    if (slots > 0) words.insert(words.end(), {"--slots", std::to_string(slots)});
    ARROW_ASSIGN_OR_RAISE(const Started worker, Launch(id, std::move(words)));
    file_.workers.push_back({.id = id, .process = worker.process, .slots = slots});
  }
  std::sort(file_.workers.begin(), file_.workers.end(), [](const auto& a, const auto& b) {
    return a.id.size() != b.id.size() ? a.id.size() < b.id.size() : a.id < b.id;
  });
  return arrow::Status::OK();
}

arrow::Status Starter::AwaitWorkers() {
  for (ClusterFile::Worker& worker : file_.workers) {
    const auto started = std::find_if(started_.begin(), started_.end(),
                                      [&](const Started& one) { return one.name == worker.id; });
    const Started process = started != started_.end()
                                ? *started
                                : Started{.name = worker.id,
                                          .process = worker.process,
                                          .log = JoinPath(logs_, worker.id + ".log")};
    while (true) {
      const auto cluster = Ask(file_.driver.listen, file_.driver.process.pid);
      const auto* info = cluster ? FindWorker(*cluster, worker.id, "ALIVE") : nullptr;
      if (info != nullptr) {
        worker.slots = info->slots();
        break;
      }
      ARROW_RETURN_NOT_OK(Wait(process, "the driver does not see the worker"));
    }
  }
  return arrow::Status::OK();
}

arrow::Status Starter::Wait(const Started& process, std::string_view what) {
  if (!IsRunning(process.process, boot_id_)) return Failed(process, "the process ended");
  if (steady_clock::now() > deadline_) return Failed(process, what);
  if (interrupt_->Sleep(kPollDelay)) return arrow::Status::OK();
  return MakeError(ErrorKind::kGeneral, "INTERRUPTED", "interrupted: the cluster is not up");
}

arrow::Status Starter::Failed(const Started& process, std::string_view what) const {
  const std::string log = EndOfLog(process.log, process.log_begin, kShownLogBytes);
  return MakeError(ErrorKind::kUnavailable, "CLUSTER_NOT_UP",
                   fmt::format("{}: process={} log={}\n{}", what, process.name, process.log,
                               log.empty() ? "(the log is empty)" : log));
}

// Nothing is waited for but the end of the processes: a cluster that did not come up has no work.
void Starter::StopStarted() {
  for (const int number : {SIGTERM, SIGKILL}) {
    for (const Started& process : started_) Signal(process.process, boot_id_, number);
    const auto give_up_at = steady_clock::now() + std::chrono::seconds(2);
    const auto runs = [this](const Started& one) { return IsRunning(one.process, boot_id_); };
    while (std::any_of(started_.begin(), started_.end(), runs) &&
           steady_clock::now() < give_up_at) {
      ::usleep(20'000);  // Not Interrupt::Sleep, which a signal has ended.
    }
  }
}

}  // namespace

arrow::Result<ClusterUpResult> ClusterUp(const ClusterUpOptions& options, Interrupt* interrupt) {
  ARROW_ASSIGN_OR_RAISE(const auto lock, LockCluster(options.root));
  ARROW_ASSIGN_OR_RAISE(auto known, ReadClusterFile(FileSystem::Local(), options.root));
  return Starter(options, interrupt).Start(std::move(known));
}

arrow::Result<bool> ClusterDown(const std::string& root, Interrupt* interrupt) {
  FileSystem* fs = FileSystem::Local();
  ARROW_ASSIGN_OR_RAISE(const auto without_lock, ReadClusterFile(fs, root));
  if (!without_lock) return false;  // Makes no directory for a cluster that is not there.
  ARROW_ASSIGN_OR_RAISE(const auto lock, LockCluster(root));
  ARROW_ASSIGN_OR_RAISE(const auto file, ReadClusterFile(fs, root));
  if (!file) return false;

  const auto began = steady_clock::now();
  const auto wait_for = [&](const std::function<bool()>& runs, auto duration) -> arrow::Status {
    while (runs() && steady_clock::now() < began + duration) {
      if (interrupt->Sleep(kPollDelay)) continue;
      return MakeError(ErrorKind::kGeneral, "INTERRUPTED", "interrupted: processes still end");
    }
    return arrow::Status::OK();
  };
  const auto driver_runs = [&] { return IsRunning(file->driver.process, file->boot_id); };
  const auto anything_runs = [&] {
    return driver_runs() ||
           std::any_of(file->workers.begin(), file->workers.end(), [&](const auto& worker) {
             return IsRunning(worker.process, file->boot_id);
           });
  };
  // The driver first: its jobs finish their epochs, for which they need the workers.
  Signal(file->driver.process, file->boot_id, SIGTERM);
  ARROW_RETURN_NOT_OK(wait_for(driver_runs, kDrainTime));
  for (const auto& worker : file->workers) Signal(worker.process, file->boot_id, SIGTERM);
  ARROW_RETURN_NOT_OK(wait_for(anything_runs, kStopTime));
  Signal(file->driver.process, file->boot_id, SIGKILL);
  for (const auto& worker : file->workers) Signal(worker.process, file->boot_id, SIGKILL);
  ARROW_RETURN_NOT_OK(wait_for(anything_runs, kStopTime + std::chrono::seconds(5)));
  ARROW_RETURN_NOT_OK(fs->Remove(ClusterFilePath(root)));
  return true;
}

arrow::Result<std::optional<ClusterState>> DescribeCluster(const std::string& root) {
  ARROW_ASSIGN_OR_RAISE(auto file, ReadClusterFile(FileSystem::Local(), root));
  if (!file) return std::optional<ClusterState>();
  ClusterState state;
  state.file = *std::move(file);
  const ClusterFile::Driver& driver = state.file.driver;
  state.driver_is_running = IsRunning(driver.process, state.file.boot_id);
  std::optional<proto::GetClusterReply> cluster;
  if (state.driver_is_running) cluster = Ask(driver.listen, driver.process.pid);
  state.driver_answers = cluster.has_value();
  for (const ClusterFile::Worker& worker : state.file.workers) {
    const bool is_running = IsRunning(worker.process, state.file.boot_id);
    const auto* info = cluster ? FindWorker(*cluster, worker.id, "ALIVE") : nullptr;
    if (info == nullptr && cluster) info = FindWorker(*cluster, worker.id, "");
    state.worker_states.push_back(!is_running ? "DEAD" : info == nullptr ? "LOST" : info->state());
  }
  return std::optional<ClusterState>(std::move(state));
}

}  // namespace tidemill::deploy
