#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <arrow/status.h>

#include <string>
#include <utility>

namespace tidemill::connectors {

// Collects what a writer of a columnar format writes until somebody takes it.
// *Thread-compatible.*
class ChunkStream final : public arrow::io::OutputStream {
 public:
  using arrow::io::Writable::Write;

  arrow::Status Close() override {
    is_closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return is_closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Write(const void* data, int64_t size) override {
    bytes_.append(static_cast<const char*>(data), size);
    position_ += size;
    return arrow::Status::OK();
  }

  // Appends what was written since the last call.
  void MoveTo(std::string* out) {
    if (out->empty()) {
      out->swap(bytes_);
    } else {
      out->append(bytes_);
    }
    bytes_.clear();
  }

 private:
  std::string bytes_;
  int64_t position_ = 0;
  bool is_closed_ = false;
};

}  // namespace tidemill::connectors
