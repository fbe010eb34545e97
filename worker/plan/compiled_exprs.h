#pragma once

#include <arrow/result.h>
#include <google/protobuf/repeated_ptr_field.h>

#include <vector>

#include "worker/plan/stage_plan.h"

namespace tidemill::proto {
class Expr;
class SortOp;
}  // namespace tidemill::proto

namespace tidemill::worker {

// Expressions from the wire with their kernels bound. Errors: kBug PLAN_INVALID.
arrow::Result<CompiledExprPtr> CompileMessage(const proto::Expr& message);
arrow::Result<std::vector<CompiledExprPtr>> CompileAll(
    const google::protobuf::RepeatedPtrField<proto::Expr>& messages);
arrow::Result<SortPlan> ReadSort(const proto::SortOp& message);

}  // namespace tidemill::worker
