#include "connectors/file/sink/file_encoder.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/types/ddl.h"
#include "connectors/file/columnar/orc_encoder.h"
#include "connectors/file/columnar/parquet_encoder.h"
#include "connectors/file/csv/csv_encoder.h"
#include "connectors/file/file_options.h"
#include "connectors/file/sink/compressing_encoder.h"
#include "connectors/file/sink/text_encoder.h"

namespace tidemill::connectors {

namespace {

using Zone = std::shared_ptr<const TimeZone>;

struct Format {
  std::string_view name;
  std::string_view extension;
  arrow::Result<std::unique_ptr<FileEncoder>> (*make)(const SinkSpec&, Zone);
  // Also of the options' values.
  arrow::Status (*check)(const SinkSpec&);
  // Else the whole file is compressed.
  bool compresses_itself = false;
  std::vector<std::string_view> options;
};

const std::vector<Format>& Formats() {
  static const std::vector<Format> formats = {
      {"text", "txt", MakeTextEncoder, CheckText, false, {"lineSep"}},
      {"json", "json", MakeJsonEncoder, CheckJson, false, {"lineSep"}},
      {"csv",
       "csv",
       MakeCsvEncoder,
       CheckCsv,
       false,
       {"lineSep", "header", "sep", "delimiter", "quote", "escape", "charToEscapeQuoteEscaping",
        "comment", "nullValue", "emptyValue", "quoteAll", "escapeQuotes", "ignoreLeadingWhiteSpace",
        "ignoreTrailingWhiteSpace", "dateFormat", "timestampFormat", "timestampNTZFormat"}},
      {"parquet", "parquet", MakeParquetEncoder, CheckParquet, true, {}},
      {"orc", "orc", MakeOrcEncoder, CheckOrc, true, {}},
  };
  return formats;
}

const Format* Find(std::string_view name) {
  for (const Format& format : Formats()) {
    if (format.name == name) return &format;
  }
  return nullptr;
}

// What Spark has and we have not.
constexpr std::array<RefusedOption, 9> kRefused = {{
    {"retention", ""},
    {"partitionBy", ""},
    {"ignoreNullFields", "true"},
    {"dateFormat", ""},
    {"timestampFormat", ""},
    {"timestampNTZFormat", ""},
    {"timeZone", ""},
    {"encoding", "UTF-8"},
    {"maxRecordsPerFile", "0"},
}};

}  // namespace

bool IsFileFormat(std::string_view format) { return Find(format) != nullptr; }

std::string FileExtension(const SinkSpec& spec) {
  const Format& format = *Find(spec.format);
  if (format.compresses_itself) return std::string(format.extension);
  return fmt::format("{}{}", format.extension, CompressionExtension(spec.options));
}

arrow::Result<std::unique_ptr<FileEncoder>> MakeFileEncoder(const SinkSpec& spec, Zone zone) {
  const Format& format = *Find(spec.format);
  ARROW_ASSIGN_OR_RAISE(auto encoder, format.make(spec, std::move(zone)));
  if (format.compresses_itself) return encoder;
  return Compress(std::move(encoder), spec.options);
}

arrow::Status CheckFileFormat(const SinkSpec& spec) {
  const Format& format = *Find(spec.format);
  std::vector<std::string_view> known = {"path", "compression", "codec"};
  known.insert(known.end(), format.options.begin(), format.options.end());
  for (const RefusedOption& option : kRefused) {
    if (std::find(known.begin(), known.end(), option.key) != known.end()) continue;
    ARROW_RETURN_NOT_OK(spec.options.RequireOnly(option.key, option.only, spec.format));
    known.push_back(option.key);
  }
  ARROW_RETURN_NOT_OK(spec.options.RequireKnown(known, spec.format));
  if (spec.options.Has("lineSep") && spec.options.GetString("lineSep", "").empty()) {
    return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                     "option lineSep: 'lineSep' cannot be an empty string.");
  }
  if (!format.compresses_itself) ARROW_RETURN_NOT_OK(CheckCompression(spec.options));
  return format.check(spec);
}

}  // namespace tidemill::connectors
