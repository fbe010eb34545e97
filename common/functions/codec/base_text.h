#pragma once

#include <arrow/result.h>

#include <string_view>

#include "common/functions/text_writer.h"

namespace tidemill {

arrow::Status AppendBase64(std::string_view bytes, TextWriter* out);

// Decodes as Java's MIME decoder: characters that are not of the alphabet are skipped. Returns why
// it is not possible, or nullptr.
arrow::Result<const char*> AppendUnbase64(std::string_view text, TextWriter* out);

// Whether Spark's to_binary takes it: RFC 4648 with blanks anywhere and padding optional.
bool IsStrictBase64(std::string_view text);

}  // namespace tidemill
