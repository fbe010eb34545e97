#pragma once

#include <arrow/status.h>
#include <arrow/type_fwd.h>

#include <string_view>

namespace tidemill {

// Where the text of a malformed record goes, unless columnNameOfCorruptRecord names another column.
inline constexpr std::string_view kCorruptColumn = "_corrupt_record";

// The column for corrupt records must be a STRING: INVALID_CORRUPT_RECORD_TYPE.
arrow::Status CheckCorruptColumn(const arrow::Field& field, std::string_view corrupt_column);

}  // namespace tidemill
