#pragma once

#include <span>
#include <string_view>

namespace tidemill {

// One row of the tables. *Plain data.*
struct FunctionDoc {
  std::string_view group;        // "string", "math", ...: a heading of the page
  std::string_view name;         // canonical
  std::string_view usage;        // "" for what FunctionInfo or AggregateInfo has it of
  std::string_view description;  // one sentence
  std::string_view example;      // an expression or a query; "" for none
  std::string_view result;       // what it gives, as CAST AS STRING writes it
};

std::span<const FunctionDoc> StringDocs();
std::span<const FunctionDoc> NumberDocs();
std::span<const FunctionDoc> ValueDocs();
std::span<const FunctionDoc> DatetimeDocs();
std::span<const FunctionDoc> CollectionDocs();
std::span<const FunctionDoc> AggregateDocs();

}  // namespace tidemill
