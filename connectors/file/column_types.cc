#include "connectors/file/column_types.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include "common/base/error.h"
#include "common/types/ddl.h"

namespace tidemill::connectors {

bool IsScalarType(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL128:
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      return true;
    default:
      return false;
  }
}

arrow::Status UnsupportedColumn(std::string_view format, const arrow::Field& field) {
  return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE",
                   fmt::format("The {} datasource doesn't support the column `{}` of the type "
                               "\"{}\".",
                               format, field.name(), SqlTypeName(*field.type())));
}

}  // namespace tidemill::connectors
