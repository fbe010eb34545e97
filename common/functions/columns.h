#pragma once

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/datum.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_generate.h>

#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>

#include "common/base/check.h"
#include "common/expr/function_registry.h"

// How kernels read arguments and write results: raw Arrow buffers, a literal being a column that
// has one value for every row. For kernel files only. *Plain data.*

namespace tidemill {

using Int128 = __int128;

// The registration of Arrow's compute kernels; done before the first function is bound.
void EnsureArrowCompute();

// Values of a fixed-width argument; what stands on a NULL row is undefined. Borrows the datum.
template <class T>
class FixedColumn {
 public:
  explicit FixedColumn(const arrow::Datum& datum) {
    if (datum.is_array()) {
      const arrow::ArrayData& data = *datum.array();
      values_ = reinterpret_cast<const T*>(data.buffers[1]->data()) + data.offset;
      return;
    }
    const arrow::Scalar& scalar = *datum.scalar();
    if (!scalar.is_valid) return;
    if constexpr (std::is_same_v<T, Int128>) {
      const auto value = static_cast<const arrow::Decimal128Scalar&>(scalar).value;
      constant_ = (static_cast<Int128>(value.high_bits()) << 64) | value.low_bits();
    } else {
      const auto& primitive = static_cast<const arrow::internal::PrimitiveScalarBase&>(scalar);
      TIDEMILL_CHECK(primitive.view().size() == sizeof(T));
      std::memcpy(&constant_, primitive.view().data(), sizeof(T));
    }
  }
  T operator[](int64_t row) const {
    if (values_ == nullptr) return constant_;
    T value;
    std::memcpy(&value, values_ + row, sizeof(T));  // 16-byte values may be aligned to 8 only
    return value;
  }
  bool is_constant() const { return values_ == nullptr; }
  const T* values() const { return values_; }

 private:
  const T* values_ = nullptr;
  T constant_{};
};

// Values of a BOOLEAN argument.
class BoolColumn {
 public:
  explicit BoolColumn(const arrow::Datum& datum) {
    if (datum.is_array()) {
      bits_ = datum.array()->buffers[1]->data();
      offset_ = datum.array()->offset;
    } else if (datum.scalar()->is_valid) {
      constant_ = static_cast<const arrow::BooleanScalar&>(*datum.scalar()).value;
    }
  }
  bool operator[](int64_t row) const {
    return bits_ == nullptr ? constant_ : arrow::bit_util::GetBit(bits_, offset_ + row);
  }

 private:
  const uint8_t* bits_ = nullptr;
  int64_t offset_ = 0;
  bool constant_ = false;
};

// Values of a STRING or BINARY argument. Borrows the datum.
class TextColumn {
 public:
  explicit TextColumn(const arrow::Datum& datum) {
    if (datum.is_array()) {
      const arrow::ArrayData& data = *datum.array();
      offsets_ = data.GetValues<int32_t>(1);
      // An empty array may come without a data buffer.
      if (data.buffers[2] != nullptr)
        data_ = reinterpret_cast<const char*>(data.buffers[2]->data());
    } else if (datum.scalar()->is_valid) {
      constant_ = static_cast<const arrow::BaseBinaryScalar&>(*datum.scalar()).view();
    }
  }
  std::string_view operator[](int64_t row) const {
    if (offsets_ == nullptr) return constant_;
    return {data_ + offsets_[row], static_cast<size_t>(offsets_[row + 1] - offsets_[row])};
  }
  bool is_constant() const { return offsets_ == nullptr; }
  const int32_t* offsets() const { return offsets_; }  // of row 0; nullptr for a constant
  const char* data() const { return data_; }
  // Bytes of all rows; of one value for a constant.
  int64_t ByteSize(int64_t rows) const {
    if (offsets_ == nullptr) return static_cast<int64_t>(constant_.size());
    return rows == 0 ? 0 : offsets_[rows] - offsets_[0];
  }

 private:
  const int32_t* offsets_ = nullptr;
  const char* data_ = "";
  std::string_view constant_;
};

// The rows on which every argument has a value.
class Validity {
 public:
  static arrow::Result<Validity> Of(std::span<const arrow::Datum> args, int64_t rows,
                                    arrow::MemoryPool* pool);
  static Validity AllValid(int64_t rows) {
    Validity validity;
    validity.rows_ = rows;
    return validity;
  }
  bool operator[](int64_t row) const {
    return bits_ == nullptr || arrow::bit_util::GetBit(bits_, row);
  }
  bool all_null() const { return null_count_ == rows_ && rows_ > 0; }
  int64_t null_count() const { return null_count_; }
  const std::shared_ptr<arrow::Buffer>& bitmap() const { return bitmap_; }  // nullptr: no NULLs
  // Makes the bitmap writable (a copy of its own) and clears a row.
  arrow::Status SetNull(int64_t row, arrow::MemoryPool* pool);

 private:
  int64_t rows_ = 0;
  int64_t null_count_ = 0;
  std::shared_ptr<arrow::Buffer> bitmap_;
  const uint8_t* bits_ = nullptr;
  uint8_t* owned_ = nullptr;
};

// An array of `rows` rows from its value buffers, which follow the validity bitmap.
arrow::Datum MakeColumnData(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                            const Validity& validity,
                            std::vector<std::shared_ptr<arrow::Buffer>> buffers);
arrow::Datum NullDatum(const std::shared_ptr<arrow::DataType>& type);

// The array itself, or a constant repeated.
arrow::Result<std::shared_ptr<arrow::Array>> ArrayOf(const arrow::Datum& datum, int64_t rows,
                                                     arrow::MemoryPool* pool);

// An output of T for every row from `value(row)`, called on NULL rows too: for code that fails on
// no input and that the compiler may vectorise.
template <class T, class Value>
arrow::Result<arrow::Datum> ComputeFixed(const EvalContext& context,
                                         std::span<const arrow::Datum> args, int64_t rows,
                                         const std::shared_ptr<arrow::DataType>& type,
                                         Value value) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  if (validity.all_null()) return NullDatum(type);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(rows * sizeof(T), context.pool));
  T* out = buffer->mutable_data_as<T>();
  for (int64_t row = 0; row < rows; ++row) out[row] = value(row);
  return MakeColumnData(type, rows, validity, {std::move(buffer)});
}

// Like ComputeFixed for values that may be missing or fail: `value(row, &out)` is called on valid
// rows only and returns Result<bool>, false for NULL.
template <class T, class Value>
arrow::Result<arrow::Datum> ComputeFixedChecked(const EvalContext& context,
                                                std::span<const arrow::Datum> args, int64_t rows,
                                                const std::shared_ptr<arrow::DataType>& type,
                                                Value value) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  if (validity.all_null()) return NullDatum(type);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(rows * sizeof(T), context.pool));
  T* out = buffer->mutable_data_as<T>();
  for (int64_t row = 0; row < rows; ++row) {
    out[row] = T{};
    if (!validity[row]) continue;
    ARROW_ASSIGN_OR_RAISE(const bool has_value, value(row, out + row));
    if (!has_value) ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
  }
  return MakeColumnData(type, rows, validity, {std::move(buffer)});
}

// A BOOLEAN for every row from `value(row)`, called on NULL rows too.
template <class Value>
arrow::Result<arrow::Datum> ComputeBool(const EvalContext& context,
                                        std::span<const arrow::Datum> args, int64_t rows,
                                        Value value) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  if (validity.all_null()) return NullDatum(arrow::boolean());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBitmap(rows, context.pool));
  int64_t row = 0;
  arrow::internal::GenerateBitsUnrolled(buffer->mutable_data(), 0, rows,
                                        [&] { return value(row++); });
  return MakeColumnData(arrow::boolean(), rows, validity, {std::move(buffer)});
}

}  // namespace tidemill
