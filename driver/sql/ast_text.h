#pragma once

#include <string>

#include "driver/sql/ast.h"

namespace tidemill::driver::sql {

// One line that shows the shape of a tree, in prefix form: "(select (as (+ a 1) n) (from t))". For
// tests and debugging; two trees with one text are the same but for spans.
std::string AstText(const AstExpr& expr);
std::string AstText(const Select& select);
std::string AstText(const Query& query);

}  // namespace tidemill::driver::sql
