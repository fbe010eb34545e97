#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/options.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "common/types/value_format.h"

namespace tidemill::connectors {

// One source of a query as planned; the same on the driver and on workers. *Immutable.*
struct SourceSpec {
  std::string name;                       // table name in the query
  std::string format;                     // text json socket rate rate-micro-batch ...
  Options options;                        // path included, absolute
  std::shared_ptr<arrow::Schema> schema;  // all columns that the user sees
  bool is_streaming = true;
  // On the driver, of one that is not streaming: what it holds, in bytes as stored, where that is
  // known. For choosing plans; it may grow later.
  std::optional<int64_t> bytes = std::nullopt;
};

// A range of a source, wholly described: the Plan record holds it, any worker can read it, and
// reading it again gives the same rows in the same order. Which members mean something is the
// format's affair.
struct Split {
  std::string path;
  int64_t begin = 0;  // bytes, rows or offsets
  int64_t end = 0;
  int64_t file_size =
      0;  // as listed; a reader that finds another size or mtime fails (DATA_LOSS class)
  int64_t mtime_us = 0;
  std::string payload;  // small inline data (format's own encoding)
};

// What one epoch reads of one source.
struct EpochInput {
  std::vector<Split> splits;
  // Positions as JSON text, in Spark's shapes ({"logOffset":3}, 42, ...); "" before the first
  // epoch.
  std::string start_offset;
  std::string end_offset;
  std::string latest_offset;  // newest known to exist; for progress
  // How far behind it is, by the format's names (numFilesOutstanding); for progress, not logged.
  std::map<std::string, int64_t> metrics = {};
  bool has_data() const { return start_offset != end_offset; }
};

// How much an epoch may take of a source.
struct ReadLimit {
  // All there is (trigger once), whatever the source's rate options say.
  bool everything = false;
  // Of a source without rate options: about so many bytes, but always a piece (a file, what a
  // socket has sent at once).
  int64_t bytes = std::numeric_limits<int64_t>::max();

  // So many splits at least, where that pays: files are cut into smaller pieces for them.
  int splits = 1;

  static constexpr ReadLimit All() { return {.everything = true}; }
};

// Driver half of a source: finds what is new and cuts it into splits. Owned by one job. Calls may
// block on I/O and are made one at a time, never on a serial executor. *Thread-compatible.*
class SourceDriver {
 public:
  virtual ~SourceDriver() = default;

  // Advances from the current position and returns what the next epoch reads; without news the end
  // equals the start and there are no splits. `more` is called later, from any thread, when a
  // source that can notice arrivals has some (socket); sources that cannot are polled.
  virtual arrow::Result<EpochInput> Next(ReadLimit limit) = 0;

  // Fixes the end for `available-now`: later calls of Next return nothing beyond what exists now.
  virtual arrow::Status FixEnd() = 0;

  // Everything up to the end of this input is committed; what is kept for a replay may go.
  virtual arrow::Status Commit(const EpochInput& input) = 0;

  // The position and whatever Next needs besides (seen files), for a Base record.
  virtual std::string Snapshot() const = 0;
  // Recovery: Restore takes what Snapshot returned (only before any other call), then Replay takes
  // each input that was logged after it, in order. The input of a plan that must run again is
  // passed to Replay too; it returns the splits to read, which are the logged ones, or for a source
  // that cannot replay (socket) none, with a data_lost warning.
  virtual arrow::Status Restore(std::string_view snapshot) = 0;
  virtual arrow::Result<std::vector<Split>> Replay(const EpochInput& input) = 0;

  // For progress: "FileStreamSource[file:/in/clicks]".
  virtual std::string Description() const = 0;
};

// One step of a reader.
struct ReadStep {
  enum class Kind { kBatch, kPending, kEnd };
  Kind kind = Kind::kEnd;
  std::shared_ptr<arrow::RecordBatch>
      batch;  // kBatch: 1 to batch_rows rows, of the reader's schema
};

// Says where a row stands, for people: "/in/part-3.json:17". May read the file up to there, so it
// blocks; callable from any thread, and after the reader is gone.
using PlaceFinder = std::function<std::string()>;

// Worker half: reads one split in order. Next never blocks: data that is still on its way is
// kPending, and `wake` is called (from any thread) when Next is worth another try. The rows of a
// split, and how they are cut into batches, depend on the split alone. *Thread-compatible.*
class SplitReader {
 public:
  virtual ~SplitReader() = default;
  // An error about one record carries its number as ErrorDetail::row, for PlaceOf.
  virtual arrow::Result<ReadStep> Next() = 0;
  // Of a row of the batch that Next gave last, or failed on. Does not block, and costs readers
  // nothing before: for errors.
  virtual PlaceFinder PlaceOf(int64_t row) const = 0;
};

struct ReaderContext {
  FileSystem* fs = nullptr;
  Executor* io = nullptr;      // blocking reads go here
  std::function<void()> wake;  // may be called after the reader is gone; the owner makes that safe
  int64_t batch_rows = 16384;
  int64_t batch_bytes = 4 << 20;         // a batch ends early at about this size
  std::shared_ptr<const TimeZone> zone;  // session time zone
  int64_t epoch_time_us = 0;
  arrow::MemoryPool* pool = nullptr;
};

// Opens readers for the splits of one source; bound at deploy to the columns that the query uses.
// *Thread-safe.*
class SourceReader {
 public:
  virtual ~SourceReader() = default;
  virtual arrow::Result<std::unique_ptr<SplitReader>> Open(const Split& split,
                                                           ReaderContext context) = 0;
};

struct SourceDriverContext {
  FileSystem* fs = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  std::function<void()> wake;  // called from any thread when new data may be there
};

// Validation before anything starts: the format exists and can stream, required options are there,
// no unknown ones, values parse, the schema suits (text: value STRING). Fills in what the format
// decides: the schema of text, socket, rate. Errors: UNSUPPORTED_DATA_SOURCE, UNKNOWN_OPTION,
// INVALID_OPTION_VALUE, ... A json source with the option inferSchema and without a schema keeps
// none: the caller asks InferSchema and freezes the answer.
arrow::Result<SourceSpec> ResolveSource(SourceSpec spec);
// The schema of a resolved json source, inferred once over its first listing. Reads files.
// Errors: UNABLE_TO_INFER_SCHEMA where there is nothing to look at.
arrow::Result<std::shared_ptr<arrow::Schema>> InferSchema(const SourceSpec& spec, FileSystem* fs);
arrow::Result<std::unique_ptr<SourceDriver>> MakeSourceDriver(const SourceSpec& spec,
                                                              SourceDriverContext context);
// `columns`: indices into spec.schema, ascending; the batches that readers give hold exactly these.
arrow::Result<std::unique_ptr<SourceReader>> MakeSourceReader(const SourceSpec& spec,
                                                              const std::vector<int>& columns);

}  // namespace tidemill::connectors
