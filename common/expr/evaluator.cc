#include "common/expr/evaluator.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "common/base/error.h"
#include "common/expr/selection.h"
#include "common/expr/type_coercion.h"
#include "common/functions/cast/cast.h"
#include "common/functions/columns.h"

namespace tidemill {

namespace cp = arrow::compute;

namespace {

// How much memory the value of a constant may take while it is computed: a larger one is computed
// where its rows are, within their limits.
constexpr int64_t kFoldBytes = 16 << 20;

// What `evaluate(context, batch)` gives for the row of a batch without columns.
template <class Evaluate>
arrow::Result<std::shared_ptr<arrow::Scalar>> ValueOfConstant(EvalContext context,
                                                              Evaluate evaluate) {
  arrow::ProxyMemoryPool own(arrow::default_memory_pool());  // Counts what is taken here alone.
  arrow::CappedMemoryPool pool(&own, kFoldBytes);
  context.pool = &pool;
  const auto batch = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum value, evaluate(context, *batch));
  std::shared_ptr<arrow::Array> array;
  if (value.is_scalar()) {
    ARROW_ASSIGN_OR_RAISE(array, arrow::MakeArrayFromScalar(*value.scalar(), 1));
  } else {
    array = value.make_array();
  }
  // A copy, which outlives the pool.
  ARROW_ASSIGN_OR_RAISE(array, arrow::Concatenate({array}, arrow::default_memory_pool()));
  return array->GetScalar(0);
}

bool IsAnyOf(std::string_view name, std::initializer_list<std::string_view> names) {
  for (std::string_view candidate : names) {
    if (candidate == name) return true;
  }
  return false;
}

bool IsCast(const Expr& expr) { return expr.name == "cast" || expr.name == "try_cast"; }

// Whether the call's value is fixed by the epoch or the row, not by its arguments.
bool IsEpochBound(const Expr& expr) {
  const FunctionInfo* info = expr.kind == Expr::Kind::kCall ? FindFunction(expr.name) : nullptr;
  return (info != nullptr && !info->is_deterministic) ||
         IsAnyOf(expr.name, {"current_timestamp", "current_date", "localtimestamp"}) ||
         (expr.name == "unix_timestamp" && expr.args.empty());
}

// Whether the value can depend on the epoch or the session's time zone, so that it is not known
// when the plan is deployed.
bool ReadsContext(const Expr& expr) {
  if (IsEpochBound(expr) || expr.type->id() == arrow::Type::TIMESTAMP) return true;
  const FunctionInfo* info = expr.kind == Expr::Kind::kCall ? FindFunction(expr.name) : nullptr;
  return info != nullptr && info->reads_context;
}

// Where no later argument replaces the value: COALESCE goes on after NULL, NANVL after NaN.
arrow::Result<arrow::Datum> Stays(const Expr& expr, const arrow::Datum& value,
                                  cp::ExecContext& exec) {
  if (expr.name != "nanvl") return cp::IsValid(value, &exec);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum is_nan, cp::CallFunction("is_nan", {value}, &exec));
  ARROW_ASSIGN_OR_RAISE(is_nan, cp::CallFunction("coalesce", {is_nan, arrow::Datum(false)}, &exec));
  return cp::Invert(is_nan, &exec);
}

// The value, or an error of ours where a function broke its promise.
arrow::Result<arrow::Datum> CheckType(arrow::Datum value, const Expr& expr) {
  if (value.type()->Equals(*expr.type)) return value;
  return MakeError(ErrorKind::kBug, "INTERNAL_ERROR",
                   fmt::format("function gave another type than it promised: function={} "
                               "want={} got={}",
                               expr.name, expr.type->ToString(), value.type()->ToString()));
}

}  // namespace

// One bound expression. Form says how arguments are evaluated; the rest is shared.
struct CompiledExpr::Node {
  enum class Form {
    kConstant,
    kColumn,
    kKernel,
    kPerRow,
    kAnd,
    kOr,
    kCase,
    kCoalesce,
    kParameter,
    kLambda,  // its argument is the body; evaluated by the call that it is given to
    kHigherOrder
  };

  Form form = Form::kKernel;
  ExprPtr expr;
  Kernel kernel;
  HigherOrderKernel higher_order;
  std::vector<std::unique_ptr<const Node>> args;
  std::shared_ptr<arrow::Scalar> constant;
  bool is_total = true;        // neither it nor anything below it can fail
  bool reads_context = false;  // it or something below it

  static arrow::Result<std::unique_ptr<const Node>> Compile(const ExprPtr& expr);
  arrow::Status BindCall();
  arrow::Status Fold();

  arrow::Result<arrow::Datum> Evaluate(const Selection& rows) const;
  arrow::Result<arrow::Datum> EvaluateKernel(const Selection& rows) const;
  arrow::Result<arrow::Datum> EvaluatePerRow(const Selection& rows) const;
  arrow::Result<arrow::Datum> EvaluateConnective(const Selection& rows) const;
  arrow::Result<arrow::Datum> EvaluateCase(const Selection& rows) const;
  arrow::Result<arrow::Datum> EvaluateCoalesce(const Selection& rows) const;
  arrow::Result<arrow::Datum> EvaluateTotalIf(const Selection& rows) const;
  arrow::Result<arrow::Datum> EvaluateHigherOrder(const Selection& rows) const;
  Lambda LambdaOver(const Selection& rows) const;
};

arrow::Status CompiledExpr::Node::BindCall() {
  if (IsCast(*expr)) {
    const TypePtr& from = args[0]->expr->type;
    ARROW_ASSIGN_OR_RAISE(kernel, MakeCastKernel(from, expr->type, expr->name == "try_cast"));
    is_total = is_total && (expr->name == "try_cast" || IsTotalCast(*from, *expr->type));
    // Nested types may have timestamps inside, whose text depends on the zone.
    reads_context = reads_context || from->num_fields() > 0;
    return arrow::Status::OK();
  }
  if (expr->name == "and" || expr->name == "or") {
    form = expr->name == "and" ? Form::kAnd : Form::kOr;
    return arrow::Status::OK();
  }
  if (expr->name == "case" || expr->name == "if") {
    form = Form::kCase;
    return arrow::Status::OK();
  }
  if (IsAnyOf(expr->name, {"coalesce", "nvl", "ifnull", "nanvl"})) {
    form = Form::kCoalesce;
    return arrow::Status::OK();
  }
  const FunctionInfo* info = FindFunction(expr->name);
  if (info == nullptr) {
    return MakeError(ErrorKind::kInvalid, "UNRESOLVED_ROUTINE",
                     fmt::format("Cannot resolve routine `{}`", expr->name));
  }
  ARROW_ASSIGN_OR_RAISE(BoundFunction bound, info->bind(expr->args));
  for (size_t i = 0; i < args.size(); ++i) {
    if (!bound.arg_types[i]->Equals(*args[i]->expr->type)) {
      return MakeError(ErrorKind::kBug, "INTERNAL_ERROR",
                       fmt::format("argument is not of the type that the function takes: "
                                   "function={} argument={} want={} got={}",
                                   expr->name, i, bound.arg_types[i]->ToString(),
                                   args[i]->expr->type->ToString()));
    }
  }
  kernel = std::move(bound.kernel);
  higher_order = std::move(bound.higher_order);
  if (higher_order) form = Form::kHigherOrder;
  is_total = is_total && (info->is_total || bound.is_total);
  if (!info->is_deterministic) form = Form::kPerRow;
  return arrow::Status::OK();
}

// Replaces a call over constants by its value. A failure is left for run time: the row that would
// fail may never come.
arrow::Status CompiledExpr::Node::Fold() {
  if (expr->kind != Expr::Kind::kCall || reads_context || form == Form::kPerRow) {
    return arrow::Status::OK();
  }
  for (const auto& arg : args) {
    if (arg->form != Form::kConstant) return arrow::Status::OK();
  }
  auto value = ValueOfConstant({}, [this](const EvalContext& context, const auto& batch) {
    return Evaluate(Selection(context, batch));
  });
  if (!value.ok()) return arrow::Status::OK();
  constant = *std::move(value);
  form = Form::kConstant;
  is_total = true;
  args.clear();
  return arrow::Status::OK();
}

arrow::Result<std::unique_ptr<const CompiledExpr::Node>> CompiledExpr::Node::Compile(
    const ExprPtr& expr) {
  auto node = std::make_unique<Node>();
  node->expr = expr;
  node->reads_context = ReadsContext(*expr);
  switch (expr->kind) {
    case Expr::Kind::kLiteral:
      node->form = Form::kConstant;
      node->constant = expr->literal;
      return node;
    case Expr::Kind::kColumn:
      node->form = Form::kColumn;
      return node;
    case Expr::Kind::kParameter:
      node->form = Form::kParameter;
      return node;
    case Expr::Kind::kLambda: {
      ARROW_ASSIGN_OR_RAISE(auto body, Compile(expr->args[0]));
      node->form = Form::kLambda;
      node->is_total = body->is_total;
      node->reads_context = node->reads_context || body->reads_context;
      node->args.push_back(std::move(body));
      return node;
    }
    case Expr::Kind::kCall:
      break;
  }
  for (const ExprPtr& arg : expr->args) {
    ARROW_ASSIGN_OR_RAISE(auto child, Compile(arg));
    node->is_total = node->is_total && child->is_total;
    node->reads_context = node->reads_context || child->reads_context;
    node->args.push_back(std::move(child));
  }
  arrow::Status bound = node->BindCall();
  if (!bound.ok()) return WithSpan(bound, expr->span);
  ARROW_RETURN_NOT_OK(node->Fold());
  return node;
}

arrow::Result<arrow::Datum> CompiledExpr::Node::Evaluate(const Selection& rows) const {
  switch (form) {
    case Form::kConstant:
      return arrow::Datum(constant);
    case Form::kColumn:
      return rows.Column(expr->column);
    case Form::kKernel:
      return EvaluateKernel(rows);
    case Form::kPerRow:
      return EvaluatePerRow(rows);
    case Form::kAnd:
    case Form::kOr:
      return EvaluateConnective(rows);
    case Form::kCase:
      return EvaluateCase(rows);
    case Form::kCoalesce:
      return EvaluateCoalesce(rows);
    case Form::kParameter:
      return rows.Parameter(expr->column);
    case Form::kHigherOrder:
      return EvaluateHigherOrder(rows);
    case Form::kLambda:
      break;  // only in the arguments of a higher-order call
  }
  return arrow::Status::UnknownError("unreachable");
}

arrow::Result<arrow::Datum> CompiledExpr::Node::EvaluateKernel(const Selection& rows) const {
  // A kernel over constants computes one row, which nobody asks for here and which may fail.
  if (rows.num_rows() == 0) return NullDatum(expr->type);
  std::vector<arrow::Datum> values(args.size());
  bool is_constant = true;
  for (size_t i = 0; i < args.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(values[i], args[i]->Evaluate(rows));
    is_constant = is_constant && values[i].is_scalar();
  }
  const int64_t count = is_constant ? 1 : rows.num_rows();
  arrow::Result<arrow::Datum> result = kernel(rows.context(), values, count);
  if (!result.ok()) return WithSpan(result.status(), expr->span);
  if (is_constant && result->is_array()) {
    ARROW_ASSIGN_OR_RAISE(auto scalar, result->make_array()->GetScalar(0));
    return CheckType(arrow::Datum(std::move(scalar)), *expr);
  }
  return CheckType(*std::move(result), *expr);
}

// The lambda as a function over elements of `rows`, which must outlive it.
Lambda CompiledExpr::Node::LambdaOver(const Selection& rows) const {
  return [this, &rows](std::vector<arrow::Datum> parameters,
                       const std::shared_ptr<arrow::Array>& parents)
             -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const Node& body = *args[0];
    // A body over constants must not be computed, and fail, for no element.
    if (parents->length() == 0) return arrow::MakeEmptyArray(body.expr->type);
    parameters.resize(expr->args.size() - 1);
    ARROW_ASSIGN_OR_RAISE(const Selection elements, rows.Spread(parents, std::move(parameters)));
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum value, body.Evaluate(elements));
    return ArrayOf(value, parents->length(), rows.context().pool);
  };
}

arrow::Result<arrow::Datum> CompiledExpr::Node::EvaluateHigherOrder(const Selection& rows) const {
  std::vector<arrow::Datum> values;
  std::vector<Lambda> lambdas;
  for (const auto& arg : args) {
    if (arg->form == Form::kLambda) {
      lambdas.push_back(arg->LambdaOver(rows));
    } else {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum value, arg->Evaluate(rows));
      values.push_back(std::move(value));
    }
  }
  arrow::Result<arrow::Datum> result =
      higher_order(rows.context(), values, lambdas, rows.num_rows());
  if (!result.ok()) return WithSpan(result.status(), expr->span);
  return CheckType(*std::move(result), *expr);
}

// rand() and its like depend on the row's number, so they see the whole batch.
arrow::Result<arrow::Datum> CompiledExpr::Node::EvaluatePerRow(const Selection& rows) const {
  const Selection all = rows.All();
  std::vector<arrow::Datum> values(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(values[i], args[i]->Evaluate(all));
  }
  arrow::Result<arrow::Datum> result = kernel(rows.context(), values, all.num_rows());
  if (!result.ok()) return WithSpan(result.status(), expr->span);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum value, CheckType(*std::move(result), *expr));
  return rows.Pick(value);
}

arrow::Result<arrow::Datum> CompiledExpr::Node::EvaluateConnective(const Selection& rows) const {
  const bool is_and = form == Form::kAnd;
  cp::ExecContext exec(rows.context().pool);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum left, args[0]->Evaluate(rows));
  arrow::Datum right;
  if (args[1]->is_total) {
    ARROW_ASSIGN_OR_RAISE(right, args[1]->Evaluate(rows));
  } else {
    // The right side matters unless the left one decides alone: FALSE AND x, TRUE OR x.
    ARROW_ASSIGN_OR_RAISE(RowSet needed, RowSet::WhereNot(left, !is_and, rows.num_rows(), exec));
    if (needed.IsNone()) return left;
    Merger merger(rows, arrow::boolean());
    ARROW_ASSIGN_OR_RAISE(Selection part, rows.Narrow(needed));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value, args[1]->Evaluate(part));
    ARROW_RETURN_NOT_OK(merger.Add(needed, std::move(value)));
    ARROW_ASSIGN_OR_RAISE(right, merger.Finish());
  }
  return is_and ? cp::KleeneAnd(left, right, &exec) : cp::KleeneOr(left, right, &exec);
}

// IF over operands that cannot fail: both are computed for all rows, and picked from.
arrow::Result<arrow::Datum> CompiledExpr::Node::EvaluateTotalIf(const Selection& rows) const {
  cp::ExecContext exec(rows.context().pool);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum condition, args[0]->Evaluate(rows));
  ARROW_ASSIGN_OR_RAISE(arrow::Datum value, args[1]->Evaluate(rows));
  arrow::Datum otherwise = NullDatum(expr->type);
  if (args.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(otherwise, args[2]->Evaluate(rows));
  }
  ARROW_ASSIGN_OR_RAISE(condition,
                        cp::CallFunction("coalesce", {condition, arrow::Datum(false)}, &exec));
  return cp::IfElse(condition, value, otherwise, &exec);
}

arrow::Result<arrow::Datum> CompiledExpr::Node::EvaluateCase(const Selection& rows) const {
  const bool is_flat = expr->type->num_fields() == 0 && expr->type->id() != arrow::Type::NA;
  if (is_flat && args.size() <= 3 && args[1]->is_total && (args.size() == 2 || args[2]->is_total)) {
    return EvaluateTotalIf(rows);
  }
  cp::ExecContext exec(rows.context().pool);
  Merger merger(rows, expr->type);
  RowSet open = RowSet::All(rows.num_rows());
  for (size_t i = 0; i + 1 < args.size() && !open.IsNone(); i += 2) {
    ARROW_ASSIGN_OR_RAISE(Selection undecided, rows.Narrow(open));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum condition, args[i]->Evaluate(undecided));
    ARROW_ASSIGN_OR_RAISE(RowSet taken, open.Split(condition, exec));
    if (taken.IsNone()) continue;
    ARROW_ASSIGN_OR_RAISE(Selection branch, rows.Narrow(taken));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value, args[i + 1]->Evaluate(branch));
    ARROW_RETURN_NOT_OK(merger.Add(taken, std::move(value)));
  }
  if (args.size() % 2 == 1 && !open.IsNone()) {
    ARROW_ASSIGN_OR_RAISE(Selection rest, rows.Narrow(open));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value, args.back()->Evaluate(rest));
    ARROW_RETURN_NOT_OK(merger.Add(open, std::move(value)));
  }
  return merger.Finish();
}

arrow::Result<arrow::Datum> CompiledExpr::Node::EvaluateCoalesce(const Selection& rows) const {
  cp::ExecContext exec(rows.context().pool);
  if (args.size() == 2 && args[1]->is_total && expr->type->num_fields() == 0) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value, args[0]->Evaluate(rows));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum otherwise, args[1]->Evaluate(rows));
    if (expr->name != "nanvl") return cp::CallFunction("coalesce", {value, otherwise}, &exec);
    ARROW_ASSIGN_OR_RAISE(arrow::Datum stays, Stays(*expr, value, exec));
    return cp::IfElse(stays, value, otherwise, &exec);
  }
  Merger merger(rows, expr->type);
  RowSet open = RowSet::All(rows.num_rows());
  for (const auto& arg : args) {
    ARROW_ASSIGN_OR_RAISE(Selection rest, rows.Narrow(open));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value, arg->Evaluate(rest));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum stays, Stays(*expr, value, exec));
    ARROW_RETURN_NOT_OK(merger.Add(open, std::move(value)));  // others are overwritten below
    // The rows with a value leave `open`.
    ARROW_RETURN_NOT_OK(open.Split(stays, exec).status());
    if (open.IsNone()) break;
  }
  return merger.Finish();
}

CompiledExpr::CompiledExpr(std::unique_ptr<const Node> root) : root_(std::move(root)) {}
CompiledExpr::~CompiledExpr() = default;

arrow::Result<std::shared_ptr<const CompiledExpr>> CompiledExpr::Make(const ExprPtr& expr) {
  EnsureArrowCompute();
  ARROW_ASSIGN_OR_RAISE(auto root, Node::Compile(expr));
  return std::shared_ptr<const CompiledExpr>(new CompiledExpr(std::move(root)));
}

arrow::Result<std::shared_ptr<arrow::Array>> CompiledExpr::Evaluate(
    const EvalContext& context, const arrow::RecordBatch& batch) const {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum value, EvaluateDatum(context, batch));
  return ArrayOf(value, batch.num_rows(), context.pool);
}

arrow::Result<arrow::Datum> CompiledExpr::EvaluateDatum(const EvalContext& context,
                                                        const arrow::RecordBatch& batch) const {
  return root_->Evaluate(Selection(context, batch));
}

const ExprPtr& CompiledExpr::expr() const { return root_->expr; }

ExprPtr FoldConstant(const ExprPtr& expr, const EvalContext& context) {
  if (expr->kind == Expr::Kind::kLiteral) return expr;
  std::vector<const Expr*> open = {expr.get()};
  while (!open.empty()) {
    const Expr& next = *open.back();
    open.pop_back();
    // The epoch's time is not known when a plan is made.
    if (next.kind == Expr::Kind::kColumn || next.kind == Expr::Kind::kParameter ||
        IsEpochBound(next)) {
      return nullptr;
    }
    for (const ExprPtr& arg : next.args) open.push_back(arg.get());
  }
  auto compiled = CompiledExpr::Make(expr);
  if (!compiled.ok()) return nullptr;
  const auto scalar =
      ValueOfConstant(context,
                      [&](const EvalContext& limited,
                          const arrow::RecordBatch& batch) -> arrow::Result<arrow::Datum> {
                        ARROW_ASSIGN_OR_RAISE(auto value, (*compiled)->Evaluate(limited, batch));
                        return value;
                      });
  if (!scalar.ok()) return nullptr;
  auto literal = std::make_shared<Expr>(*MakeLiteral(*scalar, expr->span));
  literal->name = ExprText(*expr);
  return literal;
}

}  // namespace tidemill
