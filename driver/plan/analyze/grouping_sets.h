#pragma once

#include <arrow/result.h>

#include <functional>
#include <vector>

#include "common/expr/expr.h"
#include "driver/plan/logical/logical_plan.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// The grouping sets of a GROUP BY with ROLLUP, CUBE or GROUPING SETS, over its keys by number.
// Empty for a plain GROUP BY. *Plain data.*
struct GroupingSets {
  std::vector<std::vector<int>> sets;  // each ascending, without repeats

  bool empty() const { return sets.empty(); }
  bool has_repeats() const;
  // How many columns ExpandSets adds behind the keys.
  int NumExtraKeys() const { return empty() ? 0 : has_repeats() ? 2 : 1; }
};

// grouping_id() and grouping() stand for expressions over this column until the plan is built.
inline constexpr int kGroupingId = 3'000'000;

// The sets of a GROUP BY; none where it is a plain one. `bind` gives the number of a key.
arrow::Result<GroupingSets> SetsOf(
    const std::vector<sql::GroupingElement>& elements,
    const std::function<arrow::Result<int>(const sql::AstExpr&)>& bind);

// Each row of `input` once for every set, with more columns behind: the keys, those that are not in
// the set NULL; the grouping id, with the first key as its highest bit, 1 where it is not in the
// set; and the number of the set where sets repeat. Their number is keys + 1 or keys + 2. A key
// that is a column keeps its event time.
arrow::Result<LogicalPlanPtr> ExpandSets(LogicalPlanPtr input, const std::vector<ExprPtr>& keys,
                                         const GroupingSets& sets, Span span);

// grouping(key): 1 where it is not in the set of a row, as TINYINT, over kGroupingId.
arrow::Result<ExprPtr> GroupingOf(int key, int num_keys, Span span);

}  // namespace tidemill::driver
