#pragma once

#include <string>

namespace tidemill {

// How JSON text looks, as Jackson has it. *Plain data.*
struct JsonStyle {
  bool is_pretty = false;  // fields on lines of their own
  bool is_ascii = false;   // other characters as escapes
};

// Compact JSON text, well-formed and in UTF-8, in another style.
std::string Restyled(std::string text, JsonStyle style);

}  // namespace tidemill
