#pragma once

#include <arrow/result.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "driver/plan/analyze/expr_binder.h"
#include "driver/plan/logical/window.h"
#include "driver/sql/ast.h"

namespace tidemill::driver {

// Results of window functions stand at this index and above until the windows are built.
inline constexpr int kWindowColumns = 4'000'000;

// The functions that need OVER: row_number, lag, ...
bool IsWindowOnlyName(std::string_view name);

// The window functions of a SELECT: bound one by one, then built as Window nodes, one for all that
// share partition and order. *Thread-compatible.*
class WindowBinder {
 public:
  using Relocate = std::function<arrow::Result<ExprPtr>(const ExprPtr&)>;

  explicit WindowBinder(const sql::Select& select) : select_(select) {}

  // f(...) OVER ...: gives the column that stands for it. Errors: MISSING_WINDOW_SPECIFICATION,
  // WINDOW_FUNCTION_*, DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_*,
  // DISTINCT_WINDOW_FUNCTION_UNSUPPORTED.
  arrow::Result<ExprPtr> Bind(const sql::AstExpr& call, ExprBinder* binder);

  // monotonically_increasing_id(): likewise, as a window of all rows.
  arrow::Result<ExprPtr> BindRowId(const sql::AstExpr& call);

  bool empty() const { return calls_.empty(); }
  // Adds the results to `plan`'s columns; `relocate` finds what the functions' arguments mean in
  // it.
  arrow::Result<LogicalPlanPtr> Build(LogicalPlanPtr plan, const Relocate& relocate);
  // After Build: the column of the result that stood at kWindowColumns + `index`.
  int ColumnOf(int index) const { return columns_[index]; }

 private:
  // A call with its window, over the input and stand-ins.
  struct Call {
    WindowCall call;
    std::vector<ExprPtr> partition;
    std::vector<SortKey> order;
    int group = -1;  // those with the same window
  };

  arrow::Result<const sql::WindowSpec*> FindSpec(const sql::WindowSpec& spec) const;
  arrow::Status BindSpec(const sql::WindowSpec& spec, ExprBinder* binder, Call* bound) const;
  arrow::Status BindFunction(const sql::AstExpr& ast, ExprBinder* binder, Call* bound) const;
  arrow::Status BindOffset(const sql::AstExpr& ast, std::vector<ExprPtr> args, Call* bound) const;
  arrow::Status BindFrameValue(const sql::AstExpr& ast, std::vector<ExprPtr> args,
                               Call* bound) const;
  arrow::Status BindFrame(const sql::AstExpr& ast, const sql::WindowSpec& spec, ExprBinder* binder,
                          Call* bound) const;
  arrow::Result<WindowBound> BindBound(const sql::WindowFrame& frame, bool is_begin,
                                       ExprBinder* binder, const Call& call) const;
  // The column that stands for a call, which is one more.
  ExprPtr Add(Call bound);
  static bool HaveSameWindow(const Call& a, const Call& b);
  // Names of the select list's aliases: LATERAL_COLUMN_ALIAS_IN_WINDOW.
  arrow::Status RefuseAliases(const sql::WindowSpec& spec, std::string_view query,
                              const Call& call) const;
  std::string SpecText(const Call& call, const std::string& frame) const;

  const sql::Select& select_;
  std::vector<Call> calls_;
  std::vector<int> columns_;
};

}  // namespace tidemill::driver
