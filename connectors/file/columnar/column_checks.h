#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <string_view>

#include "common/base/options.h"

namespace tidemill::connectors {

// Whether the columns can be written to Parquet or ORC (`format` as Spark writes the name): names
// are unique whatever their case, COLUMN_ALREADY_EXISTS, and there is no VOID in them,
// UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE.
arrow::Status CheckColumns(const arrow::Schema& schema, std::string_view format);

// The option `compression`, lower case; `fallback` where nobody set it.
std::string CodecOf(const Options& options, std::string_view fallback);
// INVALID_OPTION_VALUE, with the names that are.
arrow::Status UnknownCodec(std::string_view codec, std::string_view known);

}  // namespace tidemill::connectors
