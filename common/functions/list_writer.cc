#include "common/functions/list_writer.h"

#include <arrow/array/data.h>
#include <fmt/format.h>

#include <limits>
#include <utility>

#include "common/base/error.h"

namespace tidemill {

arrow::Status TextListWriter::Reserve(int64_t rows, int64_t bytes) {
  ARROW_RETURN_NOT_OK(list_offsets_.Reserve(rows + 1));
  list_offsets_.UnsafeAppend(0);
  ARROW_RETURN_NOT_OK(offsets_.Append(0));
  return bytes_.Reserve(bytes);
}

arrow::Result<arrow::Datum> TextListWriter::Finish(int64_t rows, const Validity& validity) {
  if (bytes_.length() > std::numeric_limits<int32_t>::max()) {
    return MakeError(ErrorKind::kResource, "BATCH_TOO_LARGE",
                     fmt::format("strings of one batch exceed 2 GiB: bytes={}", bytes_.length()));
  }
  const int64_t elements = offsets_.length() - 1;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> list_offsets, list_offsets_.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, offsets_.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, bytes_.Finish());
  auto values = arrow::ArrayData::Make(arrow::utf8(), elements,
                                       {nullptr, std::move(offsets), std::move(bytes)}, 0);
  const auto bitmap = validity.null_count() > 0 ? validity.bitmap() : nullptr;
  return arrow::Datum(arrow::ArrayData::Make(arrow::list(arrow::utf8()), rows,
                                             {bitmap, std::move(list_offsets)}, {std::move(values)},
                                             validity.null_count()));
}

}  // namespace tidemill
