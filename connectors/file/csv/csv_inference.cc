#include "connectors/file/csv/csv_inference.h"

#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/base/ascii.h"
#include "common/base/own_thread_executor.h"
#include "common/csv/csv_inferred_type.h"
#include "common/csv/csv_tokenizer.h"
#include "connectors/file/csv/csv_text.h"

namespace tidemill::connectors {

namespace {

// Names as Spark makes them unique: without a name _c<i>, several of one name (whatever their case)
// get their index behind it.
std::vector<std::string> SafeNames(const std::vector<std::string>& header,
                                   const CsvFileOptions& options) {
  std::map<std::string, int> counts;
  for (const std::string& name : header) ++counts[AsciiLower(name)];
  std::vector<std::string> names;
  for (size_t i = 0; i < header.size(); ++i) {
    const bool is_nameless =
        !options.has_header || header[i].empty() || header[i] == options.format.null_value;
    if (is_nameless) {
      names.push_back(fmt::format("_c{}", i));
    } else if (counts[AsciiLower(header[i])] > 1) {
      names.push_back(fmt::format("{}{}", header[i], i));
    } else {
      names.emplace_back(header[i]);
    }
  }
  return names;
}

// Widens the types of columns by the records of files. *Thread-compatible.*
class Inference {
 public:
  Inference(const CsvFileOptions& options, const TimeZone& zone) : options_(options), zone_(zone) {}

  arrow::Status AddFile(FileSystem* fs, const FileInfo& file, const std::string& separator) {
    OwnThreadExecutor io;
    const ReaderContext context{
        .fs = fs, .io = &io, .wake = [] {}, .pool = arrow::default_memory_pool()};
    const Split split{
        .path = file.path, .end = file.size, .file_size = file.size, .mtime_us = file.mtime_us};
    return options_.is_multi_line ? AddWhole(split, context, &io)
                                  : AddLines(split, separator, context, &io);
  }

  arrow::FieldVector Fields() const {
    arrow::FieldVector fields;
    for (size_t i = 0; i < names_.size(); ++i) {
      fields.push_back(arrow::field(names_[i], types_[i].Finish()));
    }
    return fields;
  }

 private:
  arrow::Status AddLines(const Split& split, const std::string& separator,
                         const ReaderContext& context, OwnThreadExecutor* io) {
    CsvLines source(split, &options_, separator, context);
    std::vector<Line> lines;
    bool has_header = false;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const auto kind, source.Next(context, &lines));
      if (!has_header && !source.header().empty()) {
        has_header = true;
        const char* at = source.header().data();
        AddRecord(&at, at + source.header().size(), /*is_header=*/true);
      }
      if (kind == LineSource::Kind::kEnd) return arrow::Status::OK();
      if (kind == LineSource::Kind::kPending) {
        io->RunAll();
        continue;
      }
      for (const Line& line : lines) {
        const char* at = line.data;
        if (!line.is_too_long) AddRecord(&at, at + line.size, /*is_header=*/false);
      }
    }
  }

  arrow::Status AddWhole(const Split& split, const ReaderContext& context, OwnThreadExecutor* io) {
    CsvWholeText whole(split, context);
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const bool is_read, whole.Read());
      if (is_read) break;
      io->RunAll();
    }
    const char* at = whole.text().data();
    const char* const end = at + whole.text().size();
    bool is_header = options_.has_header;
    while (at != end) {
      if (options_.format.comment != '\0' && *at == options_.format.comment) {
        at = std::find(at, end, '\n');
        if (at != end) ++at;
      } else if (!AddRecord(&at, end, is_header)) {
        break;
      } else {
        is_header = false;
      }
    }
    return arrow::Status::OK();
  }

  // The first record of all tells how many columns there are.
  bool AddRecord(const char** at, const char* end, bool is_header) {
    if (names_.empty()) {
      const char* const begin = *at;
      std::vector<std::string> tokens;
      const int count = TakeAllTokens(options_.format, options_.is_multi_line, at, end, &tokens);
      if (count <= 0) return count == 0;
      names_ = SafeNames(tokens, options_);
      types_.resize(count);
      tokens_.resize(count);
      std::vector<int> all(count);
      for (int i = 0; i < count; ++i) all[i] = i;
      tokenizer_ = std::make_unique<CsvTokenizer>(&options_.format, all, options_.is_multi_line,
                                                  options_.is_multi_line);
      *at = begin;
    }
    tokenizer_->Reset();
    const int count = tokenizer_->Take(at, end, tokens_.data());
    if (count < 0) return false;
    if (is_header) return true;
    for (size_t i = 0; i < std::min<size_t>(count, types_.size()); ++i) {
      types_[i].Add(tokens_[i], options_, zone_);
    }
    return true;
  }

  const CsvFileOptions& options_;
  const TimeZone& zone_;
  std::vector<std::string> names_;
  std::vector<CsvInferredType> types_;
  std::unique_ptr<CsvTokenizer> tokenizer_;
  std::vector<std::string_view> tokens_;
};

}  // namespace

arrow::Result<std::shared_ptr<arrow::Schema>> InferCsvSchema(const SourceSpec& spec,
                                                             FileSystem* fs) {
  ARROW_ASSIGN_OR_RAISE(const FileSourceOptions options, ParseFileSourceOptions(spec));
  ARROW_ASSIGN_OR_RAISE(const CsvFileOptions csv, ParseCsvFileOptions(spec.options));
  ARROW_ASSIGN_OR_RAISE(const auto zone, FindTimeZone("UTC"));
  ARROW_ASSIGN_OR_RAISE(const auto files, ListForInference(fs, options));
  Inference inference(csv, *zone);
  for (const FileInfo& file : files) {
    ARROW_RETURN_NOT_OK(inference.AddFile(fs, file, options.line_separator));
  }
  arrow::FieldVector fields = inference.Fields();
  if (fields.empty()) return NothingToInferFrom("CSV", options.path);
  return arrow::schema(std::move(fields));
}

}  // namespace tidemill::connectors
