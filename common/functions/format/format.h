#pragma once

#include "common/functions/signature.h"

namespace tidemill {

// The parts of this folder.
void AddFormatNumberFunctions(FunctionCatalog* catalog);
void AddFormatStringFunctions(FunctionCatalog* catalog);
void AddNumberPatternFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
