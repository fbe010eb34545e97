#include "common/functions/datetime/datetime.h"

#include <cctype>

namespace tidemill {

FunctionInfo InZone(FunctionInfo info) {
  info.reads_context = true;
  return info;
}

std::string UpperCase(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

void AddDatetimeFunctions(FunctionCatalog* catalog) {
  AddClockFunctions(catalog);
  AddDateMathFunctions(catalog);
  AddDatePartFunctions(catalog);
  AddDatetimeTextFunctions(catalog);
  AddMakeDatetimeFunctions(catalog);
  AddTruncFunctions(catalog);
  AddUnixTimeFunctions(catalog);
  AddZoneFunctions(catalog);
}

}  // namespace tidemill
