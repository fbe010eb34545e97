#include "connectors/file/columnar/orc_encoder.h"

#include <arrow/adapters/orc/adapter.h>
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "connectors/file/columnar/chunk_stream.h"
#include "connectors/file/columnar/column_checks.h"

namespace tidemill::connectors {

namespace {

namespace orc = arrow::adapters::orc;

struct Codec {
  std::string_view name;
  arrow::Compression::type type;
};

constexpr std::array<Codec, 6> kCodecs = {{
    {"zstd", arrow::Compression::ZSTD},
    {"snappy", arrow::Compression::SNAPPY},
    {"zlib", arrow::Compression::GZIP},
    {"lz4", arrow::Compression::LZ4},
    {"none", arrow::Compression::UNCOMPRESSED},
    {"uncompressed", arrow::Compression::UNCOMPRESSED},
}};

std::optional<arrow::Compression::type> Find(std::string_view name) {
  for (const Codec& codec : kCodecs) {
    if (codec.name == name) return codec.type;
  }
  return std::nullopt;
}

// ORC has no type for TIMESTAMP_NTZ that Spark would read: it is BIGINT with Spark's mark.
std::shared_ptr<arrow::Field> StoredField(const arrow::Field& field) {
  const auto& type = field.type();
  switch (type->id()) {
    case arrow::Type::TIMESTAMP:
      if (IsInstantType(*type)) return field.Copy();
      return arrow::field(
          field.name(), arrow::int64(), field.nullable(),
          arrow::key_value_metadata({"spark.sql.catalyst.type"}, {"timestamp_ntz"}));
    case arrow::Type::LIST:
      return field.WithType(arrow::list(StoredField(*type->field(0))));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return field.WithType(std::make_shared<arrow::MapType>(StoredField(*map.key_field()),
                                                             StoredField(*map.item_field())));
    }
    case arrow::Type::STRUCT: {
      arrow::FieldVector children;
      for (const auto& child : type->fields()) children.push_back(StoredField(*child));
      return field.WithType(arrow::struct_(std::move(children)));
    }
    default:
      return field.Copy();
  }
}

// The same buffers under the stored type.
std::shared_ptr<arrow::ArrayData> StoredData(const arrow::ArrayData& data,
                                             const std::shared_ptr<arrow::DataType>& type) {
  auto stored = data.Copy();
  stored->type = type;
  for (size_t i = 0; i < stored->child_data.size(); ++i) {
    stored->child_data[i] =
        StoredData(*stored->child_data[i], type->field(static_cast<int>(i))->type());
  }
  return stored;
}

// Arrow's writer gives instants before 1970 that have a fraction of a second nanoseconds below
// zero, which no reader but its own takes: better no file than such a one.
arrow::Status CheckStorable(const arrow::ArrayData& data) {
  if (data.type->id() == arrow::Type::TIMESTAMP) {
    constexpr int64_t kMicros = 1'000'000;
    const int64_t* const values = data.GetValues<int64_t>(1);
    for (int64_t i = 0; i < data.length; ++i) {
      if (values[i] >= 0 || values[i] % kMicros == 0 || data.IsNull(i)) continue;
      return MakeError(ErrorKind::kJobFailed, "UNSUPPORTED_ORC_TIMESTAMP",
                       fmt::format("a TIMESTAMP before 1970 with a fraction of a second cannot be "
                                   "written to ORC: micros={}",
                                   values[i]));
    }
  }
  for (const auto& child : data.child_data) ARROW_RETURN_NOT_OK(CheckStorable(*child));
  return arrow::Status::OK();
}

class OrcEncoder final : public FileEncoder {
 public:
  OrcEncoder(const std::shared_ptr<arrow::Schema>& schema, arrow::Compression::type codec)
      : codec_(codec) {
    arrow::FieldVector fields;
    for (const auto& field : schema->fields()) fields.push_back(StoredField(*field));
    schema_ = arrow::schema(std::move(fields));
  }

  arrow::Status Append(const std::shared_ptr<arrow::RecordBatch>& batch,
                       std::string* out) override {
    if (writer_ == nullptr) ARROW_RETURN_NOT_OK(Open());
    arrow::ArrayVector columns;
    for (int i = 0; i < batch->num_columns(); ++i) {
      // TIMESTAMP_NTZ is a number by then.
      const auto stored = StoredData(*batch->column_data(i), schema_->field(i)->type());
      ARROW_RETURN_NOT_OK(CheckStorable(*stored));
      columns.push_back(arrow::MakeArray(stored));
    }
    ARROW_RETURN_NOT_OK(
        writer_->Write(*arrow::RecordBatch::Make(schema_, batch->num_rows(), std::move(columns))));
    stream_.MoveTo(out);
    return arrow::Status::OK();
  }

  arrow::Status Finish(std::string* out) override {
    if (writer_ == nullptr) {
      // The schema of the file is that of its first batch.
      ARROW_ASSIGN_OR_RAISE(const auto empty, arrow::RecordBatch::MakeEmpty(schema_));
      ARROW_RETURN_NOT_OK(Append(empty, out));
    }
    ARROW_RETURN_NOT_OK(writer_->Close());
    stream_.MoveTo(out);
    return arrow::Status::OK();
  }

 private:
  arrow::Status Open() {
    orc::WriteOptions options;
    options.compression = codec_;
    ARROW_ASSIGN_OR_RAISE(writer_, orc::ORCFileWriter::Open(&stream_, options));
    return arrow::Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema_;  // as it is stored
  const arrow::Compression::type codec_;
  ChunkStream stream_;
  std::unique_ptr<orc::ORCFileWriter> writer_;
};

}  // namespace

arrow::Result<std::unique_ptr<FileEncoder>> MakeOrcEncoder(const SinkSpec& spec,
                                                           std::shared_ptr<const TimeZone> zone) {
  return std::make_unique<OrcEncoder>(spec.schema, *Find(CodecOf(spec.options, "zstd")));
}

arrow::Status CheckOrc(const SinkSpec& spec) {
  const std::string codec = CodecOf(spec.options, "zstd");
  if (!Find(codec)) return UnknownCodec(codec, "zstd, snappy, zlib, lz4 and none");
  return spec.schema == nullptr ? arrow::Status::OK() : CheckColumns(*spec.schema, "ORC");
}

}  // namespace tidemill::connectors
