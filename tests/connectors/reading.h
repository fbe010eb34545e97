#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/types/ddl.h"
#include "connectors/source.h"
#include "tests/connectors/scratch_dir.h"

namespace tidemill::connectors {

// A split that holds a file from `begin` to `end` (-1: to its end).
inline Split SplitOf(const std::string& path, int64_t begin = 0, int64_t end = -1) {
  const FileInfo info = FileSystem::Local()->Stat(path).ValueOrDie();
  return {.path = path,
          .begin = begin,
          .end = end < 0 ? info.size : end,
          .file_size = info.size,
          .mtime_us = info.mtime_us};
}

// Reads a split to its end. I/O tasks run when the reader waits.
inline arrow::Result<std::vector<std::shared_ptr<arrow::RecordBatch>>> ReadSplit(
    SourceReader* reader, const Split& split, ReaderContext context = {}) {
  OwnThreadExecutor io;
  int wakes = 0;
  context.fs = FileSystem::Local();
  context.io = &io;
  context.wake = [&wakes] { ++wakes; };
  ARROW_ASSIGN_OR_RAISE(auto split_reader, reader->Open(split, context));
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(ReadStep step, split_reader->Next());
    if (step.kind == ReadStep::Kind::kEnd) return batches;
    if (step.kind == ReadStep::Kind::kBatch) {
      batches.push_back(std::move(step.batch));
      continue;
    }
    wakes = 0;
    io.RunAll();
    EXPECT_GT(wakes, 0) << "nobody would wake the reader";
    if (wakes == 0) return batches;
  }
}

// Where each row of a split stands, as the reader says.
inline arrow::Result<std::vector<std::string>> ReadPlaces(SourceReader* reader, const Split& split,
                                                          ReaderContext context = {}) {
  OwnThreadExecutor io;
  context.fs = FileSystem::Local();
  context.io = &io;
  context.wake = [] {};
  ARROW_ASSIGN_OR_RAISE(auto split_reader, reader->Open(split, context));
  std::vector<std::string> places;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const ReadStep step, split_reader->Next());
    if (step.kind == ReadStep::Kind::kEnd) return places;
    if (step.kind == ReadStep::Kind::kPending) io.RunAll();
    if (step.kind != ReadStep::Kind::kBatch) continue;
    for (int64_t row = 0; row < step.batch->num_rows(); ++row) {
      places.push_back(split_reader->PlaceOf(row)());
    }
  }
}

// What to read and how. *Plain data.*
struct ReadRequest {
  std::string format;
  std::string schema;  // DDL; "" where the format knows it
  std::map<std::string, std::string> options = {};
  std::optional<std::vector<int>> columns = std::nullopt;  // all
};

// Rows as JSON text, as the JSON sink writes them.
inline arrow::Result<std::vector<std::string>> JsonRowsOf(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  ARROW_ASSIGN_OR_RAISE(const auto zone, FindTimeZone("UTC"));
  std::vector<std::string> rows;
  for (const auto& batch : batches) {
    ARROW_RETURN_NOT_OK(batch->ValidateFull());
    const JsonRowWriter writer(batch->schema(), zone);
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      writer.AppendRow(*batch, row, &rows.emplace_back());
    }
  }
  return rows;
}

inline arrow::Result<SourceSpec> SpecOf(const ReadRequest& request, const std::string& path) {
  SourceSpec spec{.name = "t", .format = request.format};
  if (!request.schema.empty()) {
    ARROW_ASSIGN_OR_RAISE(spec.schema, ParseDdlSchema(request.schema));
  }
  spec.options.Set("path", path);
  for (const auto& [key, value] : request.options) spec.options.Set(key, value);
  ARROW_ASSIGN_OR_RAISE(spec, ResolveSource(spec));
  if (spec.schema == nullptr) {
    ARROW_ASSIGN_OR_RAISE(spec.schema, InferSchema(spec, FileSystem::Local()));
  }
  return spec;
}

// Reads a split, or the whole of a file.
inline arrow::Result<std::vector<std::string>> ReadRows(const ReadRequest& request,
                                                        const Split& split,
                                                        ReaderContext context = {}) {
  ARROW_ASSIGN_OR_RAISE(const SourceSpec spec, SpecOf(request, split.path));
  std::vector<int> columns = request.columns.value_or(std::vector<int>());
  if (!request.columns) {
    for (int i = 0; i < spec.schema->num_fields(); ++i) columns.push_back(i);
  }
  ARROW_ASSIGN_OR_RAISE(auto reader, MakeSourceReader(spec, columns));
  ARROW_ASSIGN_OR_RAISE(const auto batches, ReadSplit(reader.get(), split, std::move(context)));
  return JsonRowsOf(batches);
}

// The values of the first column, a STRING.
inline std::vector<std::string> TextsOf(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  std::vector<std::string> texts;
  for (const auto& batch : batches) {
    const auto& values = static_cast<const arrow::StringArray&>(*batch->column(0));
    for (int64_t row = 0; row < values.length(); ++row) texts.push_back(values.GetString(row));
  }
  return texts;
}

}  // namespace tidemill::connectors
