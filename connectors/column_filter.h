#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tidemill::connectors {

// A condition `column op value` that all rows that the query wants of a source fulfil, so that a
// reader may leave out others; it need not. Whole numbers, dates and timestamps are numbers here
// (days, microseconds), STRING is its bytes. *Plain data.*
struct ColumnFilter {
  enum class Op { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  using Value = std::variant<int64_t, std::string>;

  int column = 0;  // index into the source's schema
  Op op = Op::kEqual;
  Value value;
};

// The smallest and the largest value of a column in a part of a file, as far as they are known;
// NULLs do not count. *Plain data.*
struct ColumnBounds {
  std::optional<ColumnFilter::Value> least;
  std::optional<ColumnFilter::Value> greatest;
};

// Whether filters on columns of this type exist: floating point has NaN, which bounds leave out.
bool IsFilterable(const arrow::DataType& type);

// Whether a part with these bounds may hold a row that fulfils the filter.
bool MayPass(const ColumnFilter& filter, const ColumnBounds& bounds);

// The option that carries filters from the plan to readers; not for users.
inline constexpr std::string_view kFilterOption = "pushedFilters";
std::string EncodeFilters(const std::vector<ColumnFilter>& filters);
// Errors: INVALID_OPTION_VALUE.
arrow::Result<std::vector<ColumnFilter>> DecodeFilters(std::string_view text);

}  // namespace tidemill::connectors
