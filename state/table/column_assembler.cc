#include "state/table/column_assembler.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <utility>

#include "state/table/row_codec.h"

namespace tidemill::state {

arrow::Result<FixedColumnAssembler> FixedColumnAssembler::Make(
    std::shared_ptr<arrow::DataType> type, int64_t rows, arrow::MemoryPool* pool) {
  FixedColumnAssembler result;
  result.width_ = FixedWidthOf(*type);
  result.type_ = std::move(type);
  result.rows_ = rows;
  result.pool_ = pool;
  ARROW_ASSIGN_OR_RAISE(result.value_buffer_, arrow::AllocateBuffer(rows * result.width_, pool));
  ARROW_ASSIGN_OR_RAISE(result.validity_buffer_, arrow::AllocateEmptyBitmap(rows, pool));
  result.values_ = result.value_buffer_->mutable_data();
  result.validity_ = result.validity_buffer_->mutable_data();
  return result;
}

arrow::Result<std::shared_ptr<arrow::Array>> FixedColumnAssembler::Finish() {
  std::shared_ptr<arrow::Buffer> values = std::move(value_buffer_);
  if (type_->id() == arrow::Type::BOOL) {
    ARROW_ASSIGN_OR_RAISE(auto bits, arrow::AllocateEmptyBitmap(rows_, pool_));
    uint8_t* data = bits->mutable_data();
    for (int64_t i = 0; i < rows_; ++i)
      data[i >> 3] |= static_cast<uint8_t>((values_[i] != 0 ? 1 : 0) << (i & 7));
    values = std::move(bits);
  }
  std::shared_ptr<arrow::Buffer> validity = std::move(validity_buffer_);
  if (null_count_ == 0) validity = nullptr;
  return arrow::MakeArray(
      arrow::ArrayData::Make(type_, rows_, {std::move(validity), std::move(values)}, null_count_));
}

}  // namespace tidemill::state
