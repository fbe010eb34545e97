#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/sink.h"

namespace tidemill::connectors {

// Rows as an Arrow IPC stream, for StagedOutput.rows; "" for no batches.
arrow::Result<std::string> EncodeRows(const std::vector<std::shared_ptr<arrow::RecordBatch>>& rows);
arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> DecodeRows(std::string_view bytes);

// A writer that carries rows to the driver half, up to `max_rows` of each epoch (the rest is only
// counted). With 0 it discards everything. *Thread-compatible.*
class RowCarrier final : public SinkWriter {
 public:
  explicit RowCarrier(int64_t max_rows) : max_rows_(max_rows) {}

  arrow::Status Begin(const EpochId& id, int64_t shard) override;
  arrow::Status Write(const std::shared_ptr<arrow::RecordBatch>& batch) override;
  void Prepare(PrepareDone done) override;
  void Abort() override;

 private:
  const int64_t max_rows_;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches_;
  int64_t carried_rows_ = 0;
  int64_t num_rows_ = 0;
};

}  // namespace tidemill::connectors
