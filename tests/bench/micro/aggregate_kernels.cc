// Accumulators of aggregate functions: rows of 16 k batches over 1000 groups, as partial
// aggregation gives them to a kernel.
#include <arrow/builder.h>
#include <benchmark/benchmark.h>

#include <optional>
#include <random>

#include "tests/aggregates/aggregate_fixture.h"
#include "tests/bench/micro/planned_query.h"

namespace tidemill::bench {
namespace {

using testing::CallSpec;

constexpr int64_t kBatchRows = 16'384;
constexpr int kBatches = 64;  // that one table is given: some accumulators grow with the rows
constexpr int kGroups = 1000;

std::shared_ptr<arrow::Array> Doubles(std::mt19937_64* random) {
  arrow::DoubleBuilder builder;
  for (int64_t i = 0; i < kBatchRows; ++i)
    Must(builder.Append(static_cast<double>((*random)() % 100'000)));
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Groups(std::mt19937_64* random) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < kBatchRows; ++i)
    Must(builder.Append(static_cast<int64_t>((*random)() % kGroups)));
  return builder.Finish().ValueOrDie();
}

void AggregateKernel(benchmark::State& run, const CallSpec& spec) {
  std::mt19937_64 random(1);
  const auto kernel = testing::KernelOf(spec);
  const arrow::ArrayVector inputs(spec.types.size(), Doubles(&random));
  const auto groups = Groups(&random);
  std::optional<testing::GroupTable> table;
  for (auto _ : run) {
    run.PauseTiming();
    table.emplace(kernel->signature(), /*is_transactional=*/false);
    const std::vector<uint32_t> target = table->RowsOf(groups);
    run.ResumeTiming();
    for (int batch = 0; batch < kBatches; ++batch)
      Must(kernel->Update(inputs, 0, kBatchRows, target.data(), &(*table)->column(0)));
  }
  run.SetItemsProcessed(run.iterations() * kBatches * kBatchRows);
}

#define AGGREGATE(name, ...)                                             \
  BENCHMARK_CAPTURE(AggregateKernel, name, CallSpec{#name, __VA_ARGS__}) \
      ->Unit(benchmark::kMillisecond)

AGGREGATE(count, {"DOUBLE"});
AGGREGATE(sum, {"DOUBLE"});
AGGREGATE(max, {"DOUBLE"});
AGGREGATE(avg, {"DOUBLE"});
AGGREGATE(stddev, {"DOUBLE"});
AGGREGATE(corr, {"DOUBLE", "DOUBLE"});
AGGREGATE(collect_list, {"DOUBLE"});
AGGREGATE(collect_set, {"DOUBLE"});
AGGREGATE(percentile, {"DOUBLE"}, {testing::Number(0.5)});
AGGREGATE(approx_percentile, {"DOUBLE"}, {testing::Number(0.5)});
AGGREGATE(tdigest_percentile, {"DOUBLE"}, {testing::Number(0.5)});
AGGREGATE(max_by, {"DOUBLE", "DOUBLE"});
AGGREGATE(approx_count_distinct, {"DOUBLE"});

#undef AGGREGATE

}  // namespace
}  // namespace tidemill::bench
