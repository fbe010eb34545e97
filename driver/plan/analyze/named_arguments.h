#pragma once

#include <arrow/result.h>

#include <string_view>
#include <vector>

#include "driver/sql/ast.h"

namespace tidemill::driver {

// Whether the arguments of a call have to be put in order: some are named, or parameters that have
// names are left out. Only a few functions know their parameters by name, the same as in Spark.
bool HasArgumentsToArrange(std::string_view function, const std::vector<sql::AstExpr>& args);

// The arguments in the order of the parameters, with the defaults of those that are left out.
// Errors: NAMED_PARAMETERS_NOT_SUPPORTED, UNRECOGNIZED_PARAMETER_NAME,
// DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.*, REQUIRED_PARAMETER_NOT_FOUND,
// UNEXPECTED_POSITIONAL_ARGUMENT. What no function is called is left to those who look for it.
arrow::Result<std::vector<sql::AstExpr>> ArrangeArguments(std::string_view function,
                                                          const std::vector<sql::AstExpr>& args,
                                                          Span span);

}  // namespace tidemill::driver
