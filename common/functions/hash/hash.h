#pragma once

#include "common/functions/signature.h"

namespace tidemill {

// The parts of this folder.
void AddDigestFunctions(FunctionCatalog* catalog);
void AddHashFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
