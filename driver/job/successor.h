#pragma once

#include <arrow/status.h>

namespace tidemill::proto {
class PhysicalPlan;
}

namespace tidemill::driver {

// Whether a query may go on with the checkpoint of another one (Spark's guide, "Recovery semantics
// after changes in a streaming query"). What may change: rate limits, trigger, filters, projections
// and static tables, the sink unless a file sink is or was one of the two. What may not: number,
// format and paths of the streaming sources; grouping keys, aggregates, keys of deduplication,
// keys, columns and type of a join; the output mode of a query with state; format and path of a
// file sink. Errors: CHECKPOINT_INCOMPATIBLE, which names the first difference. Pure function.
arrow::Status CheckSuccessor(const proto::PhysicalPlan& before, const proto::PhysicalPlan& after);

}  // namespace tidemill::driver
