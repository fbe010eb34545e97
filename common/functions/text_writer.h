#pragma once

#include <arrow/buffer_builder.h>

#include <memory>
#include <span>
#include <string_view>

#include "common/functions/columns.h"

namespace tidemill {

// Writes the strings of a column one after another. Reserve first: appending then seldom grows.
class TextWriter {
 public:
  explicit TextWriter(arrow::MemoryPool* pool) : offsets_(pool), bytes_(pool) {}
  arrow::Status Reserve(int64_t rows, int64_t bytes);
  arrow::Status Append(std::string_view piece) {
    if (piece.empty()) return arrow::Status::OK();
    return bytes_.Append(piece.data(), piece.size());
  }
  // `piece` so many times. Errors: BATCH_TOO_LARGE, before any memory is taken.
  arrow::Status AppendRepeated(std::string_view piece, int64_t times);
  // Room for `size` more bytes, written by the caller before the next call.
  arrow::Result<char*> Extend(int64_t size);
  // Ends the row; a row without Append is empty (or NULL, where the validity says so).
  void EndRow() { offsets_.UnsafeAppend(static_cast<int32_t>(bytes_.length())); }
  int64_t size() const { return bytes_.length(); }
  arrow::Result<arrow::Datum> Finish(const std::shared_ptr<arrow::DataType>& type, int64_t rows,
                                     const Validity& validity);

 private:
  arrow::TypedBufferBuilder<int32_t> offsets_;
  arrow::BufferBuilder bytes_;
};

// A string for every valid row: `append(row, &writer)` returns Result<bool>, false for NULL.
template <class AppendRow>
// NOLINTNEXTLINE(readability-function-size): the sixth parameter is the body
arrow::Result<arrow::Datum> ComputeText(const EvalContext& context,
                                        std::span<const arrow::Datum> args, int64_t rows,
                                        const std::shared_ptr<arrow::DataType>& type,
                                        int64_t bytes_hint, AppendRow append) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  if (validity.all_null()) return NullDatum(type);
  TextWriter writer(context.pool);
  ARROW_RETURN_NOT_OK(writer.Reserve(rows, bytes_hint));
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) {
      ARROW_ASSIGN_OR_RAISE(const bool has_value, append(row, &writer));
      if (!has_value) ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
    }
    writer.EndRow();
  }
  return writer.Finish(type, rows, validity);
}

}  // namespace tidemill
