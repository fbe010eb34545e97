#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <string_view>

namespace tidemill::connectors {

// Whether a type is neither nested nor VOID nor an interval.
bool IsScalarType(const arrow::DataType& type);
// UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE; `format` as Spark writes its name.
arrow::Status UnsupportedColumn(std::string_view format, const arrow::Field& field);

}  // namespace tidemill::connectors
