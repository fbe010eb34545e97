#pragma once

#include <memory>
#include <optional>
#include <string>

#include "common/functions/collection/lists.h"

// What the higher-order functions share: the elements of a column as a lambda sees them.

namespace tidemill {

// The elements of the valid rows of an ARRAY or MAP column, one after another.
struct LambdaElements {
  std::shared_ptr<arrow::Array> places;    // INT32: which of the column's elements
  std::shared_ptr<arrow::Array> parents;   // INT32: which row each belongs to
  std::shared_ptr<arrow::Array> indices;   // INT32: its number within its row, from 0
  std::shared_ptr<arrow::Buffer> offsets;  // INT32: where the elements of each row begin

  // `column` and `validity` have `rows` rows.
  static arrow::Result<LambdaElements> Of(const ListColumn& column, const Validity& validity,
                                          int64_t rows, arrow::MemoryPool* pool);
  int64_t count() const { return places->length(); }
  const int32_t* offsets_data() const { return offsets->data_as<int32_t>(); }
};

// An Int32 array over a buffer of `count` values.
std::shared_ptr<arrow::Array> Int32ArrayOf(std::shared_ptr<arrow::Buffer> buffer, int64_t count);

// A higher-order function of `arrays` collections followed by lambdas. `shape` says what the lambda
// at `index` takes, given the arguments before it.
using ShapeOfLambda =
    std::function<arrow::Result<LambdaShape>(std::span<const ExprPtr> args, size_t index)>;
struct HigherOrderInfo {
  std::string name;
  std::string usage;
  size_t collections = 1;  // arguments before the first lambda
  size_t least = 2, most = 2;
  bool is_total = true;
  ShapeOfLambda shape;
  BindFunction bind;
};
FunctionInfo HigherOrder(HigherOrderInfo info);

arrow::Status LambdaMustBe(std::string_view name, std::span<const ExprPtr> args, size_t argument,
                           const TypePtr& type);

}  // namespace tidemill
