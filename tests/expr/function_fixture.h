#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/expr/evaluator.h"

namespace tidemill {

// Test support: columns from JSON, calls by name, results as the text that CAST AS STRING gives.

using Texts = std::vector<std::string>;

// *Plain data.*
struct TestColumn {
  std::string type;  // DDL
  std::string json;  // array
};

// UTC, a fixed epoch time and seed.
EvalContext TestContext(std::string_view zone = "UTC");

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::vector<TestColumn>& columns);
ExprPtr ColumnOf(const arrow::RecordBatch& batch, int index);
// A literal from JSON.
ExprPtr Literal(const std::string& type, const std::string& json);
// Aborts the test on an error.
ExprPtr Call(std::string_view name, std::vector<ExprPtr> args);
ExprPtr CastTo(const ExprPtr& arg, const std::string& type, bool is_try = false);

// The values of each row, or "error: CLASS".
Texts Evaluated(const ExprPtr& expr, const arrow::RecordBatch& batch,
                std::string_view zone = "UTC");
// A function over columns. It is also evaluated with the literals of each row alone, and with all
// but the first argument as literals where these are the same on every row; the answers must agree.
Texts Apply(std::string_view name, const std::vector<TestColumn>& columns);
// A cast over a column, likewise.
Texts ApplyCast(const TestColumn& column, const std::string& type, bool is_try = false,
                std::string_view zone = "UTC");
// The message of the first error while binding or evaluating a function over columns.
std::string MessageOf(std::string_view name, const std::vector<TestColumn>& columns);
// The DDL of the result's type, or "error: CLASS" where it does not bind.
std::string TypeOf(std::string_view name, const std::vector<std::string>& types);

}  // namespace tidemill
