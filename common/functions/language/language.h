#pragma once

#include "common/functions/signature.h"

namespace tidemill {

// The parts of this folder.
void AddDistanceFunctions(FunctionCatalog* catalog);
void AddSentenceFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
