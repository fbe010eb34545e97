#include "state/table/column_gather.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/builder.h>
#include <arrow/util/bit_util.h>

#include <utility>

#include "common/base/check.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

struct Wide {
  uint64_t low;
  uint64_t high;
};

int64_t CountRows(std::span<const ColumnRows> pieces) {
  size_t rows = 0;
  for (const ColumnRows& piece : pieces) rows += piece.rows.size();
  return static_cast<int64_t>(rows);
}

// NULLs are zero.
template <class T>
int64_t CopyValues(std::span<const ColumnRows> pieces, uint8_t* out) {
  auto* target = reinterpret_cast<T*>(out);
  int64_t nulls = 0;
  for (const ColumnRows& piece : pieces) {
    const T* values = piece.column->values<T>();
    const uint8_t* validity = piece.column->validity();
    for (const uint32_t row : piece.rows) {
      *target++ = validity[row] != 0 ? values[row] : T{};
      nulls += 1 - validity[row];
    }
  }
  return nulls;
}

int64_t CopyValues(std::span<const ColumnRows> pieces, int32_t width, uint8_t* out) {
  switch (width) {
    case 1:
      return CopyValues<uint8_t>(pieces, out);
    case 2:
      return CopyValues<uint16_t>(pieces, out);
    case 4:
      return CopyValues<uint32_t>(pieces, out);
    case 8:
      return CopyValues<uint64_t>(pieces, out);
    default:
      TIDEMILL_CHECK(width == 16);
      return CopyValues<Wide>(pieces, out);
  }
}

arrow::Result<std::shared_ptr<arrow::Buffer>> BitsOf(const uint8_t* bytes, int64_t rows,
                                                     arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(rows, pool));
  uint8_t* data = bits->mutable_data();
  for (int64_t i = 0; i < rows; ++i) {
    data[i >> 3] |= static_cast<uint8_t>((bytes[i] != 0 ? 1 : 0) << (i & 7));
  }
  return bits;
}

arrow::Result<std::shared_ptr<arrow::Array>> GatherFixed(std::span<const ColumnRows> pieces,
                                                         arrow::MemoryPool* pool) {
  const StateColumn& first = *pieces[0].column;
  const int64_t rows = CountRows(pieces);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(rows * first.width(), pool));
  const int64_t nulls = CopyValues(pieces, first.width(), values->mutable_data());
  if (first.type()->id() == arrow::Type::BOOL) {
    ARROW_ASSIGN_OR_RAISE(values, BitsOf(values->data(), rows, pool));
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (nulls > 0) {
    PodVector<uint8_t> flags;
    flags.Resize(rows);
    uint8_t* flag = flags.data();
    for (const ColumnRows& piece : pieces) {
      for (const uint32_t row : piece.rows) *flag++ = piece.column->validity()[row];
    }
    ARROW_ASSIGN_OR_RAISE(validity, BitsOf(flags.data(), rows, pool));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(first.type(), rows, {std::move(validity), std::move(values)}, nulls));
}

arrow::Status AppendValue(const StateColumn& column, uint32_t row, arrow::ArrayBuilder* builder) {
  if (column.width() == 0 || column.validity()[row] == 0) return builder->AppendNull();
  const std::string_view bytes = column.GetBytes(row);
  if (!column.is_nested()) return static_cast<arrow::BinaryBuilder*>(builder)->Append(bytes);
  const auto* cursor = reinterpret_cast<const uint8_t*>(bytes.data());
  return ReadEncoded(&cursor, cursor + bytes.size(), builder);
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Array>> GatherColumn(std::span<const ColumnRows> pieces,
                                                          arrow::MemoryPool* pool) {
  TIDEMILL_CHECK(!pieces.empty());
  const StateColumn& first = *pieces[0].column;
  if (first.width() > 0) return GatherFixed(pieces, pool);
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(pool, first.type(), &builder));
  ARROW_RETURN_NOT_OK(builder->Reserve(CountRows(pieces)));
  for (const ColumnRows& piece : pieces) {
    for (const uint32_t row : piece.rows) {
      ARROW_RETURN_NOT_OK(AppendValue(*piece.column, row, builder.get()));
    }
  }
  return builder->Finish();
}

}  // namespace tidemill::state
