#include "worker/exchange/wire_buffer.h"

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <cstring>
#include <limits>

#include "common/base/error.h"

namespace tidemill::worker {

namespace {

// Below this a copy costs less than a piece of its own.
constexpr int64_t kCopiedBytes = 4096;

// Borrows the bytes of a buffer and keeps it alive.
grpc::Slice SliceOf(std::shared_ptr<arrow::Buffer> buffer) {
  auto* owner = new std::shared_ptr<arrow::Buffer>(std::move(buffer));
  auto destroy = [](void* data) { delete static_cast<std::shared_ptr<arrow::Buffer>*>(data); };
  // gRPC takes what it does not write to as mutable.
  return grpc::Slice(const_cast<uint8_t*>((*owner)->data()), (*owner)->size(), destroy, owner);
}

}  // namespace

WireWriter::WireWriter() = default;
WireWriter::~WireWriter() = default;

void WireWriter::WriteText(std::string_view text) {
  Write<uint32_t>(static_cast<uint32_t>(text.size()));
  tail_.append(text);
}

void WireWriter::WriteBuffer(const std::shared_ptr<arrow::Buffer>& buffer) {
  if (buffer == nullptr || buffer->size() == 0) return;
  if (buffer->size() < kCopiedBytes) {
    tail_.append(reinterpret_cast<const char*>(buffer->data()), buffer->size());
  } else {
    FlushTail();
    pieces_.push_back(buffer);
    flushed_bytes_ += buffer->size();
  }
  Pad(8);
}

void WireWriter::Pad(int64_t alignment) {
  if (const int64_t rest = size() % alignment; rest != 0) tail_.append(alignment - rest, '\0');
}

void WireWriter::FlushTail() {
  if (tail_.empty()) return;
  flushed_bytes_ += static_cast<int64_t>(tail_.size());
  pieces_.push_back(arrow::Buffer::FromString(std::exchange(tail_, {})));
}

grpc::ByteBuffer WireWriter::Finish() {
  FlushTail();
  std::vector<grpc::Slice> slices;
  slices.reserve(pieces_.size());
  for (auto& piece : pieces_) slices.push_back(SliceOf(std::move(piece)));
  pieces_.clear();
  flushed_bytes_ = 0;
  return grpc::ByteBuffer(slices.data(), slices.size());
}

arrow::Result<std::shared_ptr<arrow::Buffer>> FlattenMessage(const grpc::ByteBuffer& message,
                                                             int64_t limit) {
  const size_t size = message.Valid() ? message.Length() : 0;
  if (size > static_cast<size_t>(limit)) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     fmt::format("exchange frame is too long: bytes={} limit={}", size, limit));
  }
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(static_cast<int64_t>(size)));
  std::vector<grpc::Slice> slices;
  if (size > 0 && !message.Dump(&slices).ok()) {
    return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                     "exchange frame cannot be read");
  }
  uint8_t* to = buffer->mutable_data();
  for (const grpc::Slice& slice : slices) {
    if (slice.size() == 0) continue;
    std::memcpy(to, slice.begin(), slice.size());
    to += slice.size();
  }
  return buffer;
}

int WireReader::ReadInt() {
  const auto value = Read<uint32_t>();
  if (value <= static_cast<uint32_t>(std::numeric_limits<int>::max()))
    return static_cast<int>(value);
  Fail();
  return 0;
}

std::string_view WireReader::ReadText() {
  const auto size = Read<uint32_t>();
  if (data_.size() - position_ < size) {
    Fail();
    return {};
  }
  const std::string_view text = data_.substr(position_, size);
  position_ += size;
  return text;
}

void WireReader::Align() {
  if (const size_t rest = position_ % kWireAlignment; rest != 0) Skip(kWireAlignment - rest);
}

int64_t WireReader::Skip(uint64_t size) {
  const size_t begin = position_;
  if (data_.size() - position_ < size) {
    Fail();
    return 0;
  }
  position_ += size;
  return static_cast<int64_t>(begin);
}

}  // namespace tidemill::worker
