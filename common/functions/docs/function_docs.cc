#include "common/functions/docs/function_docs.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <span>
#include <utility>

#include "common/aggregates/aggregate_registry.h"
#include "common/base/ascii.h"
#include "common/expr/function_registry.h"
#include "common/functions/docs/function_doc.h"

namespace tidemill {

namespace {

using DocTable = std::map<std::string_view, const FunctionDoc*>;

const std::vector<std::span<const FunctionDoc>>& Tables() {
  static const auto* const tables = new std::vector<std::span<const FunctionDoc>>{
      StringDocs(), NumberDocs(), ValueDocs(), DatetimeDocs(), CollectionDocs(), AggregateDocs()};
  return *tables;
}

const DocTable& Docs() {
  static const DocTable* const docs = [] {
    auto* filled = new DocTable();
    for (const auto& table : Tables()) {
      for (const FunctionDoc& doc : table) filled->emplace(doc.name, &doc);
    }
    return filled;
  }();
  return *docs;
}

std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '|') escaped += '\\';
    escaped += c == '\n' ? ' ' : c;
  }
  return escaped;
}

std::string Heading(std::string_view group) {
  std::string heading(group);
  heading[0] = static_cast<char>(heading[0] & ~0x20);
  return heading;
}

}  // namespace

std::optional<FunctionDescription> DescribeFunction(std::string_view name) {
  FunctionDescription description;
  description.name = description.canonical = AsciiLower(name);
  if (const FunctionInfo* scalar = FindFunction(name)) {
    description.canonical = scalar->name;
    description.usage = scalar->usage;
  } else if (const AggregateInfo* aggregate = FindAggregate(name)) {
    description.canonical = aggregate->name;
    description.usage = aggregate->usage;
  }
  // An alias may have a row of its own, for its own example.
  auto found = Docs().find(description.name);
  if (found == Docs().end()) found = Docs().find(description.canonical);
  if (found == Docs().end()) {
    return description.usage.empty() ? std::nullopt : std::optional(std::move(description));
  }
  const FunctionDoc& doc = *found->second;
  description.group = doc.group;
  if (!doc.usage.empty()) description.usage = doc.usage;
  description.description = doc.description;
  description.example = doc.example;
  description.result = doc.result;
  return description;
}

std::vector<std::string> DescribedFunctions() {
  std::vector<std::string> names = FunctionNames();
  for (std::string& name : AggregateNames()) names.push_back(std::move(name));
  for (const auto& [name, doc] : Docs()) names.emplace_back(name);
  // What begins with $ is the planner's own.
  std::erase_if(names, [](const std::string& name) { return name.starts_with('$'); });
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

std::string FunctionsMarkdown() {
  std::map<std::string, std::vector<std::string>> aliases;  // by canonical name
  size_t count = 0;
  for (const std::string& name : DescribedFunctions()) {
    const auto description = DescribeFunction(name);
    ++count;
    if (description->canonical != name && Docs().find(name) == Docs().end()) {
      aliases[description->canonical].push_back(name);
    }
  }
  std::string page = fmt::format(
      "# Functions\n\nThe {} functions and operators that queries may use, by Spark's names and "
      "with its answers. This page is\nwritten by docs/write_functions.sh from the table that "
      "`SHOW "
      "FUNCTIONS` and `DESCRIBE FUNCTION` read.\n",
      count);
  std::string_view group;
  for (const auto& table : Tables()) {
    for (const FunctionDoc& doc : table) {
      if (doc.group != group) {
        group = doc.group;
        page += fmt::format("\n## {}\n\n| function | what it gives | example |\n|---|---|---|\n",
                            Heading(group));
      }
      const auto description = DescribeFunction(doc.name);
      std::string also;
      for (const std::string& alias : aliases[std::string(doc.name)]) {
        also += fmt::format("{}`{}`", also.empty() ? " Also: " : ", ", Escaped(alias));
      }
      if (!also.empty()) also += ".";
      const std::string example =
          doc.example.empty()
              ? ""
              : fmt::format("`{}` is `{}`", Escaped(doc.example), Escaped(doc.result));
      page += fmt::format("| `{}` | {}{} | {} |\n", Escaped(description->usage),
                          Escaped(doc.description), also, example);
    }
  }
  return page;
}

}  // namespace tidemill
