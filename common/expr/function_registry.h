#pragma once

#include <arrow/datum.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"
#include "common/expr/expr.h"
#include "common/types/value_format.h"

namespace tidemill {

// What is fixed for one epoch, or one row range of a split, while expressions are evaluated.
// Everything that a replay must see again is in here.
struct EvalContext {
  int64_t epoch_time_us = 0;             // current_timestamp()
  std::shared_ptr<const TimeZone> zone;  // session time zone, never null
  uint64_t seed = 0;                     // of (epoch, split); rand() adds its ordinal in the query
  int64_t first_row = 0;                 // number of the batch's first row in its split
  arrow::MemoryPool* pool = nullptr;     // never null
};

// Computes one function over whole columns. `args` are arrays of `rows` rows, or scalars where the
// argument is a literal; the result is an array of `rows` rows or a scalar. Reads nothing else.
using Kernel = std::function<arrow::Result<arrow::Datum>(
    const EvalContext& context, std::span<const arrow::Datum> args, int64_t rows)>;

// The body of a lambda argument over elements of the call's rows. `parameters` have a value for
// each element (more than the lambda names are left out); element i belongs to row parents[i]
// (INT32, no NULLs) of the call. The result is an array with a value for each element.
using Lambda = std::function<arrow::Result<std::shared_ptr<arrow::Array>>(
    std::vector<arrow::Datum> parameters, const std::shared_ptr<arrow::Array>& parents)>;
// As Kernel, for a function with lambda arguments: `args` are the others, in order.
using HigherOrderKernel = std::function<arrow::Result<arrow::Datum>(
    const EvalContext& context, std::span<const arrow::Datum> args, std::span<const Lambda> lambdas,
    int64_t rows)>;
// What a lambda argument may look like. *Plain data.*
struct LambdaShape {
  std::vector<std::shared_ptr<arrow::DataType>> parameters;
  size_t required = 0;  // how many must be named
};

// A function bound to argument types. Binding happens once, when a plan is analysed (for the types)
// and once when it is deployed (for the kernel).
struct BoundFunction {
  std::vector<std::shared_ptr<arrow::DataType>>
      arg_types;                          // after coercion: arguments are cast to these
  std::shared_ptr<arrow::DataType> type;  // of the result
  Kernel kernel;                          // empty for special forms
  bool is_total = false;  // fails on no input, with the literals that it is bound to
  HigherOrderKernel higher_order = nullptr;  // instead of `kernel`, of a function with lambdas
};

struct FunctionInfo {
  std::string name;   // canonical, lower case
  std::string usage;  // "upper(str)", for DESCRIBE FUNCTION and error hints
  bool is_deterministic = true;
  // Fails on no input, so the evaluator may compute it on rows that do not need it.
  bool is_total = false;
  // Binds to argument expressions (types, and values where they are literals). Errors are Spark's:
  // DATATYPE_MISMATCH.*, WRONG_NUM_ARGS.WITHOUT_SUGGESTION.
  std::function<arrow::Result<BoundFunction>(std::span<const ExprPtr> args)> bind;
  // Of a higher-order function: the shape of argument `index` where it is a lambda, nothing where
  // it is not. `args` are the arguments before it.
  std::function<arrow::Result<std::optional<LambdaShape>>(std::span<const ExprPtr> args,
                                                          size_t index)>
      lambda_shape;
  // Depends on the session's time zone or the epoch in ways that types do not show, so it is not
  // folded when the plan is made.
  bool reads_context = false;
};

// The scalar functions that exist; aliases (substr, ucase, ...) find the same entry. *Immutable.*
const FunctionInfo* FindFunction(std::string_view name);  // case-insensitive; nullptr where unknown
std::vector<std::string> FunctionNames();

// Makes a call with Spark's implicit casts inserted (ANSI coercion rules) and its type resolved.
// Operators are functions too: "+", "-", "*", "/", "%", "div", "=", "<=>", "!=", "<", "<=", ">",
// ">=", "and", "or", "not", "isnull", "isnotnull", "in", "like", "rlike", "negative", "||", "case",
// "if", "coalesce", "get_field", "get_item". Errors: UNRESOLVED_ROUTINE with the nearest name, and
// what bind says.
arrow::Result<ExprPtr> MakeCall(std::string_view name, std::vector<ExprPtr> args, Span span = {});
// (a, b), which is struct(a, b) but shows the names of its fields.
inline constexpr std::string_view kTuple = "(,)";
// struct(a AS x, b): `aliases` are the names given, "" for none.
arrow::Result<ExprPtr> MakeStruct(std::vector<ExprPtr> args,
                                  const std::vector<std::string>& aliases, Span span = {});
// A copy that names show as `text`.
ExprPtr WithText(const ExprPtr& expr, std::string text);
// Explicit CAST / TRY_CAST. Errors: DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION.
arrow::Result<ExprPtr> MakeCast(ExprPtr arg, std::shared_ptr<arrow::DataType> type, bool is_try,
                                Span span = {});
// Implicit cast as for an assignment or a set operation; the argument itself where the type is
// right.
arrow::Result<ExprPtr> ImplicitCast(ExprPtr arg, std::shared_ptr<arrow::DataType> type);

// The type that Spark's ANSI rules widen both to (CASE branches, IN lists, UNION), or nullptr.
std::shared_ptr<arrow::DataType> CommonType(const std::shared_ptr<arrow::DataType>& a,
                                            const std::shared_ptr<arrow::DataType>& b);

}  // namespace tidemill
