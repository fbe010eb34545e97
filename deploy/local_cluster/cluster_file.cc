#include "deploy/local_cluster/cluster_file.h"

#include <fmt/format.h>

#include <memory>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/json/json_view.h"
#include "common/types/value_format.h"

namespace tidemill::deploy {

namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

// Whether the value was there.
template <class T>
bool Take(std::optional<T> value, T* out) {
  if (!value.has_value()) return false;
  *out = *std::move(value);
  return true;
}

bool ReadProcess(const JsonView& object, ProcessId* out) {
  return Take(object["pid"].AsInteger<pid_t>(), &out->pid) && out->pid > 0 &&
         Take(object["startTicks"].AsInteger<uint64_t>(), &out->start_ticks);
}

bool ReadCluster(const JsonView& root, ClusterFile* out) {
  const JsonView driver = root["driver"];
  if (!ReadProcess(driver, &out->driver.process)) return false;
  if (!Take(driver["listen"].AsString(), &out->driver.listen)) return false;
  if (!Take(driver["http"].AsString(), &out->driver.http)) return false;
  if (!Take(root["bootId"].AsString(), &out->boot_id)) return false;
  if (!root["workers"].is_array()) return false;
  for (const JsonView& entry : root["workers"].Elements()) {
    ClusterFile::Worker worker;
    if (!Take(entry["id"].AsString(), &worker.id) || !ReadProcess(entry, &worker.process) ||
        !Take(entry["slots"].AsInteger<int>(), &worker.slots)) {
      return false;
    }
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
  const auto root = JsonView::Parse(text);
  ClusterFile file;
  if (root.has_value() && ReadCluster(*root, &file)) return file;
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
