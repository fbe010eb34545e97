#include "common/types/corrupt_column.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include "common/base/error.h"
#include "common/types/ddl.h"

namespace tidemill {

arrow::Status CheckCorruptColumn(const arrow::Field& field, std::string_view corrupt_column) {
  if (field.name() != corrupt_column || field.type()->id() == arrow::Type::STRING) {
    return arrow::Status::OK();
  }
  return MakeError(ErrorKind::kInvalid, "INVALID_CORRUPT_RECORD_TYPE",
                   fmt::format("The column `{}` for corrupt records must have the nullable STRING "
                               "type, but got \"{}\".",
                               field.name(), SqlTypeName(*field.type())));
}

}  // namespace tidemill
