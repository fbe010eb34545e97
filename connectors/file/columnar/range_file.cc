#include "connectors/file/columnar/range_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace tidemill::connectors {

namespace {

constexpr int64_t kSmallGap = int64_t{64} << 10;  // read along, rather than read twice

}  // namespace

arrow::Status RangeFile::Load(std::vector<ByteRange> ranges) {
  loaded_.clear();
  std::sort(ranges.begin(), ranges.end(),
            [](const ByteRange& a, const ByteRange& b) { return a.offset < b.offset; });
  std::vector<ByteRange> merged;
  for (const ByteRange& range : ranges) {
    if (range.offset < 0 || range.size < 0 || range.offset > size_ ||
        range.size > size_ - range.offset) {
      return arrow::Status::IOError(fmt::format("bytes {} to {} are outside of the file, size {}",
                                                range.offset, range.offset + range.size, size_));
    }
    const int64_t end = range.offset + range.size;
    if (!merged.empty() && range.offset <= merged.back().offset + merged.back().size + kSmallGap) {
      merged.back().size = std::max(merged.back().size, end - merged.back().offset);
    } else {
      merged.push_back(range);
    }
  }
  for (const ByteRange& range : merged) {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                          arrow::AllocateBuffer(range.size, pool_));
    ARROW_ASSIGN_OR_RAISE(const int64_t got,
                          file_->ReadAt(range.offset, range.size, bytes->mutable_data()));
    if (got != range.size) {
      return arrow::Status::IOError(fmt::format("file ends at {}", range.offset + got));
    }
    loaded_.push_back({.offset = range.offset, .bytes = std::move(bytes)});
  }
  return arrow::Status::OK();
}

std::shared_ptr<arrow::Buffer> RangeFile::Find(int64_t position, int64_t size) const {
  auto at = std::upper_bound(loaded_.begin(), loaded_.end(), position,
                             [](int64_t offset, const Loaded& l) { return offset < l.offset; });
  if (at == loaded_.begin()) return nullptr;
  --at;
  const int64_t skipped = position - at->offset;
  if (size < 0 || skipped > at->bytes->size() || size > at->bytes->size() - skipped) return nullptr;
  return arrow::SliceBuffer(at->bytes, skipped, size);
}

arrow::Result<int64_t> RangeFile::ReadAt(int64_t position, int64_t size, void* out) {
  if (position < 0 || size < 0) {
    return arrow::Status::IOError(fmt::format("bad read: offset={} size={}", position, size));
  }
  if (const auto bytes = Find(position, size)) {
    if (size > 0) std::memcpy(out, bytes->data(), size);
    return size;
  }
  return file_->ReadAt(position, size, out);
}

arrow::Result<std::shared_ptr<arrow::Buffer>> RangeFile::ReadAt(int64_t position, int64_t size) {
  if (auto bytes = Find(position, size)) return bytes;
  // What a damaged file asks for may be more than there is.
  size = std::clamp<int64_t>(size, 0, std::max<int64_t>(size_ - position, 0));
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(size, pool_));
  ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position, size, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(got));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

arrow::Result<int64_t> RangeFile::Read(int64_t size, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, size, out));
  position_ += got;
  return got;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> RangeFile::Read(int64_t size) {
  ARROW_ASSIGN_OR_RAISE(auto bytes, ReadAt(position_, size));
  position_ += bytes->size();
  return bytes;
}

}  // namespace tidemill::connectors
