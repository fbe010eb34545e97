#pragma once

#include <arrow/compute/type_fwd.h>
#include <arrow/datum.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "common/expr/function_registry.h"

namespace tidemill {

// Some rows out of `size` rows, ascending. *Plain data*, cheap to copy.
class RowSet {
 public:
  static RowSet All(int64_t size);
  static RowSet None(int64_t size);
  // The rows whose BOOLEAN value is not `value` (NULL is neither).
  static arrow::Result<RowSet> WhereNot(const arrow::Datum& values, bool value, int64_t size,
                                        arrow::compute::ExecContext& exec);

  // `condition` has a value for each row of this set. Takes the rows where it is TRUE out of the
  // set and returns them.
  arrow::Result<RowSet> Split(const arrow::Datum& condition, arrow::compute::ExecContext& exec);

  bool IsAll() const { return indices_ == nullptr && count_ == size_; }
  bool IsNone() const { return count_ == 0; }
  int64_t count() const { return count_; }
  // INT32 row numbers, of a set that is neither all nor none.
  const std::shared_ptr<arrow::Array>& indices() const { return indices_; }

 private:
  static arrow::Result<RowSet> FromIndices(std::shared_ptr<arrow::Array> indices, int64_t size);

  int64_t size_ = 0;
  int64_t count_ = 0;
  std::shared_ptr<arrow::Array> indices_;
};

// A batch seen through the rows that an operand is evaluated on. Columns are taken when they are
// first read. Borrows context and batch. *Thread-compatible.*
class Selection {
 public:
  Selection(const EvalContext& context, const arrow::RecordBatch& batch);

  const EvalContext& context() const { return *context_; }
  int64_t num_rows() const;
  arrow::Result<arrow::Datum> Column(int index) const;
  // The selected rows of an array over the whole batch.
  arrow::Result<arrow::Datum> Pick(const arrow::Datum& value) const;
  // The whole batch.
  Selection All() const { return Selection(*context_, *batch_); }
  // Of these rows, the ones of the set (which counts within them).
  arrow::Result<Selection> Narrow(const RowSet& rows) const;
  // Elements of these rows: element i belongs to row parents[i] (INT32), and `parameters` have a
  // value for each, after the parameters that are here already.
  arrow::Result<Selection> Spread(const std::shared_ptr<arrow::Array>& parents,
                                  std::vector<arrow::Datum> parameters) const;
  const arrow::Datum& Parameter(int number) const { return parameters_[number]; }

 private:
  const EvalContext* context_;
  const arrow::RecordBatch* batch_;
  std::shared_ptr<arrow::Array> indices_;  // INT32 into the batch; nullptr: all rows
  std::vector<arrow::Datum> parameters_;   // of the lambdas around, a value for each selected row
  mutable std::vector<std::shared_ptr<arrow::Array>> taken_;
};

// Puts values that were computed on parts of a selection's rows together again; a later value for
// a row replaces an earlier one, and a row without any is NULL.
class Merger {
 public:
  Merger(const Selection& rows, std::shared_ptr<arrow::DataType> type);

  // `value` has a row for each of `rows`, or is a constant.
  arrow::Status Add(const RowSet& rows, arrow::Datum value);
  arrow::Result<arrow::Datum> Finish();

 private:
  const Selection& rows_;
  std::shared_ptr<arrow::DataType> type_;
  std::vector<RowSet> sets_;
  std::vector<arrow::Datum> values_;
};

}  // namespace tidemill
