#include "connectors/file/json/json_inference.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/own_thread_executor.h"
#include "common/json/inferred_type.h"
#include "common/json/json_scanner.h"
#include "connectors/file/file_listing.h"
#include "connectors/file/file_options.h"
#include "connectors/file/json/json_records.h"
#include "connectors/file/line_source.h"
#include "connectors/source.h"

namespace tidemill::connectors {

namespace {

// Calls on_lines for all lines of a file.
arrow::Status ReadLines(FileSystem* fs, const FileInfo& file, const std::string& separator,
                        const std::function<arrow::Status(const std::vector<Line>&)>& on_lines) {
  OwnThreadExecutor io;
  const ReaderContext context{.fs = fs, .io = &io, .wake = [] {}};
  const Split split{
      .path = file.path, .end = file.size, .file_size = file.size, .mtime_us = file.mtime_us};
  LineSource source(split, {.separator = separator, .max_line_bytes = kMaxRecordBytes}, context);
  std::vector<Line> lines;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto kind,
                          source.Next(context.batch_rows, context.batch_bytes, &lines));
    if (kind == LineSource::Kind::kEnd) return arrow::Status::OK();
    if (kind == LineSource::Kind::kLines) ARROW_RETURN_NOT_OK(on_lines(lines));
    io.RunAll();
  }
}

}  // namespace

arrow::Result<std::shared_ptr<arrow::Schema>> InferJsonSchema(const SourceSpec& spec,
                                                              FileSystem* fs) {
  ARROW_ASSIGN_OR_RAISE(const FileSourceOptions options, ParseFileSourceOptions(spec));
  ARROW_ASSIGN_OR_RAISE(const JsonOptions json, ParseJsonOptions(spec));
  const JsonSyntax syntax{.allows_single_quotes = json.allows_single_quotes,
                          .allows_non_numeric_numbers = json.allows_non_numeric_numbers};
  ARROW_ASSIGN_OR_RAISE(const auto files, ListForInference(fs, options));
  InferredType type;
  bool has_bad = false;
  for (const FileInfo& file : files) {
    const auto add_lines = [&](const std::vector<Line>& lines) {
      for (const Line& line : lines) {
        JsonRecords records({}, syntax);
        records.Scan({line});
        if (records.FirstBad() >= 0) {
          has_bad = true;
          if (json.mode != ParseMode::kFailFast) continue;
          return MakeError(ErrorKind::kInvalid, "MALFORMED_RECORD_IN_SCHEMA_INFERENCE",
                           fmt::format("Malformed records are detected in schema inference. Parse "
                                       "Mode: FAILFAST. file={}",
                                       file.path));
        }
        JsonScanner scanner({line.data, line.size}, syntax);
        if (scanner.IsAtEnd()) continue;
        JsonValue record;
        (void)scanner.ScanValue(&record);  // Checked above.
        if (record.kind == JsonKind::kObject) {
          type.Add(record, syntax);
          continue;
        }
        JsonScanner elements(record.text(), syntax);
        (void)elements.ScanArray([&](const JsonValue& element) { type.Add(element, syntax); });
      }
      return arrow::Status::OK();
    };
    ARROW_RETURN_NOT_OK(ReadLines(fs, file, options.line_separator, add_lines));
  }
  arrow::FieldVector fields = type.FinishFields();
  if (has_bad && json.mode == ParseMode::kPermissive) {
    auto at = std::find_if(fields.begin(), fields.end(),
                           [&](const auto& f) { return f->name() >= json.corrupt_column; });
    if (at == fields.end() || (*at)->name() != json.corrupt_column) {
      fields.insert(at, arrow::field(json.corrupt_column, arrow::utf8()));
    }
  }
  if (fields.empty()) return NothingToInferFrom("JSON", options.path);
  return arrow::schema(std::move(fields));
}

}  // namespace tidemill::connectors
