#include "driver/plan/logical/plan_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "common/types/ddl.h"

namespace tidemill::driver {

arrow::Status QueryError(std::string error_class, std::string message, Span span,
                         std::string hint) {
  return MakeError(ErrorKind::kInvalid, std::move(error_class), std::move(message), span,
                   std::move(hint));
}

arrow::Status NotSupportedYet(std::string_view feature, std::string_view what, Span span,
                              std::string hint) {
  return QueryError(fmt::format("UNSUPPORTED_FEATURE.{}", feature),
                    fmt::format("{} is not supported yet", what), span, std::move(hint));
}

arrow::Status UnsupportedExpression(std::string_view text, Span span) {
  return QueryError("UNSUPPORTED_EXPR_FOR_OPERATOR",
                    fmt::format("A query operator contains one or more unsupported expressions. "
                                "Consider to rewrite it to avoid window functions, aggregate "
                                "functions, and generator functions in the WHERE clause. Invalid "
                                "expressions: [{}]",
                                text),
                    span);
}

std::string QuotedName(std::string_view name) {
  std::string quoted = "`";
  for (char c : name) {
    if (c == '`') quoted += '`';
    quoted += c;
  }
  return quoted + '`';
}

std::string QuotedName(const std::vector<std::string>& parts) {
  std::string quoted;
  for (const std::string& part : parts) {
    if (!quoted.empty()) quoted += '.';
    quoted += QuotedName(std::string_view(part));
  }
  return quoted;
}

std::string QuotedSql(std::string_view text) { return fmt::format("\"{}\"", text); }

std::string QuotedType(const arrow::DataType& type) { return QuotedSql(SqlTypeName(type)); }

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

}  // namespace tidemill::driver
