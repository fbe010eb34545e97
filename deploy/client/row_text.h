#pragma once

#include <arrow/result.h>

#include <string>

#include "common/types/time_zone.h"
#include "deploy/client/bounded_query.h"

namespace tidemill::deploy {

// A result as text. Pure functions.

// Spark's Dataset.show without truncation.
arrow::Result<std::string> RowsAsTable(const RowSet& rows, const TimeZone& zone);
// One object a line, as Spark's toJSON.
std::string RowsAsJson(const RowSet& rows, std::shared_ptr<const TimeZone> zone);
// As RFC 4180 quotes, with a header line and line feeds alone; values as CAST texts, NULL is empty,
// an empty string is "".
std::string RowsAsCsv(const RowSet& rows, const TimeZone& zone);

}  // namespace tidemill::deploy
