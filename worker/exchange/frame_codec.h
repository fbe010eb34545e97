#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "common/base/mutex.h"
#include "worker/exchange/frame.h"

namespace grpc {
class ByteBuffer;
}

// The messages of an exchange stream. All begin with a version and a kind; numbers are
// little-endian.
//   hello     who sends, its build, and to whom it believes to speak; the first message of a stream
//   schema    a number for a schema, before the first rows that refer to it
//   rows      pieces of lanes for one slot: for each its place in the lane, and a record batch as
//             the metadata and body of an Arrow IPC message, each aligned to 64 bytes
//   progress  an ExchangeProgress for one slot
//   received  the other way: how many bytes of the stream have arrived, hello not counted
namespace tidemill::worker {

// First byte of every message. Another one is refused.
inline constexpr uint8_t kWireVersion = 2;

// Messages of rows are cut to about `target_bytes`; a row that alone needs more than `max_bytes`
// cannot be sent. Receivers refuse what is longer than `max_bytes`.
struct WireLimits {
  int64_t target_bytes = 2 << 20;
  int64_t max_bytes = 16 << 20;  // as rpc::Limits::message_bytes
  int64_t max_rows = 1 << 20;    // of one record batch
  size_t max_schemas = 4096;     // of one stream
};

struct ExchangeHello {
  std::string worker;
  std::string incarnation;
  std::string peer_worker;
  std::string peer_incarnation;
  std::string build;  // of the sender
};

// A schema with its number, unique within the sender's process. *Immutable.*
struct WireSchema {
  uint32_t id = 0;
  std::string ipc;
};

// One encoded message. The stream must have carried `schemas` before it.
struct WireFrame {
  std::shared_ptr<const grpc::ByteBuffer> bytes;
  int64_t size = 0;
  std::vector<std::shared_ptr<const WireSchema>> schemas;
};

WireFrame EncodeHello(const ExchangeHello& hello);
WireFrame EncodeSchema(const WireSchema& schema);
WireFrame EncodeProgress(const AttemptId& attempt, int slot, const ExchangeProgress& progress);
WireFrame EncodeReceived(int64_t bytes);

// Encodes rows for any stream; numbers schemas. Column data is not copied: the messages keep it
// alive. *Thread-safe.*
class RowsEncoder {
 public:
  explicit RowsEncoder(WireLimits limits = {});
  ~RowsEncoder();

  // In order; batches are cut where they are large. Errors: ROW_TOO_LARGE (kResource);
  // EXCHANGE_TYPE_UNSUPPORTED (kBug).
  arrow::Result<std::vector<WireFrame>> Encode(const AttemptId& attempt, int slot,
                                               const std::vector<ExchangeFrame>& frames);

 private:
  arrow::Result<std::shared_ptr<const WireSchema>> SchemaOf(const arrow::Schema& schema);

  const WireLimits limits_;
  Mutex mutex_;
  uint32_t next_schema_ GUARDED_BY(mutex_) = 1;
  std::map<std::string, std::shared_ptr<const WireSchema>> schemas_ GUARDED_BY(mutex_);
};

struct DecodedFrames {
  AttemptId attempt;
  int slot = 0;
  std::vector<ExchangeFrame> frames;
};
struct DecodedProgress {
  AttemptId attempt;
  int slot = 0;
  ExchangeProgress progress;
};
struct DecodedSchema {};  // the decoder keeps it
struct DecodedReceived {
  int64_t bytes = 0;
};
using DecodedMessage =
    std::variant<ExchangeHello, DecodedSchema, DecodedFrames, DecodedProgress, DecodedReceived>;

// Reads the messages of one stream, whoever sent them: what it returns is sound in itself (lengths,
// offsets, runs), whether it fits the job is the receiver's affair. *Thread-compatible.*
class FrameDecoder {
 public:
  explicit FrameDecoder(WireLimits limits = {}) : limits_(limits) {}

  // Errors: EXCHANGE_FRAME_INVALID (kUnavailable); the stream is of no use after one.
  arrow::Result<DecodedMessage> Decode(const grpc::ByteBuffer& message);

 private:
  class Message;

  arrow::Status AddSchema(Message* message);
  arrow::Result<DecodedFrames> ReadFrames(Message* message) const;

  const WireLimits limits_;
  std::map<uint32_t, std::shared_ptr<arrow::Schema>> schemas_;
};

}  // namespace tidemill::worker
