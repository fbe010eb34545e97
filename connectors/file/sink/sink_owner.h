#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <cstdint>
#include <string>
#include <utility>

#include "common/base/random.h"
#include "common/fs/file_system.h"

namespace tidemill::connectors {

// Who writes to a sink's directory now: the file `_tidemill/owner`, created exclusively. A holder
// whose process is gone from this machine is replaced; so is an older term of the same job.
// *Thread-compatible.*
class SinkOwner {
 public:
  SinkOwner(FileSystem* fs, Random* random, std::string dir, bool is_durable)
      : fs_(fs), random_(random), dir_(std::move(dir)), is_durable_(is_durable) {}
  ~SinkOwner() { Release(); }
  SinkOwner(const SinkOwner&) = delete;
  SinkOwner& operator=(const SinkOwner&) = delete;

  // Errors: SINK_IN_USE (kConflict) naming the job that holds it; FENCED (kFenced) where a newer
  // term of the same job does.
  arrow::Status Take(const std::string& job_uuid, const std::string& job_name, uint64_t term);
  // Whether the directory is still ours; false once a newer term took it.
  arrow::Result<bool> IsHeld() const;
  // Gives the directory back, if it is still ours.
  void Release();

  // The owner's file: no two takings have the same contents.
  std::string path() const { return JoinPath(dir_, "owner"); }

 private:
  // Moves away the owner file if it still holds `text`; somebody else may be faster.
  arrow::Status Displace(const std::string& text);

  FileSystem* const fs_;
  Random* const random_;
  const std::string dir_;
  const bool is_durable_;
  std::string held_;  // the text we wrote; "" while we hold nothing
};

}  // namespace tidemill::connectors
