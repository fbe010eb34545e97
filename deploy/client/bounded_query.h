#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "driver/spec/job_spec.h"

namespace tidemill::deploy {

// Rows in memory. *Plain data.*
struct RowSet {
  std::shared_ptr<arrow::Schema> schema;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
};

// The rows of an Arrow IPC stream. Errors: TABLE_CORRUPT (kGeneral).
arrow::Result<RowSet> DecodeTable(std::string_view arrow_ipc);

// A table that a query reads, once, as it is written there.
struct TableName {
  std::string name;
  Span span;  // in the query
};
// Those that its specification does not declare. Errors show their place (kInvalid).
arrow::Result<std::vector<TableName>> UndeclaredTables(const driver::JobSpec& query);

// Runs a bounded query over the tables that it declares and others that are in memory (by their
// names in it) in an engine inside this process, in one epoch over all of their rows. Without ORDER
// BY the rows of a query without groups come in the tables' order. Errors show their place: those
// of PlanJob, and of the rows.
arrow::Result<RowSet> RunBoundedQuery(driver::JobSpec query,
                                      const std::map<std::string, RowSet>& tables);

// The columns of its result; nothing is run. Errors as above.
arrow::Result<std::shared_ptr<arrow::Schema>> SchemaOfQuery(
    driver::JobSpec query, const std::map<std::string, RowSet>& tables);

// The text of its plan (`tidemill explain`); nothing is run. Errors as above.
arrow::Result<std::string> ExplainQuery(driver::JobSpec query,
                                        const std::map<std::string, RowSet>& tables);

}  // namespace tidemill::deploy
