#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "common/fs/file_system.h"

namespace tidemill::connectors {

// Where a file sink keeps what, below its path. Readers ignore `_tidemill`: it begins with `_`.
// Staged files are on the same file system as the final ones, so that a rename publishes them.
// *Immutable.*
class SinkLayout {
 public:
  SinkLayout(std::string path, std::string job_uuid)
      : path_(std::move(path)), job_uuid_(std::move(job_uuid)) {}

  const std::string& path() const { return path_; }
  std::string root() const { return JoinPath(path_, "_tidemill"); }
  std::string job_dir() const { return JoinPath(root(), job_uuid_); }
  std::string staged_dir() const { return JoinPath(job_dir(), "staged"); }
  std::string ManifestPath(int64_t epoch) const {
    return JoinPath(job_dir(), std::to_string(epoch));
  }
  // `name` in the staging directory, relative to path().
  std::string StagedName(std::string_view name) const {
    return JoinPath(JoinPath(JoinPath("_tidemill", job_uuid_), "staged"), name);
  }
  std::string PathOf(std::string_view relative_name) const {
    return JoinPath(path_, relative_name);
  }

 private:
  const std::string path_;
  const std::string job_uuid_;
};

}  // namespace tidemill::connectors
