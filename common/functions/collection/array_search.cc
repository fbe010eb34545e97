#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "common/functions/collection/lists.h"
#include "common/functions/comparison.h"

// Sizes of collections, and where a value is in an array.

namespace tidemill {

namespace {

Kernel SizeKernel() {
  return [](const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
    return ComputeFixed<int32_t>(context, args, rows, arrow::int32(),
                                 [&](int64_t row) { return list.size(row); });
  };
}

arrow::Result<arrow::Datum> NoSize(const EvalContext&, Args, int64_t) {
  return NullDatum(arrow::int32());
}

FunctionInfo Size(const std::string& name, bool takes_maps) {
  auto bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const TypePtr& type = args[0]->type;
    if (type->id() == arrow::Type::NA) return BoundFunction{{type}, arrow::int32(), NoSize};
    if (!IsList(*type) && !(takes_maps && IsMap(*type))) {
      return UnexpectedInput(name, args, 0, takes_maps ? "(\"ARRAY\" or \"MAP\")" : "\"ARRAY\"");
    }
    return BoundFunction{{type}, arrow::int32(), SizeKernel()};
  };
  return Collection({name, fmt::format("{}(expr)", name), 1, 1, true, bind});
}

// Which elements equal the value of their row: compared all at once, as = does.
class Matches {
 public:
  static arrow::Result<Matches> Of(const EvalContext& context, const ListColumn& list,
                                   const arrow::Datum& wanted, int64_t rows) {
    const std::shared_ptr<arrow::Array>& items = list.items();
    arrow::Datum values = wanted;
    if (wanted.is_array()) {
      // The value of its row beside each element.
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                            arrow::AllocateBuffer(items->length() * sizeof(int32_t), context.pool));
      auto* parents = buffer->mutable_data_as<int32_t>();
      std::fill(parents, parents + items->length(), 0);
      for (int64_t row = 0; row < rows; ++row) {
        std::fill(parents + list.begin(row), parents + list.end(row), static_cast<int32_t>(row));
      }
      const arrow::Int32Array indices(items->length(), buffer);
      ARROW_ASSIGN_OR_RAISE(auto spread, TakeItems(*wanted.make_array(), indices, context.pool));
      values = std::move(spread);
    }
    const std::vector<arrow::Datum> pair = {items, std::move(values)};
    ARROW_ASSIGN_OR_RAISE(const arrow::Datum equal,
                          MakeComparisonKernel("=", items->type())(context, pair, items->length()));
    Matches matches;
    ARROW_ASSIGN_OR_RAISE(matches.equal_, ArrayOf(equal, items->length(), context.pool));
    return matches;
  }

  bool operator[](int64_t place) const {
    const auto& bits = static_cast<const arrow::BooleanArray&>(*equal_);
    return bits.IsValid(place) && bits.Value(place);
  }

 private:
  std::shared_ptr<arrow::Array> equal_;
};

// TRUE where the value is found; else NULL where the array has a NULL, as with IN.
arrow::Result<arrow::Datum> ArrayContains(const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const Matches matches, Matches::Of(context, list, args[1], rows));
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(rows, context.pool));
  const arrow::Array& items = *list.items();
  for (int64_t row = 0; row < rows; ++row) {
    if (!validity[row]) continue;
    bool is_found = false, has_null = false;
    for (int32_t i = list.begin(row); i < list.end(row) && !is_found; ++i) {
      has_null = has_null || items.IsNull(i);
      is_found = matches[i];
    }
    if (is_found) arrow::bit_util::SetBit(bits->mutable_data(), row);
    if (!is_found && has_null) ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
  }
  return MakeColumnData(arrow::boolean(), rows, validity, {std::move(bits)});
}

// Counts from 1; 0 where it is not found.
arrow::Result<arrow::Datum> ArrayPosition(const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const Matches matches, Matches::Of(context, list, args[1], rows));
  return ComputeFixed<int64_t>(context, args, rows, arrow::int64(), [&](int64_t row) -> int64_t {
    for (int32_t i = list.begin(row); i < list.end(row); ++i) {
      if (matches[i]) return i - list.begin(row) + 1;
    }
    return 0;
  });
}

Kernel ArrayRemove(const TypePtr& type) {
  return
      [type](const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
        ARROW_ASSIGN_OR_RAISE(const Matches matches, Matches::Of(context, list, args[1], rows));
        ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
        ListPicker picker(context.pool);
        ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows)));
        for (int64_t row = 0; row < rows; ++row) {
          for (int32_t i = list.begin(row); validity[row] && i < list.end(row); ++i) {
            if (!matches[i]) ARROW_RETURN_NOT_OK(picker.Pick(i));
          }
          picker.EndRow();
        }
        return picker.Finish(type, *list.items(), validity);
      };
}

arrow::Result<TypePtr> SearchedItem(std::string_view name, std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr item, CommonItemType(name, args, 0, 1));
  if (!IsComparable(*item)) return NoOrdering(name, args, *item);
  return item;
}

arrow::Result<BoundFunction> BindContains(std::span<const ExprPtr> args) {
  if (IsList(*args[0]->type) && args[1]->type->id() == arrow::Type::NA) {
    return NullTyped("array_contains", args);
  }
  ARROW_ASSIGN_OR_RAISE(const TypePtr item, SearchedItem("array_contains", args));
  return BoundFunction{{arrow::list(item), item}, arrow::boolean(), ArrayContains};
}

arrow::Result<BoundFunction> BindPosition(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr item, SearchedItem("array_position", args));
  return BoundFunction{{arrow::list(item), item}, arrow::int64(), ArrayPosition};
}

arrow::Result<BoundFunction> BindRemove(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr item, SearchedItem("array_remove", args));
  const TypePtr type = arrow::list(item);
  return BoundFunction{{type, item}, type, ArrayRemove(type)};
}

}  // namespace

void AddArraySearchFunctions(FunctionCatalog* catalog) {
  catalog->Add(Size("size", true));
  catalog->Add(Size("cardinality", true));
  catalog->Add(Size("array_size", false));
  catalog->Add(
      Collection({"array_contains", "array_contains(array, value)", 2, 2, true, BindContains}));
  catalog->Add(
      Collection({"array_position", "array_position(array, value)", 2, 2, true, BindPosition}));
  catalog->Add(Collection({"array_remove", "array_remove(array, value)", 2, 2, true, BindRemove}));
}

}  // namespace tidemill
