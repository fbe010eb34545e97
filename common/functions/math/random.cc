#include "common/base/random.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include "common/functions/call_errors.h"
#include "common/functions/cast/cast.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// The stream of one call: its seed argument and its place in the query, which are its last two
// arguments, set it apart from others.
uint64_t StreamOf(const EvalContext& context, Args args) {
  const FixedColumn<int64_t> seed(args[args.size() - 2]), ordinal(args[args.size() - 1]);
  const auto own = static_cast<uint64_t>(seed[0]);
  return SplitMix64(SplitMix64(context.seed, own), static_cast<uint64_t>(ordinal[0]));
}

// The `index`-th number of a stream, in [0, 1).
double UnitNumber(uint64_t stream, uint64_t index) {
  return static_cast<double>(SplitMix64(stream, index) >> 11) * 0x1.0p-53;
}

arrow::Result<arrow::Datum> Rand(const EvalContext& context, Args args, int64_t rows) {
  const uint64_t stream = StreamOf(context, args);
  return ComputeFixed<double>(context, {}, rows, arrow::float64(), [&](int64_t row) {
    return UnitNumber(stream, static_cast<uint64_t>(context.first_row + row));
  });
}

// Box and Muller's way from two uniform numbers to a normal one.
arrow::Result<arrow::Datum> Randn(const EvalContext& context, Args args, int64_t rows) {
  const uint64_t stream = StreamOf(context, args);
  return ComputeFixed<double>(context, {}, rows, arrow::float64(), [&](int64_t row) {
    const auto index = 2 * static_cast<uint64_t>(context.first_row + row);
    const double radius = std::sqrt(-2 * std::log1p(-UnitNumber(stream, index)));
    return radius * std::cos(2 * std::numbers::pi * UnitNumber(stream, index + 1));
  });
}

// uniform(min, max[, seed]) of BIGINT or DOUBLE bounds; whole numbers exclude the upper one.
template <class T>
arrow::Result<arrow::Datum> Uniform(const EvalContext& context, Args args, int64_t rows) {
  const uint64_t stream = StreamOf(context, args);
  const FixedColumn<T> from(args[0]), to(args[1]);
  const auto type = std::is_integral_v<T> ? arrow::int64() : arrow::float64();
  return ComputeFixed<T>(context, args.subspan(0, 2), rows, type, [&](int64_t row) {
    const double unit = UnitNumber(stream, static_cast<uint64_t>(context.first_row + row));
    const double width = static_cast<double>(to[row]) - static_cast<double>(from[row]);
    const double offset = unit * width;
    return static_cast<T>(from[row] + static_cast<T>(offset));
  });
}

// randstr(length[, seed]): digits and letters.
arrow::Result<arrow::Datum> Randstr(const EvalContext& context, Args args, int64_t rows) {
  constexpr std::string_view kLetters =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  const uint64_t stream = StreamOf(context, args);
  const FixedColumn<int32_t> length(args[0]);  // NULL is 0, as in Spark
  return ComputeText(
      context, {}, rows, arrow::utf8(), rows * std::max(length[0], 0),
      [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
        const uint64_t own = SplitMix64(stream, static_cast<uint64_t>(context.first_row + row));
        ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(length[row]));
        for (int32_t i = 0; i < length[row]; ++i) {
          const double unit = UnitNumber(own, static_cast<uint64_t>(i));
          place[i] = kLetters[static_cast<size_t>(unit * static_cast<double>(kLetters.size()))];
        }
        return true;
      });
}

// Bytes of a version 4 UUID as text.
void WriteUuid(uint64_t high, uint64_t low, char* out) {
  constexpr char kDigits[] = "0123456789abcdef";
  high = (high & ~0xF000ULL) | 0x4000ULL;
  low = (low & ~(3ULL << 62)) | (2ULL << 62);
  for (int i = 0; i < 32; ++i) {
    if (i == 8 || i == 12 || i == 16 || i == 20) *out++ = '-';
    const uint64_t word = i < 16 ? high : low;
    *out++ = kDigits[(word >> (60 - 4 * (i % 16))) & 0xF];
  }
}

arrow::Result<arrow::Datum> Uuid(const EvalContext& context, Args args, int64_t rows) {
  constexpr int64_t kLength = 36;
  const uint64_t stream = StreamOf(context, args);
  return ComputeText(context, {}, rows, arrow::utf8(), rows * kLength,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       const auto number = static_cast<uint64_t>(context.first_row + row);
                       ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(kLength));
                       WriteUuid(SplitMix64(stream, 2 * number), SplitMix64(stream, 2 * number + 1),
                                 place);
                       return true;
                     });
}

// The seed and the call's place, which MakeCall adds, follow the arguments.
arrow::Status CheckSeed(const std::string& name, std::span<const ExprPtr> args) {
  const size_t place = args.size() - 2;
  if (!IsLiteral(*args[place])) return NonFoldableArgument(name, args, place);
  const TypePtr& seed = args[place]->type;
  if (!CanCastImplicitly(*seed, *arrow::int64()) || IsStringType(*seed)) {
    return UnexpectedInput(name, args, place, "(\"INT\" or \"BIGINT\")");
  }
  return arrow::Status::OK();
}

// The second argument is the call's place in the query, which MakeCall adds.
FunctionInfo PerRow(std::string name, const TypePtr& result, const Kernel& kernel,
                    bool takes_seed) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}({})", name, takes_seed ? "[seed]" : "");
  info.is_deterministic = false;
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args.size() != 2 || args[1]->type->id() != arrow::Type::INT64) {
      return WrongNumArgs(name, usage, takes_seed ? "[0, 1]" : "0", args.size());
    }
    ARROW_RETURN_NOT_OK(CheckSeed(name, args));
    return BoundFunction{{arrow::int64(), arrow::int64()}, result, kernel};
  };
  return info;
}

bool IsConstant(const Expr& expr) {
  return expr.kind != Expr::Kind::kColumn && IsDeterministic(expr) &&
         std::all_of(expr.args.begin(), expr.args.end(),
                     [](const ExprPtr& arg) { return IsConstant(*arg); });
}

// The wider one of two whole types; else the type that is not whole, or the wider one of both.
TypePtr UniformType(const TypePtr& a, const TypePtr& b) {
  if (a->id() == arrow::Type::NA || b->id() == arrow::Type::NA) return arrow::float64();
  if (IsIntegralType(*a) != IsIntegralType(*b)) return IsIntegralType(*a) ? b : a;
  return CommonType(a, b);
}

FunctionInfo UniformInfo() {
  FunctionInfo info;
  info.name = "uniform";
  info.usage = "uniform(min, max[, seed])";
  info.is_deterministic = false;
  info.is_total = true;
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args.size() != 4) return WrongNumArgs("uniform", usage, "[2, 3]", args.size());
    bool is_whole = true;
    for (size_t i = 0; i < 2; ++i) {
      const arrow::DataType& type = *args[i]->type;
      if (!IsConstant(*args[i])) return NonFoldableArgument("uniform", args, i);
      if (type.id() != arrow::Type::NA && !IsNumericType(type)) {
        return UnexpectedInput("uniform", args, i, "integer or floating-point");
      }
      is_whole = is_whole && IsIntegralType(type);
    }
    ARROW_RETURN_NOT_OK(CheckSeed("uniform", args));
    const TypePtr bounds = is_whole ? arrow::int64() : arrow::float64();
    const TypePtr result = UniformType(args[0]->type, args[1]->type);
    // A NULL bound comes as it is, and as the result's type once it is cast.
    const TypePtr from = args[0]->type->id() == arrow::Type::NA ? result : args[0]->type;
    const TypePtr to = args[1]->type->id() == arrow::Type::NA ? result : args[1]->type;
    ARROW_ASSIGN_OR_RAISE(Kernel widen_from, MakeCastKernel(from, bounds, false));
    ARROW_ASSIGN_OR_RAISE(Kernel widen_to, MakeCastKernel(to, bounds, false));
    ARROW_ASSIGN_OR_RAISE(Kernel narrow, MakeCastKernel(bounds, result, false));
    Kernel kernel = [=](const EvalContext& context, Args values,
                        int64_t rows) -> arrow::Result<arrow::Datum> {
      std::vector<arrow::Datum> wide(values.begin(), values.end());
      ARROW_ASSIGN_OR_RAISE(wide[0], widen_from(context, values.subspan(0, 1), 1));
      ARROW_ASSIGN_OR_RAISE(wide[1], widen_to(context, values.subspan(1, 1), 1));
      for (size_t i = 0; i < 2; ++i) {
        if (wide[i].is_scalar()) continue;
        ARROW_ASSIGN_OR_RAISE(wide[i], wide[i].make_array()->GetScalar(0));
      }
      ARROW_ASSIGN_OR_RAISE(const arrow::Datum number, is_whole
                                                           ? Uniform<int64_t>(context, wide, rows)
                                                           : Uniform<double>(context, wide, rows));
      return narrow(context, std::span(&number, 1), rows);
    };
    return BoundFunction{{from, to, arrow::int64(), arrow::int64()}, result, kernel};
  };
  return info;
}

FunctionInfo RandstrInfo() {
  FunctionInfo info;
  info.name = "randstr";
  info.usage = "randstr(length[, seed])";
  info.is_deterministic = false;
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args.size() != 3) return WrongNumArgs("randstr", usage, "[1, 2]", args.size());
    if (!IsConstant(*args[0])) return NonFoldableArgument("randstr", args, 0);
    if (!CanCastImplicitly(*args[0]->type, *arrow::int32())) {
      return UnexpectedInput("randstr", args, 0, "INT or SMALLINT");
    }
    const bool is_known = IsLiteral(*args[0]) && args[0]->literal->is_valid;
    if (is_known && args[0]->literal->ToString().starts_with('-')) {
      return Mismatch("VALUE_OUT_OF_RANGE", "randstr", args,
                      fmt::format("The `length` must be between [0, 2147483647] (current value = "
                                  "{}).",
                                  args[0]->literal->ToString()));
    }
    ARROW_RETURN_NOT_OK(CheckSeed("randstr", args));
    return BoundFunction{{arrow::int32(), arrow::int64(), arrow::int64()}, arrow::utf8(), Randstr};
  };
  return info;
}

}  // namespace

void AddRandomFunctions(FunctionCatalog* catalog) {
  catalog->Add(PerRow("rand", arrow::float64(), Rand, true), {"random"});
  catalog->Add(PerRow("randn", arrow::float64(), Randn, true));
  catalog->Add(UniformInfo());
  catalog->Add(RandstrInfo());
  catalog->Add(PerRow("uuid", arrow::utf8(), Uuid, false));
}

}  // namespace tidemill
