#pragma once

#include <cstdint>

namespace tidemill::driver {

// What a worker says that it has of a job.
struct WorkerReport {
  uint64_t plan_fingerprint = 0;
  int64_t committed_epoch = -1;  // its tables, without the open attempt; -1 for none
  int64_t open_epoch = -1;       // -1 for none
  uint64_t open_attempt = 0;
  bool is_prepared = false;  // the open attempt was
};

// What the driver knows when it is about to assign key groups.
struct AdoptionFacts {
  uint64_t plan_fingerprint = 0;  // of the plan that runs next
  int64_t committed_epoch = -1;   // the log's last
  uint64_t committed_attempt = 0;
};

enum class Adoption {
  kKeep,             // the tables are at the last commit
  kUndo,             // they are without the open attempt
  kKeepAsCommitted,  // they are with it: the open attempt is the last commit
  kDrop,             // they are of no use
};

// Decides about what a worker kept over the end of its stream. Only while no attempt is out: the
// last commit is then what every worker's tables must be at. Pure.
//
// An attempt's number is its own in all terms, so the same number of the same epoch is the same
// attempt; and an attempt that was committed was prepared by everyone who was in it.
Adoption DecideAdoption(const WorkerReport& report, const AdoptionFacts& facts);

}  // namespace tidemill::driver
