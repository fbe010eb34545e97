#pragma once

#include <arrow/status.h>

#include <cstddef>
#include <string_view>

#include "common/functions/text_writer.h"

namespace tidemill {

// Bytes of the valid character at the beginning of `text`, which is not empty; 0 where there is
// none, and `*bad` is then how many bytes U+FFFD stands for: the longest beginning of a character,
// at least one byte (Unicode 3.9, "maximal subpart").
size_t ValidCharacterSize(std::string_view text, size_t* bad);

bool IsValidUtf8(std::string_view text);
// The text with U+FFFD for what is broken in it.
arrow::Status AppendValidUtf8(std::string_view text, TextWriter* out);

}  // namespace tidemill
