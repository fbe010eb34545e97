// Any text is cut into tokens that lie in it one behind the other, or refused.
#include <string_view>

#include "common/base/check.h"
#include "driver/sql/lexer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto tokens = tidemill::driver::sql::Tokenize(text);
  if (!tokens.ok()) return 0;
  int32_t end = 0;
  for (const auto& token : *tokens) {
    TIDEMILL_CHECK(token.span.begin >= end && token.span.end >= token.span.begin);
    TIDEMILL_CHECK(static_cast<size_t>(token.span.end) <= size);
    end = token.span.end;
  }
  return 0;
}
