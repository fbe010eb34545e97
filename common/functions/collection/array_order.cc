#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/hash.h"
#include "common/base/random.h"
#include "common/functions/collection/lists.h"
#include "common/functions/comparison.h"

// Order within arrays: sorting, the largest and smallest, turned around and shuffled.

namespace tidemill {

namespace {

// Sorts each array by its elements; NULLs first where it ascends, as sort_array.
Kernel SortKernel(const TypePtr& type) {
  return
      [type](const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
        ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
        const arrow::Datum yes(true);
        const BoolColumn ascends(args.size() == 2 ? args[1] : yes);
        const arrow::Array& items = *list.items();
        ListPicker picker(context.pool);
        ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows)));
        std::vector<int32_t> order;
        for (int64_t row = 0; row < rows; ++row) {
          if (validity[row]) {
            order.resize(list.size(row));
            std::iota(order.begin(), order.end(), list.begin(row));
            const int sign = ascends[row] ? 1 : -1;
            std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) {
              return CompareRows(items, a, items, b) * sign < 0;
            });
            for (int32_t place : order) ARROW_RETURN_NOT_OK(picker.Pick(place));
          }
          picker.EndRow();
        }
        return picker.Finish(type, items, validity);
      };
}

arrow::Result<BoundFunction> BindSortArray(std::span<const ExprPtr> args) {
  const TypePtr& type = args[0]->type;
  if (!IsList(*type)) return UnexpectedInput("sort_array", args, 0, "\"ARRAY\"");
  if (!IsComparable(*type)) return NoOrdering("sort_array", args, *type);
  BoundFunction bound{{type}, type, SortKernel(type)};
  if (args.size() == 2) {
    if (args[1]->type->id() != arrow::Type::BOOL) {
      return UnexpectedInput("sort_array", args, 1, "\"BOOLEAN\"");
    }
    bound.arg_types.push_back(arrow::boolean());
  }
  return bound;
}

// The element of each array that stands first in the order, NULLs left out.
FunctionInfo Extreme(const std::string& name, int sign) {
  auto bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const TypePtr& type = args[0]->type;
    if (!IsList(*type)) return UnexpectedInput(name, args, 0, "\"ARRAY\"");
    if (!IsComparable(*type)) return NoOrdering(name, args, *type);
    Kernel kernel = [sign](const EvalContext& context, Args values,
                           int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
      ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(values[0], rows, context.pool));
      const arrow::Array& items = *list.items();
      arrow::Int32Builder picks(context.pool);
      ARROW_RETURN_NOT_OK(picks.Reserve(rows));
      for (int64_t row = 0; row < rows; ++row) {
        int32_t best = -1;
        for (int32_t i = list.begin(row); validity[row] && i < list.end(row); ++i) {
          if (items.IsNull(i)) continue;
          if (best < 0 || CompareRows(items, i, items, best) * sign < 0) best = i;
        }
        if (best < 0) {
          picks.UnsafeAppendNull();
        } else {
          picks.UnsafeAppend(best);
        }
      }
      ARROW_ASSIGN_OR_RAISE(auto indices, picks.Finish());
      ARROW_ASSIGN_OR_RAISE(auto taken, TakeItems(items, *indices, context.pool));
      return arrow::Datum(taken);
    };
    return BoundFunction{{type}, ItemType(*type), std::move(kernel)};
  };
  return Collection({name, fmt::format("{}(array)", name), 1, 1, true, bind});
}

// A permutation drawn from the epoch's seed, the call's ordinal and the row's number.
arrow::Result<BoundFunction> BindShuffle(std::span<const ExprPtr> args) {
  const TypePtr& type = args[0]->type;
  if (!IsList(*type)) return UnexpectedInput("shuffle", args, 0, "\"ARRAY\"");
  BoundFunction bound{{type}, type, nullptr};
  uint64_t fixed_seed = 0;
  const bool has_seed = args.size() == 2;
  if (has_seed) {
    if (!IsLiteral(*args[1])) return NonFoldableArgument("shuffle", args, 1);
    if (!CanCastImplicitly(*args[1]->type, *arrow::int64())) {
      return UnexpectedInput("shuffle", args, 1, "(\"INT\" or \"BIGINT\")");
    }
    bound.arg_types.push_back(arrow::int64());
    fixed_seed = Hash64(args[1]->literal->ToString());
  }
  bound.kernel = [=](const EvalContext& context, Args values,
                     int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity,
                          Validity::Of(values.subspan(0, 1), rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(values[0], rows, context.pool));
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows)));
    std::vector<int32_t> order;
    for (int64_t row = 0; row < rows; ++row) {
      order.resize(validity[row] ? list.size(row) : 0);
      std::iota(order.begin(), order.end(), list.begin(row));
      const uint64_t stream = SplitMix64(has_seed ? fixed_seed : context.seed,
                                         static_cast<uint64_t>(context.first_row + row));
      for (size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[SplitMix64(stream, i) % i]);
      }
      for (int32_t place : order) ARROW_RETURN_NOT_OK(picker.Pick(place));
      picker.EndRow();
    }
    return picker.Finish(type, *list.items(), validity);
  };
  return bound;
}

FunctionInfo Shuffle() {
  FunctionInfo info = Collection({"shuffle", "shuffle(array[, seed])", 1, 2, true, BindShuffle});
  info.is_deterministic = false;
  return info;
}

}  // namespace

void AddArrayOrderFunctions(FunctionCatalog* catalog) {
  catalog->Add(
      Collection({"sort_array", "sort_array(array[, ascendingOrder])", 1, 2, true, BindSortArray}));
  catalog->Add(Extreme("array_max", -1));
  catalog->Add(Extreme("array_min", 1));
  catalog->Add(Shuffle());
}

}  // namespace tidemill
