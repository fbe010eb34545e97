#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace grpc {
class ByteBuffer;
}

namespace tidemill::worker {

// Record batches begin at multiples of this, so that they can be used where they were received.
inline constexpr int64_t kWireAlignment = 64;

// Builds one message of an exchange stream: little-endian numbers, texts, and buffers that are sent
// from where they are. *Thread-compatible.*
class WireWriter {
 public:
  WireWriter();
  ~WireWriter();

  template <class Number>
  void Write(Number value) {
    for (size_t i = 0; i < sizeof(Number); ++i)
      tail_.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
  }
  // A 32-bit length, then the bytes.
  void WriteText(std::string_view text);
  // The bytes of `buffer`, padded to 8 as Arrow does; kept alive until the message is sent.
  void WriteBuffer(const std::shared_ptr<arrow::Buffer>& buffer);
  // Zeros up to a multiple of kWireAlignment.
  void Align() { Pad(kWireAlignment); }

  int64_t size() const { return flushed_bytes_ + static_cast<int64_t>(tail_.size()); }
  grpc::ByteBuffer Finish();

 private:
  void Pad(int64_t alignment);
  void FlushTail();

  std::vector<std::shared_ptr<arrow::Buffer>> pieces_;
  int64_t flushed_bytes_ = 0;
  std::string tail_;  // what follows the pieces
};

// Copies a received message into one buffer aligned to kWireAlignment. Errors: none beyond memory
// and a message of more than `limit` bytes.
arrow::Result<std::shared_ptr<arrow::Buffer>> FlattenMessage(const grpc::ByteBuffer& message,
                                                             int64_t limit);

// Takes apart what WireWriter wrote. Reading past the end gives zeros and is remembered: check
// is_ok() before using what was read. *Thread-compatible.*
class WireReader {
 public:
  // `data` must outlive this and the texts it gives.
  explicit WireReader(std::string_view data) : data_(data) {}

  template <class Number>
  Number Read() {
    if (data_.size() - position_ < sizeof(Number)) {
      Fail();
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < sizeof(Number); ++i)
      value |= static_cast<uint64_t>(static_cast<uint8_t>(data_[position_ + i])) << (8 * i);
    position_ += sizeof(Number);
    return static_cast<Number>(value);
  }
  // A number that fits an int.
  int ReadInt();
  std::string_view ReadText();
  void Align();
  // Moves over `size` bytes and says where they begin.
  int64_t Skip(uint64_t size);

  bool is_ok() const { return is_ok_; }
  bool is_at_end() const { return is_ok_ && position_ == data_.size(); }

 private:
  void Fail() {
    is_ok_ = false;
    position_ = data_.size();
  }

  const std::string_view data_;
  size_t position_ = 0;
  bool is_ok_ = true;
};

}  // namespace tidemill::worker
