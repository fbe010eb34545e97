#pragma once

#include "common/functions/signature.h"

namespace tidemill {

// The parts of this folder.
void AddBaseTextFunctions(FunctionCatalog* catalog);
void AddBinaryFormatFunctions(FunctionCatalog* catalog);
void AddCharsetFunctions(FunctionCatalog* catalog);
void AddRadixTextFunctions(FunctionCatalog* catalog);
void AddUrlFunctions(FunctionCatalog* catalog);
void AddUtf8Functions(FunctionCatalog* catalog);

}  // namespace tidemill
