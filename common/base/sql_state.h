#pragma once

#include <string_view>

namespace tidemill {

// The SQLSTATE of an error class, as Spark assigns them; subclasses share that of the class before
// the dot ("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION" is "42K09"). Classes that are ours alone
// have one of the standard's or, where it has none, PostgreSQL's. "" for what is no class.
// *Thread-safe.*
std::string_view SqlStateOf(std::string_view error_class);

}  // namespace tidemill
