#include <arrow/type.h>
#include <fmt/format.h>

#include <cctype>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "common/functions/ansi_errors.h"
#include "common/functions/columns.h"
#include "common/functions/datetime/interval_arithmetic.h"
#include "common/functions/decimal.h"
#include "common/functions/signature.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

using Op = ArithmeticOp;

// Wraps around where the result does not fit; `*suspicious` then becomes true (it may also become
// so without need: the exact path decides). Free of branches on data, so that loops vectorise.
template <class T, Op kOp>
inline T FastApply(T x, T y, T* suspicious) {
  using U = std::make_unsigned_t<std::conditional_t<std::is_integral_v<T>, T, int>>;
  if constexpr (std::is_floating_point_v<T>) {
    if constexpr (kOp == Op::kAdd) return x + y;
    if constexpr (kOp == Op::kSubtract) return x - y;
    if constexpr (kOp == Op::kMultiply) return x * y;
    if constexpr (kOp == Op::kDivide) {
      *suspicious += y == 0 ? T{1} : T{0};
      return x / y;
    }
    *suspicious += y == 0 ? T{1} : T{0};
    return std::fmod(x, y);
  } else if constexpr (kOp == Op::kAdd) {
    const T sum = static_cast<T>(static_cast<U>(x) + static_cast<U>(y));
    *suspicious |= static_cast<T>((x ^ sum) & (y ^ sum));
    return sum;
  } else if constexpr (kOp == Op::kSubtract) {
    const T difference = static_cast<T>(static_cast<U>(x) - static_cast<U>(y));
    *suspicious |= static_cast<T>((x ^ y) & (x ^ difference));
    return difference;
  } else if constexpr (kOp == Op::kMultiply) {
    T product;
    const bool overflow = __builtin_mul_overflow(x, y, &product);
    *suspicious |= static_cast<T>(overflow ? -1 : 0);
    return product;
  } else {
    const bool special = y == 0 || y == -1;
    *suspicious |= static_cast<T>(special ? -1 : 0);
    const T divisor = special ? T{1} : y;
    if constexpr (kOp == Op::kIntegralDivide) return static_cast<T>(x / divisor);
    return static_cast<T>(x % divisor);
  }
}

enum class Outcome { kOk, kOverflow, kZeroDivisor };

template <class T, Op kOp>
Outcome ExactApply(T x, T y, T* out) {
  constexpr bool kDivides = kOp != Op::kAdd && kOp != Op::kSubtract && kOp != Op::kMultiply;
  if (kDivides && y == 0) return Outcome::kZeroDivisor;
  if constexpr (std::is_floating_point_v<T>) {
    T unused{};
    *out = FastApply<T, kOp>(x, y, &unused);
    if (kOp == Op::kPmod && *out < 0) *out = std::fmod(*out + y, y);
    return Outcome::kOk;
  } else if constexpr (kOp == Op::kAdd) {
    return __builtin_add_overflow(x, y, out) ? Outcome::kOverflow : Outcome::kOk;
  } else if constexpr (kOp == Op::kSubtract) {
    return __builtin_sub_overflow(x, y, out) ? Outcome::kOverflow : Outcome::kOk;
  } else if constexpr (kOp == Op::kMultiply) {
    return __builtin_mul_overflow(x, y, out) ? Outcome::kOverflow : Outcome::kOk;
  } else if constexpr (kOp == Op::kIntegralDivide) {
    if (y == -1) return __builtin_sub_overflow(T{0}, x, out) ? Outcome::kOverflow : Outcome::kOk;
    *out = static_cast<T>(x / y);
    return Outcome::kOk;
  } else {
    *out = y == -1 ? T{0} : static_cast<T>(x % y);
    if (kOp == Op::kPmod && *out < 0) {
      // (rest + y) % y without overflow: for a negative y the sum is not needed.
      *out = y > 0 ? static_cast<T>(*out + y) : static_cast<T>((static_cast<Int128>(*out) + y) % y);
    }
    return Outcome::kOk;
  }
}

template <class T>
std::string SqlLiteral(T value) {
  return fmt::format("{}{}", value, sizeof(T) == 1 ? "Y" : sizeof(T) == 2 ? "S" : "");
}

template <class T, Op kOp>
arrow::Status ErrorOf(Outcome outcome, T x, T y) {
  if (outcome == Outcome::kZeroDivisor) {
    return kOp == Op::kRemainder || kOp == Op::kPmod ? RemainderByZero() : DivideByZero();
  }
  if (kOp == Op::kIntegralDivide) {
    return ArithmeticOverflow("Overflow in integral divide", "try_divide");
  }
  constexpr const char* kSymbols[] = {"+", "-", "*"};
  constexpr const char* kTryNames[] = {"try_add", "try_subtract", "try_multiply"};
  constexpr int kIndex = kOp <= Op::kMultiply ? static_cast<int>(kOp) : 0;
  const char* try_name = kTryNames[kIndex];
  if constexpr (sizeof(T) <= 2) {
    return BinaryArithmeticOverflow(SqlLiteral(x), kSymbols[kIndex], SqlLiteral(y), try_name);
  }
  return ArithmeticOverflow(sizeof(T) == 4 ? "integer overflow" : "long overflow", try_name);
}

// Computes all rows, whatever stands on NULL ones; true where the exact path must look again.
template <class T, Op kOp>
bool FastLoop(const FixedColumn<T>& a, const FixedColumn<T>& b, int64_t rows, T* out) {
  T suspicious{};
  if (!a.is_constant() && !b.is_constant()) {
    const T* x = a.values();
    const T* y = b.values();
    for (int64_t i = 0; i < rows; ++i) out[i] = FastApply<T, kOp>(x[i], y[i], &suspicious);
  } else if (!a.is_constant()) {
    const T* x = a.values();
    const T y = b[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = FastApply<T, kOp>(x[i], y, &suspicious);
  } else {
    const T x = a[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = FastApply<T, kOp>(x, b[i], &suspicious);
  }
  if constexpr (std::is_floating_point_v<T>) return suspicious != 0;
  return suspicious < 0;
}

template <class T, Op kOp>
Kernel BinaryKernel(const TypePtr& type, bool is_try) {
  return [type, is_try](const EvalContext& context, std::span<const arrow::Datum> args,
                        int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
    if (validity.all_null()) return NullDatum(type);
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                          arrow::AllocateBuffer(rows * sizeof(T), context.pool));
    T* out = buffer->mutable_data_as<T>();
    const FixedColumn<T> a(args[0]), b(args[1]);
    if (kOp == Op::kPmod || FastLoop<T, kOp>(a, b, rows, out)) {
      for (int64_t row = 0; row < rows; ++row) {
        out[row] = T{};
        if (!validity[row]) continue;
        const Outcome outcome = ExactApply<T, kOp>(a[row], b[row], out + row);
        if (outcome == Outcome::kOk) continue;
        if (!is_try) return ErrorOf<T, kOp>(outcome, a[row], b[row]);
        ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
      }
    }
    return MakeColumnData(type, rows, validity, {std::move(buffer)});
  };
}

template <Op kOp>
Kernel KernelFor(const TypePtr& type, bool is_try) {
  if constexpr (kOp != Op::kDivide) {
    switch (type->id()) {
      case arrow::Type::INT8:
        return BinaryKernel<int8_t, kOp>(type, is_try);
      case arrow::Type::INT16:
        return BinaryKernel<int16_t, kOp>(type, is_try);
      case arrow::Type::INT32:
        return BinaryKernel<int32_t, kOp>(type, is_try);
      case arrow::Type::INT64:
        return BinaryKernel<int64_t, kOp>(type, is_try);
      default:
        break;
    }
  }
  if constexpr (kOp != Op::kIntegralDivide) {
    if (type->id() == arrow::Type::FLOAT) return BinaryKernel<float, kOp>(type, is_try);
    return BinaryKernel<double, kOp>(type, is_try);
  }
  return nullptr;
}

Kernel NumberKernel(Op op, const TypePtr& type, bool is_try) {
  switch (op) {
    case Op::kAdd:
      return KernelFor<Op::kAdd>(type, is_try);
    case Op::kSubtract:
      return KernelFor<Op::kSubtract>(type, is_try);
    case Op::kMultiply:
      return KernelFor<Op::kMultiply>(type, is_try);
    case Op::kDivide:
      return KernelFor<Op::kDivide>(type, is_try);
    case Op::kRemainder:
      return KernelFor<Op::kRemainder>(type, is_try);
    case Op::kIntegralDivide:
      return KernelFor<Op::kIntegralDivide>(type, is_try);
    case Op::kPmod:
      return KernelFor<Op::kPmod>(type, is_try);
  }
  return nullptr;
}

// The decimal type of an operand beside a decimal: integer literals take the digits they have.
TypePtr DecimalOperand(const Expr& arg) {
  if (IsLiteral(arg) && arg.literal->is_valid && IsIntegralType(*arg.type)) {
    const std::string digits = arg.literal->ToString();
    const int count = static_cast<int>(digits.size()) - (digits[0] == '-' ? 1 : 0);
    return arrow::decimal128(count, 0);
  }
  return DecimalOf(arg.type);
}

arrow::Result<BoundFunction> BindArithmetic(Op op, std::string_view name, bool is_try,
                                            std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount(name, fmt::format("expr1 {} expr2", name), args.size(), 2, 2));
  const TypePtr& a = args[0]->type;
  const TypePtr& b = args[1]->type;
  if (IsIntervalArithmetic(op, *a, *b)) return BindIntervalArithmetic(op, name, is_try, args);
  TypePtr common = CommonType(a, b);
  if (common == nullptr) return IncompatibleOperands(name, args);
  if (common->id() == arrow::Type::NA || IsStringType(*common)) common = arrow::float64();
  if (!IsNumericType(*common)) return WrongOperandType(name, args, "\"NUMERIC\"");
  BoundFunction bound;
  if (IsDecimalType(*common)) {
    bound.arg_types = {DecimalOperand(*args[0]), DecimalOperand(*args[1])};
    for (TypePtr& type : bound.arg_types) {
      if (!IsDecimalType(*type)) type = common;  // an untyped NULL
    }
    bound.type = DecimalResultType(op, *bound.arg_types[0], *bound.arg_types[1]);
    bound.kernel = MakeDecimalKernel(op, bound.arg_types[0], bound.arg_types[1], is_try);
    return bound;
  }
  if (op == Op::kDivide) common = arrow::float64();
  if (op == Op::kIntegralDivide) {
    if (IsFloatingType(*common) && a->id() != arrow::Type::NA && b->id() != arrow::Type::NA) {
      return WrongOperandType(name, args, "\"BIGINT\" or \"DECIMAL\"");
    }
    common = arrow::int64();
  }
  bound.arg_types = {common, common};
  bound.type = common;
  bound.kernel = NumberKernel(op, common, is_try);
  return bound;
}

FunctionInfo Arithmetic(Op op, const std::string& name, bool is_try = false) {
  FunctionInfo info;
  info.name = name;
  info.usage = std::isalpha(static_cast<unsigned char>(name[0])) && name != "div"
                   ? fmt::format("{}(expr1, expr2)", name)
                   : fmt::format("expr1 {} expr2", name);
  info.bind = [=](std::span<const ExprPtr> args) { return BindArithmetic(op, name, is_try, args); };
  return info;
}

enum class UnaryOp { kNegative, kAbs, kPositive };

template <class T>
Kernel UnaryKernel(UnaryOp op, const TypePtr& type) {
  return [=](const EvalContext& context, std::span<const arrow::Datum> args,
             int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<T> a(args[0]);
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, Int128>) {
      return ComputeFixedChecked<T>(
          context, args, rows, type, [&](int64_t row, T* out) -> arrow::Result<bool> {
            const T x = a[row];
            if (x == std::numeric_limits<T>::min()) {
              if (sizeof(T) <= 2 && op == UnaryOp::kNegative) {
                return ArithmeticOverflow(fmt::format("- {} caused overflow", SqlLiteral(x)), "");
              }
              return ArithmeticOverflow(sizeof(T) <= 4 ? "integer overflow" : "long overflow", "");
            }
            *out = op == UnaryOp::kNegative || x < 0 ? static_cast<T>(-x) : x;
            return true;
          });
    } else {
      return ComputeFixed<T>(context, args, rows, type, [&](int64_t row) -> T {
        const T x = a[row];
        if constexpr (std::is_floating_point_v<T>) {
          return op == UnaryOp::kNegative ? -x : std::fabs(x);
        } else {
          return op == UnaryOp::kNegative || x < 0 ? -x : x;
        }
      });
    }
  };
}

Kernel UnaryKernelFor(UnaryOp op, const TypePtr& type) {
  switch (type->id()) {
    case arrow::Type::INT8:
      return UnaryKernel<int8_t>(op, type);
    case arrow::Type::INT16:
      return UnaryKernel<int16_t>(op, type);
    case arrow::Type::INT32:
      return UnaryKernel<int32_t>(op, type);
    case arrow::Type::INT64:
      return UnaryKernel<int64_t>(op, type);
    case arrow::Type::FLOAT:
      return UnaryKernel<float>(op, type);
    case arrow::Type::DECIMAL128:
      return UnaryKernel<Int128>(op, type);
    default:
      return UnaryKernel<double>(op, type);
  }
}

FunctionInfo Unary(UnaryOp op, const std::string& name) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr)", name);
  info.bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, fmt::format("{}(expr)", name), args.size(), 1, 1));
    TypePtr type = args[0]->type;
    if (IsStringType(*type) || type->id() == arrow::Type::NA) type = arrow::float64();
    const bool is_span =
        IsAnsiIntervalType(*type) || (IsCalendarInterval(*type) && op != UnaryOp::kAbs);
    if (!is_span && !IsNumericType(*type)) return UnexpectedInput(name, args, 0, "\"NUMERIC\"");
    Kernel kernel =
        is_span ? IntervalSignKernel(type, op == UnaryOp::kAbs) : UnaryKernelFor(op, type);
    if (op == UnaryOp::kPositive) {
      kernel = [](const EvalContext&, std::span<const arrow::Datum> values,
                  int64_t) -> arrow::Result<arrow::Datum> { return values[0]; };
    }
    return BoundFunction{{type}, type, std::move(kernel)};
  };
  return info;
}

}  // namespace

void AddArithmeticFunctions(FunctionCatalog* catalog) {
  catalog->Add(Arithmetic(Op::kAdd, "+"));
  catalog->Add(Arithmetic(Op::kSubtract, "-"));
  catalog->Add(Arithmetic(Op::kMultiply, "*"));
  catalog->Add(Arithmetic(Op::kDivide, "/"));
  catalog->Add(Arithmetic(Op::kRemainder, "%"), {"mod"});
  catalog->Add(Arithmetic(Op::kIntegralDivide, "div"));
  catalog->Add(Arithmetic(Op::kPmod, "pmod"));
  catalog->Add(Arithmetic(Op::kAdd, "try_add", true));
  catalog->Add(Arithmetic(Op::kSubtract, "try_subtract", true));
  catalog->Add(Arithmetic(Op::kMultiply, "try_multiply", true));
  catalog->Add(Arithmetic(Op::kDivide, "try_divide", true));
  catalog->Add(Arithmetic(Op::kRemainder, "try_mod", true));
  catalog->Add(Unary(UnaryOp::kNegative, "negative"));
  catalog->Add(Unary(UnaryOp::kPositive, "positive"));
  catalog->Add(Unary(UnaryOp::kAbs, "abs"));
}

}  // namespace tidemill
