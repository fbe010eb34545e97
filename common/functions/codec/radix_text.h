#pragma once

#include <arrow/status.h>

#include <string_view>

#include "common/functions/text_writer.h"

namespace tidemill {

inline constexpr std::string_view kLowerHex = "0123456789abcdef";
inline constexpr std::string_view kUpperHex = "0123456789ABCDEF";

// Two digits for each byte.
arrow::Status AppendHex(std::string_view bytes, std::string_view digits, TextWriter* out);
// The bytes of hexadecimal digits, a zero before an odd number of them; false, and perhaps some
// bytes, where one is no digit.
arrow::Result<bool> AppendUnhex(std::string_view digits, TextWriter* out);
// 0 to 15, or -1.
int HexDigit(char c);

}  // namespace tidemill
