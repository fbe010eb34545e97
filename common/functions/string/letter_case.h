#pragma once

#include "common/expr/function_registry.h"

namespace tidemill {

// lower(STRING).
Kernel LowerKernel();

}  // namespace tidemill
