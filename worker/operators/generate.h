#pragma once

#include <memory>
#include <utility>

#include "worker/operators/operator.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {

// Spark's generators: explode, posexplode (array or map), inline (array of structs), and their
// _outer forms, which give one row of NULLs for an empty or NULL collection. Output: the kept input
// columns repeated, then [pos,] col | [pos,] key, value | the struct's fields. And replicate, which
// adds no column: the row as often as its BIGINT argument says.
class Generate final : public Operator {
 public:
  Generate(GeneratePlan plan, std::shared_ptr<arrow::Schema> schema)
      : plan_(std::move(plan)), schema_(std::move(schema)) {}
  arrow::Status Process(const EvalContext& context, Rows rows, RowConsumer* out) override;

 private:
  arrow::Status Replicate(const arrow::RecordBatch& batch, const arrow::Array& counts,
                          RowConsumer* out) const;

  const GeneratePlan plan_;
  const std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace tidemill::worker
