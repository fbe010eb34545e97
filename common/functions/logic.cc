#include <arrow/compute/api.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/functions/columns.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

namespace cp = arrow::compute;

// AND and OR are evaluated by the evaluator, which looks at the right operand only where it must.
FunctionInfo Connective(const std::string& name) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("expr1 {} expr2", name);
  info.is_total = true;
  info.bind = [name](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(
        CheckArgCount(name, fmt::format("expr1 {} expr2", name), args.size(), 2, 2));
    for (const ExprPtr& arg : args) {
      if (arg->type->id() != arrow::Type::BOOL && arg->type->id() != arrow::Type::NA &&
          !IsStringType(*arg->type)) {
        return args[0]->type->Equals(*args[1]->type) ? WrongOperandType(name, args, "\"BOOLEAN\"")
                                                     : IncompatibleOperands(name, args);
      }
    }
    return BoundFunction{{arrow::boolean(), arrow::boolean()}, arrow::boolean(), nullptr};
  };
  return info;
}

FunctionInfo NullTest(const std::string& name, bool is_null) {
  Kernel kernel = [is_null](const EvalContext& context, std::span<const arrow::Datum> args,
                            int64_t) -> arrow::Result<arrow::Datum> {
    cp::ExecContext exec(context.pool);
    if (is_null) return cp::IsNull(args[0], cp::NullOptions::Defaults(), &exec);
    return cp::IsValid(args[0], &exec);
  };
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(expr)", name),
                        .params = {nullptr},
                        .result = arrow::boolean(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

arrow::Result<arrow::Datum> Not(const EvalContext& context, std::span<const arrow::Datum> args,
                                int64_t) {
  cp::ExecContext exec(context.pool);
  return cp::Invert(args[0], &exec);
}

// isnan is never NULL.
arrow::Result<arrow::Datum> IsNan(const EvalContext& context, std::span<const arrow::Datum> args,
                                  int64_t rows) {
  const FixedColumn<double> value(args[0]);
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  return ComputeBool(context, {}, rows,
                     [&](int64_t row) { return validity[row] && value[row] != value[row]; });
}

}  // namespace

void AddLogicFunctions(FunctionCatalog* catalog) {
  catalog->Add(Connective("and"));
  catalog->Add(Connective("or"));
  catalog->Add(FromSignature({.name = "not",
                              .usage = "NOT expr",
                              .params = {arrow::boolean()},
                              .result = arrow::boolean(),
                              .kernel = Not,
                              .is_total = true}),
               {"!"});
  catalog->Add(NullTest("isnull", true));
  catalog->Add(NullTest("isnotnull", false));
  catalog->Add(FromSignature({.name = "isnan",
                              .usage = "isnan(expr)",
                              .params = {arrow::float64()},
                              .result = arrow::boolean(),
                              .kernel = IsNan,
                              .is_total = true}));
}

}  // namespace tidemill
