#include "worker/plan/compiled_exprs.h"

#include <utility>

#include "proto/plan.pb.h"
#include "worker/plan/expr_reader.h"

namespace tidemill::worker {

arrow::Result<CompiledExprPtr> CompileMessage(const proto::Expr& message) {
  ARROW_ASSIGN_OR_RAISE(ExprPtr expr, ReadExpr(message));
  return CompiledExpr::Make(expr);
}

arrow::Result<std::vector<CompiledExprPtr>> CompileAll(
    const google::protobuf::RepeatedPtrField<proto::Expr>& messages) {
  std::vector<CompiledExprPtr> compiled;
  for (const proto::Expr& message : messages) {
    ARROW_ASSIGN_OR_RAISE(auto expr, CompileMessage(message));
    compiled.push_back(std::move(expr));
  }
  return compiled;
}

arrow::Result<SortPlan> ReadSort(const proto::SortOp& message) {
  SortPlan sort;
  ARROW_ASSIGN_OR_RAISE(sort.keys, CompileAll(message.keys()));
  sort.descending.assign(message.descending().begin(), message.descending().end());
  sort.nulls_first.assign(message.nulls_first().begin(), message.nulls_first().end());
  return sort;
}

}  // namespace tidemill::worker
