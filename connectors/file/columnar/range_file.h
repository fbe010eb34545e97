#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "common/fs/file_system.h"

namespace tidemill::connectors {

struct ByteRange {
  int64_t offset = 0;
  int64_t size = 0;
};

// A file as Arrow's readers want one. Bytes that were loaded before come from memory, so that
// decoding does not block; others are read when asked for. *Thread-compatible*, but for Load all of
// it may be used by one thread and then by another.
class RangeFile final : public arrow::io::RandomAccessFile {
 public:
  RangeFile(std::shared_ptr<ReadableFile> file, int64_t size, arrow::MemoryPool* pool)
      : file_(std::move(file)), size_(size), pool_(pool) {}

  // Reads the ranges into memory, in place of those loaded before. Blocks. Ranges outside of the
  // file are an IOError.
  arrow::Status Load(std::vector<ByteRange> ranges);

  arrow::Status Close() override {
    is_closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return is_closed_; }
  arrow::Result<int64_t> GetSize() override { return size_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Read(int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override;
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t size, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t size) override;

 private:
  struct Loaded {
    int64_t offset = 0;
    std::shared_ptr<arrow::Buffer> bytes;
  };

  // What was loaded of [position, position + size), all of it, or null.
  std::shared_ptr<arrow::Buffer> Find(int64_t position, int64_t size) const;

  const std::shared_ptr<ReadableFile> file_;
  const int64_t size_;
  arrow::MemoryPool* const pool_;
  std::vector<Loaded> loaded_;  // by offset
  int64_t position_ = 0;
  bool is_closed_ = false;
};

}  // namespace tidemill::connectors
