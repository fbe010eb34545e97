#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/expr/function_registry.h"
#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::bench {

// Ends the program where the status is an error, and says which.
void Must(const arrow::Status& status);

// The plan of a query in update mode over one JSON stream `t` with these columns, as workers get
// it.
std::shared_ptr<const worker::JobPlan> PlanQuery(const std::string& query, const std::string& ddl);

EvalContext ContextOf(const worker::JobPlan& plan);

// Bytes of the columns that batches show.
int64_t BytesOf(const arrow::RecordBatch& batch);
int64_t BytesOf(const arrow::RecordBatchVector& batches);

// Keeps what operators give.
class Collector final : public worker::RowConsumer {
 public:
  arrow::Status Consume(worker::Rows rows) override {
    pieces.push_back(std::move(rows));
    return arrow::Status::OK();
  }
  int64_t num_rows() const;

  std::vector<worker::Rows> pieces;
};

}  // namespace tidemill::bench
