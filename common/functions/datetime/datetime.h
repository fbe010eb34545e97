#pragma once

#include <string>
#include <string_view>

#include "common/functions/signature.h"

namespace tidemill {

// The functions of this folder by concept; AddDatetimeFunctions calls them all.
void AddClockFunctions(FunctionCatalog* catalog);
void AddDateMathFunctions(FunctionCatalog* catalog);
void AddDatePartFunctions(FunctionCatalog* catalog);
void AddDatetimeTextFunctions(FunctionCatalog* catalog);
void AddMakeDatetimeFunctions(FunctionCatalog* catalog);
void AddTruncFunctions(FunctionCatalog* catalog);
void AddUnixTimeFunctions(FunctionCatalog* catalog);
void AddZoneFunctions(FunctionCatalog* catalog);

// A function whose value depends on the session's zone.
FunctionInfo InZone(FunctionInfo info);

std::string UpperCase(std::string_view text);

}  // namespace tidemill
