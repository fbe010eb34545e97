#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "proto/cluster.pb.h"

namespace tidemill::driver {

// The root directory of a cluster, shared by whoever may become its driver:
//   term/<n>     incarnations of the driver, created exclusively; hold "<listen address> <holder>"
//   jobs/<id>    submitted jobs (proto RegisteredJob, with a checksum), replaced atomically
//   checkpoints/<job name>   default checkpoint of a job
// Creating term n + 1 fences the driver of term n: it finds the file and ends. Blocks on I/O.
// *Thread-safe.*
class ClusterRoot {
 public:
  struct Options {
    FileSystem* fs = nullptr;
    Random* random = nullptr;
    std::string path;    // absolute; made where missing
    std::string listen;  // where this driver takes connections
    std::string holder;  // "pid=17 host=a"
  };
  // Takes the next term, durably, and only then reads anything.
  static arrow::Result<std::unique_ptr<ClusterRoot>> Open(Options options);

  const std::string& path() const { return options_.path; }
  uint64_t term() const { return term_; }
  // Who holds what this driver holds: "pid=17 host=a term=3 root=/x".
  std::string holder() const;
  // Whether such a text is that of an older driver of this root.
  bool Outranks(std::string_view holder) const;
  // FENCED (kFenced) naming the newer driver, where there is one.
  arrow::Status CheckNewest() const;

  // All registered jobs, oldest first. Errors: ROOT_CORRUPT (kCorrupt) naming the file.
  arrow::Result<std::vector<proto::RegisteredJob>> LoadJobs() const;
  // Makes or replaces a job's file. Where it returns OK the file is durable and every later driver
  // reads it; FENCED (kFenced) where there is one already.
  arrow::Status StoreJob(const proto::RegisteredJob& job);
  // Forgets a job; a missing file is fine. FENCED (kFenced) as StoreJob.
  arrow::Status RemoveJob(const std::string& id);
  std::string CheckpointOf(const std::string& job_name) const;

 private:
  ClusterRoot(Options options, uint64_t term);

  const Options options_;
  const uint64_t term_;
};

}  // namespace tidemill::driver
