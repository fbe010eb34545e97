#pragma once

#include <arrow/result.h>
#include <arrow/util/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string_view>

namespace tidemill::connectors {

// How a file is compressed, by the extension of its name: .gz .gzip .zst .bz2 .deflate .snappy
// .lz4, else not at all; the last two are Hadoop's (hadoop_blocks.h). Errors:
// UNSUPPORTED_COMPRESSION for extensions that Spark reads or readers would take for text.
arrow::Result<arrow::Compression::type> CompressionOf(std::string_view path);

// Turns compressed bytes into plain ones as they come; a file may hold several compressed streams
// one after another. *Thread-compatible.*
class Inflater {
 public:
  static arrow::Result<std::unique_ptr<Inflater>> Make(arrow::Compression::type compression);
  ~Inflater();

  struct Step {
    int64_t consumed = 0;
    int64_t produced = 0;
  };
  // Decompresses from `input` to `output` as far as either lasts. A step that does nothing needs
  // more input; `has_open_stream` at the end of the input says that the file is cut short.
  arrow::Result<Step> Inflate(std::string_view input, char* output, int64_t output_size);
  bool has_open_stream() const { return has_open_stream_; }

 private:
  explicit Inflater(std::shared_ptr<arrow::util::Decompressor> decompressor);

  std::shared_ptr<arrow::util::Decompressor> decompressor_;
  bool has_open_stream_ = false;
};

}  // namespace tidemill::connectors
