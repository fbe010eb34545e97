#pragma once

#include <map>
#include <string>
#include <vector>

#include "driver/job/job_runner.h"
#include "tests/simulation/memory_file_system.h"

namespace tidemill::testing {

// What the simulated cluster computes, and what must come out: text files arrive in /in; the job
// `count` counts their words into one JSON file, the job `copy` appends every line to text files.
// *Thread-compatible.*
class Workload {
 public:
  enum class Jobs { kCount, kCopy, kBoth };

  // `disk` must outlive this.
  Workload(MemoryDisk* disk, Jobs jobs);

  std::vector<driver::JobDefinition> Definitions() const;
  // The next file, of one to six lines by `random`.
  void AddFile(Random* random);
  int64_t files() const { return next_file_; }

  // Whether the sinks hold the result of all input; what differs, or "". `fs` is of no process.
  std::string Difference(FileSystem* fs) const;
  // Rows that no input accounts for: wrong at any time. What is wrong, or "".
  std::string Surplus(FileSystem* fs) const;
  // What is wrong in the logs once no epoch is open, or "".
  std::string LogProblem(FileSystem* fs) const;
  // What is wrong in the checkpoints once nothing runs and a start has cleaned up, or "".
  std::string CheckpointProblem(FileSystem* fs) const;

 private:
  static std::string CheckpointProblem(FileSystem* fs, const driver::JobDefinition& job);
  std::map<std::string, int64_t> CopiedLines(FileSystem* fs) const;
  std::string CountProblem(FileSystem* fs) const;

  MemoryDisk* const disk_;
  const Jobs jobs_;
  int64_t next_file_ = 0;
  std::map<std::string, int64_t> lines_;  // each is there once
  std::map<std::string, int64_t> words_;
};

}  // namespace tidemill::testing
