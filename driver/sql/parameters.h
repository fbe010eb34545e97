#pragma once

#include <arrow/status.h>

#include <map>
#include <string>

#include "driver/sql/ast.h"

namespace tidemill::driver::sql {

// Puts values in place of the markers :name of a query, everywhere in it. A value is the text of a
// constant expression, such as DATE'2024-05-01'; it stands where its marker stands, so errors show
// the marker. Errors (kInvalid, with a span): UNBOUND_SQL_PARAMETER for a marker without a value
// (and for every ?), UNUSED_SQL_PARAMETER for a value without a marker, those of ParseExpression.
arrow::Status BindParameters(const std::map<std::string, std::string>& values, Query* query);

}  // namespace tidemill::driver::sql
