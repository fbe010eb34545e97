#pragma once

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/result.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <fmt/format.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/error.h"

namespace tidemill {

// The validity bitmap of an array that is being made; made when the first NULL comes.
// *Thread-compatible.*
class NullBitmap {
 public:
  NullBitmap(size_t length, arrow::MemoryPool* pool) : length_(length), pool_(pool) {}

  arrow::Status Set(size_t i) {
    if (bitmap_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(bitmap_, arrow::AllocateBitmap(static_cast<int64_t>(length_), pool_));
      std::memset(bitmap_->mutable_data(), 0xFF, bitmap_->size());
    }
    arrow::bit_util::ClearBit(bitmap_->mutable_data(), static_cast<int64_t>(i));
    ++count_;
    return arrow::Status::OK();
  }
  std::shared_ptr<arrow::ArrayData> Finish(std::shared_ptr<arrow::DataType> type,
                                           std::vector<std::shared_ptr<arrow::Buffer>> buffers) {
    buffers.insert(buffers.begin(), std::move(bitmap_));
    return arrow::ArrayData::Make(std::move(type), static_cast<int64_t>(length_),
                                  std::move(buffers), count_);
  }

 private:
  const size_t length_;
  arrow::MemoryPool* const pool_;
  std::shared_ptr<arrow::Buffer> bitmap_;
  int64_t count_ = 0;
};

// What the values of an array are made of. *Plain data.*
struct ColumnShape {
  std::shared_ptr<arrow::DataType> type;
  size_t length = 0;
  arrow::MemoryPool* pool = nullptr;
};

// An array of fixed-width values: `decode(i, T*)` gives value i, or false for NULL.
template <class T, class Decode>
arrow::Result<std::shared_ptr<arrow::ArrayData>> MakeFixedColumn(const ColumnShape& shape,
                                                                 Decode decode) {
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> buffer,
      arrow::AllocateBuffer(static_cast<int64_t>(shape.length * sizeof(T)), shape.pool));
  T* const out = reinterpret_cast<T*>(buffer->mutable_data());
  NullBitmap nulls(shape.length, shape.pool);
  for (size_t i = 0; i < shape.length; ++i) {
    if (decode(i, &out[i])) continue;
    out[i] = T();
    ARROW_RETURN_NOT_OK(nulls.Set(i));
  }
  return nulls.Finish(shape.type, {std::move(buffer)});
}

// An array of booleans: `decode(i, bool*)` gives value i, or false for NULL.
template <class Decode>
arrow::Result<std::shared_ptr<arrow::ArrayData>> MakeBooleanColumn(const ColumnShape& shape,
                                                                   Decode decode) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(static_cast<int64_t>(shape.length), shape.pool));
  NullBitmap nulls(shape.length, shape.pool);
  for (size_t i = 0; i < shape.length; ++i) {
    bool value = false;
    if (!decode(i, &value)) {
      ARROW_RETURN_NOT_OK(nulls.Set(i));
    } else if (value) {
      arrow::bit_util::SetBit(bits->mutable_data(), static_cast<int64_t>(i));
    }
  }
  return nulls.Finish(shape.type, {std::move(bits)});
}

// An array of texts or bytes, of `most` bytes at most: `decode(i, std::string_view*)` gives value
// i, or false for NULL. Errors: BATCH_TOO_LARGE.
template <class Decode>
arrow::Result<std::shared_ptr<arrow::ArrayData>> MakeBytesColumn(const ColumnShape& shape,
                                                                 int64_t most, Decode decode) {
  if (most > std::numeric_limits<int32_t>::max()) {
    return MakeError(ErrorKind::kResource, "BATCH_TOO_LARGE",
                     fmt::format("values of a batch do not fit in one array: bytes={}", most));
  }
  ARROW_ASSIGN_OR_RAISE(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer(static_cast<int64_t>((shape.length + 1) * sizeof(int32_t)),
                            shape.pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                        arrow::AllocateBuffer(most, shape.pool));
  auto* const offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
  auto* const begin = reinterpret_cast<char*>(bytes->mutable_data());
  char* at = begin;
  NullBitmap nulls(shape.length, shape.pool);
  for (size_t i = 0; i < shape.length; ++i) {
    offset[i] = static_cast<int32_t>(at - begin);
    std::string_view text;
    if (!decode(i, &text)) {
      ARROW_RETURN_NOT_OK(nulls.Set(i));
    } else if (!text.empty()) {
      std::memcpy(at, text.data(), text.size());
      at += text.size();
    }
  }
  offset[shape.length] = static_cast<int32_t>(at - begin);
  return nulls.Finish(shape.type, {std::move(offsets), std::move(bytes)});
}

}  // namespace tidemill
