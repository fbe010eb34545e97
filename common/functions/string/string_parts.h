#pragma once

#include "common/functions/signature.h"

namespace tidemill {

// The parts of AddStringFunctions and AddRegexFunctions.
void AddMaskFunctions(FunctionCatalog* catalog);
void AddPieceFunctions(FunctionCatalog* catalog);
void AddRegexScanFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
