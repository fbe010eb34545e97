#pragma once

#include "common/functions/signature.h"

namespace tidemill {

// The parts of AddMathFunctions beside AddRoundFunctions.
void AddBitFunctions(FunctionCatalog* catalog);
void AddBucketFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
