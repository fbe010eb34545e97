#pragma once

#include <arrow/result.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "deploy/client/bounded_query.h"
#include "driver/spec/script/script.h"

namespace tidemill::deploy {

// The rows of tables that a query names and its script does not declare.
using TableFinder = std::function<arrow::Result<std::map<std::string, RowSet>>(
    const driver::JobSpec& query, const std::vector<TableName>& names)>;

// The rows that one statement of a script gives; those of SHOW and DESCRIBE have Spark's columns.
// Errors show their place in the script.
arrow::Result<RowSet> RowsOf(const driver::ScriptStep& step, const TableFinder& find_tables);

}  // namespace tidemill::deploy
