#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>
#include <vector>

#include "common/base/error.h"

namespace tidemill::driver {

struct YamlEntry;

// One node of a YAML document, with its place in the text. Aliases are copies of what they stand
// for. *Plain data.*
struct YamlNode {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  Span span;           // scalars: all of it, but of a block its "|" or ">"; others: the first line
  std::string scalar;  // kScalar: the value, unescaped
  std::vector<YamlNode> items;     // kSequence
  std::vector<YamlEntry> entries;  // kMap, as written; keys may repeat
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

// Parses one YAML document. `text` is at most 1 MiB of UTF-8. Errors (kInvalid, spans in `text`):
// INVALID_SPECIFICATION.SYNTAX.
arrow::Result<YamlNode> ParseYaml(const std::string& text);

}  // namespace tidemill::driver
