#pragma once

#include <arrow/result.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace tidemill {

// Compiles a regular expression of Java's dialect with RE2 (linear time). Syntax that only Java has
// (look-around, back-references, possessive quantifiers, class intersections, \Z, \G, \R...) is
// refused by name: UNSUPPORTED_FEATURE.REGEX_SYNTAX. Errors otherwise:
// INVALID_PARAMETER_VALUE.PATTERN. `function` is named in errors.
arrow::Result<std::shared_ptr<const re2::RE2>> CompileRegex(std::string_view pattern,
                                                            std::string_view function);

// The text that a regular expression without metacharacters matches ("a\.b" is a.b), or nothing.
std::optional<std::string> LiteralOfRegex(std::string_view pattern);

// A set of bytes that a regular expression matches one of, or a run of: "[ ,;]", "\\s+".
// *Plain data.*
struct ByteClass {
  std::array<bool, 256> bytes{};
  bool is_run = false;
  bool Has(char c) const { return bytes[static_cast<unsigned char>(c)]; }
};
// Nothing where the expression is of another form.
std::optional<ByteClass> ByteClassOfRegex(std::string_view pattern);

// Characters by the length of their first byte; continuation bytes count as one.
inline int CharacterSize(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace tidemill
