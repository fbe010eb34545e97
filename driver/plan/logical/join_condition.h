#pragma once

#include <arrow/result.h>

#include <vector>

#include "common/expr/expr.h"
#include "driver/epoch/watermark.h"
#include "driver/plan/logical/keyed_relations.h"

namespace tidemill::driver {

// The condition of a join by what its parts read. Keys and one-sided parts are over the columns of
// their own side, `rest` over both sides'.
struct JoinCondition {
  std::vector<ExprPtr> left_keys;  // equal to the right key at the same place
  std::vector<ExprPtr> right_keys;
  std::vector<bool> is_null_safe;  // by key: <=>, where NULL equals NULL
  std::vector<ExprPtr> left_only;  // conditions
  std::vector<ExprPtr> right_only;
  std::vector<ExprPtr> rest;
};
JoinCondition SplitJoinCondition(const JoinNode& join);

// How long the rows of one side are kept, by Spark's rules (StreamingSymmetricHashJoinHelper): as
// long as the watermark has not passed an event time that is a join key of either side; else, where
// this side has an event time, as long as range conditions with the other side's event time leave
// partners possible; else for ever.
JoinSideRule StateRuleOf(const JoinNode& join, const JoinCondition& condition, bool is_left);

// The place among the keys of the one whose time the watermark rules, or -1.
int EventTimeKey(const JoinNode& join, const JoinCondition& condition);

// What range conditions say about rows of one side; empty where they say nothing.
std::vector<JoinBound> StateBoundsOf(const JoinNode& join, bool is_left);

}  // namespace tidemill::driver
