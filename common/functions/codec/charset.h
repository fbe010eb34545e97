#pragma once

#include <arrow/result.h>

#include <optional>
#include <string_view>

#include "common/functions/text_writer.h"

namespace tidemill {

// The character sets that Spark knows, with Java's rules: UTF-16 is written with a byte order mark
// and read with or without one (big-endian then), UTF-32 is written without.
enum class Charset { kAscii, kLatin1, kUtf8, kUtf16, kUtf16Be, kUtf16Le, kUtf32 };

// By name, in any case; nothing for others.
std::optional<Charset> FindCharset(std::string_view name);

// False where a character has no code in the set, or the bytes no meaning.
arrow::Result<bool> AppendEncoded(std::string_view text, Charset charset, TextWriter* out);
arrow::Result<bool> AppendDecoded(std::string_view bytes, Charset charset, TextWriter* out);

}  // namespace tidemill
