#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

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
  StepExecutor io;
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
