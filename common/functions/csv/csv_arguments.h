#pragma once

#include <arrow/result.h>

#include <memory>
#include <span>
#include <string_view>

#include "common/base/options.h"
#include "common/functions/signature.h"
#include "common/types/time_zone.h"

namespace tidemill {

// The options of argument `index` of a function over CSV text, as a csv source or sink has them.
// Names that neither all of these functions know nor `own` (in lower case) are refused. Errors:
// INVALID_OPTIONS.*, UNKNOWN_OPTION.
arrow::Result<Options> CsvOptionsOf(std::string_view function, std::span<const ExprPtr> args,
                                    size_t index, std::span<const std::string_view> own);

// The zone of the option timeZone; null where nobody set it. Errors: INVALID_TIMEZONE.
arrow::Result<std::shared_ptr<const TimeZone>> ZoneOption(const Options& options);

// Whether a text is a comment rather than a record.
bool IsCsvComment(std::string_view text, char comment);

void AddFromCsvFunctions(FunctionCatalog* catalog);
void AddCsvTextFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
