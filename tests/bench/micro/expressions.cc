// Expressions of a SELECT list, bound and optimised as a query's are, over batches of 16 k rows.
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <random>
#include <string>

#include "tests/bench/micro/planned_query.h"
#include "tests/testing/batches.h"
#include "worker/slot/pipeline.h"

namespace tidemill::bench {
namespace {

constexpr int64_t kRows = 16'384;
constexpr char kColumns[] =
    "n BIGINT, m BIGINT, x DOUBLE, y DOUBLE, d DECIMAL(12,2), s STRING, digits STRING, "
    "time_text STRING, ts TIMESTAMP, json STRING, list ARRAY<BIGINT>";

// `m` is NULL in every tenth row.
const arrow::RecordBatch& Columns() {
  static const auto batch = [] {
    std::mt19937_64 random(1);
    std::string rows;
    for (int64_t row = 0; row < kRows; ++row) {
      const uint64_t n = random() % 1000;
      const std::string m = row % 10 == 0 ? "null" : std::to_string(random() % 1000);
      const std::string time =
          fmt::format("2026-{:02}-{:02} {:02}:{:02}:00", n % 12 + 1, n % 28 + 1, n % 24, row % 60);
      rows += rows.empty() ? "[" : ",";
      rows += fmt::format(R"([{}, {}, 0.{}, {}.25, "{}.{:02}", "word-{}", "{}", "{}", {}, )", n, m,
                          n, row % 100, n, row % 100, n, random() % 1'000'000'000, time,
                          1'780'000'000'000'000 + n * 3'600'000'000);
      rows += fmt::format(R"("{{\"a\":{},\"b\":\"word\"}}", [{}, {}, 7]])", n, n, row);
    }
    return testing::MakeBatch(kColumns, rows + "]");
  }();
  return *batch;
}

// The columns that the plan reads.
std::shared_ptr<arrow::RecordBatch> InputOf(const worker::StagePlan& stage) {
  arrow::ArrayVector columns;
  for (const auto& field : stage.input_schema->fields())
    columns.push_back(Columns().GetColumnByName(field->name()));
  return arrow::RecordBatch::Make(stage.input_schema, kRows, std::move(columns));
}

void Expression(benchmark::State& run, const std::string& text) {
  const auto plan = PlanQuery("SELECT " + text + " AS result FROM t", kColumns);
  const worker::StagePlan& stage = plan->stages.front();
  const auto batch = InputOf(stage);
  const auto pipeline = worker::Pipeline::Make(stage, nullptr, nullptr).ValueOrDie();
  const worker::EpochInfo epoch;
  pipeline->Begin(epoch);
  const EvalContext context = ContextOf(*plan);
  for (auto _ : run) {
    Collector out;
    Must(pipeline->Process(context, {batch, {}}, &out));
    benchmark::DoNotOptimize(out.pieces);
  }
  run.SetItemsProcessed(run.iterations() * kRows);
  run.SetBytesProcessed(run.iterations() * BytesOf(*batch));
  run.SetLabel(text);
}

BENCHMARK_CAPTURE(Expression, add, "n + m");
BENCHMARK_CAPTURE(Expression, multiply_double, "x * 2.5D + y");
BENCHMARK_CAPTURE(Expression, divide, "n / 7");
BENCHMARK_CAPTURE(Expression, modulo, "n % 7");
BENCHMARK_CAPTURE(Expression, add_decimal, "d + 1.25");
BENCHMARK_CAPTURE(Expression, multiply_decimal, "d * 1.19");
BENCHMARK_CAPTURE(Expression, sqrt, "sqrt(x)");
BENCHMARK_CAPTURE(Expression, round, "round(y, 1)");
BENCHMARK_CAPTURE(Expression, compare, "n > 500 AND x < 0.5D");
BENCHMARK_CAPTURE(Expression, compare_string, "s = 'word-17'");
BENCHMARK_CAPTURE(Expression, in, "n IN (1, 2, 3, 5, 8, 13, 21)");
BENCHMARK_CAPTURE(Expression, case, "CASE WHEN n > 500 THEN x ELSE -y END");
BENCHMARK_CAPTURE(Expression, coalesce, "coalesce(m, n)");
BENCHMARK_CAPTURE(Expression, cast_to_string, "CAST(n AS STRING)");
BENCHMARK_CAPTURE(Expression, cast_to_bigint, "CAST(digits AS BIGINT)");
BENCHMARK_CAPTURE(Expression, cast_to_timestamp, "CAST(time_text AS TIMESTAMP)");
BENCHMARK_CAPTURE(Expression, to_timestamp, "to_timestamp(time_text, 'yyyy-MM-dd HH:mm:ss')");
BENCHMARK_CAPTURE(Expression, date_format, "date_format(ts, 'yyyy-MM-dd HH:mm')");
BENCHMARK_CAPTURE(Expression, date_trunc, "date_trunc('DAY', ts)");
BENCHMARK_CAPTURE(Expression, window, "window(ts, '10 minutes')");
BENCHMARK_CAPTURE(Expression, upper, "upper(s)");
BENCHMARK_CAPTURE(Expression, length, "length(s)");
BENCHMARK_CAPTURE(Expression, substring, "substring(s, 2, 5)");
BENCHMARK_CAPTURE(Expression, concat, "concat(s, '-', digits)");
BENCHMARK_CAPTURE(Expression, replace, "replace(s, 'or', 'OR')");
BENCHMARK_CAPTURE(Expression, like, "s LIKE '%rd-1%'");
BENCHMARK_CAPTURE(Expression, regexp_extract, "regexp_extract(s, '([a-z]+)-([0-9]+)', 2)");
BENCHMARK_CAPTURE(Expression, split, "split(s, '-')");
BENCHMARK_CAPTURE(Expression, xxhash64, "xxhash64(s)");
BENCHMARK_CAPTURE(Expression, md5, "md5(s)");
BENCHMARK_CAPTURE(Expression, get_json_object, "get_json_object(json, '$.a')");
BENCHMARK_CAPTURE(Expression, from_json, "from_json(json, 'a BIGINT, b STRING')");
BENCHMARK_CAPTURE(Expression, element_at, "element_at(list, 1)");
BENCHMARK_CAPTURE(Expression, transform, "transform(list, e -> e + 1)");

}  // namespace
}  // namespace tidemill::bench
