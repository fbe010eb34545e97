#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// What DESCRIBE FUNCTION says. *Plain data.*
struct FunctionDescription {
  std::string name;       // as it was asked for, in lower case
  std::string canonical;  // another name for an alias
  std::string group;      // "string", "math", "aggregate", ...
  std::string usage;      // "substring(str, pos[, len])"
  std::string description;
  std::string example;  // an expression, or a query of what is no scalar function; empty for none
  std::string result;   // of the example
};

// Any kind of function that queries may call: scalar, aggregate, generator, window. Nothing where
// there is none of the name.
std::optional<FunctionDescription> DescribeFunction(std::string_view name);

// The names that DescribeFunction knows, aliases and operators included, sorted: SHOW FUNCTIONS.
std::vector<std::string> DescribedFunctions();

// The text of docs/functions.md.
std::string FunctionsMarkdown();

}  // namespace tidemill
