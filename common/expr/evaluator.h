#pragma once

#include <arrow/datum.h>
#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <vector>

#include "common/expr/expr.h"
#include "common/expr/function_registry.h"

namespace tidemill {

// An expression with its kernels bound: made once per deployed plan, evaluated per batch.
//
// AND, OR, CASE, IF and COALESCE evaluate an operand only on the rows that need it, as Spark does,
// so that `CASE WHEN x = 0 THEN 0 ELSE 1 / x END` never divides by zero. Run-time errors (ANSI
// overflow, bad casts) carry Spark's class and kJobFailed, and the expression's span. *Immutable*,
// usable from several threads at a time.
class CompiledExpr {
 public:
  static arrow::Result<std::shared_ptr<const CompiledExpr>> Make(const ExprPtr& expr);
  ~CompiledExpr();

  // The value for each row of `batch`: an array of batch.num_rows() rows (never a scalar).
  arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const EvalContext& context,
                                                        const arrow::RecordBatch& batch) const;
  // May return a scalar for a constant.
  arrow::Result<arrow::Datum> EvaluateDatum(const EvalContext& context,
                                            const arrow::RecordBatch& batch) const;

  const ExprPtr& expr() const;

 private:
  struct Node;
  explicit CompiledExpr(std::unique_ptr<const Node> root);
  std::unique_ptr<const Node> root_;
};

// Evaluates an expression without columns, or nothing where it is not constant or fails (the
// failure is then reported at run time, as Spark does).
ExprPtr FoldConstant(const ExprPtr& expr, const EvalContext& context);

}  // namespace tidemill
