#include "connectors/row_carrier.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <utility>

namespace tidemill::connectors {

arrow::Result<std::string> EncodeRows(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows) {
  if (rows.empty()) return std::string();
  ARROW_ASSIGN_OR_RAISE(auto stream, arrow::io::BufferOutputStream::Create());
  ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(stream, rows[0]->schema()));
  for (const auto& batch : rows) ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_ASSIGN_OR_RAISE(const auto buffer, stream->Finish());
  return buffer->ToString();
}

arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> DecodeRows(std::string_view bytes) {
  std::vector<std::shared_ptr<arrow::RecordBatch>> rows;
  if (bytes.empty()) return rows;
  // The batches point into the buffer, so it owns a copy.
  auto input =
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(std::string(bytes)));
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto batch, reader->Next());
    if (batch == nullptr) return rows;
    rows.push_back(std::move(batch));
  }
}

arrow::Status RowCarrier::Begin(const EpochId& id, int64_t shard) {
  Abort();
  return arrow::Status::OK();
}

arrow::Status RowCarrier::Write(const std::shared_ptr<arrow::RecordBatch>& batch) {
  num_rows_ += batch->num_rows();
  const int64_t room = std::min(max_rows_ - carried_rows_, batch->num_rows());
  if (room > 0) batches_.push_back(room == batch->num_rows() ? batch : batch->Slice(0, room));
  carried_rows_ += std::max<int64_t>(room, 0);
  return arrow::Status::OK();
}

void RowCarrier::Prepare(PrepareDone done) {
  auto rows = EncodeRows(batches_);
  const int64_t num_rows = num_rows_;
  Abort();
  if (!rows.ok()) return done(rows.status());
  done(StagedOutput{.rows = *std::move(rows), .num_rows = num_rows});
}

void RowCarrier::Abort() {
  batches_.clear();
  carried_rows_ = 0;
  num_rows_ = 0;
}

}  // namespace tidemill::connectors
