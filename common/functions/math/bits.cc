#include <arrow/type.h>
#include <fmt/format.h>

#include <bit>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/columns.h"
#include "common/functions/math/math_parts.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// The kernel of an integral type: `make.template operator()<T>()`.
template <class Make>
Kernel ForIntegral(const arrow::DataType& type, Make make) {
  switch (type.id()) {
    case arrow::Type::INT8:
      return make.template operator()<int8_t>();
    case arrow::Type::INT16:
      return make.template operator()<int16_t>();
    case arrow::Type::INT32:
      return make.template operator()<int32_t>();
    default:
      return make.template operator()<int64_t>();
  }
}

// An untyped NULL is an INT.
TypePtr IntegralOrInt(const TypePtr& type) {
  return type->id() == arrow::Type::NA ? arrow::int32() : type;
}

// expr1 & expr2 and the like, of the common integral type.
template <class Operation>
FunctionInfo BitOperator(const std::string& name, Operation operation) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("expr1 {} expr2", name);
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 2, 2));
    TypePtr common = CommonType(args[0]->type, args[1]->type);
    if (common != nullptr) common = IntegralOrInt(common);
    if (common == nullptr || !IsIntegralType(*common)) {
      return args[0]->type->Equals(*args[1]->type) ? WrongOperandType(name, args, "\"INTEGRAL\"")
                                                   : IncompatibleOperands(name, args);
    }
    Kernel kernel = ForIntegral(*common, [&]<class T>() -> Kernel {
      return [=](const EvalContext& context, Args values, int64_t rows) {
        const FixedColumn<T> a(values[0]), b(values[1]);
        return ComputeFixed<T>(context, values, rows, common, [&](int64_t row) {
          return static_cast<T>(operation(a[row], b[row]));
        });
      };
    });
    return BoundFunction{{common, common}, common, std::move(kernel)};
  };
  return info;
}

FunctionInfo Not() {
  FunctionInfo info;
  info.name = "~";
  info.usage = "~ expr";
  info.is_total = true;
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("~", usage, args.size(), 1, 1));
    const TypePtr type = IntegralOrInt(args[0]->type);
    if (!IsIntegralType(*type)) return UnexpectedInput("~", args, 0, "\"INTEGRAL\"");
    Kernel kernel = ForIntegral(*type, [&]<class T>() -> Kernel {
      return [=](const EvalContext& context, Args values, int64_t rows) {
        const FixedColumn<T> a(values[0]);
        return ComputeFixed<T>(context, values, rows, type,
                               [&](int64_t row) { return static_cast<T>(~a[row]); });
      };
    });
    return BoundFunction{{type}, type, std::move(kernel)};
  };
  return info;
}

// Shifts of an INT or a BIGINT, by the low bits of the count as in Java.
template <class Shift>
FunctionInfo ShiftFunction(const std::string& name, const std::string& symbol, Shift shift) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(base, expr), base {} expr", name, symbol);
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 2, 2));
    const bool is_long = args[0]->type->id() == arrow::Type::INT64;
    const TypePtr type = is_long ? arrow::int64() : arrow::int32();
    if (!CanCastImplicitly(*args[0]->type, *type)) {
      return UnexpectedInput(name, args, 0, "(\"INT\" or \"BIGINT\")");
    }
    if (!CanCastImplicitly(*args[1]->type, *arrow::int32())) {
      return UnexpectedInput(name, args, 1, "\"INT\"");
    }
    const auto make = [&]<class T>() -> Kernel {
      return [=](const EvalContext& context, Args values, int64_t rows) {
        const FixedColumn<T> base(values[0]);
        const FixedColumn<int32_t> count(values[1]);
        constexpr int32_t kMask = sizeof(T) * 8 - 1;
        return ComputeFixed<T>(context, values, rows, type, [&](int64_t row) {
          return static_cast<T>(shift(base[row], count[row] & kMask));
        });
      };
    };
    Kernel kernel =
        is_long ? make.template operator()<int64_t>() : make.template operator()<int32_t>();
    return BoundFunction{{type, arrow::int32()}, type, std::move(kernel)};
  };
  return info;
}

// The number of bits that are set in the value as a BIGINT; of a BOOLEAN, 0 or 1.
FunctionInfo BitCount() {
  FunctionInfo info;
  info.name = "bit_count";
  info.usage = "bit_count(expr)";
  info.is_total = true;
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("bit_count", usage, args.size(), 1, 1));
    const TypePtr& type = args[0]->type;
    if (type->id() == arrow::Type::BOOL) {
      Kernel kernel = [](const EvalContext& context, Args values, int64_t rows) {
        const BoolColumn value(values[0]);
        return ComputeFixed<int32_t>(context, values, rows, arrow::int32(),
                                     [&](int64_t row) { return value[row] ? 1 : 0; });
      };
      return BoundFunction{{type}, arrow::int32(), std::move(kernel)};
    }
    if (type->id() != arrow::Type::NA && !IsIntegralType(*type)) {
      return UnexpectedInput("bit_count", args, 0, "(\"INTEGRAL\" or \"BOOLEAN\")");
    }
    Kernel kernel = [](const EvalContext& context, Args values, int64_t rows) {
      const FixedColumn<int64_t> value(values[0]);
      return ComputeFixed<int32_t>(context, values, rows, arrow::int32(), [&](int64_t row) {
        return std::popcount(static_cast<uint64_t>(value[row]));
      });
    };
    return BoundFunction{{arrow::int64()}, arrow::int32(), std::move(kernel)};
  };
  return info;
}

// getbit(value, position): 0 or 1; the position is one of the value's type.
FunctionInfo GetBit() {
  FunctionInfo info;
  info.name = "getbit";
  info.usage = "getbit(expr, pos)";
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("getbit", usage, args.size(), 2, 2));
    const TypePtr type = IntegralOrInt(args[0]->type);
    if (!IsIntegralType(*type)) return UnexpectedInput("getbit", args, 0, "\"INTEGRAL\"");
    if (!CanCastImplicitly(*args[1]->type, *arrow::int32())) {
      return UnexpectedInput("getbit", args, 1, "\"INT\"");
    }
    Kernel kernel = ForIntegral(*type, []<class T>() -> Kernel {
      return [](const EvalContext& context, Args values, int64_t rows) {
        const FixedColumn<T> value(values[0]);
        const FixedColumn<int32_t> position(values[1]);
        constexpr int32_t kBits = sizeof(T) * 8;
        return ComputeFixedChecked<int8_t>(
            context, values, rows, arrow::int8(),
            [&](int64_t row, int8_t* out) -> arrow::Result<bool> {
              if (position[row] < 0 || position[row] >= kBits) {
                return MakeError(
                    ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE",
                    fmt::format("The value of parameter(s) `pos` in `getbit` is invalid: expects "
                                "an integer value in [0, {}), but got {}.",
                                kBits, position[row]));
              }
              *out = static_cast<int8_t>((value[row] >> position[row]) & 1);
              return true;
            });
      };
    });
    return BoundFunction{{type, arrow::int32()}, arrow::int8(), std::move(kernel)};
  };
  return info;
}

// A bitmap holds 32768 values, counted from 1 (and below 1 backwards).
constexpr int64_t kBitmapBits = 8 * 4096;

int64_t BitPosition(int64_t value) {
  return value > 0 ? (value - 1) % kBitmapBits
                   : static_cast<int64_t>((~static_cast<uint64_t>(value) + 1) % kBitmapBits);
}
int64_t BucketNumber(int64_t value) {
  return value > 0 ? 1 + (value - 1) / kBitmapBits : value / kBitmapBits;
}

template <class Place>
FunctionInfo BitmapPlace(const std::string& name, Place place) {
  Kernel kernel = [place](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> value(args[0]);
    return ComputeFixed<int64_t>(context, args, rows, arrow::int64(),
                                 [&](int64_t row) { return place(value[row]); });
  };
  return FromSignature({.name = name,
                        .usage = name + "(expr)",
                        .params = {arrow::int64()},
                        .result = arrow::int64(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

FunctionInfo BitmapCount() {
  FunctionInfo info;
  info.name = "bitmap_count";
  info.usage = "bitmap_count(bitmap)";
  info.is_total = true;
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("bitmap_count", usage, args.size(), 1, 1));
    if (args[0]->type->id() != arrow::Type::BINARY) {
      return UnexpectedInput("bitmap_count", args, 0, "\"BINARY\"");
    }
    Kernel kernel = [](const EvalContext& context, Args values, int64_t rows) {
      const TextColumn bitmap(values[0]);
      return ComputeFixed<int64_t>(context, values, rows, arrow::int64(), [&](int64_t row) {
        int64_t count = 0;
        for (const char c : bitmap[row]) count += std::popcount(static_cast<unsigned char>(c));
        return count;
      });
    };
    return BoundFunction{{arrow::binary()}, arrow::int64(), std::move(kernel)};
  };
  return info;
}

}  // namespace

void AddBitFunctions(FunctionCatalog* catalog) {
  catalog->Add(BitOperator("&", [](auto a, auto b) { return a & b; }));
  catalog->Add(BitOperator("|", [](auto a, auto b) { return a | b; }));
  catalog->Add(BitOperator("^", [](auto a, auto b) { return a ^ b; }));
  catalog->Add(Not());
  catalog->Add(ShiftFunction("shiftleft", "<<",
                             [](auto base, int32_t count) {
                               using U = std::make_unsigned_t<decltype(base)>;
                               return static_cast<U>(base) << count;
                             }),
               {"<<"});
  catalog->Add(
      ShiftFunction("shiftright", ">>", [](auto base, int32_t count) { return base >> count; }),
      {">>"});
  catalog->Add(ShiftFunction("shiftrightunsigned", ">>>",
                             [](auto base, int32_t count) {
                               using U = std::make_unsigned_t<decltype(base)>;
                               return static_cast<U>(base) >> count;
                             }),
               {">>>"});
  catalog->Add(BitCount());
  catalog->Add(GetBit(), {"bit_get"});
  catalog->Add(BitmapPlace("bitmap_bit_position", BitPosition));
  catalog->Add(BitmapPlace("bitmap_bucket_number", BucketNumber));
  catalog->Add(BitmapCount());
}

}  // namespace tidemill
