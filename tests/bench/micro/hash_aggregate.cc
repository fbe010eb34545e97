// Keyed aggregation (count, sum) on one slot: in front of the exchange, and behind it over state
// that is empty or has all keys already.
#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>

#include <optional>

#include "tests/bench/micro/keyed_query.h"

namespace tidemill::bench {
namespace {

constexpr int64_t kMillion = 1'000'000;

void Report(benchmark::State& run, std::span<const worker::Rows> input) {
  int64_t rows = 0;
  int64_t bytes = 0;
  for (const worker::Rows& piece : input) {
    rows += piece.batch->num_rows();
    bytes += BytesOf(*piece.batch);
  }
  run.SetItemsProcessed(run.iterations() * rows);
  run.SetBytesProcessed(run.iterations() * bytes);
}

// A lane: rows are aggregated, or passed on where nearly all keys differ.
void PartialAggregate(benchmark::State& run, KeyKind kind) {
  const KeyedQuery query(kind);
  const int64_t rows = std::max(run.range(0), kMillion);
  const auto batches = query.SourceRows(Draw::kRandom, rows, run.range(0));
  const EvalContext context = ContextOf(query.plan());
  const auto pipeline = worker::Pipeline::Make(query.source_stage(), nullptr, nullptr).ValueOrDie();
  const worker::EpochInfo epoch;
  int64_t rows_out = 0;
  for (auto _ : run) {
    pipeline->Reset();
    pipeline->Begin(epoch);
    rows_out = 0;
    for (const auto& batch : batches) {
      Collector out;
      Must(pipeline->Process(context, {batch, {}}, &out));
      Must(pipeline->EndChunk(context, &out));
      rows_out += out.num_rows();
    }
    Collector out;
    Must(pipeline->EndInput(context, &out));
    rows_out += out.num_rows();
  }
  run.SetItemsProcessed(run.iterations() * rows);
  run.SetBytesProcessed(run.iterations() * BytesOf(batches));
  run.counters["rows_out"] = static_cast<double>(rows_out);
}

// Every row has a key of its own.
void NewKeys(benchmark::State& run, KeyKind kind) {
  const KeyedQuery query(kind);
  const auto input = query.PartialRows(Draw::kEachOnce, run.range(0), run.range(0));
  std::optional<KeyedState> aggregation;
  for (auto _ : run) {
    run.PauseTiming();
    aggregation.emplace(&query);
    run.ResumeTiming();
    aggregation->Process(input);
    aggregation->Commit();
  }
  Report(run, input);
}

void KnownKeys(benchmark::State& run, KeyKind kind) {
  const KeyedQuery query(kind);
  KeyedState aggregation(&query);
  aggregation.Process(query.PartialRows(Draw::kEachOnce, run.range(0), run.range(0)));
  aggregation.Commit();
  const auto input =
      query.PartialRows(Draw::kRandom, std::max(run.range(0), kMillion), run.range(0));
  for (auto _ : run) {
    aggregation.Process(input);
    aggregation.Commit();
  }
  Report(run, input);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("keys")->Arg(100'000)->Arg(10 * kMillion)->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(PartialAggregate, bigint, KeyKind::kBigint)->Apply(Sizes);
BENCHMARK_CAPTURE(PartialAggregate, string, KeyKind::kString)->Apply(Sizes);
BENCHMARK_CAPTURE(PartialAggregate, composite, KeyKind::kComposite)->Apply(Sizes);
BENCHMARK_CAPTURE(NewKeys, bigint, KeyKind::kBigint)->Apply(Sizes);
BENCHMARK_CAPTURE(NewKeys, string, KeyKind::kString)->Apply(Sizes);
BENCHMARK_CAPTURE(NewKeys, composite, KeyKind::kComposite)->Apply(Sizes);
BENCHMARK_CAPTURE(KnownKeys, bigint, KeyKind::kBigint)->Apply(Sizes);
BENCHMARK_CAPTURE(KnownKeys, string, KeyKind::kString)->Apply(Sizes);
BENCHMARK_CAPTURE(KnownKeys, composite, KeyKind::kComposite)->Apply(Sizes);

}  // namespace
}  // namespace tidemill::bench
