#include "connectors/file/columnar/parquet_encoder.h"

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>
#include <parquet/properties.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "connectors/file/columnar/chunk_stream.h"
#include "connectors/file/columnar/column_checks.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kRowGroupRows = int64_t{1} << 20;
constexpr int64_t kRowGroupBytes = int64_t{128} << 20;

struct Codec {
  std::string_view name;
  arrow::Compression::type type;
};

// Spark's lz4 is what Hadoop makes of it, its lz4_raw the plain format.
constexpr std::array<Codec, 8> kCodecs = {{
    {"snappy", arrow::Compression::SNAPPY},
    {"zstd", arrow::Compression::ZSTD},
    {"gzip", arrow::Compression::GZIP},
    {"lz4", arrow::Compression::LZ4_HADOOP},
    {"lz4_raw", arrow::Compression::LZ4},
    {"brotli", arrow::Compression::BROTLI},
    {"none", arrow::Compression::UNCOMPRESSED},
    {"uncompressed", arrow::Compression::UNCOMPRESSED},
}};

std::optional<arrow::Compression::type> Find(std::string_view name) {
  for (const Codec& codec : kCodecs) {
    if (codec.name == name && arrow::util::Codec::IsAvailable(codec.type)) return codec.type;
  }
  return std::nullopt;
}

class ParquetEncoder final : public FileEncoder {
 public:
  ParquetEncoder(std::shared_ptr<arrow::Schema> schema, arrow::Compression::type codec)
      : schema_(std::move(schema)), codec_(codec) {}

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                       std::string* out) override {
    if (writer_ == nullptr) ARROW_RETURN_NOT_OK(Open());
    if (group_bytes_ >= kRowGroupBytes) {
      ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
      group_bytes_ = 0;
    }
    ARROW_RETURN_NOT_OK(writer_->WriteRecordBatch(*batch));
    ARROW_ASSIGN_OR_RAISE(const int64_t bytes, arrow::util::ReferencedBufferSize(*batch));
    group_bytes_ += bytes;
    stream_->MoveTo(out);
    return arrow::Status::OK();
  }

  arrow::Status Finish(std::string* out) override {
    if (writer_ == nullptr) ARROW_RETURN_NOT_OK(Open());
    ARROW_RETURN_NOT_OK(writer_->Close());
    stream_->MoveTo(out);
    return arrow::Status::OK();
  }

 private:
  arrow::Status Open() {
    const auto properties = parquet::WriterProperties::Builder()
                                .compression(codec_)
                                ->max_row_group_length(kRowGroupRows)
                                ->enable_store_decimal_as_integer()
                                ->created_by("tidemill")
                                ->build();
    ARROW_ASSIGN_OR_RAISE(writer_, parquet::arrow::FileWriter::Open(
                                       *schema_, arrow::default_memory_pool(), stream_, properties,
                                       parquet::default_arrow_writer_properties()));
    return arrow::Status::OK();
  }

  const std::shared_ptr<arrow::Schema> schema_;
  const arrow::Compression::type codec_;
  const std::shared_ptr<ChunkStream> stream_ = std::make_shared<ChunkStream>();
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  int64_t group_bytes_ = 0;  // in memory, of the open row group
};

}  // namespace

arrow::Result<std::unique_ptr<FileEncoder>> MakeParquetEncoder(
    const SinkSpec& spec, std::shared_ptr<const TimeZone> zone) {
  return std::make_unique<ParquetEncoder>(spec.schema, *Find(CodecOf(spec.options, "snappy")));
}

arrow::Status CheckParquet(const SinkSpec& spec) {
  const std::string codec = CodecOf(spec.options, "snappy");
  if (!Find(codec)) return UnknownCodec(codec, "snappy, zstd, gzip, lz4, lz4_raw and none");
  return spec.schema == nullptr ? arrow::Status::OK() : CheckColumns(*spec.schema, "Parquet");
}

}  // namespace tidemill::connectors
