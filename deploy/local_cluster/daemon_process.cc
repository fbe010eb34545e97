#include "deploy/local_cluster/daemon_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>

#include "common/base/error.h"
#include "common/fs/file_system.h"

extern char** environ;

namespace tidemill::deploy {

namespace {

// What a daemon of another cluster would be told by the user's environment.
constexpr std::array<std::string_view, 9> kNotInherited = {
    "TIDEMILL_DRIVER",      "TIDEMILL_ROOT",          "TIDEMILL_DRIVER_LISTEN",
    "TIDEMILL_DRIVER_HTTP", "TIDEMILL_DRIVER_ROOT",   "TIDEMILL_WORKER_LISTEN",
    "TIDEMILL_WORKER_ID",   "TIDEMILL_WORKER_DRIVER", "TIDEMILL_WORKER_ROOT"};

std::vector<char*> Environment() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const auto name = text.substr(0, text.find('='));
    if (std::find(kNotInherited.begin(), kNotInherited.end(), name) == kNotInherited.end()) {
      kept.push_back(*entry);
    }
  }
  kept.push_back(nullptr);
  return kept;
}

// By its name where it still has one, so that the process list shows it.
std::string OwnBinary() {
  std::error_code error;
  const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error || ::access(path.c_str(), X_OK) != 0) return "/proc/self/exe";
  return path.string();
}

// What posix_spawn is told, freed at the end.
class SpawnRequest {
 public:
  SpawnRequest(const std::string& directory, const std::string& log) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&actions_, directory.c_str());
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes_, &signals);
    for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE, SIGCHLD, SIGUSR1}) {
      sigaddset(&signals, number);
    }
    posix_spawnattr_setsigdefault(&attributes_, &signals);
  }
  ~SpawnRequest() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnRequest(const SpawnRequest&) = delete;
  SpawnRequest& operator=(const SpawnRequest&) = delete;

  // An errno, or 0.
  int Spawn(const std::string& binary, char** words, char** environment, pid_t* pid) {
    return ::posix_spawn(pid, binary.c_str(), &actions_, &attributes_, words, environment);
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

struct ProcessFacts {
  char state = 'X';  // X: there is no such process
  uint64_t start_ticks = 0;
};

ProcessFacts FactsOf(pid_t pid) {
  std::ifstream file(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  // The name in parentheses may hold anything; what follows its last one is "S ppid ...".
  size_t at = text.rfind(')');
  if (at == std::string::npos || at + 2 >= text.size()) return {};
  ProcessFacts facts{.state = text[at + 2]};
  constexpr int kFieldsUpToStart = 20;  // state is field 3, start time field 22
  for (int i = 0; i < kFieldsUpToStart && at != std::string::npos; ++i) at = text.find(' ', at + 1);
  if (at == std::string::npos) return {};
  std::from_chars(text.data() + at + 1, text.data() + text.size(), facts.start_ticks);
  return facts;
}

}  // namespace

arrow::Result<ProcessId> StartDaemon(const std::vector<std::string>& words,
                                     const std::string& directory, const std::string& log) {
  std::vector<std::string> texts = {"tidemill"};
  texts.insert(texts.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& text : texts) arguments.push_back(text.data());
  arguments.push_back(nullptr);
  std::vector<char*> environment = Environment();
  SpawnRequest request(directory, log);
  ProcessId process;
  const int error = request.Spawn(OwnBinary(), arguments.data(), environment.data(), &process.pid);
  if (error != 0) {
    return MakeError(ErrorKind::kGeneral, "CANNOT_START",
                     fmt::format("cannot start a process: command={} log={} error={}",
                                 words.empty() ? "" : words.front(), log, std::strerror(error)));
  }
  process.start_ticks = FactsOf(process.pid).start_ticks;
  return process;
}

bool IsRunning(const ProcessId& process, const std::string& boot_id) {
  if (process.pid <= 0 || boot_id != BootId()) return false;
  const ProcessFacts facts = FactsOf(process.pid);
  if (facts.start_ticks != process.start_ticks) return false;
  if (facts.state == 'Z') ::waitpid(process.pid, nullptr, WNOHANG);  // Ours, or nobody's.
  return facts.state != 'Z' && facts.state != 'X';
}

void Signal(const ProcessId& process, const std::string& boot_id, int signal_number) {
  if (IsRunning(process, boot_id)) ::kill(process.pid, signal_number);
}

std::string BootId() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id;
}

std::string EndOfLog(const std::string& path, int64_t begin, int64_t bytes) {
  const auto text = ReadFile(FileSystem::Local(), path);
  const auto size = text.ok() ? static_cast<int64_t>(text->size()) : 0;
  if (size <= begin) return "";
  if (size - begin <= bytes) return text->substr(begin);
  const std::string end = text->substr(size - bytes);
  return end.substr(end.find('\n') + 1);
}

}  // namespace tidemill::deploy
