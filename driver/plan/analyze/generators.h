#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// The functions that make several rows of one: explode, posexplode, inline, stack, json_tuple and
// the _outer forms of the first three.
bool IsGeneratorName(std::string_view name);  // case-insensitive
// Of these, those with an _outer form, and these forms.
bool HasOuterForm(std::string_view name);

// A generator with its arguments: what the relation of it computes, and the columns that it gives,
// with Spark's default names: col | key, value | pos before them | the struct's fields | col0, ...
// | c0, ... *Plain data.*
struct Generator {
  std::string function;  // explode, posexplode, inline or one of them + "_outer"
  std::vector<ExprPtr> args;
  std::vector<PlanField> fields;
  Span span;
};

// stack and json_tuple become inline(array(struct(...), ...)). Errors:
// WRONG_NUM_ARGS.WITHOUT_SUGGESTION, DATATYPE_MISMATCH.
arrow::Result<Generator> ResolveGenerator(std::string_view name, std::vector<ExprPtr> args,
                                          Span span);

// Gives the columns the user's names. No names keep the defaults; another number of names than
// columns is UDTF_ALIAS_NUMBER_MISMATCH.
arrow::Status RenameGenerated(const std::vector<std::string>& names, Span span,
                              Generator* generator);

// Rows of `input` times what the generator gives for them: the input's columns, then its own.
LogicalPlanPtr ApplyGenerator(LogicalPlanPtr input, Generator generator);

}  // namespace tidemill::driver
