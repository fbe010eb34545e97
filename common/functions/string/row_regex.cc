#include "common/functions/string/row_regex.h"

#include <fmt/format.h>
#include <re2/re2.h>

#include <utility>

#include "common/base/error.h"
#include "common/functions/signature.h"

namespace tidemill {

// Kept from row to row for its memory.
struct RowRegex::Scratch {
  std::vector<re2::StringPiece> pieces;
  std::vector<std::string_view> groups;
};

RowRegex::RowRegex(RegexPtr prepared, const arrow::Datum& pattern, std::string_view function)
    : is_prepared_(prepared != nullptr),
      regex_(std::move(prepared)),
      patterns_(pattern),
      function_(function),
      scratch_(std::make_unique<Scratch>()) {}

RowRegex::~RowRegex() = default;

arrow::Result<const re2::RE2*> RowRegex::At(int64_t row) {
  if (!is_prepared_ && (regex_ == nullptr || patterns_[row] != pattern_)) {
    ARROW_ASSIGN_OR_RAISE(regex_, CompileRegex(patterns_[row], function_));
    pattern_ = patterns_[row];
  }
  return regex_.get();
}

arrow::Status RowRegex::ForEachMatch(std::string_view text, const re2::RE2& regex, int groups,
                                     const Visit& visit) {
  const re2::StringPiece input(text.data(), text.size());
  std::vector<re2::StringPiece>& pieces = scratch_->pieces;
  pieces.resize(groups);
  scratch_->groups.resize(groups);
  size_t search = 0;
  while (search <= text.size() &&
         regex.Match(input, search, text.size(), re2::RE2::UNANCHORED, pieces.data(), groups)) {
    for (int i = 0; i < groups; ++i) {
      scratch_->groups[i] = {pieces[i].data(), pieces[i].size()};
    }
    ARROW_ASSIGN_OR_RAISE(const bool goes_on, visit(scratch_->groups));
    if (!goes_on) break;
    search = pieces[0].data() - text.data() + pieces[0].size();
    if (pieces[0].empty()) search += search < text.size() ? CharacterSize(text[search]) : 1;
  }
  return arrow::Status::OK();
}

arrow::Result<RegexPtr> PreparedRegex(std::span<const ExprPtr> args, std::string_view function) {
  std::string storage;
  const std::string* pattern = StringLiteralOf(*args[1], &storage);
  if (pattern == nullptr) return RegexPtr();
  return CompileRegex(*pattern, function);
}

arrow::Status CheckRegexGroup(std::string_view function, int32_t group, const re2::RE2& regex) {
  const int groups = regex.NumberOfCapturingGroups();
  if (group >= 0 && group <= groups) return arrow::Status::OK();
  return MakeError(ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
                   fmt::format("The value of parameter(s) `idx` in `{}` is invalid: Expects group "
                               "index between 0 and {}, but got {}.",
                               function, groups, group));
}

}  // namespace tidemill
