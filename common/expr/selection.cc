#include "common/expr/selection.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <utility>

#include "common/functions/columns.h"

namespace tidemill {

namespace cp = arrow::compute;

namespace {

arrow::Result<std::shared_ptr<arrow::Array>> TakeRows(const arrow::Array& values,
                                                      const arrow::Array& indices,
                                                      arrow::MemoryPool* pool) {
  cp::ExecContext exec(pool);
  return cp::Take(values, indices, cp::TakeOptions::NoBoundsCheck(), &exec);
}

const int32_t* RowsOf(const arrow::Array& indices) {
  return static_cast<const arrow::Int32Array&>(indices).raw_values();
}

std::shared_ptr<arrow::Array> IndexArray(const std::shared_ptr<arrow::Buffer>& buffer,
                                         int64_t count) {
  return std::make_shared<arrow::Int32Array>(count, buffer);
}

}  // namespace

RowSet RowSet::All(int64_t size) {
  RowSet set;
  set.size_ = size;
  set.count_ = size;
  return set;
}

RowSet RowSet::None(int64_t size) {
  RowSet set;
  set.size_ = size;
  return set;
}

arrow::Result<RowSet> RowSet::FromIndices(std::shared_ptr<arrow::Array> indices, int64_t size) {
  if (indices->length() == 0) return None(size);
  if (indices->length() == size) return All(size);
  RowSet set = None(size);
  set.count_ = indices->length();
  set.indices_ = std::move(indices);
  return set;
}

arrow::Result<RowSet> RowSet::WhereNot(const arrow::Datum& values, bool value, int64_t size,
                                       cp::ExecContext& exec) {
  if (values.is_scalar()) {
    const auto& scalar = static_cast<const arrow::BooleanScalar&>(*values.scalar());
    return scalar.is_valid && scalar.value == value ? None(size) : All(size);
  }
  const auto array = values.make_array();
  const auto& booleans = static_cast<const arrow::BooleanArray&>(*array);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(size * sizeof(int32_t), exec.memory_pool()));
  auto* rows = buffer->mutable_data_as<int32_t>();
  int64_t count = 0;
  for (int64_t row = 0; row < size; ++row) {
    rows[count] = static_cast<int32_t>(row);
    count += booleans.IsNull(row) || booleans.Value(row) != value ? 1 : 0;
  }
  return FromIndices(IndexArray(std::move(buffer), count), size);
}

arrow::Result<RowSet> RowSet::Split(const arrow::Datum& condition, cp::ExecContext& exec) {
  if (condition.is_scalar()) {
    const auto& scalar = static_cast<const arrow::BooleanScalar&>(*condition.scalar());
    if (!scalar.is_valid || !scalar.value) return None(size_);
    return std::exchange(*this, None(size_));
  }
  const auto array = condition.make_array();
  const auto& booleans = static_cast<const arrow::BooleanArray&>(*array);
  const int64_t bytes = count_ * static_cast<int64_t>(sizeof(int32_t));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> yes_buffer,
                        arrow::AllocateBuffer(bytes, exec.memory_pool()));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> no_buffer,
                        arrow::AllocateBuffer(bytes, exec.memory_pool()));
  auto* yes = yes_buffer->mutable_data_as<int32_t>();
  auto* no = no_buffer->mutable_data_as<int32_t>();
  const int32_t* rows = indices_ == nullptr ? nullptr : RowsOf(*indices_);
  int64_t yes_count = 0, no_count = 0;
  for (int64_t i = 0; i < count_; ++i) {
    const int32_t row = rows == nullptr ? static_cast<int32_t>(i) : rows[i];
    const bool holds = booleans.IsValid(i) && booleans.Value(i);
    yes[yes_count] = row;
    no[no_count] = row;
    yes_count += holds ? 1 : 0;
    no_count += holds ? 0 : 1;
  }
  ARROW_ASSIGN_OR_RAISE(RowSet taken, FromIndices(IndexArray(yes_buffer, yes_count), size_));
  ARROW_ASSIGN_OR_RAISE(*this, FromIndices(IndexArray(no_buffer, no_count), size_));
  return taken;
}

Selection::Selection(const EvalContext& context, const arrow::RecordBatch& batch)
    : context_(&context), batch_(&batch) {}

int64_t Selection::num_rows() const {
  return indices_ == nullptr ? batch_->num_rows() : indices_->length();
}

arrow::Result<arrow::Datum> Selection::Column(int index) const {
  if (indices_ == nullptr) return arrow::Datum(batch_->column_data(index));
  if (taken_.empty()) taken_.resize(batch_->num_columns());
  if (taken_[index] == nullptr) {
    ARROW_ASSIGN_OR_RAISE(taken_[index],
                          TakeRows(*batch_->column(index), *indices_, context_->pool));
  }
  return arrow::Datum(taken_[index]);
}

arrow::Result<arrow::Datum> Selection::Pick(const arrow::Datum& value) const {
  if (value.is_scalar() || indices_ == nullptr) return value;
  ARROW_ASSIGN_OR_RAISE(auto picked, TakeRows(*value.make_array(), *indices_, context_->pool));
  return arrow::Datum(picked);
}

arrow::Result<Selection> Selection::Narrow(const RowSet& rows) const {
  if (rows.IsAll()) return *this;
  if (!parameters_.empty() && !rows.IsNone()) return Spread(rows.indices(), {});
  Selection narrow(*context_, *batch_);
  if (rows.IsNone()) {
    ARROW_ASSIGN_OR_RAISE(narrow.indices_, arrow::MakeEmptyArray(arrow::int32(), context_->pool));
    for (const arrow::Datum& outer : parameters_) {
      ARROW_ASSIGN_OR_RAISE(auto empty, arrow::MakeEmptyArray(outer.type(), context_->pool));
      narrow.parameters_.emplace_back(std::move(empty));
    }
  } else if (indices_ == nullptr) {
    narrow.indices_ = rows.indices();
  } else {
    ARROW_ASSIGN_OR_RAISE(narrow.indices_, TakeRows(*indices_, *rows.indices(), context_->pool));
  }
  return narrow;
}

arrow::Result<Selection> Selection::Spread(const std::shared_ptr<arrow::Array>& parents,
                                           std::vector<arrow::Datum> parameters) const {
  Selection spread(*context_, *batch_);
  spread.indices_ = parents;
  if (indices_ != nullptr) {
    ARROW_ASSIGN_OR_RAISE(spread.indices_, TakeRows(*indices_, *parents, context_->pool));
  }
  for (const arrow::Datum& outer : parameters_) {
    arrow::Datum taken = outer;
    if (outer.is_array()) {
      ARROW_ASSIGN_OR_RAISE(taken, TakeRows(*outer.make_array(), *parents, context_->pool));
    }
    spread.parameters_.push_back(std::move(taken));
  }
  for (arrow::Datum& parameter : parameters) spread.parameters_.push_back(std::move(parameter));
  return spread;
}

Merger::Merger(const Selection& rows, std::shared_ptr<arrow::DataType> type)
    : rows_(rows), type_(std::move(type)) {}

arrow::Status Merger::Add(const RowSet& rows, arrow::Datum value) {
  if (rows.IsAll()) {
    sets_.clear();
    values_.clear();
  }
  sets_.push_back(rows);
  values_.push_back(std::move(value));
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> Merger::Finish() {
  if (sets_.empty()) return NullDatum(type_);
  if (sets_.size() == 1 && sets_[0].IsAll()) return values_[0];
  arrow::MemoryPool* pool = rows_.context().pool;
  // All values one after another, behind one NULL; then each row picks its own.
  ARROW_ASSIGN_OR_RAISE(auto nothing, arrow::MakeArrayOfNull(type_, 1, pool));
  arrow::ArrayVector parts = {nothing};
  const int64_t size = rows_.num_rows();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(size * sizeof(int32_t), pool));
  auto* picks = buffer->mutable_data_as<int32_t>();
  std::fill(picks, picks + size, 0);
  int64_t base = 1;
  for (size_t k = 0; k < sets_.size(); ++k) {
    const bool is_constant = values_[k].is_scalar();
    const int32_t* rows = sets_[k].IsAll() ? nullptr : RowsOf(*sets_[k].indices());
    for (int64_t i = 0; i < sets_[k].count(); ++i) {
      picks[rows == nullptr ? i : rows[i]] = static_cast<int32_t>(base + (is_constant ? 0 : i));
    }
    ARROW_ASSIGN_OR_RAISE(auto part, ArrayOf(values_[k], 1, pool));
    base += part->length();
    parts.push_back(std::move(part));
  }
  ARROW_ASSIGN_OR_RAISE(auto all, arrow::Concatenate(parts, pool));
  ARROW_ASSIGN_OR_RAISE(auto merged, TakeRows(*all, *IndexArray(buffer, size), pool));
  return arrow::Datum(merged);
}

}  // namespace tidemill
