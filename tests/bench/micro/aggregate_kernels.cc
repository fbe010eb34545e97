// Prints how many rows per second one core adds to accumulators, a function a line: rows of 16 k
// batches over 1000 groups, as partial aggregation gives them to a kernel.
//
// usage: aggregate_speed
#include <arrow/builder.h>

#include <cstdio>
#include <ctime>
#include <random>

#include "tests/aggregates/aggregate_fixture.h"

namespace tidemill::testing {
namespace {

constexpr int64_t kBatchRows = 16'384;
constexpr int kBatches = 128;
constexpr int kGroups = 1000;

std::shared_ptr<arrow::Array> Doubles(std::mt19937_64* random) {
  arrow::DoubleBuilder builder;
  for (int64_t i = 0; i < kBatchRows; ++i) {
    (void)builder.Append(static_cast<double>((*random)() % 100'000));
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Groups(std::mt19937_64* random) {
  arrow::Int64Builder builder;
  for (int64_t i = 0; i < kBatchRows; ++i) (void)builder.Append((*random)() % kGroups);
  return builder.Finish().ValueOrDie();
}

void Measure(const CallSpec& spec) {
  std::mt19937_64 random(1);
  const auto kernel = KernelOf(spec);
  const arrow::ArrayVector inputs(spec.types.size(), Doubles(&random));
  GroupTable table(kernel->signature(), /*is_transactional=*/false);
  const std::vector<uint32_t> target = table.RowsOf(Groups(&random));
  const std::clock_t start = std::clock();  // of the processor, not the wall
  for (int batch = 0; batch < kBatches; ++batch) {
    const arrow::Status status =
        kernel->Update(inputs, 0, kBatchRows, target.data(), &table->column(0));
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  }
  const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  std::printf("%-24s %8.1f M rows/s\n", kernel->signature().name.c_str(),
              static_cast<double>(kBatchRows) * kBatches / seconds / 1e6);
}

}  // namespace
}  // namespace tidemill::testing

int main() {
  using tidemill::testing::Measure;
  using tidemill::testing::Number;
  Measure({"avg", {"DOUBLE"}});
  Measure({"stddev", {"DOUBLE"}});
  Measure({"corr", {"DOUBLE", "DOUBLE"}});
  Measure({"collect_list", {"DOUBLE"}});
  Measure({"collect_set", {"DOUBLE"}});
  Measure({"percentile", {"DOUBLE"}, {Number(0.5)}});
  Measure({"approx_percentile", {"DOUBLE"}, {Number(0.5)}});
  Measure({"tdigest_percentile", {"DOUBLE"}, {Number(0.5)}});
  Measure({"max_by", {"DOUBLE", "DOUBLE"}});
  Measure({"approx_count_distinct", {"DOUBLE"}});
  return 0;
}
