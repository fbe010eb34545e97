#pragma once

#include <string_view>

namespace tidemill {

// The SQLSTATE of an error class, as Spark assigns them; subclasses share that of the class before
// the dot ("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION" is "42K09"). "" for classes that are ours
// alone. *Thread-safe.*
std::string_view SqlStateOf(std::string_view error_class);

}  // namespace tidemill
