#include "connectors/file/columnar/column_checks.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

#include "common/base/ascii.h"
#include "common/base/error.h"
#include "common/types/ddl.h"
#include "connectors/file/column_types.h"

namespace tidemill::connectors {

namespace {

bool IsStorable(const arrow::DataType& type) {
  if (type.num_fields() == 0) return IsScalarType(type);
  return std::all_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return IsStorable(*field->type()); });
}

}  // namespace

arrow::Status CheckColumns(const arrow::Schema& schema, std::string_view format) {
  std::set<std::string> names;
  for (const auto& field : schema.fields()) {
    if (!names.insert(AsciiLower(field->name())).second) {
      return MakeError(ErrorKind::kInvalid, "COLUMN_ALREADY_EXISTS",
                       fmt::format("The column {} already exists. Choose another name or rename "
                                   "the existing column.",
                                   QuoteIfNeeded(AsciiLower(field->name()))));
    }
    if (!IsStorable(*field->type())) return UnsupportedColumn(format, *field);
  }
  return arrow::Status::OK();
}

std::string CodecOf(const Options& options, std::string_view fallback) {
  return AsciiLower(options.GetString("compression", options.GetString("codec", fallback)));
}

arrow::Status UnknownCodec(std::string_view codec, std::string_view known) {
  return WithHint(MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                            fmt::format("option compression: not supported: value={}", codec)),
                  fmt::format("{} are", known));
}

}  // namespace tidemill::connectors
