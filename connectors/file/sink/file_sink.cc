#include "connectors/file/sink/file_sink.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/types/ddl.h"

namespace tidemill::connectors {

namespace {

struct Refused {
  std::string_view key;
  std::string_view only;  // the value that changes nothing
};

constexpr std::array<Refused, 10> kRefused = {{
    {"compression", "none"},
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

arrow::Status CheckTextSchema(const arrow::Schema& schema) {
  if (schema.num_fields() != 1) {
    return MakeError(
        ErrorKind::kInvalid, "INVALID_SCHEMA",
        fmt::format("Text data source supports only a single column, and you have {} columns.",
                    schema.num_fields()));
  }
  const auto& field = schema.field(0);
  if (field->type()->id() == arrow::Type::STRING) return arrow::Status::OK();
  return MakeError(
      ErrorKind::kInvalid, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
      fmt::format("The Text datasource doesn't support the column `{}` of the type \"{}\".",
                  field->name(), SqlTypeName(*field->type())));
}

}  // namespace

arrow::Result<SinkSpec> ResolveFileSink(SinkSpec spec) {
  std::vector<std::string_view> known = {"path", "lineSep"};
  for (const Refused& option : kRefused) {
    ARROW_RETURN_NOT_OK(spec.options.RequireOnly(option.key, option.only, spec.format));
    known.push_back(option.key);
  }
  ARROW_RETURN_NOT_OK(spec.options.RequireKnown(known, spec.format));
  if (spec.options.GetString("path", "").empty()) {
    return MakeError(ErrorKind::kInvalid, "MISSING_OPTION",
                     fmt::format("sink needs the option path: format={}", spec.format));
  }
  if (spec.options.Has("lineSep") && spec.options.GetString("lineSep", "").empty()) {
    return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                     "option lineSep: 'lineSep' cannot be an empty string.");
  }
  if (spec.output_mode == OutputMode::kUpdate) {
    return WithHint(
        MakeError(ErrorKind::kInvalid, "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
                  fmt::format("Data source {} does not support Update output mode.", spec.format)),
        "files can be added (append) or replaced (complete), but rows in them cannot be changed");
  }
  if (spec.format == "text" && spec.schema != nullptr) {
    ARROW_RETURN_NOT_OK(CheckTextSchema(*spec.schema));
  }
  return spec;
}

}  // namespace tidemill::connectors
