#include <arrow/compute/api.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/cast/cast.h"
#include "common/functions/columns.h"
#include "common/functions/comparison.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

namespace cp = arrow::compute;

bool IsBooleanLike(const arrow::DataType& type) {
  return type.id() == arrow::Type::BOOL || type.id() == arrow::Type::NA || IsStringType(type);
}

// CASE, IF and COALESCE have no kernel: the evaluator computes a branch on the rows that take it.
arrow::Result<BoundFunction> BindCase(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount("case", "CASE WHEN condition THEN value ... END", args.size(), 2, 1 << 20));
  TypePtr common = arrow::null();
  BoundFunction bound;
  for (size_t i = 0; i < args.size(); ++i) {
    const bool is_condition = i % 2 == 0 && i + 1 < args.size();
    if (is_condition) {
      // A bare NULL is no condition, unlike in IF.
      if (args[i]->type->id() != arrow::Type::BOOL) {
        return UnexpectedInput("case", args, i, "\"BOOLEAN\"", i / 2);
      }
      continue;
    }
    common = CommonType(common, args[i]->type);
    if (common == nullptr) {
      std::vector<ExprPtr> values;
      for (size_t k = 1; k < args.size(); k += 2) values.push_back(args[k]);
      if (args.size() % 2 == 1) values.push_back(args.back());
      return DataDiffTypes("case", values);
    }
  }
  for (size_t i = 0; i < args.size(); ++i) {
    const bool is_condition = i % 2 == 0 && i + 1 < args.size();
    bound.arg_types.push_back(is_condition ? arrow::boolean() : common);
  }
  bound.type = common;
  return bound;
}

arrow::Result<BoundFunction> BindIf(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("if", "if(condition, value, otherwise)", args.size(), 3, 3));
  if (!IsBooleanLike(*args[0]->type)) return UnexpectedInput("if", args, 0, "\"BOOLEAN\"");
  TypePtr common = CommonType(args[1]->type, args[2]->type);
  if (common == nullptr) return DataDiffTypes("if", args.subspan(1));
  return BoundFunction{{arrow::boolean(), common, common}, common, nullptr};
}

arrow::Result<BoundFunction> BindSameType(std::string_view name, std::string_view usage,
                                          std::span<const ExprPtr> args, size_t least,
                                          size_t most) {
  ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), least, most));
  TypePtr common = args[0]->type;
  for (const ExprPtr& arg : args.subspan(1)) {
    common = CommonType(common, arg->type);
    if (common == nullptr) return DataDiffTypes(name, args);
  }
  return BoundFunction{std::vector<TypePtr>(args.size(), common), common, nullptr};
}

FunctionInfo Special(std::string name, std::string usage,
                     std::function<arrow::Result<BoundFunction>(std::span<const ExprPtr>)> bind) {
  FunctionInfo info;
  info.name = std::move(name);
  info.usage = std::move(usage);
  info.is_total = true;
  info.bind = std::move(bind);
  return info;
}

FunctionInfo Coalesce(const std::string& name, size_t least, size_t most) {
  const std::string usage = fmt::format("{}(expr1, expr2{})", name, most > 2 ? ", ..." : "");
  return Special(name, usage, [=](std::span<const ExprPtr> args) {
    return BindSameType(name, usage, args, least, most);
  });
}

// DOUBLE unless both are FLOAT; no kernel, the evaluator computes the second one where it is
// needed.
arrow::Result<BoundFunction> BindNanvl(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("nanvl", "nanvl(expr1, expr2)", args.size(), 2, 2));
  bool is_float = args[0]->type->id() == arrow::Type::FLOAT;
  for (size_t i = 0; i < args.size(); ++i) {
    const arrow::DataType& type = *args[i]->type;
    const bool is_null = type.id() == arrow::Type::NA;
    if (!is_null && !IsNumericType(type) && !IsStringType(type)) {
      return UnexpectedInput("nanvl", args, i, "(\"DOUBLE\" or \"FLOAT\")");
    }
    is_float = is_float && (is_null || type.id() == arrow::Type::FLOAT);
  }
  const TypePtr type = is_float ? arrow::float32() : arrow::float64();
  return BoundFunction{{type, type}, type, nullptr};
}

// NULL becomes 0.
arrow::Result<BoundFunction> BindZeroIfNull(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("zeroifnull", "zeroifnull(expr)", args.size(), 1, 1));
  const TypePtr type = CommonType(args[0]->type, arrow::int32());
  if (type == nullptr) return DataDiffTypes("zeroifnull", args);
  ARROW_ASSIGN_OR_RAISE(Kernel cast, MakeCastKernel(arrow::int32(), type, false));
  Kernel kernel = [cast](const EvalContext& context, std::span<const arrow::Datum> values,
                         int64_t) -> arrow::Result<arrow::Datum> {
    const arrow::Datum number(int32_t{0});
    ARROW_ASSIGN_OR_RAISE(arrow::Datum zero, cast(context, std::span(&number, 1), 1));
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(zero, 1, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto scalar, array->GetScalar(0));
    cp::ExecContext exec(context.pool);
    return cp::CallFunction("coalesce", {values[0], arrow::Datum(std::move(scalar))}, &exec);
  };
  return BoundFunction{{type}, type, std::move(kernel)};
}

arrow::Result<BoundFunction> BindNullif(std::span<const ExprPtr> args);

// nullif(expr, 0)
arrow::Result<BoundFunction> BindNullIfZero(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("nullifzero", "nullifzero(expr)", args.size(), 1, 1));
  const arrow::Datum zero(int32_t{0});
  const std::vector<ExprPtr> pair = {args[0], MakeLiteral(zero.scalar())};
  ARROW_ASSIGN_OR_RAISE(BoundFunction bound, BindNullif(pair));
  bound.arg_types.pop_back();
  bound.kernel = [zero, nullif = std::move(bound.kernel)](const EvalContext& context,
                                                          std::span<const arrow::Datum> values,
                                                          int64_t rows) {
    const std::vector<arrow::Datum> both = {values[0], zero};
    return nullif(context, both, rows);
  };
  return bound;
}

// Compares in the common type, but gives the first argument as it is.
arrow::Result<BoundFunction> BindNullif(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("nullif", "nullif(expr1, expr2)", args.size(), 2, 2));
  const TypePtr type = args[0]->type;
  const TypePtr other = args[1]->type;
  TypePtr common = CommonType(type, other);
  if (common == nullptr) return IncompatibleOperands("=", args);
  if (common->id() == arrow::Type::NA) common = arrow::boolean();
  if (!IsComparable(*common)) return WrongOperandType("=", args, "all atomic types");
  ARROW_ASSIGN_OR_RAISE(Kernel cast_left, MakeCastKernel(type, common, false));
  ARROW_ASSIGN_OR_RAISE(Kernel cast_right, MakeCastKernel(other, common, false));
  Kernel equal = MakeComparisonKernel("=", common);
  Kernel kernel = [=](const EvalContext& context, std::span<const arrow::Datum> values,
                      int64_t rows) -> arrow::Result<arrow::Datum> {
    std::vector<arrow::Datum> pair(2);
    ARROW_ASSIGN_OR_RAISE(pair[0], cast_left(context, values.subspan(0, 1), rows));
    ARROW_ASSIGN_OR_RAISE(pair[1], cast_right(context, values.subspan(1, 1), rows));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum same, equal(context, pair, rows));
    cp::ExecContext exec(context.pool);
    // A NULL comparison keeps the value.
    ARROW_ASSIGN_OR_RAISE(same, cp::CallFunction("coalesce", {same, arrow::Datum(false)}, &exec));
    return cp::IfElse(same, NullDatum(type), values[0], &exec);
  };
  return BoundFunction{{type, other}, type, std::move(kernel)};
}

FunctionInfo Extreme(const std::string& name, std::string_view op) {
  const std::string usage = fmt::format("{}(expr1, expr2, ...)", name);
  return Special(
      name, usage,
      [name, usage,
       op = std::string(op)](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
        ARROW_ASSIGN_OR_RAISE(BoundFunction bound, BindSameType(name, usage, args, 2, 1 << 20));
        const auto is_text = [](const ExprPtr& arg) { return IsStringType(*arg->type); };
        const auto is_null = [](const ExprPtr& arg) { return arg->type->id() == arrow::Type::NA; };
        const auto texts = std::count_if(args.begin(), args.end(), is_text);
        const auto nulls = std::count_if(args.begin(), args.end(), is_null);
        // Text beside other types is not cast here.
        if (texts > 0 && texts + nulls < std::ssize(args)) return DataDiffTypes(name, args);
        if (!IsComparable(*bound.type)) return DataDiffTypes(name, args);
        if (bound.type->id() == arrow::Type::NA) {
          bound.kernel = [](const EvalContext&, std::span<const arrow::Datum> values,
                            int64_t) -> arrow::Result<arrow::Datum> { return values[0]; };
          return bound;
        }
        Kernel beats = MakeComparisonKernel(op, bound.type);
        bound.kernel = [beats](const EvalContext& context, std::span<const arrow::Datum> values,
                               int64_t rows) -> arrow::Result<arrow::Datum> {
          cp::ExecContext exec(context.pool);
          arrow::Datum best = values[0];
          for (const arrow::Datum& value : values.subspan(1)) {
            const std::vector<arrow::Datum> pair = {value, best};
            ARROW_ASSIGN_OR_RAISE(arrow::Datum wins, beats(context, pair, rows));
            // Where either is NULL the other one stays.
            ARROW_ASSIGN_OR_RAISE(arrow::Datum no_best, cp::IsNull(best, cp::NullOptions(), &exec));
            ARROW_ASSIGN_OR_RAISE(wins, cp::CallFunction("coalesce", {wins, no_best}, &exec));
            ARROW_ASSIGN_OR_RAISE(best, cp::IfElse(wins, value, best, &exec));
          }
          return best;
        };
        return bound;
      });
}

// The value of a subquery of `count` rows. No query can name it.
arrow::Result<BoundFunction> BindSingleRow(std::span<const ExprPtr> args) {
  const auto kernel = [](const EvalContext& context, std::span<const arrow::Datum> values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    cp::ExecContext exec(context.pool);
    ARROW_ASSIGN_OR_RAISE(arrow::Datum most, cp::CallFunction("max", {values[1]}, &exec));
    const auto& count = static_cast<const arrow::Int64Scalar&>(*most.scalar());
    if (!count.is_valid || count.value <= 1) return values[0];
    return MakeError(ErrorKind::kJobFailed, "SCALAR_SUBQUERY_TOO_MANY_ROWS",
                     "More than one row returned by a subquery used as an expression.");
  };
  return BoundFunction{{args[0]->type, arrow::int64()}, args[0]->type, kernel};
}

}  // namespace

void AddConditionalFunctions(FunctionCatalog* catalog) {
  catalog->Add(Special("case", "CASE WHEN condition THEN value ... ELSE value END", BindCase),
               {"when"});
  catalog->Add(Special("if", "if(condition, value, otherwise)", BindIf));
  catalog->Add(Coalesce("coalesce", 1, 1 << 20));
  catalog->Add(Coalesce("nvl", 2, 2));
  catalog->Add(Coalesce("ifnull", 2, 2));
  catalog->Add(Special("nanvl", "nanvl(expr1, expr2)", BindNanvl));
  FunctionInfo nullif = Special("nullif", "nullif(expr1, expr2)", BindNullif);
  nullif.is_total = false;  // it may cast text
  catalog->Add(std::move(nullif));
  FunctionInfo nullifzero = Special("nullifzero", "nullifzero(expr)", BindNullIfZero);
  nullifzero.is_total = false;
  catalog->Add(std::move(nullifzero));
  catalog->Add(Special("zeroifnull", "zeroifnull(expr)", BindZeroIfNull));
  catalog->Add(Extreme("greatest", ">"));
  catalog->Add(Extreme("least", "<"));
  FunctionInfo single_row;
  single_row.name = "$single_row";
  single_row.usage = "the value of a subquery";
  single_row.bind = BindSingleRow;
  catalog->Add(std::move(single_row));
}

}  // namespace tidemill
