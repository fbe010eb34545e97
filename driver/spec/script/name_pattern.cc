#include "driver/spec/script/name_pattern.h"

#include <optional>
#include <utility>

#include "driver/sql/token_cursor.h"

namespace tidemill::driver {

using sql::EqualsIgnoreCase;

bool MatchesPattern(std::string_view name, std::string_view pattern) {
  const size_t bar = pattern.find('|');
  if (bar != std::string_view::npos) {
    return MatchesPattern(name, pattern.substr(0, bar)) ||
           MatchesPattern(name, pattern.substr(bar + 1));
  }
  // Where the last star stands and what it has matched so far: on a mismatch it takes one more.
  size_t at = 0;
  size_t from = 0;
  std::optional<std::pair<size_t, size_t>> star;
  while (at < name.size()) {
    if (from < pattern.size() && pattern[from] == '*') {
      star = {from++, at};
    } else if (from < pattern.size() &&
               EqualsIgnoreCase(name.substr(at, 1), pattern.substr(from, 1))) {
      ++at;
      ++from;
    } else if (star) {
      from = star->first + 1;
      at = ++star->second;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', from) == std::string_view::npos;
}

}  // namespace tidemill::driver
