#include "connectors/file/csv/csv_inference.h"

#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/types/ddl.h"
#include "common/types/value_parse.h"
#include "connectors/ascii.h"
#include "connectors/file/csv/csv_records.h"
#include "connectors/file/csv/csv_text.h"
#include "connectors/file/csv/csv_values.h"
#include "connectors/file/own_thread_executor.h"

namespace tidemill::connectors {

namespace {

constexpr int kMaxDecimalDigits = 38;
constexpr int kBigintDigits = 20;  // what Spark counts for a BIGINT among decimals
constexpr int kIntDigits = 10;

// Digits of a whole number, a point behind them too; 0 for other text.
int DigitsOf(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (!text.empty() && text.back() == '.') text.remove_suffix(1);
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return 0;
  const size_t zeros = std::min(text.find_first_not_of('0'), text.size() - 1);
  return static_cast<int>(text.size() - zeros);
}

// yyyy-MM-dd, no digit less.
bool IsPlainDate(std::string_view text) {
  int32_t days = 0;
  return text.size() == 10 && text[4] == '-' && text[7] == '-' && ParseDate(text, &days);
}

// Names as Spark makes them unique: without a name _c<i>, several of one name (whatever their case)
// get their index behind it.
std::vector<std::string> SafeNames(const std::vector<std::string_view>& header,
                                   const CsvOptions& options) {
  std::map<std::string, int> counts;
  for (const std::string_view name : header) ++counts[AsciiLower(name)];
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
  Inference(const CsvOptions& options, const TimeZone& zone) : options_(options), zone_(zone) {}

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
      std::vector<int> all(options_.format.max_columns);
      for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
      CsvTokenizer tokenizer(&options_.format, all, /*needs_count=*/true, options_.is_multi_line);
      std::vector<std::string_view> tokens(all.size());
      const int count = tokenizer.Take(at, end, tokens.data());
      if (count <= 0) return count == 0;
      tokens.resize(count);
      names_ = SafeNames(tokens, options_);
      types_.resize(count);
      all.resize(count);
      tokens_.resize(count);
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

  const CsvOptions& options_;
  const TimeZone& zone_;
  std::vector<std::string> names_;
  std::vector<CsvInferredType> types_;
  std::unique_ptr<CsvTokenizer> tokenizer_;
  std::vector<std::string_view> tokens_;
};

}  // namespace

CsvInferredType::Found CsvInferredType::Classify(Kind from, std::string_view token,
                                                 const CsvOptions& options, const TimeZone& zone) {
  int64_t number = 0;
  if (from <= Kind::kBigint && CsvInteger(token, &number)) {
    const bool is_int = from <= Kind::kInt && number == static_cast<int32_t>(number);
    return {.kind = is_int ? Kind::kInt : Kind::kBigint};
  }
  if (from <= Kind::kDecimal) {
    const int digits = DigitsOf(token);
    if (digits > 0 && digits <= kMaxDecimalDigits)
      return {.kind = Kind::kDecimal, .digits = digits};
  }
  double real = 0;
  if (from <= Kind::kDouble && (CsvDouble(token, &real) || token == options.nan_value ||
                                token == options.negative_inf || token == options.positive_inf)) {
    return {.kind = Kind::kDouble};
  }
  int32_t days = 0;
  const DatetimePattern* const date = options.formats.date.get();
  if (from <= Kind::kDate && options.prefers_date &&
      (date == nullptr ? IsPlainDate(token) : CsvDate(token, date, &days))) {
    return {.kind = Kind::kDate};
  }
  if (from <= Kind::kTimestamp &&
      (CsvTimestampNtz(token, options.formats.timestamp_ntz.get(), &number) ||
       CsvTimestamp(token, options.formats.timestamp.get(), zone, &number))) {
    return {.kind = Kind::kTimestamp};
  }
  bool truth = false;
  if (from <= Kind::kBoolean && CsvBoolean(token, &truth)) return {.kind = Kind::kBoolean};
  return {.kind = Kind::kString};
}

void CsvInferredType::Add(std::string_view token, const CsvOptions& options, const TimeZone& zone) {
  if (token.empty() || token == options.format.null_value || kind_ == Kind::kString) return;
  const Found found = Classify(kind_, token, options, zone);
  const auto is_whole = [](Kind kind) { return kind == Kind::kInt || kind == Kind::kBigint; };
  if (found.kind == Kind::kDecimal || kind_ == Kind::kDecimal) {
    const Kind other = kind_ == Kind::kDecimal ? found.kind : kind_;
    int digits = std::max(digits_, found.digits);
    if (is_whole(other))
      digits = std::max(digits, other == Kind::kInt ? kIntDigits : kBigintDigits);
    const bool stays = is_whole(other) || other == Kind::kDecimal || other == Kind::kNothing;
    kind_ = stays ? Kind::kDecimal : other == Kind::kDouble ? Kind::kDouble : Kind::kString;
    digits_ = digits;
    return;
  }
  const bool is_number = kind_ <= Kind::kDouble && found.kind <= Kind::kDouble;
  kind_ = kind_ == Kind::kNothing || kind_ == found.kind ? found.kind
          : is_number                                    ? std::max(kind_, found.kind)
                                                         : Kind::kString;
}

std::shared_ptr<arrow::DataType> CsvInferredType::Finish() const {
  switch (kind_) {
    case Kind::kInt:
      return arrow::int32();
    case Kind::kBigint:
      return arrow::int64();
    case Kind::kDecimal:
      return arrow::decimal128(digits_, 0);
    case Kind::kDouble:
      return arrow::float64();
    case Kind::kDate:
      return arrow::date32();
    case Kind::kTimestamp:
      return TimestampType();
    case Kind::kBoolean:
      return arrow::boolean();
    default:
      return arrow::utf8();
  }
}

arrow::Result<std::shared_ptr<arrow::Schema>> InferCsvSchema(const SourceSpec& spec,
                                                             FileSystem* fs) {
  ARROW_ASSIGN_OR_RAISE(const FileSourceOptions options, ParseFileSourceOptions(spec));
  ARROW_ASSIGN_OR_RAISE(const CsvOptions csv, ParseCsvOptions(spec.options));
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
