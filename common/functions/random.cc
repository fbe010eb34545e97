#include "common/base/random.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// The stream of one call: its seed argument and its place in the query set it apart from others.
uint64_t StreamOf(const EvalContext& context, Args args) {
  const FixedColumn<int64_t> seed(args[0]), ordinal(args[1]);
  const auto own = static_cast<uint64_t>(seed[0]);
  return SplitMix64(SplitMix64(context.seed, own), static_cast<uint64_t>(ordinal[0]));
}

arrow::Result<arrow::Datum> Rand(const EvalContext& context, Args args, int64_t rows) {
  const uint64_t stream = StreamOf(context, args);
  return ComputeFixed<double>(context, {}, rows, arrow::float64(), [&](int64_t row) {
    const uint64_t bits = SplitMix64(stream, static_cast<uint64_t>(context.first_row + row));
    return static_cast<double>(bits >> 11) * 0x1.0p-53;
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
    if (args.size() != 2)
      return WrongNumArgs(name, usage, takes_seed ? "[0, 1]" : "0", args.size());
    if (!IsLiteral(*args[0])) return NonFoldableArgument(name, args, 0);
    const TypePtr& seed = args[0]->type;
    if (!CanCastImplicitly(*seed, *arrow::int64()) || IsStringType(*seed)) {
      return UnexpectedInput(name, args, 0, "(\"INT\" or \"BIGINT\")");
    }
    return BoundFunction{{arrow::int64(), arrow::int64()}, result, kernel};
  };
  return info;
}

}  // namespace

void AddRandomFunctions(FunctionCatalog* catalog) {
  catalog->Add(PerRow("rand", arrow::float64(), Rand, true), {"random"});
  catalog->Add(PerRow("uuid", arrow::utf8(), Uuid, false));
}

}  // namespace tidemill
