#pragma once

#include <optional>
#include <string_view>

namespace tidemill {

// How to_binary and to_char write BINARY as text.
enum class BinaryFormat { kHex, kBase64, kUtf8 };

// By name ("hex", "base64", "utf-8", "utf8"), in any case; nothing for others.
std::optional<BinaryFormat> FindBinaryFormat(std::string_view name);

}  // namespace tidemill
