#include "common/functions/comparison.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "common/functions/call_errors.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/types/ddl.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

namespace cp = arrow::compute;

enum class Relation { kEqual, kLess, kLessEqual, kGreater, kGreaterEqual };

Relation RelationOf(std::string_view op) {
  if (op == "<") return Relation::kLess;
  if (op == "<=") return Relation::kLessEqual;
  if (op == ">") return Relation::kGreater;
  if (op == ">=") return Relation::kGreaterEqual;
  return Relation::kEqual;
}

const char* ArrowName(Relation relation) {
  constexpr const char* kNames[] = {"equal", "less", "less_equal", "greater", "greater_equal"};
  return kNames[static_cast<int>(relation)];
}

bool Holds(Relation relation, int order) {
  switch (relation) {
    case Relation::kEqual:
      return order == 0;
    case Relation::kLess:
      return order < 0;
    case Relation::kLessEqual:
      return order <= 0;
    case Relation::kGreater:
      return order > 0;
    case Relation::kGreaterEqual:
      return order >= 0;
  }
  return false;
}

// NaN = NaN, and NaN is above everything else.
template <class T>
inline bool FloatEqual(T x, T y) {
  return (x == y) | ((x != x) & (y != y));
}
template <class T>
inline bool FloatLess(T x, T y) {
  return (x < y) | ((x == x) & (y != y));
}

template <class T>
Kernel FloatKernel(Relation relation) {
  return [relation](const EvalContext& context, std::span<const arrow::Datum> args, int64_t rows) {
    const FixedColumn<T> a(args[0]), b(args[1]);
    switch (relation) {
      case Relation::kEqual:
        return ComputeBool(context, args, rows, [&](int64_t i) { return FloatEqual(a[i], b[i]); });
      case Relation::kLess:
        return ComputeBool(context, args, rows, [&](int64_t i) { return FloatLess(a[i], b[i]); });
      case Relation::kLessEqual:
        return ComputeBool(context, args, rows, [&](int64_t i) { return !FloatLess(b[i], a[i]); });
      case Relation::kGreater:
        return ComputeBool(context, args, rows, [&](int64_t i) { return FloatLess(b[i], a[i]); });
      case Relation::kGreaterEqual:
        break;
    }
    return ComputeBool(context, args, rows, [&](int64_t i) { return !FloatLess(a[i], b[i]); });
  };
}

Kernel NestedKernel(Relation relation) {
  return [relation](const EvalContext& context, std::span<const arrow::Datum> args,
                    int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto a, ArrayOf(args[0], rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto b, ArrayOf(args[1], rows, context.pool));
    const std::vector<arrow::Datum> arrays = {a, b};
    return ComputeBool(context, arrays, rows, [&](int64_t row) {
      return a->IsValid(row) && b->IsValid(row) && Holds(relation, CompareRows(*a, row, *b, row));
    });
  };
}

Kernel ArrowKernel(Relation relation) {
  return [name = std::string(ArrowName(relation))](const EvalContext& context,
                                                   std::span<const arrow::Datum> args, int64_t) {
    cp::ExecContext exec(context.pool);
    return cp::CallFunction(name, {args[0], args[1]}, &exec);
  };
}

// Months as plain numbers, which Arrow compares.
arrow::Datum AsInt32(const arrow::Datum& months) {
  if (months.is_scalar()) {
    const auto& scalar = static_cast<const arrow::MonthIntervalScalar&>(*months.scalar());
    if (!scalar.is_valid) return NullDatum(arrow::int32());
    return arrow::Datum(scalar.value);
  }
  auto data = months.array()->Copy();
  data->type = arrow::int32();
  return arrow::Datum(std::move(data));
}

Kernel MonthsKernel(Relation relation) {
  return [numbers = ArrowKernel(relation)](const EvalContext& context,
                                           std::span<const arrow::Datum> args, int64_t rows) {
    const std::vector<arrow::Datum> plain = {AsInt32(args[0]), AsInt32(args[1])};
    return numbers(context, plain, rows);
  };
}

template <class T>
int CompareNumbers(T x, T y) {
  if constexpr (std::is_floating_point_v<T>) {
    return FloatEqual(x, y) ? 0 : FloatLess(x, y) ? -1 : 1;
  }
  return x == y ? 0 : x < y ? -1 : 1;
}

template <class ArrayType>
int CompareValues(const arrow::Array& a, int64_t row_a, const arrow::Array& b, int64_t row_b) {
  return CompareNumbers(static_cast<const ArrayType&>(a).Value(row_a),
                        static_cast<const ArrayType&>(b).Value(row_b));
}

int CompareLists(const arrow::ListArray& a, int64_t row_a, const arrow::ListArray& b,
                 int64_t row_b) {
  const int32_t size_a = a.value_length(row_a), size_b = b.value_length(row_b);
  for (int32_t i = 0; i < std::min(size_a, size_b); ++i) {
    const int order =
        CompareRows(*a.values(), a.value_offset(row_a) + i, *b.values(), b.value_offset(row_b) + i);
    if (order != 0) return order;
  }
  return CompareNumbers(size_a, size_b);
}

int CompareStructs(const arrow::StructArray& a, int64_t row_a, const arrow::StructArray& b,
                   int64_t row_b) {
  for (int i = 0; i < a.num_fields(); ++i) {
    const int order = CompareRows(*a.field(i), row_a, *b.field(i), row_b);
    if (order != 0) return order;
  }
  return 0;
}

int CompareBytes(const arrow::Array& a, int64_t row_a, const arrow::Array& b, int64_t row_b) {
  return static_cast<const arrow::BinaryArray&>(a).GetView(row_a).compare(
      static_cast<const arrow::BinaryArray&>(b).GetView(row_b));
}

int CompareDecimals(const arrow::Array& a, int64_t row_a, const arrow::Array& b, int64_t row_b) {
  const FixedColumn<Int128> x(a.data()), y(b.data());
  return CompareNumbers(x[row_a], y[row_b]);
}

// Whether types differ in the names of fields at most.
bool HaveSameShape(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.id() != b.id() || a.num_fields() != b.num_fields()) return false;
  if (a.num_fields() == 0) return a.Equals(b);
  for (int i = 0; i < a.num_fields(); ++i) {
    if (!HaveSameShape(*a.field(i)->type(), *b.field(i)->type())) return false;
  }
  return true;
}

// The type that both are compared in, or nullptr; fields are compared by their place.
TypePtr ComparedType(const TypePtr& a, const TypePtr& b) {
  TypePtr common = CommonType(a, b);
  return common == nullptr && HaveSameShape(*a, *b) ? a : common;
}

arrow::Result<TypePtr> OperandType(std::string_view name, std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount(name, fmt::format("expr1 {} expr2", name), args.size(), 2, 2));
  TypePtr common = ComparedType(args[0]->type, args[1]->type);
  if (common == nullptr) return IncompatibleOperands(name, args);
  if (common->id() == arrow::Type::NA) common = arrow::boolean();
  if (!IsComparable(*common)) {
    if (IsCalendarInterval(*common)) return WrongOperandType(name, args, "all atomic types");
    return WithHint(Mismatch("INVALID_ORDERING_TYPE", name, args,
                             fmt::format("The `{}` does not support ordering on type \"{}\".", name,
                                         SqlTypeName(*common))),
                    "maps cannot be compared");
  }
  return common;
}

FunctionInfo Comparison(const std::string& name) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("expr1 {} expr2", name);
  info.is_total = true;
  info.bind = [name](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, OperandType(name, args));
    return BoundFunction{{type, type}, arrow::boolean(), MakeComparisonKernel(name, type)};
  };
  return info;
}

FunctionInfo NotEqual() {
  FunctionInfo info = Comparison("!=");
  info.bind = [](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, OperandType("!=", args));
    Kernel equal = MakeComparisonKernel("=", type);
    Kernel kernel = [equal](const EvalContext& context, std::span<const arrow::Datum> values,
                            int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum result, equal(context, values, rows));
      cp::ExecContext exec(context.pool);
      return cp::Invert(result, &exec);
    };
    return BoundFunction{{type, type}, arrow::boolean(), std::move(kernel)};
  };
  return info;
}

FunctionInfo NullSafeEqual() {
  FunctionInfo info = Comparison("<=>");
  info.bind = [](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_ASSIGN_OR_RAISE(TypePtr type, OperandType("<=>", args));
    Kernel equal = MakeComparisonKernel("=", type);
    Kernel kernel = [equal](const EvalContext& context, std::span<const arrow::Datum> values,
                            int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum result, equal(context, values, rows));
      ARROW_ASSIGN_OR_RAISE(Validity a, Validity::Of(values.subspan(0, 1), rows, context.pool));
      ARROW_ASSIGN_OR_RAISE(Validity b, Validity::Of(values.subspan(1, 1), rows, context.pool));
      const BoolColumn is_equal(result);
      return ComputeBool(context, {}, rows, [&](int64_t row) {
        const bool has_a = a[row], has_b = b[row];
        return has_a && has_b ? is_equal[row] : has_a == has_b;
      });
    };
    return BoundFunction{{type, type}, arrow::boolean(), std::move(kernel)};
  };
  return info;
}

// The type of all operands of IN and BETWEEN, compared pairwise with the first.
arrow::Result<BoundFunction> BindSameTypes(std::string_view name, std::span<const ExprPtr> args) {
  TypePtr common = args[0]->type;
  for (const ExprPtr& arg : args.subspan(1)) {
    common = ComparedType(common, arg->type);
    if (common == nullptr) return DataDiffTypes(name, args);
  }
  if (common->id() == arrow::Type::NA) common = arrow::boolean();
  if (!IsComparable(*common)) return DataDiffTypes(name, args);
  return BoundFunction{std::vector<TypePtr>(args.size(), common), arrow::boolean(), nullptr};
}

FunctionInfo Between() {
  FunctionInfo info = Comparison("between");
  info.usage = "expr BETWEEN low AND high";
  info.bind = [](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("between", "expr BETWEEN low AND high", args.size(), 3, 3));
    ARROW_ASSIGN_OR_RAISE(BoundFunction bound, BindSameTypes("between", args));
    Kernel not_less = MakeComparisonKernel(">=", bound.arg_types[0]);
    Kernel not_greater = MakeComparisonKernel("<=", bound.arg_types[0]);
    bound.kernel = [=](const EvalContext& context, std::span<const arrow::Datum> values,
                       int64_t rows) -> arrow::Result<arrow::Datum> {
      const std::vector<arrow::Datum> high = {values[0], values[2]};
      ARROW_ASSIGN_OR_RAISE(arrow::Datum low_holds, not_less(context, values.subspan(0, 2), rows));
      ARROW_ASSIGN_OR_RAISE(arrow::Datum high_holds, not_greater(context, high, rows));
      cp::ExecContext exec(context.pool);
      return cp::KleeneAnd(low_holds, high_holds, &exec);
    };
    return bound;
  };
  return info;
}

// x IN (literals) by a hash set, which Arrow builds once for a batch.
arrow::Result<Kernel> MakeSetKernel(std::span<const ExprPtr> list, const TypePtr& type) {
  arrow::ScalarVector scalars;
  for (const ExprPtr& item : list) scalars.push_back(item->literal);
  std::unique_ptr<arrow::ArrayBuilder> builder;
  ARROW_RETURN_NOT_OK(arrow::MakeBuilder(arrow::default_memory_pool(), type, &builder));
  ARROW_RETURN_NOT_OK(builder->AppendScalars(scalars));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> values, builder->Finish());
  const cp::SetLookupOptions options(values, cp::SetLookupOptions::INCONCLUSIVE);
  return Kernel([options](const EvalContext& context, std::span<const arrow::Datum> args, int64_t) {
    cp::ExecContext exec(context.pool);
    return cp::IsIn(args[0], options, &exec);
  });
}

arrow::Result<BoundFunction> BindIn(std::span<const ExprPtr> args) {
  constexpr size_t kFewItems = 8;
  ARROW_RETURN_NOT_OK(CheckArgCount("in", "expr1 IN (expr2, ...)", args.size(), 2, 1 << 20));
  ARROW_ASSIGN_OR_RAISE(BoundFunction bound, BindSameTypes("in", args));
  const TypePtr& type = bound.arg_types[0];
  bool is_set = args.size() - 1 > kFewItems && !IsFloatingType(*type) && type->num_fields() == 0;
  for (const ExprPtr& item : args.subspan(1)) {
    is_set = is_set && IsLiteral(*item) && item->type->Equals(*type);
  }
  if (is_set) {
    ARROW_ASSIGN_OR_RAISE(bound.kernel, MakeSetKernel(args.subspan(1), type));
    return bound;
  }
  Kernel equal = MakeComparisonKernel("=", type);
  bound.kernel = [equal](const EvalContext& context, std::span<const arrow::Datum> values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    cp::ExecContext exec(context.pool);
    arrow::Datum result;
    for (size_t i = 1; i < values.size(); ++i) {
      const std::vector<arrow::Datum> pair = {values[0], values[i]};
      ARROW_ASSIGN_OR_RAISE(arrow::Datum found, equal(context, pair, rows));
      if (i > 1) {
        ARROW_ASSIGN_OR_RAISE(found, cp::KleeneOr(result, found, &exec));
      }
      result = std::move(found);
    }
    return result;
  };
  return bound;
}

FunctionInfo In() {
  FunctionInfo info = Comparison("in");
  info.usage = "expr1 IN (expr2, ...)";
  info.bind = BindIn;
  return info;
}

}  // namespace

Kernel MakeComparisonKernel(std::string_view op, const TypePtr& type) {
  const Relation relation = RelationOf(op);
  switch (type->id()) {
    case arrow::Type::FLOAT:
      return FloatKernel<float>(relation);
    case arrow::Type::DOUBLE:
      return FloatKernel<double>(relation);
    case arrow::Type::LIST:
    case arrow::Type::STRUCT:
      return NestedKernel(relation);
    case arrow::Type::INTERVAL_MONTHS:
      return MonthsKernel(relation);
    default:
      return ArrowKernel(relation);
  }
}

bool IsComparable(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP || IsCalendarInterval(type)) return false;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (!IsComparable(*type.field(i)->type())) return false;
  }
  return true;
}

int CompareRows(const arrow::Array& a, int64_t row_a, const arrow::Array& b, int64_t row_b) {
  const bool has_a = a.IsValid(row_a), has_b = b.IsValid(row_b);
  if (!has_a || !has_b) return static_cast<int>(has_a) - static_cast<int>(has_b);
  switch (a.type_id()) {
    case arrow::Type::BOOL:
      return CompareValues<arrow::BooleanArray>(a, row_a, b, row_b);
    case arrow::Type::INT8:
      return CompareValues<arrow::Int8Array>(a, row_a, b, row_b);
    case arrow::Type::INT16:
      return CompareValues<arrow::Int16Array>(a, row_a, b, row_b);
    case arrow::Type::INT32:
    case arrow::Type::DATE32:
    case arrow::Type::INTERVAL_MONTHS:
      return CompareValues<arrow::NumericArray<arrow::Int32Type>>(a, row_a, b, row_b);
    case arrow::Type::INT64:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DURATION:
      return CompareValues<arrow::NumericArray<arrow::Int64Type>>(a, row_a, b, row_b);
    case arrow::Type::FLOAT:
      return CompareValues<arrow::FloatArray>(a, row_a, b, row_b);
    case arrow::Type::DOUBLE:
      return CompareValues<arrow::DoubleArray>(a, row_a, b, row_b);
    case arrow::Type::DECIMAL128:
      return CompareDecimals(a, row_a, b, row_b);
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return CompareBytes(a, row_a, b, row_b);
    case arrow::Type::LIST:
      return CompareLists(static_cast<const arrow::ListArray&>(a), row_a,
                          static_cast<const arrow::ListArray&>(b), row_b);
    case arrow::Type::STRUCT:
      return CompareStructs(static_cast<const arrow::StructArray&>(a), row_a,
                            static_cast<const arrow::StructArray&>(b), row_b);
    default:
      return 0;
  }
}

void AddComparisonFunctions(FunctionCatalog* catalog) {
  catalog->Add(Comparison("="), {"=="});
  catalog->Add(NotEqual(), {"<>"});
  catalog->Add(NullSafeEqual(), {"equal_null"});
  catalog->Add(Comparison("<"));
  catalog->Add(Comparison("<="));
  catalog->Add(Comparison(">"));
  catalog->Add(Comparison(">="));
  catalog->Add(Between());
  catalog->Add(In());
}

}  // namespace tidemill
