#pragma once

#include <arrow/result.h>

#include <string_view>
#include <vector>

#include "driver/spec/script/statement.h"

namespace tidemill::driver {

// Cuts a script at its semicolons and parses every statement but the queries in it, which are left
// as spans. Statements and clauses are Spark's; those without a meaning here are refused by name
// (UNSUPPORTED_FEATURE). Errors: PARSE_SYNTAX_ERROR and others (kInvalid) with spans in `text`.
arrow::Result<std::vector<Statement>> ParseScript(std::string_view text);

}  // namespace tidemill::driver
