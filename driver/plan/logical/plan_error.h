#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace tidemill::driver {

// An error of the user's query (kInvalid, exit code 3).
arrow::Status QueryError(std::string error_class, std::string message, Span span,
                         std::string hint = "");
// UNSUPPORTED_FEATURE.<feature>: "<what> is not supported yet".
arrow::Status NotSupportedYet(std::string_view feature, std::string_view what, Span span,
                              std::string hint = "");
// UNSUPPORTED_EXPR_FOR_OPERATOR: an aggregate or window function where none may stand.
arrow::Status UnsupportedExpression(std::string_view text, Span span);

// How Spark's messages quote things: `a`.`b` for names, "x > 1" for expressions, "INT" for types.
std::string QuotedName(const std::vector<std::string>& parts);
std::string QuotedName(std::string_view name);
std::string QuotedSql(std::string_view text);
std::string QuotedType(const arrow::DataType& type);

bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace tidemill::driver
