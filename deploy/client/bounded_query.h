#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace tidemill::deploy {

// Rows in memory. *Plain data.*
struct RowSet {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
};

// The rows of an Arrow IPC stream. Errors: TABLE_CORRUPT (kGeneral).
arrow::Result<RowSet> DecodeTable(std::string_view arrow_ipc);

// A query over tables that are all there. *Plain data.*
struct BoundedQuery {
  std::string text;
  std::string file;                             // as the user named it, for carets
  std::map<std::string, std::string> settings;  // of --conf
};

// A table that a query reads, once, as it is written there.
struct TableName {
  std::string name;
  Span span;  // in the query
};
// Errors show their place (kInvalid).
arrow::Result<std::vector<TableName>> TablesOf(const BoundedQuery& query);

// Runs a query over tables (by their names in it) in an engine inside this process, in one epoch
// over all of their rows. Without ORDER BY the rows of a query without groups come in the tables'
// order. Errors show their place in the query: those of PlanJob, and of the rows.
arrow::Result<RowSet> RunBoundedQuery(const BoundedQuery& query,
                                      const std::map<std::string, RowSet>& tables);

}  // namespace tidemill::deploy
