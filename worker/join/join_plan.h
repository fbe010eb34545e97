#pragma once

#include <arrow/type_fwd.h>

#include <array>
#include <memory>
#include <vector>

#include "common/expr/evaluator.h"
#include "worker/operators/event_time.h"

namespace tidemill::worker {

enum class JoinType { kInner, kLeft, kRight, kFull, kLeftSemi, kLeftAnti };

// One side of a join. Its input has the side's `columns` columns, then maybe computed keys.
struct JoinSidePlan {
  std::vector<int> keys;  // columns of the input
  std::vector<std::shared_ptr<arrow::DataType>> key_types;
  std::vector<std::shared_ptr<arrow::DataType>> types;  // of the side's columns
  // Over the side's columns; null for none. Rows that do not meet it have no partner.
  std::shared_ptr<const CompiledExpr> filter;
  // Of a join of two streams: what is late, and by what time of a row its state goes (a column of
  // the input, the key's where the watermark rules a key).
  EventTimeColumn event_time;
  EventTimeColumn state_time;
  int state_key = -1;  // its place among the keys, or -1: it is one of the side's columns

  int columns() const { return static_cast<int>(types.size()); }
};

struct JoinPlan {
  JoinType type = JoinType::kInner;
  std::array<JoinSidePlan, 2> sides;  // left, right
  std::vector<bool> is_null_safe;     // by key: <=>
  // Over the left columns, then the right ones; null for none.
  std::shared_ptr<const CompiledExpr> condition;
  std::shared_ptr<arrow::Schema> joined_schema;  // of left and right columns
  bool is_symmetric = false;                     // both sides are streams
  int build_side = 1;                            // else: which one is bounded
  bool keeps_build = false;                      // from one epoch to the next, where told so
  int broadcast = -1;    // JobPlan::broadcasts: where the build side is; -1: it is an input
  int operator_id = -1;  // symmetric: of the left side's rows; one more: of the right side's

  bool keeps_unmatched(int side) const {
    return type == JoinType::kFull || type == (side == 0 ? JoinType::kLeft : JoinType::kRight);
  }
  bool gives_left_only() const {
    return type == JoinType::kLeftSemi || type == JoinType::kLeftAnti;
  }
};

}  // namespace tidemill::worker
