#include "common/functions/text_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "common/base/error.h"

namespace tidemill {

namespace {

constexpr int64_t kMostBytes = std::numeric_limits<int32_t>::max();

arrow::Status TooLarge(double bytes) {
  return MakeError(ErrorKind::kResource, "BATCH_TOO_LARGE",
                   fmt::format("strings of one batch exceed 2 GiB: bytes={:.0f}", bytes));
}

}  // namespace

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

// Copies what is there already, which doubles each time.
arrow::Status TextWriter::AppendRepeated(std::string_view piece, int64_t times) {
  if (piece.empty() || times <= 0) return arrow::Status::OK();
  const auto size = static_cast<int64_t>(piece.size());
  if (times > (kMostBytes - bytes_.length()) / size) {
    return TooLarge(static_cast<double>(times) * static_cast<double>(size));
  }
  const int64_t total = times * size;
  ARROW_ASSIGN_OR_RAISE(char* place, Extend(total));
  std::memcpy(place, piece.data(), size);
  for (int64_t done = size; done < total;) {
    const int64_t more = std::min(done, total - done);
    std::memcpy(place + done, place, more);
    done += more;
  }
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> TextWriter::Finish(const std::shared_ptr<arrow::DataType>& type,
                                               int64_t rows, const Validity& validity) {
  if (bytes_.length() > kMostBytes) return TooLarge(static_cast<double>(bytes_.length()));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets, offsets_.Finish());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, bytes_.Finish());
  return MakeColumnData(type, rows, validity, {std::move(offsets), std::move(bytes)});
}

}  // namespace tidemill
