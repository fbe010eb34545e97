#pragma once

#include <arrow/result.h>

#include <string>
#include <string_view>

#include "common/expr/evaluator.h"

namespace tidemill {

// Test support: SQL expressions evaluated in every way that a query may evaluate them, with answers
// in the form of answers/*.txt (README.md).

EvalContext ContextOf(std::string_view zone);

// An expression without columns, as the parser and the binder of queries make it.
arrow::Result<ExprPtr> BoundExpression(std::string_view text, const EvalContext& context);

// "INT | 83" or "error | CLASS SQLSTATE".
std::string AnswerOf(const ExprPtr& expr, const EvalContext& context);
// What CAST AS STRING gives, BINARY as X'hex'; or as AnswerOf for an error.
std::string PlainTextOf(const ExprPtr& expr, const EvalContext& context);
std::string ErrorAnswer(const arrow::Status& status);

// Whether ours is the recorded answer; DOUBLE and FLOAT within two units in the last place, errors
// with any SQLSTATE where none is recorded.
bool IsSameAnswer(std::string_view ours, std::string_view recorded);

// Evaluates with columns in place of literals and expects `answer` on each row with the values; a
// row of NULLs between them must give what NULL literals give. `only_first`: in place of the first
// literal alone. Returns what differs, or "".
std::string DifferenceOverColumns(const ExprPtr& expr, const EvalContext& context,
                                  const std::string& answer, bool only_first);

}  // namespace tidemill
