#include "connectors/file/csv/csv_file_options.h"

#include <arrow/type.h>

#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/types/corrupt_column.h"
#include "connectors/file/column_types.h"

namespace tidemill::connectors {

namespace {

// What Spark has and we have not, with the value that changes nothing.
const std::vector<RefusedOption>& RefusedByCsv() {
  static const std::vector<RefusedOption> refused = {
      {"samplingRatio", "1.0"},
      {"timeZone", ""},
      {"locale", "en-US"},
      {"enableDateTimeParsingFallback", ""},
      {"unescapedQuoteHandling", "STOP_AT_DELIMITER"},
      {"columnPruning", "true"},
      {"inputBufferSize", ""},
      {"singleVariantColumn", ""},
  };
  return refused;
}

}  // namespace

arrow::Result<CsvFileOptions> ParseCsvFileOptions(const Options& options) {
  CsvFileOptions parsed;
  ARROW_ASSIGN_OR_RAISE(static_cast<CsvOptions&>(parsed), ParseCsvOptions(options));
  ARROW_ASSIGN_OR_RAISE(parsed.mode, ParseModeOf(options));
  ARROW_ASSIGN_OR_RAISE(parsed.has_header, options.GetBool("header", false));
  ARROW_ASSIGN_OR_RAISE(parsed.enforces_schema, options.GetBool("enforceSchema", true));
  ARROW_ASSIGN_OR_RAISE(parsed.is_multi_line, options.GetBool("multiLine", false));
  ARROW_ASSIGN_OR_RAISE(parsed.infers_schema, options.GetBool("inferSchema", false));
  if (parsed.is_multi_line && options.GetString("lineSep", "\n") != "\n") {
    return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_OPTION",
                     "option lineSep: only \\n is supported together with multiLine");
  }
  return parsed;
}

arrow::Result<SourceSpec> ResolveCsvSource(SourceSpec spec) {
  ARROW_RETURN_NOT_OK(CheckFileOptionNames(spec,
                                           {"lineSep",
                                            "header",
                                            "sep",
                                            "delimiter",
                                            "quote",
                                            "escape",
                                            "charToEscapeQuoteEscaping",
                                            "comment",
                                            "nullValue",
                                            "emptyValue",
                                            "nanValue",
                                            "positiveInf",
                                            "negativeInf",
                                            "ignoreLeadingWhiteSpace",
                                            "ignoreTrailingWhiteSpace",
                                            "maxColumns",
                                            "maxCharsPerColumn",
                                            "mode",
                                            "columnNameOfCorruptRecord",
                                            "enforceSchema",
                                            "multiLine",
                                            "inferSchema",
                                            "preferDate",
                                            "dateFormat",
                                            "timestampFormat",
                                            "timestampNTZFormat"},
                                           RefusedByCsv()));
  ARROW_RETURN_NOT_OK(ParseFileSourceOptions(spec).status());
  ARROW_ASSIGN_OR_RAISE(const CsvFileOptions options, ParseCsvFileOptions(spec.options));
  if (spec.schema == nullptr) {
    return options.infers_schema ? arrow::Result<SourceSpec>(std::move(spec)) : SchemaNotGiven();
  }
  for (const auto& field : spec.schema->fields()) {
    if (!IsScalarType(*field->type()) || field->type()->id() == arrow::Type::BINARY) {
      return UnsupportedColumn("CSV", *field);
    }
    ARROW_RETURN_NOT_OK(CheckCorruptColumn(*field, options.corrupt_column));
  }
  return spec;
}

}  // namespace tidemill::connectors
