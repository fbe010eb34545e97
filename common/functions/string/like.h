#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// A compiled LIKE pattern: % is any text, _ any character, the escape makes the next one plain.
// *Immutable.*
class LikePattern {
 public:
  // Errors: INVALID_FORMAT.ESC_AT_THE_END, INVALID_FORMAT.ESC_IN_THE_MIDDLE.
  static arrow::Result<LikePattern> Parse(std::string_view pattern, char escape);
  bool Matches(std::string_view value) const;

 private:
  struct Token {
    enum Kind { kText, kAnyText, kAnyCharacter };
    Kind kind;
    std::string text;
  };
  enum class Shape { kEqual, kPrefix, kSuffix, kContains, kGeneral };

  void Classify();

  Shape shape_ = Shape::kGeneral;
  std::string text_;  // of the simple shapes
  std::vector<Token> tokens_;
};

}  // namespace tidemill
