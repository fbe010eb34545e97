#include "state/table/column_writer.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstring>
#include <string_view>

#include "common/base/check.h"
#include "state/table/row_codec.h"

namespace tidemill::state {

namespace {

void WriteFixed(const arrow::Array& values, std::span<const uint32_t> picked,
                std::span<const uint32_t> rows, StateColumn* column) {
  const auto width = static_cast<size_t>(column->width());
  const uint8_t* bytes = values.data()->buffers[1]->data() + values.offset() * width;
  auto* target = column->values<uint8_t>();
  for (size_t i = 0; i < rows.size(); ++i) {
    if (values.IsNull(picked[i])) continue;
    std::memcpy(target + rows[i] * width, bytes + picked[i] * width, width);
    column->validity()[rows[i]] = 1;
  }
}

void WriteBooleans(const arrow::BooleanArray& values, std::span<const uint32_t> picked,
                   std::span<const uint32_t> rows, StateColumn* column) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (values.IsNull(picked[i])) continue;
    column->values<uint8_t>()[rows[i]] = values.Value(picked[i]) ? 1 : 0;
    column->validity()[rows[i]] = 1;
  }
}

// STRING and BINARY.
void WriteBytes(const arrow::BinaryArray& values, std::span<const uint32_t> picked,
                std::span<const uint32_t> rows, StateColumn* column) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (!values.IsNull(picked[i])) column->SetBytes(rows[i], values.GetView(picked[i]));
  }
}

void WriteNested(const arrow::Array& values, std::span<const uint32_t> picked,
                 std::span<const uint32_t> rows, StateColumn* column) {
  PodVector<uint8_t> encoded;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (values.IsNull(picked[i])) continue;
    encoded.Clear();
    AppendEncoded(values, picked[i], /*normalise=*/false, &encoded);
    column->SetBytes(rows[i], {reinterpret_cast<const char*>(encoded.data()), encoded.size()});
  }
}

}  // namespace

void WriteValues(const arrow::Array& values, std::span<const uint32_t> picked,
                 std::span<const uint32_t> rows, StateColumn* column) {
  TIDEMILL_CHECK(picked.size() == rows.size());
  if (column->width() == 0) return;  // VOID has no values.
  if (column->is_nested()) return WriteNested(values, picked, rows, column);
  if (values.type_id() == arrow::Type::BOOL) {
    return WriteBooleans(static_cast<const arrow::BooleanArray&>(values), picked, rows, column);
  }
  if (column->width() < 0) {
    return WriteBytes(static_cast<const arrow::BinaryArray&>(values), picked, rows, column);
  }
  WriteFixed(values, picked, rows, column);
}

}  // namespace tidemill::state
