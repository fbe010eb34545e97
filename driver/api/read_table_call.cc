#include "driver/api/read_table_call.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <grpcpp/support/server_callback.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/base/error.h"
#include "connectors/memory/memory_tables.h"
#include "driver/api/call_status.h"

namespace tidemill::driver {

namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

// Collects what the IPC writer writes until it is taken.
class Collector final : public arrow::io::OutputStream {
 public:
  Collector() { set_mode(arrow::io::FileMode::WRITE); }

  arrow::Status Write(const void* data, int64_t size) override {
    bytes_.append(static_cast<const char*>(data), size);
    position_ += size;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Close() override {
    is_closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return is_closed_; }

  bool empty() const { return bytes_.empty(); }
  std::string Take(size_t limit) {
    if (bytes_.size() <= limit) return std::exchange(bytes_, {});
    std::string piece = bytes_.substr(0, limit);
    bytes_.erase(0, limit);
    return piece;
  }

 private:
  std::string bytes_;
  int64_t position_ = 0;
  bool is_closed_ = false;
};

// One reader of one table, batch by batch; gRPC calls one method at a time. *Thread-compatible.*
class ReadTableCall final : public grpc::ServerWriteReactor<proto::ReadTableReply> {
 public:
  void Begin(const std::string& name) {
    auto table = connectors::MemoryTables::OfProcess()->Find(name);
    if (!table.has_value()) {
      return Finish(ToGrpc(
          MakeError(ErrorKind::kNotFound, "TABLE_NOT_FOUND",
                    fmt::format("no memory sink of this driver has filled such a table: table={}",
                                name.substr(0, 200)))));
    }
    table_ = *std::move(table);
    auto writer = arrow::ipc::MakeStreamWriter(&collector_, table_.schema);
    if (!writer.ok()) return Finish(ToGrpc(writer.status()));
    writer_ = *std::move(writer);
    WriteNext();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    WriteNext();
  }

  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    while (collector_.empty() && !collector_.closed()) {
      if (arrow::Status filled = Fill(); !filled.ok()) return Finish(ToGrpc(filled));
    }
    if (collector_.empty()) return Finish(grpc::Status::OK);
    message_.set_arrow_ipc(collector_.Take(kPieceBytes));
    StartWrite(&message_);
  }

  arrow::Status Fill() {
    if (next_ < table_.batches.size()) {
      return writer_->WriteRecordBatch(*table_.batches[next_++]);
    }
    ARROW_RETURN_NOT_OK(writer_->Close());
    return collector_.Close();
  }

  connectors::MemoryTables::Table table_;
  size_t next_ = 0;
  Collector collector_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
  proto::ReadTableReply message_;
};

}  // namespace

grpc::ServerWriteReactor<proto::ReadTableReply>* StartReadTable(const std::string& table) {
  auto* call = new ReadTableCall;
  call->Begin(table);
  return call;
}

}  // namespace tidemill::driver
