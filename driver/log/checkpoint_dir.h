#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "driver/log/frozen_settings.h"
#include "driver/log/term.h"
#include "proto/plan.pb.h"

namespace tidemill::driver {

// The settings that an existing checkpoint is tied to, and nothing where there is none yet; for
// planning, before the job starts. Errors: kCorrupt.
arrow::Result<std::optional<FrozenSettings>> ReadFrozenSettings(FileSystem* fs,
                                                                const std::string& checkpoint);

// The UUID of an existing checkpoint's job, and nothing where there is none yet. Errors: kCorrupt.
arrow::Result<std::optional<std::string>> ReadJobUuid(FileSystem* fs,
                                                      const std::string& checkpoint);

// A checkpoint directory, held by this process for one job: layout, identity, plans, lock and term.
//   job  lock  plan/<fingerprint>  term/<n>  log/<term>.<sequence>  state/...
// The file `job` is made first and once; the rest without it is damage, not a fresh start.
// *Thread-compatible.*
class CheckpointDir {
 public:
  struct Options {
    FileSystem* fs = nullptr;
    Random* random = nullptr;
    std::string path;
    FrozenSettings settings;
    bool is_durable = true;
    std::string job_uuid;  // for a checkpoint that is new; "": a random one
    // Whether a lock's holder is an older self of this driver, which may still hold it while it
    // stands still: its lock is taken over, the terms fence it. Left empty: never.
    std::function<bool(std::string_view holder)> outranks;
    // Whether the process may take terms at all: asked right before and right after it takes one.
    // What it answers ends the opening. Left empty: it may.
    std::function<arrow::Status()> check_right;
    std::string holder;  // of the lock and the term, for others to read
  };
  // Creates what is missing, checks what is there, takes the lock and then a new term. Errors:
  // CHECKPOINT_IN_USE (kConflict) naming the live holder; CHECKPOINT_INCOMPATIBLE (kCorrupt) naming
  // the setting that differs; CHECKPOINT_CORRUPT (kCorrupt); those of check_right.
  static arrow::Result<std::unique_ptr<CheckpointDir>> Open(Options options);

  // Options::holder of whoever wrote this into a term's file.
  static std::string_view HolderOf(std::string_view term_contents);

  const std::string& path() const { return options_.path; }
  const std::string& job_uuid() const { return job_uuid_; }
  const Term& term() const { return term_; }

  // Keeps the plan under its fingerprint (FingerprintOf); does nothing where it is kept already.
  arrow::Status StorePlan(const proto::PhysicalPlan& plan);
  // Errors: CHECKPOINT_CORRUPT where the file is missing or is not what its name says.
  arrow::Result<proto::PhysicalPlan> LoadPlan(uint64_t fingerprint) const;
  static std::string PlanFileName(uint64_t fingerprint);  // relative to the checkpoint

  // All files below `dir` ("state", "plan"), relative to the checkpoint.
  arrow::Result<std::vector<std::string>> ListFiles(const std::string& dir) const;

 private:
  CheckpointDir(Options options, std::unique_ptr<FileLock> lock, std::string job_uuid, Term term);

  const Options options_;
  const std::unique_ptr<FileLock> lock_;
  const std::string job_uuid_;
  const Term term_;
};

}  // namespace tidemill::driver
