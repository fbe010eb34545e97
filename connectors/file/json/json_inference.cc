#include "connectors/file/json/json_inference.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/json/json_numbers.h"
#include "connectors/file/file_listing.h"
#include "connectors/file/file_options.h"
#include "connectors/file/json/json_records.h"
#include "connectors/file/line_source.h"
#include "connectors/file/own_thread_executor.h"
#include "connectors/source.h"

namespace tidemill::connectors {

namespace {

constexpr int kMaxDecimalDigits = 38;

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

void InferredType::Widen(Kind kind, int digits) {
  const auto is_number = [](Kind k) {
    return k == Kind::kBigint || k == Kind::kDecimal || k == Kind::kDouble;
  };
  digits_ = std::max(digits_, digits);
  if (kind_ == Kind::kNothing || kind_ == kind) {
    kind_ = kind;
  } else if (is_number(kind_) && is_number(kind)) {
    kind_ = std::max(kind_, kind);
  } else {
    kind_ = Kind::kString;
  }
  if (kind_ == Kind::kDecimal && digits_ > kMaxDecimalDigits) kind_ = Kind::kDouble;
}

void InferredType::Add(const JsonValue& value, JsonSyntax syntax) {
  int64_t number = 0;
  switch (value.kind) {
    case JsonKind::kNull:
      return;
    case JsonKind::kTrue:
    case JsonKind::kFalse:
      return Widen(Kind::kBoolean, 0);
    case JsonKind::kInteger: {
      const int digits = static_cast<int>(value.size) - (value.data[0] == '-' ? 1 : 0);
      const bool fits = JsonInteger(value.text(), &number);
      // A BIGINT among decimals has up to 19 digits, and Spark counts 20.
      return Widen(fits ? Kind::kBigint : Kind::kDecimal, fits ? 20 : digits);
    }
    case JsonKind::kReal:
      return Widen(Kind::kDouble, 0);
    case JsonKind::kString:
    case JsonKind::kEscapedString:
      if (value.size > 0) Widen(Kind::kString, 0);
      return;
    case JsonKind::kObject: {
      Widen(Kind::kStruct, 0);
      JsonScanner scanner(value.text(), syntax);
      (void)scanner.ScanObject([&](const JsonValue& key, const JsonValue& child) {
        std::string name;
        UnescapeJson(key.text(), &name);
        fields_[name].Add(child, syntax);
      });
      return;
    }
    case JsonKind::kArray: {
      Widen(Kind::kArray, 0);
      if (element_ == nullptr) element_ = std::make_unique<InferredType>();
      JsonScanner scanner(value.text(), syntax);
      (void)scanner.ScanArray([&](const JsonValue& child) { element_->Add(child, syntax); });
      return;
    }
  }
}

std::shared_ptr<arrow::DataType> InferredType::Finish() const {
  switch (kind_) {
    case Kind::kBoolean:
      return arrow::boolean();
    case Kind::kBigint:
      return arrow::int64();
    case Kind::kDecimal:
      return arrow::decimal128(digits_, 0);
    case Kind::kDouble:
      return arrow::float64();
    case Kind::kStruct: {
      const arrow::FieldVector fields = FinishFields();
      return fields.empty() ? nullptr : arrow::struct_(fields);
    }
    case Kind::kArray: {
      auto element = element_->Finish();
      return element == nullptr ? nullptr : arrow::list(element);
    }
    default:
      return arrow::utf8();
  }
}

arrow::FieldVector InferredType::FinishFields() const {
  arrow::FieldVector fields;
  for (const auto& [name, field] : fields_) {
    if (auto type = field.Finish()) fields.push_back(arrow::field(name, std::move(type)));
  }
  return fields;
}

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
