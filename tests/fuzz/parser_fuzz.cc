// Any text is a script, a query, an expression or an error with a place in it. What is a query has
// one meaning: the text of its tree is the same when it is parsed again.
#include <string>
#include <string_view>

#include "common/base/check.h"
#include "common/base/error.h"
#include "driver/spec/script/script.h"
#include "driver/sql/ast_text.h"
#include "driver/sql/parser.h"

namespace {

using tidemill::DetailOf;

// Shows the place, which takes it out of the text.
void CheckError(const arrow::Status& status, const std::string& text) {
  if (status.ok()) return;
  const auto* const detail = DetailOf(status);
  TIDEMILL_CHECK(detail != nullptr);
  if (detail->span) {
    TIDEMILL_CHECK(detail->span->begin >= 0 && detail->span->end >= detail->span->begin);
    TIDEMILL_CHECK(static_cast<size_t>(detail->span->end) <= text.size());
  }
  (void)tidemill::RenderError(tidemill::WithSource(status, "fuzz.sql", text));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto query = tidemill::driver::sql::ParseQuery(text);
  CheckError(query.status(), text);
  if (query.ok()) {
    const auto again = tidemill::driver::sql::ParseQuery(text);
    TIDEMILL_CHECK(again.ok());
    TIDEMILL_CHECK(tidemill::driver::sql::AstText(**query) ==
                   tidemill::driver::sql::AstText(**again));
  }
  CheckError(tidemill::driver::sql::ParseExpression(text).status(), text);
  const auto script = tidemill::driver::ReadScript(text, "fuzz.sql", "/", {});
  if (!script.ok()) (void)tidemill::RenderError(script.status());
  return 0;
}
