#pragma once

#include <arrow/buffer_builder.h>

#include <memory>
#include <span>
#include <string_view>

#include "common/functions/text_writer.h"

namespace tidemill {

// Writes ARRAY<STRING> values one after another.
class TextListWriter {
 public:
  explicit TextListWriter(arrow::MemoryPool* pool)
      : list_offsets_(pool), offsets_(pool), bytes_(pool) {}

  arrow::Status Reserve(int64_t rows, int64_t bytes);
  arrow::Status Append(std::string_view element) {
    if (!element.empty()) {  // A group that took no part has no address either.
      ARROW_RETURN_NOT_OK(bytes_.Append(element.data(), static_cast<int64_t>(element.size())));
    }
    return offsets_.Append(static_cast<int32_t>(bytes_.length()));
  }
  // Ends the row; a row without Append is an empty array (or NULL, where the validity says so).
  void EndRow() { list_offsets_.UnsafeAppend(static_cast<int32_t>(offsets_.length() - 1)); }
  arrow::Result<arrow::Datum> Finish(int64_t rows, const Validity& validity);

 private:
  arrow::TypedBufferBuilder<int32_t> list_offsets_;
  arrow::TypedBufferBuilder<int32_t> offsets_;  // of the elements
  arrow::BufferBuilder bytes_;
};

// An array of strings for every valid row: `append(row, &writer)` returns Result<bool>, false for
// NULL.
template <class AppendRow>
arrow::Result<arrow::Datum> ComputeTextList(const EvalContext& context,
                                            std::span<const arrow::Datum> args, int64_t rows,
                                            int64_t bytes_hint, AppendRow append) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  if (validity.all_null()) return NullDatum(arrow::list(arrow::utf8()));
  TextListWriter writer(context.pool);
  ARROW_RETURN_NOT_OK(writer.Reserve(rows, bytes_hint));
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) {
      ARROW_ASSIGN_OR_RAISE(const bool has_value, append(row, &writer));
      if (!has_value) ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
    }
    writer.EndRow();
  }
  return writer.Finish(rows, validity);
}

}  // namespace tidemill
