#include "tests/bench/micro/planned_query.h"

#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include "common/types/ddl.h"
#include "driver/plan/planner.h"
#include "proto/plan.pb.h"

namespace tidemill::bench {

void Must(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

std::shared_ptr<const worker::JobPlan> PlanQuery(const std::string& query, const std::string& ddl) {
  driver::JobSpec spec;
  spec.name = spec.file = "bench";
  spec.query = spec.text = query;
  spec.query_place.pieces = {{0, 0}};
  spec.output_mode = connectors::OutputMode::kUpdate;
  connectors::SourceSpec source{
      .name = "t", .format = "json", .schema = ParseDdlSchema(ddl).ValueOrDie()};
  source.is_streaming = true;
  source.options.Set("path", "/in");
  const auto analyzed = driver::AnalyzeQuery(spec, {source}).ValueOrDie();
  connectors::SinkSpec sink;
  sink.format = "noop";
  sink.schema = analyzed.schema;
  sink.output_mode = analyzed.output_mode;
  const auto resolved = connectors::ResolveSink(std::move(sink)).ValueOrDie();
  const auto planned =
      driver::PlanStages(analyzed, resolved, connectors::NeedsOf(resolved)).ValueOrDie();
  return worker::ReadPlan(*planned.plan, "00000000-0000-4000-8000-000000000001", "bench")
      .ValueOrDie();
}

EvalContext ContextOf(const worker::JobPlan& plan) {
  EvalContext context;
  context.zone = plan.zone;
  context.pool = arrow::default_memory_pool();
  return context;
}

int64_t BytesOf(const arrow::RecordBatch& batch) {
  return arrow::util::ReferencedBufferSize(batch).ValueOrDie();
}

int64_t BytesOf(const arrow::RecordBatchVector& batches) {
  int64_t bytes = 0;
  for (const auto& batch : batches) bytes += BytesOf(*batch);
  return bytes;
}

int64_t Collector::num_rows() const {
  int64_t rows = 0;
  for (const worker::Rows& piece : pieces) rows += piece.batch->num_rows();
  return rows;
}

}  // namespace tidemill::bench
