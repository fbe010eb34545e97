#include "common/functions/text_writer.h"

#include <fmt/format.h>

#include <limits>
#include <utility>

#include "common/base/error.h"

namespace tidemill {

arrow::Status TextWriter::Reserve(int64_t rows, int64_t bytes) {
  ARROW_RETURN_NOT_OK(offsets_.Reserve(rows + 1));
  offsets_.UnsafeAppend(0);
  return bytes_.Reserve(bytes);
}

arrow::Result<char*> TextWriter::Extend(int64_t size) {
  ARROW_RETURN_NOT_OK(bytes_.Reserve(size));
  char* place = reinterpret_cast<char*>(bytes_.mutable_data()) + bytes_.length();
  bytes_.UnsafeAdvance(size);
  return place;
}

arrow::Result<arrow::Datum> TextWriter::Finish(const std::shared_ptr<arrow::DataType>& type,
                                               int64_t rows, const Validity& validity) {
  if (bytes_.length() > std::numeric_limits<int32_t>::max()) {
    return MakeError(ErrorKind::kResource, "BATCH_TOO_LARGE",
                     fmt::format("strings of one batch exceed 2 GiB: bytes={}", bytes_.length()));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, offsets_.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, bytes_.Finish());
  return MakeColumnData(type, rows, validity, {std::move(offsets), std::move(bytes)});
}

}  // namespace tidemill
