#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/functions/columns.h"
#include "common/functions/string/pattern.h"

namespace tidemill {

using RegexPtr = std::shared_ptr<const re2::RE2>;

// The regular expression of each row: compiled when bound where the pattern is a literal, else
// whenever it changes from row to row. *Thread-compatible.*
class RowRegex {
 public:
  // Gets the groups of a match, the first one being the whole; returns false to stop.
  using Visit = std::function<arrow::Result<bool>(std::span<const std::string_view> groups)>;

  // `prepared`: what PreparedRegex gave. `function` must outlive this.
  RowRegex(RegexPtr prepared, const arrow::Datum& pattern, std::string_view function);
  ~RowRegex();

  arrow::Result<const re2::RE2*> At(int64_t row);

  // Visits the matches of At's expression from left to right, with so many groups. After an empty
  // match the search goes on one character later.
  arrow::Status ForEachMatch(std::string_view text, const re2::RE2& regex, int groups,
                             const Visit& visit);

 private:
  struct Scratch;

  const bool is_prepared_;
  RegexPtr regex_;
  const TextColumn patterns_;
  const std::string_view function_;
  std::string pattern_;
  std::unique_ptr<Scratch> scratch_;
};

// The compiled second argument, or nullptr where it is not a literal.
arrow::Result<RegexPtr> PreparedRegex(std::span<const ExprPtr> args, std::string_view function);

// Errors: INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX.
arrow::Status CheckRegexGroup(std::string_view function, int32_t group, const re2::RE2& regex);

}  // namespace tidemill
