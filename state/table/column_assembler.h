#pragma once

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <cstring>
#include <memory>

namespace tidemill::state {

// Assembles an Arrow array of a fixed-width type (FixedWidthOf > 0) from values that come row by
// row. *Thread-compatible.*
class FixedColumnAssembler {
 public:
  static arrow::Result<FixedColumnAssembler> Make(std::shared_ptr<arrow::DataType> type,
                                                  int64_t rows, arrow::MemoryPool* pool);
  // Each row is set once. `value` has the type's width.
  void Set(int64_t row, const void* value) {
    std::memcpy(values_ + row * width_, value, width_);
    validity_[row >> 3] |= static_cast<uint8_t>(1 << (row & 7));
  }
  void SetNull(int64_t row) {
    std::memset(values_ + row * width_, 0, width_);
    ++null_count_;
  }
  arrow::Result<std::shared_ptr<arrow::Array>> Finish();

 private:
  FixedColumnAssembler() = default;

  std::shared_ptr<arrow::DataType> type_;
  int64_t rows_ = 0;
  int32_t width_ = 0;
  arrow::MemoryPool* pool_ = nullptr;
  std::shared_ptr<arrow::Buffer> value_buffer_;
  std::shared_ptr<arrow::Buffer> validity_buffer_;
  uint8_t* values_ = nullptr;
  uint8_t* validity_ = nullptr;
  int64_t null_count_ = 0;
};

}  // namespace tidemill::state
