#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/mutex.h"

namespace tidemill::connectors {

// The tables that memory sinks of this process fill, by job name. *Thread-safe.*
class MemoryTables {
 public:
  struct Table {
    std::shared_ptr<arrow::Schema> schema;
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  };

  // One for the process: the sink that fills a table and the query that reads it share nothing
  // else.
  static MemoryTables* OfProcess();

  // Starts an empty table, in place of one that another job left.
  void Create(const std::string& name, const std::string& job_uuid,
              std::shared_ptr<arrow::Schema> schema);
  // Adds (or, with `replaces`, puts in place of all) the rows of an epoch; an epoch that is not
  // later than the last one was taken already and is left out.
  void Put(const std::string& name, int64_t epoch, bool replaces,
           std::vector<std::shared_ptr<arrow::RecordBatch>> batches);
  std::optional<Table> Find(const std::string& name) const;

 private:
  struct Entry {
    Table table;
    std::string job_uuid;
    int64_t last_epoch = -1;
  };

  mutable Mutex mutex_;
  std::map<std::string, Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace tidemill::connectors
