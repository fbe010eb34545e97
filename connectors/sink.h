#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/options.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "common/types/value_format.h"

namespace tidemill::connectors {

enum class OutputMode { kAppend, kUpdate, kComplete };

// The sink of a query as planned. *Immutable.*
struct SinkSpec {
  std::string format;  // console memory noop text json
  Options options;
  std::shared_ptr<arrow::Schema> schema;
  OutputMode output_mode = OutputMode::kAppend;
  std::string job_uuid;
  std::string job_name;
};

// What one writer prepared for one epoch.
struct StagedFile {
  std::string staged_name;   // relative to the sink path
  std::string final_suffix;  // "json": extension of the final name
  int64_t size = 0;
  int64_t rows = 0;
  uint64_t checksum = 0;  // Hash64 of the contents
};
struct StagedOutput {
  std::vector<StagedFile> files;
  std::string rows;  // Arrow IPC stream of rows that the driver delivers itself (console, memory)
  int64_t num_rows = 0;  // all rows written, also those not carried
};

struct EpochId {
  int64_t epoch = 0;
  uint64_t term = 0;
  uint64_t attempt = 0;  // a number of its own in all terms
};

// Worker half: takes the rows of one slot in one epoch at a time. Begin, Write and Abort do not
// block (file writes go to the I/O executor; Write reports back-pressure by is_full). Prepare calls
// `done` from any thread (also before it returns) once everything staged is durable. A new Begin
// after Abort or Prepare starts anew; what was prepared stays for the driver half to publish or to
// clean up. *Thread-compatible.*
class SinkWriter {
 public:
  using PrepareDone = std::function<void(arrow::Result<StagedOutput>)>;

  virtual ~SinkWriter() = default;
  virtual arrow::Status Begin(const EpochId& id, int64_t shard) = 0;
  virtual arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) = 0;
  virtual void Prepare(PrepareDone done) = 0;
  virtual void Abort() = 0;
  virtual bool is_full() const { return false; }  // too much unwritten; `wake` will be called
};

struct WriterContext {
  FileSystem* fs = nullptr;
  Executor* io = nullptr;
  Random* random = nullptr;
  std::function<void()> wake;  // may be called after the writer is gone; the owner makes that safe
  std::shared_ptr<const TimeZone> zone;
  bool is_durable = true;  // false: a temporary checkpoint, nothing is fsynced
};

// Driver half: makes one epoch's output visible, exactly once. Calls may block; one at a time,
// never on a serial executor. *Thread-compatible.*
class SinkDriver {
 public:
  virtual ~SinkDriver() = default;

  // Takes ownership of the target for this job and term. Errors: SINK_IN_USE (kConflict) naming the
  // holder; kFenced where a newer term of the same job was here.
  virtual arrow::Status Open(uint64_t term) = 0;

  // Recovery, after Open: `last_committed` is the newest epoch with a Commit record (-1 for none).
  // Finishes the newest published epoch's renames and removes leftovers of dead attempts. Returns
  // the newest epoch that the sink itself has published, with its plan hash, or nothing. An epoch
  // later than last_committed + 1 is corruption (SINK_AHEAD_OF_LOG, kCorrupt).
  struct Published {
    int64_t epoch = 0;
    uint64_t plan_hash = 0;
  };
  virtual arrow::Result<std::optional<Published>> Recover(int64_t last_committed) = 0;

  // Publishes the epoch. Called again with an epoch that is published already under the same
  // plan_hash, it finishes what is missing and changes nothing else; another plan_hash is kCorrupt.
  // `still_mine` is asked right before the irreversible step; false = kFenced, nothing done.
  virtual arrow::Status Commit(const EpochId& id, uint64_t plan_hash,
                               std::vector<StagedOutput> outputs,
                               const std::function<bool()>& still_mine) = 0;

  // For progress: "FileSink[file:/out/clicks]".
  virtual std::string Description() const = 0;

  // After Open: a file that workers must see too, and whose contents no other opening has; "" where
  // workers write no files.
  virtual std::string SharedFile() const { return ""; }
};

struct SinkDriverContext {
  FileSystem* fs = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  std::shared_ptr<const TimeZone> zone;
  bool is_durable = true;
  // Where console output goes; called one at a time with whole texts.
  std::function<void(std::string_view)> print;
};

// Where an epoch's rows must be before the sink can take them.
struct SinkNeeds {
  bool single_writer = false;  // all rows at one writer (file sink in complete mode)
};

// Validation before anything starts, as ResolveSource. Refuses output modes that the sink cannot
// give, in Spark's words where Spark has them ("Data source json does not support Update output
// mode.").
arrow::Result<SinkSpec> ResolveSink(SinkSpec spec);
SinkNeeds NeedsOf(const SinkSpec& spec);
arrow::Result<std::unique_ptr<SinkDriver>> MakeSinkDriver(const SinkSpec& spec,
                                                          SinkDriverContext context);
arrow::Result<std::unique_ptr<SinkWriter>> MakeSinkWriter(const SinkSpec& spec,
                                                          WriterContext context);

}  // namespace tidemill::connectors
