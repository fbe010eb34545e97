// Rows per second and core of our CSV and Parquet readers beside Arrow's own, on one generated
// file.
//
// usage: decode_bench [ROWS]     default 2,000,000
#include <arrow/array.h>
#include <arrow/csv/api.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <stdlib.h>

#include <chrono>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <functional>
#include <utility>

#include "common/base/own_thread_executor.h"
#include "common/types/ddl.h"
#include "connectors/file/sink/file_encoder.h"
#include "connectors/source.h"

namespace tidemill::connectors {
namespace {

constexpr std::string_view kSchema =
    "id BIGINT, name STRING, price DOUBLE, day DATE, at TIMESTAMP_NTZ, flag BOOLEAN, note STRING";

std::string CsvText(int64_t rows) {
  std::string text;
  for (int64_t i = 0; i < rows; ++i) {
    text += fmt::format("{},name-{},{}.{:02},2026-{:02}-{:02},2026-11-27 {:02}:{:02}:{:02},{},{}\n",
                        i * 7919, i % 5000, i % 1000, i % 100, i % 12 + 1, i % 28 + 1, i % 24,
                        i % 60, i % 59, i % 3 == 0 ? "true" : "false",
                        i % 10 == 0 ? "\"quoted, with a comma\"" : "plain text");
  }
  return text;
}

// The best of three runs.
double SecondsOf(const std::function<int64_t()>& run, int64_t rows) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (run() != rows) std::abort();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

int64_t ReadOurs(const std::string& format, const std::string& path,
                 const std::vector<int>& columns) {
  SourceSpec spec{.name = "t", .format = format, .schema = ParseDdlSchema(kSchema).ValueOrDie()};
  spec.options.Set("path", path);
  const auto reader = MakeSourceReader(ResolveSource(spec).ValueOrDie(), columns).ValueOrDie();
  const FileInfo info = FileSystem::Local()->Stat(path).ValueOrDie();
  OwnThreadExecutor io;
  const Split split{
      .path = path, .end = info.size, .file_size = info.size, .mtime_us = info.mtime_us};
  auto open =
      reader->Open(split, {.fs = FileSystem::Local(), .io = &io, .wake = [] {}}).ValueOrDie();
  int64_t rows = 0;
  while (true) {
    const ReadStep step = open->Next().ValueOrDie();
    if (step.kind == ReadStep::Kind::kEnd) return rows;
    if (step.kind == ReadStep::Kind::kBatch) rows += step.batch->num_rows();
    io.RunAll();
  }
}

std::shared_ptr<arrow::Buffer> BytesOf(const std::string& path) {
  return arrow::Buffer::FromString(ReadFile(FileSystem::Local(), path).ValueOrDie());
}

std::shared_ptr<arrow::Table> ReadArrowCsv(const std::shared_ptr<arrow::Buffer>& bytes) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  auto convert = arrow::csv::ConvertOptions::Defaults();
  const auto schema = ParseDdlSchema(kSchema).ValueOrDie();
  for (const auto& field : schema->fields()) {
    read.column_names.push_back(field->name());
    convert.column_types[field->name()] = field->type();
  }
  return arrow::csv::TableReader::Make(arrow::io::default_io_context(),
                                       std::make_shared<arrow::io::BufferReader>(bytes), read,
                                       arrow::csv::ParseOptions::Defaults(), convert)
      .ValueOrDie()
      ->Read()
      .ValueOrDie();
}

int64_t ReadArrowParquet(const std::shared_ptr<arrow::Buffer>& bytes) {
  auto reader = parquet::arrow::OpenFile(std::make_shared<arrow::io::BufferReader>(bytes),
                                         arrow::default_memory_pool())
                    .ValueOrDie();
  reader->set_use_threads(false);
  const auto batches = reader->GetRecordBatchReader().ValueOrDie();
  int64_t rows = 0;
  for (std::shared_ptr<arrow::RecordBatch> batch;;) {
    if (!batches->ReadNext(&batch).ok() || batch == nullptr) return rows;
    rows += batch->num_rows();
  }
}

void Print(const char* what, double seconds, int64_t rows, size_t bytes) {
  fmt::print("{:<28} {:>6.2f} M rows/s {:>8.0f} MB/s\n", what,
             static_cast<double>(rows) / seconds / 1e6, static_cast<double>(bytes) / seconds / 1e6);
}

void Write(const std::string& path, std::string_view bytes) {
  const auto file = FileSystem::Local()->Create(path).ValueOrDie();
  if (!file->Append(bytes).ok()) std::abort();
}

void Run(int64_t rows, const std::string& folder) {
  const std::string csv_path = folder + "/a.csv";
  const std::string parquet_path = folder + "/a.parquet";
  const std::string text = CsvText(rows);
  Write(csv_path, text);
  const auto csv_bytes = BytesOf(csv_path);
  Print("csv, all columns",
        SecondsOf(
            [&] {
              return ReadOurs("csv", csv_path, {0, 1, 2, 3, 4, 5, 6});
            },
            rows),
        rows, text.size());
  Print("csv, id and flag",
        SecondsOf(
            [&] {
              return ReadOurs("csv", csv_path, {0, 5});
            },
            rows),
        rows, text.size());
  Print("Arrow's csv, all columns",
        SecondsOf([&] { return ReadArrowCsv(csv_bytes)->num_rows(); }, rows), rows, text.size());

  SinkSpec sink{.format = "parquet", .schema = ParseDdlSchema(kSchema).ValueOrDie()};
  const auto encoder = MakeFileEncoder(sink, FindTimeZone("UTC").ValueOrDie()).ValueOrDie();
  std::string bytes;
  arrow::TableBatchReader batches(*ReadArrowCsv(csv_bytes));
  for (std::shared_ptr<arrow::RecordBatch> batch;;) {
    if (!batches.ReadNext(&batch).ok() || batch == nullptr) break;
    if (!encoder->Append(batch, &bytes).ok()) std::abort();
  }
  if (!encoder->Finish(&bytes).ok()) std::abort();
  Write(parquet_path, bytes);
  const auto parquet_bytes = BytesOf(parquet_path);
  Print("parquet, all columns",
        SecondsOf(
            [&] {
              return ReadOurs("parquet", parquet_path, {0, 1, 2, 3, 4, 5, 6});
            },
            rows),
        rows, bytes.size());
  Print("parquet, id and flag",
        SecondsOf(
            [&] {
              return ReadOurs("parquet", parquet_path, {0, 5});
            },
            rows),
        rows, bytes.size());
  Print("Arrow's parquet, all columns",
        SecondsOf([&] { return ReadArrowParquet(parquet_bytes); }, rows), rows, bytes.size());
}

}  // namespace
}  // namespace tidemill::connectors

int main(int argc, char** argv) {
  std::string folder = (std::filesystem::temp_directory_path() / "decode_bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) return 1;
  tidemill::connectors::Run(argc > 1 ? std::atoll(argv[1]) : 2'000'000, folder);
  std::filesystem::remove_all(folder);
  return 0;
}
