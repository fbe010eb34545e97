#include "deploy/local_cluster/cluster_file.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <memory>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/types/value_format.h"

namespace tidemill::deploy {

namespace {

using simdjson::dom::element;

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

bool ReadText(const element& object, std::string_view key, std::string* out) {
  std::string_view text;
  if (object[key].get(text) != simdjson::SUCCESS) return false;
  *out = std::string(text);
  return true;
}

bool ReadProcess(const element& object, ProcessId* out) {
  int64_t pid = 0;
  if (object["pid"].get(pid) != simdjson::SUCCESS) return false;
  if (object["startTicks"].get(out->start_ticks) != simdjson::SUCCESS) return false;
  out->pid = static_cast<pid_t>(pid);
  return pid > 0;
}

bool ReadCluster(const element& root, ClusterFile* out) {
  element driver;
  if (root["driver"].get(driver) != simdjson::SUCCESS) return false;
  if (!ReadProcess(driver, &out->driver.process)) return false;
  if (!ReadText(driver, "listen", &out->driver.listen)) return false;
  if (!ReadText(driver, "http", &out->driver.http)) return false;
  if (!ReadText(root, "bootId", &out->boot_id)) return false;
  simdjson::dom::array workers;
  if (root["workers"].get(workers) != simdjson::SUCCESS) return false;
  for (const element entry : workers) {
    ClusterFile::Worker worker;
    int64_t slots = 0;
    if (!ReadText(entry, "id", &worker.id) || !ReadProcess(entry, &worker.process)) return false;
    if (entry["slots"].get(slots) != simdjson::SUCCESS) return false;
    worker.slots = static_cast<int>(slots);
    out->workers.push_back(std::move(worker));
  }
  return true;
}

}  // namespace

std::string ClusterFilePath(const std::string& root) { return JoinPath(root, "cluster.json"); }

std::string ClusterFileText(const ClusterFile& file) {
  std::string workers;
  for (const ClusterFile::Worker& worker : file.workers) {
    if (!workers.empty()) workers += ',';
    workers +=
        fmt::format("{{\"id\":{},\"pid\":{},\"slots\":{},\"startTicks\":{}}}", Quoted(worker.id),
                    worker.process.pid, worker.slots, worker.process.start_ticks);
  }
  return fmt::format(
      "{{\"driver\":{{\"pid\":{},\"listen\":{},\"http\":{},\"startTicks\":{}}},\"workers\":[{}],"
      "\"bootId\":{}}}\n",
      file.driver.process.pid, Quoted(file.driver.listen), Quoted(file.driver.http),
      file.driver.process.start_ticks, workers, Quoted(file.boot_id));
}

arrow::Result<ClusterFile> ParseClusterFile(std::string_view text, const std::string& path) {
  simdjson::dom::parser parser;
  element root;
  ClusterFile file;
  const auto error = parser.parse(text.data(), text.size()).get(root);
  if (error == simdjson::SUCCESS && ReadCluster(root, &file)) return file;
  return WithHint(MakeError(ErrorKind::kGeneral, "CLUSTER_FILE_CORRUPT",
                            fmt::format("file does not describe a cluster: path={}", path)),
                  "stop its processes by hand, then remove it");
}

arrow::Result<std::optional<ClusterFile>> ReadClusterFile(FileSystem* fs, const std::string& root) {
  const std::string path = ClusterFilePath(root);
  const auto text = ReadFile(fs, path);
  if (!text.ok()) {
    if (KindOf(text.status()) == ErrorKind::kNotFound) return std::optional<ClusterFile>();
    return text.status();
  }
  ARROW_ASSIGN_OR_RAISE(ClusterFile file, ParseClusterFile(*text, path));
  return std::optional<ClusterFile>(std::move(file));
}

arrow::Status WriteClusterFile(FileSystem* fs, const std::string& root, const ClusterFile& file) {
  const std::string path = ClusterFilePath(root);
  const std::string temporary = fmt::format("{}.{}", path, NewUuid(Random::System()));
  ARROW_ASSIGN_OR_RAISE(auto out, fs->Create(temporary));
  ARROW_RETURN_NOT_OK(out->Append(ClusterFileText(file)));
  ARROW_RETURN_NOT_OK(out->Sync());
  ARROW_RETURN_NOT_OK(out->Close());
  return fs->Rename(temporary, path, RenameMode::kReplace);
}

}  // namespace tidemill::deploy
