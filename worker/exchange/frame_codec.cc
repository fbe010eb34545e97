#include "worker/exchange/frame_codec.h"

#include <arrow/array.h>
#include <arrow/array/validate.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/options.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <grpcpp/support/byte_buffer.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/error.h"
#include "worker/exchange/wire_buffer.h"

namespace tidemill::worker {

namespace {

enum class Kind : uint8_t { kHello = 1, kSchema = 2, kRows = 3, kProgress = 4, kReceived = 5 };

constexpr uint8_t kEndsChunk = 1;
constexpr uint8_t kEndsLane = 2;
constexpr uint8_t kHasBatch = 4;

constexpr size_t kMaxNameBytes = 1024;
// More than this many schemas at a time means that jobs came and went: the numbering begins anew.
constexpr size_t kKnownSchemas = 1024;

arrow::Status Invalid(std::string message) {
  return MakeError(ErrorKind::kUnavailable, "EXCHANGE_FRAME_INVALID",
                   "exchange frame cannot be read: " + std::move(message));
}

// Types whose arrays are checked below; the engine has no others.
bool IsSupported(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::MAP:
    case arrow::Type::STRUCT:
      return std::all_of(type.fields().begin(), type.fields().end(),
                         [](const auto& field) { return IsSupported(*field->type()); });
    case arrow::Type::NA:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return true;
    default:
      return arrow::is_fixed_width(type.id()) && type.id() != arrow::Type::DICTIONARY &&
             type.id() != arrow::Type::FIXED_SIZE_LIST && type.id() != arrow::Type::EXTENSION;
  }
}

bool IsSupported(const arrow::Schema& schema) {
  return std::all_of(schema.fields().begin(), schema.fields().end(),
                     [](const auto& field) { return IsSupported(*field->type()); });
}

WireFrame Finish(WireWriter* writer) {
  WireFrame frame;
  frame.size = writer->size();
  frame.bytes = std::make_shared<const grpc::ByteBuffer>(writer->Finish());
  return frame;
}

void Begin(Kind kind, WireWriter* writer) {
  writer->Write<uint8_t>(kWireVersion);
  writer->Write<uint8_t>(static_cast<uint8_t>(kind));
}

void WriteAddress(const AttemptId& attempt, int slot, WireWriter* writer) {
  writer->WriteText(attempt.job);
  writer->Write<int64_t>(attempt.epoch);
  writer->Write<uint64_t>(attempt.attempt);
  writer->Write<uint32_t>(slot);
}

// A piece of one ExchangeFrame that goes into one message.
struct Piece {
  const ExchangeFrame* frame = nullptr;
  bool is_last = true;                       // carries the frame's marks
  std::shared_ptr<const WireSchema> schema;  // null without a batch
  arrow::ipc::IpcPayload payload;
  std::vector<GroupRun> runs;
  int64_t size = 64;
};

Rows SliceRows(const Rows& rows, int64_t begin, int64_t end) {
  Rows slice{rows.batch->Slice(begin, end - begin), {}};
  for (const GroupRun& run : rows.runs) {
    const auto first = std::max<int64_t>(run.begin, begin);
    const auto last = std::min<int64_t>(run.end, end);
    if (first >= last) continue;
    slice.runs.push_back(
        {run.key_group, static_cast<int32_t>(first - begin), static_cast<int32_t>(last - begin)});
  }
  return slice;
}

// Turns one frame into pieces that fit a message each.
class Cutter {
 public:
  Cutter(const WireLimits& limits, std::vector<Piece>* pieces) : limits_(limits), pieces_(pieces) {
    options_.use_threads = false;
  }

  arrow::Status Cut(const ExchangeFrame& frame, std::shared_ptr<const WireSchema> schema) {
    frame_ = &frame;
    schema_ = std::move(schema);
    if (schema_ == nullptr) {
      pieces_->emplace_back().frame = frame_;
      return arrow::Status::OK();
    }
    return Add(frame.rows, true);
  }

 private:
  arrow::Status Add(const Rows& rows, bool is_last) {
    const int64_t num_rows = rows.batch->num_rows();
    int64_t parts = (num_rows + limits_.max_rows - 1) / limits_.max_rows;
    if (parts <= 1) {
      Piece piece{.frame = frame_, .is_last = is_last, .schema = schema_, .runs = rows.runs};
      ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchPayload(*rows.batch, options_, &piece.payload));
      piece.size += piece.payload.body_length + piece.payload.metadata->size() +
                    static_cast<int64_t>(rows.runs.size()) * 8 + 2 * kWireAlignment;
      if (piece.size <= limits_.target_bytes || num_rows <= 1) return Take(std::move(piece));
      parts = std::clamp<int64_t>(piece.size / limits_.target_bytes + 1, 2, num_rows);
    }
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t begin = num_rows * part / parts;
      const int64_t end = num_rows * (part + 1) / parts;
      ARROW_RETURN_NOT_OK(Add(SliceRows(rows, begin, end), is_last && part == parts - 1));
    }
    return arrow::Status::OK();
  }

  arrow::Status Take(Piece piece) {
    // Leaves room for what stands before the rows.
    if (piece.size + static_cast<int64_t>(kMaxNameBytes) > limits_.max_bytes) {
      return MakeError(ErrorKind::kResource, "ROW_TOO_LARGE",
                       fmt::format("a row is too large to be sent to another worker: bytes={} "
                                   "limit={}",
                                   piece.payload.body_length, limits_.max_bytes));
    }
    pieces_->push_back(std::move(piece));
    return arrow::Status::OK();
  }

  const WireLimits& limits_;
  std::vector<Piece>* const pieces_;
  arrow::ipc::IpcWriteOptions options_ = arrow::ipc::IpcWriteOptions::Defaults();
  const ExchangeFrame* frame_ = nullptr;
  std::shared_ptr<const WireSchema> schema_;
};

void WriteHead(const Piece& piece, WireWriter* writer) {
  const ExchangeFrame& frame = *piece.frame;
  uint8_t flags = piece.schema != nullptr ? kHasBatch : 0;
  if (piece.is_last && frame.ends_chunk) flags |= kEndsChunk;
  if (piece.is_last && frame.ends_lane) flags |= kEndsLane | kEndsChunk;
  writer->Write<uint8_t>(flags);
  writer->Write<uint32_t>(frame.stage);
  writer->Write<uint32_t>(frame.lane);
  writer->Write<int64_t>(frame.chunk);
  if (piece.schema == nullptr) return;
  writer->Write<uint32_t>(piece.schema->id);
  writer->Write<uint32_t>(static_cast<uint32_t>(piece.payload.metadata->size()));
  writer->Write<uint64_t>(piece.payload.body_length);
  writer->Write<uint32_t>(static_cast<uint32_t>(piece.runs.size()));
  for (const GroupRun& run : piece.runs) {
    writer->Write<uint32_t>(run.key_group);
    writer->Write<uint32_t>(run.end);
  }
}

WireFrame WritePieces(const AttemptId& attempt, int slot, const Piece* begin, const Piece* end) {
  WireWriter writer;
  Begin(Kind::kRows, &writer);
  WriteAddress(attempt, slot, &writer);
  writer.Write<uint32_t>(static_cast<uint32_t>(end - begin));
  for (const Piece* piece = begin; piece != end; ++piece) WriteHead(*piece, &writer);
  std::vector<std::shared_ptr<const WireSchema>> schemas;
  for (const Piece* piece = begin; piece != end; ++piece) {
    if (piece->schema == nullptr) continue;
    if (std::find(schemas.begin(), schemas.end(), piece->schema) == schemas.end())
      schemas.push_back(piece->schema);
    writer.Align();
    writer.WriteBuffer(piece->payload.metadata);
    writer.Align();
    for (const auto& buffer : piece->payload.body_buffers) writer.WriteBuffer(buffer);
  }
  WireFrame frame = Finish(&writer);
  frame.schemas = std::move(schemas);
  return frame;
}

// Gives nothing: what arrives is used in place, and whoever asks for memory (a compressed body
// does) is not one of our senders.
class EmptyPool final : public arrow::MemoryPool {
 public:
  static arrow::MemoryPool* Get() {
    static EmptyPool pool;
    return &pool;
  }

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    if (size != 0) return Invalid("compressed");
    return arrow::default_memory_pool()->Allocate(0, alignment, out);
  }
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment,
                           uint8_t** out) override {
    if (new_size != 0) return Invalid("compressed");
    return arrow::default_memory_pool()->Reallocate(old_size, 0, alignment, out);
  }
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override {
    arrow::default_memory_pool()->Free(buffer, size, alignment);
  }
  int64_t bytes_allocated() const override { return 0; }
  int64_t total_bytes_allocated() const override { return 0; }
  int64_t num_allocations() const override { return 0; }
  std::string backend_name() const override { return "empty"; }
};

// Holds for every array: offsets ascend and stay within what they point into. Validate() looks at
// the first and the last one only; ValidateFull() would also refuse texts that are not UTF-8, which
// a source may well have given.
arrow::Status CheckOffsets(const arrow::ArrayData& data) {
  for (const auto& child : data.child_data) ARROW_RETURN_NOT_OK(CheckOffsets(*child));
  const arrow::Type::type id = data.type->id();
  const bool is_text = id == arrow::Type::STRING || id == arrow::Type::BINARY;
  if (data.length == 0 || (!is_text && id != arrow::Type::LIST && id != arrow::Type::MAP))
    return arrow::Status::OK();
  const auto* offsets = data.GetValues<int32_t>(1);
  const int64_t limit =
      !is_text ? data.child_data[0]->length : (data.buffers[2] ? data.buffers[2]->size() : 0);
  bool is_sound = offsets[0] >= 0 && offsets[data.length] <= limit;
  for (int64_t i = 0; i < data.length; ++i) is_sound &= offsets[i] <= offsets[i + 1];
  return is_sound ? arrow::Status::OK() : Invalid("offsets");
}

}  // namespace

WireFrame EncodeHello(const ExchangeHello& hello) {
  WireWriter writer;
  Begin(Kind::kHello, &writer);
  writer.WriteText(hello.worker);
  writer.WriteText(hello.incarnation);
  writer.WriteText(hello.peer_worker);
  writer.WriteText(hello.peer_incarnation);
  writer.WriteText(hello.build);
  return Finish(&writer);
}

WireFrame EncodeSchema(const WireSchema& schema) {
  WireWriter writer;
  Begin(Kind::kSchema, &writer);
  writer.Write<uint32_t>(schema.id);
  writer.WriteText(schema.ipc);
  return Finish(&writer);
}

WireFrame EncodeProgress(const AttemptId& attempt, int slot, const ExchangeProgress& progress) {
  WireWriter writer;
  Begin(Kind::kProgress, &writer);
  WriteAddress(attempt, slot, &writer);
  writer.Write<uint32_t>(progress.stage);
  writer.Write<uint32_t>(progress.consumer);
  writer.Write<int64_t>(progress.chunk);
  return Finish(&writer);
}

WireFrame EncodeReceived(int64_t bytes) {
  WireWriter writer;
  Begin(Kind::kReceived, &writer);
  writer.Write<int64_t>(bytes);
  return Finish(&writer);
}

RowsEncoder::RowsEncoder(WireLimits limits) : limits_(limits) {}
RowsEncoder::~RowsEncoder() = default;

arrow::Result<std::shared_ptr<const WireSchema>> RowsEncoder::SchemaOf(
    const arrow::Schema& schema) {
  // Arrow computes both once per schema object.
  const std::string key = schema.fingerprint() + schema.metadata_fingerprint();
  {
    MutexLock lock(&mutex_);
    if (const auto found = schemas_.find(key); found != schemas_.end()) return found->second;
  }
  if (!IsSupported(schema)) {
    return MakeError(ErrorKind::kBug, "EXCHANGE_TYPE_UNSUPPORTED",
                     "rows of this schema cannot be sent: " + schema.ToString());
  }
  ARROW_ASSIGN_OR_RAISE(auto ipc, arrow::ipc::SerializeSchema(schema));
  MutexLock lock(&mutex_);
  if (schemas_.size() >= kKnownSchemas) schemas_.clear();
  auto& entry = schemas_[key];
  if (entry == nullptr)
    entry = std::make_shared<const WireSchema>(WireSchema{next_schema_++, ipc->ToString()});
  return entry;
}

arrow::Result<std::vector<WireFrame>> RowsEncoder::Encode(
    const AttemptId& attempt, int slot, const std::vector<ExchangeFrame>& frames) {
  std::vector<Piece> pieces;
  Cutter cutter(limits_, &pieces);
  for (const ExchangeFrame& frame : frames) {
    std::shared_ptr<const WireSchema> schema;
    if (frame.rows.batch != nullptr) {
      ARROW_ASSIGN_OR_RAISE(schema, SchemaOf(*frame.rows.batch->schema()));
    }
    ARROW_RETURN_NOT_OK(cutter.Cut(frame, std::move(schema)));
  }
  std::vector<WireFrame> encoded;
  const Piece* begin = pieces.data();
  const Piece* const end = begin + pieces.size();
  while (begin != end) {
    const Piece* next = begin + 1;
    int64_t size = begin->size;
    for (; next != end && size + next->size <= limits_.target_bytes; ++next) size += next->size;
    encoded.push_back(WritePieces(attempt, slot, begin, next));
    begin = next;
  }
  return encoded;
}

// A received message and how far it is read.
class FrameDecoder::Message {
 public:
  explicit Message(std::shared_ptr<arrow::Buffer> buffer)
      : buffer_(std::move(buffer)), reader_(std::string_view(*buffer_)) {}

  WireReader& reader() { return reader_; }
  std::shared_ptr<arrow::Buffer> Take(uint64_t size) {
    const int64_t begin = reader_.Skip(size);
    return arrow::SliceBuffer(buffer_, begin, reader_.is_ok() ? static_cast<int64_t>(size) : 0);
  }
  void ReadAddress(AttemptId* attempt, int* slot) {
    attempt->job = reader_.ReadText();
    attempt->epoch = reader_.Read<int64_t>();
    attempt->attempt = reader_.Read<uint64_t>();
    *slot = reader_.ReadInt();
  }

 private:
  const std::shared_ptr<arrow::Buffer> buffer_;
  WireReader reader_;
};

namespace {

arrow::Result<ExchangeHello> ReadHello(WireReader* reader) {
  ExchangeHello hello;
  for (std::string* name : {&hello.worker, &hello.incarnation, &hello.peer_worker,
                            &hello.peer_incarnation, &hello.build}) {
    *name = reader->ReadText();
    if (name->size() > kMaxNameBytes) return Invalid("name");
  }
  if (!reader->is_at_end()) return Invalid("hello");
  return hello;
}

struct BatchHead {
  uint32_t schema = 0;
  uint32_t metadata_bytes = 0;
  uint64_t body_bytes = 0;
};

arrow::Status ReadHead(WireReader* reader, ExchangeFrame* frame, bool* has_batch, BatchHead* head) {
  const auto flags = reader->Read<uint8_t>();
  if (flags > (kEndsChunk | kEndsLane | kHasBatch)) return Invalid("flags");
  frame->ends_chunk = (flags & kEndsChunk) != 0;
  frame->ends_lane = (flags & kEndsLane) != 0;
  if (frame->ends_lane && !frame->ends_chunk) return Invalid("flags");
  frame->stage = reader->ReadInt();
  frame->lane = reader->ReadInt();
  frame->chunk = reader->Read<int64_t>();
  if (frame->chunk < 0) return Invalid("chunk");
  *has_batch = (flags & kHasBatch) != 0;
  if (!*has_batch) return arrow::Status::OK();
  head->schema = reader->Read<uint32_t>();
  head->metadata_bytes = reader->Read<uint32_t>();
  head->body_bytes = reader->Read<uint64_t>();
  const auto runs = reader->Read<uint32_t>();
  int32_t begin = 0;
  for (uint32_t i = 0; i < runs && reader->is_ok(); ++i) {
    const auto group = reader->Read<uint32_t>();
    const int32_t end = reader->ReadInt();
    if (end <= begin) return Invalid("runs");
    frame->rows.runs.push_back({group, begin, end});
    begin = end;
  }
  return arrow::Status::OK();
}

arrow::Result<std::shared_ptr<arrow::RecordBatch>> ReadBatch(
    std::shared_ptr<arrow::Buffer> metadata, std::shared_ptr<arrow::Buffer> body,
    const std::shared_ptr<arrow::Schema>& schema, const std::vector<GroupRun>& runs,
    int64_t max_rows) {
  arrow::ipc::IpcReadOptions options = arrow::ipc::IpcReadOptions::Defaults();
  options.memory_pool = EmptyPool::Get();
  options.use_threads = false;
  ARROW_ASSIGN_OR_RAISE(auto message,
                        arrow::ipc::Message::Open(std::move(metadata), std::move(body)));
  if (message->type() != arrow::ipc::MessageType::RECORD_BATCH) return Invalid("no record batch");
  const arrow::ipc::DictionaryMemo no_dictionaries;
  ARROW_ASSIGN_OR_RAISE(auto batch,
                        arrow::ipc::ReadRecordBatch(*message, schema, &no_dictionaries, options));
  if (batch->num_rows() < 0 || batch->num_rows() > max_rows) return Invalid("number of rows");
  if (!runs.empty() && runs.back().end != batch->num_rows()) return Invalid("runs");
  ARROW_RETURN_NOT_OK(batch->Validate());
  for (const auto& column : batch->column_data()) ARROW_RETURN_NOT_OK(CheckOffsets(*column));
  return batch;
}

}  // namespace

arrow::Status FrameDecoder::AddSchema(Message* message) {
  WireReader& reader = message->reader();
  const auto id = reader.Read<uint32_t>();
  const std::string_view ipc = reader.ReadText();
  if (!reader.is_at_end()) return Invalid("schema");
  if (schemas_.size() >= limits_.max_schemas || schemas_.contains(id))
    return Invalid("schema number");
  // A copy, so that Arrow finds its metadata aligned.
  arrow::io::BufferReader input(arrow::Buffer::FromString(std::string(ipc)));
  arrow::ipc::DictionaryMemo dictionaries;
  auto schema = arrow::ipc::ReadSchema(&input, &dictionaries);
  if (!schema.ok()) return Invalid(schema.status().message());
  if (!IsSupported(**schema)) return Invalid("schema type");
  schemas_[id] = *std::move(schema);
  return arrow::Status::OK();
}

arrow::Result<DecodedFrames> FrameDecoder::ReadFrames(Message* message) const {
  WireReader& reader = message->reader();
  DecodedFrames decoded;
  message->ReadAddress(&decoded.attempt, &decoded.slot);
  const auto count = reader.Read<uint32_t>();
  std::vector<std::pair<size_t, BatchHead>> batches;  // by index of the frame
  for (uint32_t i = 0; i < count && reader.is_ok(); ++i) {
    bool has_batch = false;
    BatchHead head;
    ARROW_RETURN_NOT_OK(ReadHead(&reader, &decoded.frames.emplace_back(), &has_batch, &head));
    if (has_batch) batches.emplace_back(i, head);
  }
  if (!reader.is_ok()) return Invalid("rows");
  for (const auto& [index, head] : batches) {
    const auto schema = schemas_.find(head.schema);
    if (schema == schemas_.end()) return Invalid("schema was not announced");
    reader.Align();
    auto metadata = message->Take(head.metadata_bytes);
    reader.Align();
    auto body = message->Take(head.body_bytes);
    if (!reader.is_ok()) return Invalid("body");
    Rows& rows = decoded.frames[index].rows;
    auto batch = ReadBatch(std::move(metadata), std::move(body), schema->second, rows.runs,
                           limits_.max_rows);
    if (!batch.ok()) return Invalid(batch.status().message());
    rows.batch = *std::move(batch);
  }
  if (!reader.is_at_end()) return Invalid("length");
  return decoded;
}

arrow::Result<DecodedMessage> FrameDecoder::Decode(const grpc::ByteBuffer& bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, FlattenMessage(bytes, limits_.max_bytes));
  Message message(std::move(buffer));
  WireReader& reader = message.reader();
  if (const auto version = reader.Read<uint8_t>(); version != kWireVersion)
    return Invalid(fmt::format("version: got={} want={}", version, kWireVersion));
  switch (static_cast<Kind>(reader.Read<uint8_t>())) {
    case Kind::kHello: {
      ARROW_ASSIGN_OR_RAISE(ExchangeHello hello, ReadHello(&reader));
      return hello;
    }
    case Kind::kSchema:
      ARROW_RETURN_NOT_OK(AddSchema(&message));
      return DecodedSchema{};
    case Kind::kRows: {
      ARROW_ASSIGN_OR_RAISE(DecodedFrames frames, ReadFrames(&message));
      return frames;
    }
    case Kind::kProgress: {
      DecodedProgress decoded;
      message.ReadAddress(&decoded.attempt, &decoded.slot);
      decoded.progress.stage = reader.ReadInt();
      decoded.progress.consumer = reader.ReadInt();
      decoded.progress.chunk = reader.Read<int64_t>();
      if (!reader.is_at_end()) return Invalid("progress");
      return decoded;
    }
    case Kind::kReceived: {
      const DecodedReceived decoded{reader.Read<int64_t>()};
      if (!reader.is_at_end()) return Invalid("received");
      return decoded;
    }
  }
  return Invalid("kind");
}

}  // namespace tidemill::worker
