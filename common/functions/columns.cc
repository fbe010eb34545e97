#include "common/functions/columns.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/compute/initialize.h>
#include <arrow/util/bitmap_ops.h>

#include <mutex>

namespace tidemill {

void EnsureArrowCompute() {
  static std::once_flag once;
  std::call_once(once, [] { TIDEMILL_CHECK(arrow::compute::Initialize().ok()); });
}

arrow::Result<Validity> Validity::Of(std::span<const arrow::Datum> args, int64_t rows,
                                     arrow::MemoryPool* pool) {
  Validity validity = AllValid(rows);
  for (const arrow::Datum& arg : args) {
    if (arg.is_scalar()) {
      if (arg.scalar()->is_valid) continue;
      ARROW_ASSIGN_OR_RAISE(validity.bitmap_, arrow::AllocateEmptyBitmap(rows, pool));
      break;
    }
    const arrow::ArrayData& data = *arg.array();
    if (data.type->id() == arrow::Type::NA) {
      ARROW_ASSIGN_OR_RAISE(validity.bitmap_, arrow::AllocateEmptyBitmap(rows, pool));
      break;
    }
    if (data.GetNullCount() == 0 || data.buffers[0] == nullptr) continue;
    const uint8_t* bits = data.buffers[0]->data();
    if (validity.bitmap_ == nullptr) {
      if (data.offset == 0) {
        validity.bitmap_ = data.buffers[0];
      } else {
        ARROW_ASSIGN_OR_RAISE(validity.bitmap_,
                              arrow::internal::CopyBitmap(pool, bits, data.offset, rows));
      }
    } else {
      ARROW_ASSIGN_OR_RAISE(validity.bitmap_,
                            arrow::internal::BitmapAnd(pool, validity.bitmap_->data(), 0, bits,
                                                       data.offset, rows, 0));
    }
  }
  if (validity.bitmap_ != nullptr) {
    validity.bits_ = validity.bitmap_->data();
    validity.null_count_ = rows - arrow::internal::CountSetBits(validity.bits_, 0, rows);
  }
  return validity;
}

arrow::Status Validity::SetNull(int64_t row, arrow::MemoryPool* pool) {
  if (owned_ == nullptr) {
    if (bits_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(bitmap_, arrow::AllocateBitmap(rows_, pool));
      std::memset(bitmap_->mutable_data(), 0xFF, bitmap_->size());
    } else {
      ARROW_ASSIGN_OR_RAISE(bitmap_, arrow::internal::CopyBitmap(pool, bits_, 0, rows_));
    }
    owned_ = bitmap_->mutable_data();
    bits_ = owned_;
  }
  if (arrow::bit_util::GetBit(owned_, row)) {
    arrow::bit_util::ClearBit(owned_, row);
    ++null_count_;
  }
  return arrow::Status::OK();
}

arrow::Datum MakeColumnData(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                            const Validity& validity,
                            std::vector<std::shared_ptr<arrow::Buffer>> buffers) {
  buffers.insert(buffers.begin(), validity.null_count() > 0 ? validity.bitmap() : nullptr);
  return arrow::Datum(
      arrow::ArrayData::Make(type, rows, std::move(buffers), validity.null_count()));
}

arrow::Datum NullDatum(const std::shared_ptr<arrow::DataType>& type) {
  return arrow::Datum(arrow::MakeNullScalar(type));
}

arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const arrow::Datum& datum, int64_t rows,
                                                     arrow::MemoryPool* pool) {
  if (datum.is_array()) return datum.make_array();
  return arrow::MakeArrayFromScalar(*datum.scalar(), rows, pool);
}

}  // namespace tidemill
