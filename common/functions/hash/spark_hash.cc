#include <arrow/type.h>
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/call_errors.h"
#include "common/functions/columns.h"
#include "common/functions/hash/hash.h"
#include "common/functions/signature.h"
#include "common/types/civil_time.h"
#include "common/types/interval/interval.h"

namespace tidemill {

namespace {

// Murmur3 x86 32 as Spark has it: bytes behind the last whole word are mixed in one by one.
struct Murmur3 {
  using Value = int32_t;

  static uint32_t MixKey(uint32_t key) { return std::rotl(key * 0xCC9E2D51U, 15) * 0x1B873593U; }
  static uint32_t Mix(uint32_t hash, uint32_t key) {
    return std::rotl(hash ^ MixKey(key), 13) * 5 + 0xE6546B64U;
  }
  static Value Finish(uint32_t hash, uint32_t length) {
    hash ^= length;
    hash = (hash ^ (hash >> 16)) * 0x85EBCA6BU;
    hash = (hash ^ (hash >> 13)) * 0xC2B2AE35U;
    return static_cast<Value>(hash ^ (hash >> 16));
  }
  static Value Word(int32_t value, Value seed) {
    return Finish(Mix(static_cast<uint32_t>(seed), static_cast<uint32_t>(value)), 4);
  }
  static Value Long(int64_t value, Value seed) {
    const auto bits = static_cast<uint64_t>(value);
    const uint32_t low = Mix(static_cast<uint32_t>(seed), static_cast<uint32_t>(bits));
    return Finish(Mix(low, static_cast<uint32_t>(bits >> 32)), 8);
  }
  static Value Bytes(std::string_view bytes, Value seed) {
    auto hash = static_cast<uint32_t>(seed);
    const size_t words = bytes.size() / 4;
    for (size_t i = 0; i < words; ++i) {
      uint32_t word;
      std::memcpy(&word, bytes.data() + 4 * i, 4);
      hash = Mix(hash, word);
    }
    for (const char c : bytes.substr(4 * words)) {
      hash = Mix(hash, static_cast<uint32_t>(static_cast<int32_t>(static_cast<signed char>(c))));
    }
    return Finish(hash, static_cast<uint32_t>(bytes.size()));
  }
};

struct XxHash {
  using Value = int64_t;

  static Value Of(const void* data, size_t size, Value seed) {
    return static_cast<Value>(XXH64(data, size, static_cast<XXH64_hash_t>(seed)));
  }
  static Value Word(int32_t value, Value seed) { return Of(&value, sizeof(value), seed); }
  static Value Long(int64_t value, Value seed) { return Of(&value, sizeof(value), seed); }
  static Value Bytes(std::string_view bytes, Value seed) {
    return Of(bytes.data(), bytes.size(), seed);
  }
};

// The bits that are hashed: -0.0 is 0.0, and there is one NaN.
template <class T>
auto BitsOf(T value) {
  using Bits = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  if (value == 0) value = 0;
  if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
  return std::bit_cast<Bits>(value);
}

// The shortest big-endian two's complement, as Java's BigInteger has it.
template <class H>
typename H::Value FoldBigInteger(Int128 value, typename H::Value seed) {
  char bytes[16];
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<char>(value >> (8 * (15 - i)));
  size_t begin = 0;
  const char fill = value < 0 ? static_cast<char>(0xFF) : 0;
  while (begin < 15 && bytes[begin] == fill && ((bytes[begin + 1] ^ fill) & 0x80) == 0) ++begin;
  return H::Bytes({bytes + begin, 16 - begin}, seed);
}

constexpr int kLongDigits = 18;  // a DECIMAL of more digits is hashed as bytes

template <class H>
void FoldRows(const arrow::ArrayData& data, int64_t begin, int64_t end, typename H::Value* hashes,
              bool is_column);

// Folds the values of rows [begin, end) by `fold(row, hash)`: a column has a hash for each row, the
// elements of one value share one.
template <class Hash, class Fold>
void FoldEach(const arrow::ArrayData& data, int64_t begin, int64_t end, Hash* hashes,
              bool is_column, Fold fold) {
  const bool has_nulls = data.MayHaveNulls();
  for (int64_t row = begin; row < end; ++row) {
    Hash* hash = is_column ? hashes + row : hashes;
    if (!has_nulls || data.IsValid(row)) *hash = fold(row, *hash);
  }
}

template <class H, class T>
void FoldNumbers(const arrow::ArrayData& data, int64_t begin, int64_t end,
                 typename H::Value* hashes, bool is_column) {
  const T* values = data.GetValues<T>(1);
  FoldEach(data, begin, end, hashes, is_column, [&](int64_t row, typename H::Value hash) {
    if constexpr (std::is_floating_point_v<T>) {
      const auto bits = BitsOf(values[row]);
      if constexpr (sizeof(T) == 4) return H::Word(bits, hash);
      if constexpr (sizeof(T) == 8) return H::Long(bits, hash);
    } else if constexpr (sizeof(T) == 8) {
      return H::Long(values[row], hash);
    } else {
      return H::Word(values[row], hash);
    }
  });
}

template <class H>
void FoldDecimals(const arrow::ArrayData& data, int64_t begin, int64_t end,
                  typename H::Value* hashes, bool is_column) {
  const auto* bytes = data.buffers[1]->data() + data.offset * sizeof(Int128);
  const bool is_long =
      static_cast<const arrow::DecimalType&>(*data.type).precision() <= kLongDigits;
  FoldEach(data, begin, end, hashes, is_column, [&](int64_t row, typename H::Value hash) {
    Int128 value;
    std::memcpy(&value, bytes + row * sizeof(value), sizeof(value));
    return is_long ? H::Long(static_cast<int64_t>(value), hash) : FoldBigInteger<H>(value, hash);
  });
}

template <class H>
void FoldNested(const arrow::ArrayData& data, int64_t begin, int64_t end, typename H::Value* hashes,
                bool is_column) {
  const bool is_struct = data.type->id() == arrow::Type::STRUCT;
  FoldEach(data, begin, end, hashes, is_column, [&](int64_t row, typename H::Value hash) {
    if (is_struct) {
      const int64_t place = data.offset + row;
      for (const auto& field : data.child_data) {
        FoldRows<H>(*field, place, place + 1, &hash, /*is_column=*/false);
      }
    } else {
      const auto* offsets = data.GetValues<int32_t>(1);
      FoldRows<H>(*data.child_data[0], offsets[row], offsets[row + 1], &hash, /*is_column=*/false);
    }
    return hash;
  });
}

template <class H>
void FoldRows(const arrow::ArrayData& data, int64_t begin, int64_t end, typename H::Value* hashes,
              bool is_column) {
  using Value = typename H::Value;
  if (begin == end) return;
  switch (data.type->id()) {
    case arrow::Type::NA:
      return;
    case arrow::Type::BOOL: {
      const uint8_t* bits = data.buffers[1]->data();
      return FoldEach(data, begin, end, hashes, is_column, [&](int64_t row, Value hash) {
        return H::Word(arrow::bit_util::GetBit(bits, data.offset + row) ? 1 : 0, hash);
      });
    }
    case arrow::Type::INT8:
      return FoldNumbers<H, int8_t>(data, begin, end, hashes, is_column);
    case arrow::Type::INT16:
      return FoldNumbers<H, int16_t>(data, begin, end, hashes, is_column);
    case arrow::Type::FLOAT:
      return FoldNumbers<H, float>(data, begin, end, hashes, is_column);
    case arrow::Type::DOUBLE:
      return FoldNumbers<H, double>(data, begin, end, hashes, is_column);
    case arrow::Type::DECIMAL128:
      return FoldDecimals<H>(data, begin, end, hashes, is_column);
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const auto* offsets = data.GetValues<int32_t>(1);
      const char* bytes =
          data.buffers[2] == nullptr ? "" : reinterpret_cast<const char*>(data.buffers[2]->data());
      return FoldEach(data, begin, end, hashes, is_column, [&](int64_t row, Value hash) {
        const auto size = static_cast<size_t>(offsets[row + 1] - offsets[row]);
        return H::Bytes({bytes + offsets[row], size}, hash);
      });
    }
    case arrow::Type::LIST:
    case arrow::Type::STRUCT:
      return FoldNested<H>(data, begin, end, hashes, is_column);
    case arrow::Type::DURATION: {  // as microseconds, whatever the fields
      const int64_t scale = IsDayInterval(*data.type) ? kMicrosPerSecond : 1;
      const auto* values = data.GetValues<int64_t>(1);
      return FoldEach(data, begin, end, hashes, is_column,
                      [&](int64_t row, Value hash) { return H::Long(values[row] * scale, hash); });
    }
    default:  // dates, timestamps, months
      if (data.type->byte_width() == 4) {
        return FoldNumbers<H, int32_t>(data, begin, end, hashes, is_column);
      }
      return FoldNumbers<H, int64_t>(data, begin, end, hashes, is_column);
  }
}

bool HasMap(const arrow::DataType& type) {
  if (type.id() == arrow::Type::MAP) return true;
  return std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return HasMap(*field->type()); });
}

template <class H>
arrow::Result<arrow::Datum> HashKernel(const EvalContext& context,
                                       std::span<const arrow::Datum> args, int64_t rows) {
  using Value = typename H::Value;
  constexpr Value kSeed = 42;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(rows * sizeof(Value), context.pool));
  auto* hashes = buffer->mutable_data_as<Value>();
  std::fill_n(hashes, rows, kSeed);
  for (const arrow::Datum& arg : args) {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(arg, rows, context.pool));
    FoldRows<H>(*array->data(), 0, rows, hashes, /*is_column=*/true);
  }
  const TypePtr type = sizeof(Value) == 4 ? arrow::int32() : arrow::int64();
  return MakeColumnData(type, rows, Validity::AllValid(rows), {std::move(buffer)});
}

template <class H>
FunctionInfo HashFunction(const std::string& name) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(expr1, expr2, ...)", name);
  info.is_total = true;
  info.bind = [name,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, kUnboundedArgs));
    BoundFunction bound;
    for (const ExprPtr& arg : args) {
      if (HasMap(*arg->type)) {
        return Mismatch("HASH_MAP_TYPE", name, args,
                        fmt::format("Input to the function `{}` cannot contain elements of the "
                                    "\"MAP\" type. In Spark, same maps may have different "
                                    "hashcode, thus hash expressions are prohibited on \"MAP\" "
                                    "elements.",
                                    name));
      }
      bound.arg_types.push_back(arg->type);
    }
    bound.type = sizeof(typename H::Value) == 4 ? arrow::int32() : arrow::int64();
    bound.kernel = HashKernel<H>;
    return bound;
  };
  return info;
}

}  // namespace

void AddHashFunctions(FunctionCatalog* catalog) {
  catalog->Add(HashFunction<Murmur3>("hash"));
  catalog->Add(HashFunction<XxHash>("xxhash64"));
}

}  // namespace tidemill
