#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// The functions that make several rows of one: explode, posexplode, inline and their _outer forms,
// json_tuple and stack.
bool IsGeneratorName(std::string_view name);  // case-insensitive

// json_tuple and stack become inline over an array of rows; others stay as they are.
arrow::Status RewriteGenerator(std::string* name, std::vector<ExprPtr>* args, Span span);
// The columns that a generator gives, with Spark's default names: col | key, value | pos before
// them | the struct's fields. Errors: WRONG_NUM_ARGS.WITHOUT_SUGGESTION,
// DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE.
arrow::Result<std::vector<PlanField>> GeneratedFields(std::string_view name,
                                                      const std::vector<ExprPtr>& args, Span span);

// Gives the columns the user's names. No names keep the defaults; another number of names than
// columns is UDTF_ALIAS_NUMBER_MISMATCH.
arrow::Result<std::vector<PlanField>> RenameGenerated(std::vector<PlanField> fields,
                                                      const std::vector<std::string>& names,
                                                      Span span);

}  // namespace tidemill::driver
