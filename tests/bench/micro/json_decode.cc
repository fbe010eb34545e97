// The JSON reader over a file in the page cache: lines, fields, columns.
#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <functional>
#include <numeric>
#include <string>

#include "common/base/check.h"
#include "common/base/own_thread_executor.h"
#include "common/types/ddl.h"
#include "connectors/source.h"
#include "tests/bench/micro/planned_query.h"
#include "tests/testing/scratch_dir.h"

namespace tidemill::bench {
namespace {

constexpr int64_t kRows = 200'000;

constexpr char kEvent[] = "id BIGINT, user STRING, page STRING, ms DOUBLE, ts TIMESTAMP";
std::string EventLine(int64_t row) {
  return fmt::format(
      R"({{"id":{},"user":"user-{}","page":"/page/{}","ms":{}.{},"ts":"2026-11-27T{:02}:{:02}:{:02}.000Z"}})",
      row * 7919, row % 5000, row % 1000, row % 900, row % 10, row % 24, row % 60, row % 59);
}

constexpr char kNested[] =
    "id BIGINT, at STRUCT<x: DOUBLE, y: DOUBLE>, tags ARRAY<STRING>, counts MAP<STRING, INT>";
std::string NestedLine(int64_t row) {
  return fmt::format(
      R"({{"id":{0},"at":{{"x":{1}.5,"y":-{1}.25}},"tags":["a{1}","b","c"],"counts":{{"up":{1},"down":2}}}})",
      row, row % 1000);
}

constexpr char kEscaped[] = "id BIGINT, text STRING";
std::string EscapedLine(int64_t row) {
  return fmt::format(
      R"({{"id":{},"text":"a \"quoted\" word,\n a tab\t and a letter \u00e9 of {}"}})", row,
      row % 1000);
}

int64_t ReadAll(connectors::SourceReader* reader, const connectors::Split& split) {
  OwnThreadExecutor io;
  const auto open =
      reader->Open(split, {.fs = FileSystem::Local(), .io = &io, .wake = [] {}}).ValueOrDie();
  int64_t rows = 0;
  while (true) {
    const connectors::ReadStep step = open->Next().ValueOrDie();
    if (step.kind == connectors::ReadStep::Kind::kEnd) return rows;
    if (step.kind == connectors::ReadStep::Kind::kBatch) rows += step.batch->num_rows();
    io.RunAll();
  }
}

// `columns` is how many of them are asked for, from the first.
void JsonDecode(benchmark::State& run, const std::string& ddl, int columns,
                const std::function<std::string(int64_t)>& line) {
  const ScratchDir directory;
  std::string text;
  for (int64_t row = 0; row < kRows; ++row) text += line(row) + "\n";
  const std::string path = directory.Write("in/rows.json", text);
  connectors::SourceSpec spec{
      .name = "t", .format = "json", .schema = ParseDdlSchema(ddl).ValueOrDie()};
  spec.options.Set("path", path);
  std::vector<int> wanted(columns);
  std::iota(wanted.begin(), wanted.end(), 0);
  const auto reader =
      connectors::MakeSourceReader(connectors::ResolveSource(spec).ValueOrDie(), wanted)
          .ValueOrDie();
  const FileInfo info = FileSystem::Local()->Stat(path).ValueOrDie();
  const connectors::Split split{
      .path = path, .end = info.size, .file_size = info.size, .mtime_us = info.mtime_us};
  for (auto _ : run) TIDEMILL_CHECK(ReadAll(reader.get(), split) == kRows);
  run.SetItemsProcessed(run.iterations() * kRows);
  run.SetBytesProcessed(run.iterations() * info.size);
}

BENCHMARK_CAPTURE(JsonDecode, event, kEvent, 5, EventLine)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(JsonDecode, event_2_of_5_columns, kEvent, 2, EventLine)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(JsonDecode, nested, kNested, 4, NestedLine)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(JsonDecode, escaped, kEscaped, 2, EscapedLine)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidemill::bench
