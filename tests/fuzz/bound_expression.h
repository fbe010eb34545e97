#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <string_view>

#include "common/expr/evaluator.h"

namespace tidemill::fuzz {

// The expression that is the whole of `text`, bound to the columns of `schema` as a WHERE clause
// binds it. Errors are the parser's and the binder's.
arrow::Result<ExprPtr> BindExpression(std::string_view text, const arrow::Schema& schema,
                                      const EvalContext& context);

}  // namespace tidemill::fuzz
