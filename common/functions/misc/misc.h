#pragma once

#include "common/functions/signature.h"

namespace tidemill {

// The parts of this folder.
void AddCheckFunctions(FunctionCatalog* catalog);
void AddSessionFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
