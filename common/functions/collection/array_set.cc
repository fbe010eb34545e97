#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/functions/collection/lists.h"
#include "common/functions/comparison.h"

// Arrays as sets: elements are compared by ids, so that a row costs what it has elements.

namespace tidemill {

namespace {

enum class SetRule { kDistinct, kUnion, kIntersect, kExcept };

// One or two arrays over the same elements, the second's behind the first's.
struct SetInput {
  ListColumn a, b;
  int32_t shift = 0;  // of b's places among all elements
  std::shared_ptr<arrow::Array> items;
  ItemIds ids;
};

arrow::Result<SetInput> ReadSets(const EvalContext& context, Args args, int64_t rows) {
  SetInput input;
  ARROW_ASSIGN_OR_RAISE(input.a, ListColumn::Of(args[0], rows, context.pool));
  input.items = input.a.items();
  if (args.size() == 2) {
    ARROW_ASSIGN_OR_RAISE(input.b, ListColumn::Of(args[1], rows, context.pool));
    input.shift = static_cast<int32_t>(input.items->length());
    ARROW_ASSIGN_OR_RAISE(input.items, Concatenated(input.items, input.b.items(), context.pool));
  }
  ARROW_ASSIGN_OR_RAISE(input.ids, ItemIds::Of(input.items, context.pool));
  return input;
}

// Picks the elements of [begin, end) that are new to `taken` and that `rule` lets through.
arrow::Status PickNew(const SetInput& input, int32_t begin, int32_t end, IdSet* taken,
                      ListPicker* picker) {
  for (int32_t i = begin; i < end; ++i) {
    if (taken->Add(input.ids.ids[i])) ARROW_RETURN_NOT_OK(picker->Pick(i));
  }
  return arrow::Status::OK();
}

Kernel SetKernel(SetRule rule, const TypePtr& type) {
  return [=](const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(const SetInput input, ReadSets(context, args, rows));
    IdSet taken(input.ids.count), others(input.ids.count);
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, input.a.total(rows)));
    for (int64_t row = 0; row < rows; ++row) {
      if (!validity[row]) {
        picker.EndRow();
        continue;
      }
      taken.Clear();
      const bool has_filter = rule == SetRule::kIntersect || rule == SetRule::kExcept;
      if (has_filter) {
        others.Clear();
        for (int32_t i = input.b.begin(row); i < input.b.end(row); ++i) {
          others.Add(input.ids.ids[input.shift + i]);
        }
      }
      for (int32_t i = input.a.begin(row); i < input.a.end(row); ++i) {
        const int32_t id = input.ids.ids[i];
        if (has_filter && others.Contains(id) != (rule == SetRule::kIntersect)) continue;
        if (taken.Add(id)) ARROW_RETURN_NOT_OK(picker.Pick(i));
      }
      if (rule == SetRule::kUnion) {
        ARROW_RETURN_NOT_OK(PickNew(input, input.shift + input.b.begin(row),
                                    input.shift + input.b.end(row), &taken, &picker));
      }
      picker.EndRow();
    }
    return picker.Finish(type, *input.items, validity);
  };
}

arrow::Result<TypePtr> CommonArrayType(std::string_view name, std::span<const ExprPtr> args) {
  for (size_t i = 0; i < args.size(); ++i) {
    if (!IsList(*args[i]->type)) return UnexpectedInput(name, args, i, "\"ARRAY\"");
  }
  TypePtr type = args[0]->type;
  if (args.size() == 2) type = CommonType(type, args[1]->type);
  if (type == nullptr) return DataDiffTypes(name, args);
  if (!IsComparable(*type)) return NoOrdering(name, args, *type);
  return type;
}

FunctionInfo SetFunction(const std::string& name, SetRule rule) {
  const size_t count = rule == SetRule::kDistinct ? 1 : 2;
  auto bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_ASSIGN_OR_RAISE(const TypePtr type, CommonArrayType(name, args));
    return BoundFunction{std::vector<TypePtr>(count, type), type, SetKernel(rule, type)};
  };
  const char* parameters = count == 1 ? "array" : "array1, array2";
  return Collection({name, fmt::format("{}({})", name, parameters), count, count, true, bind});
}

// TRUE where both have an element other than NULL; else NULL where one has a NULL and both have
// elements.
arrow::Result<arrow::Datum> Overlap(const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const SetInput input, ReadSets(context, args, rows));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(rows, context.pool));
  IdSet others(input.ids.count);
  for (int64_t row = 0; row < rows; ++row) {
    if (!validity[row]) continue;
    others.Clear();
    bool has_null = false, is_found = false;
    for (int32_t i = input.shift + input.b.begin(row); i < input.shift + input.b.end(row); ++i) {
      has_null = has_null || input.items->IsNull(i);
      if (input.items->IsValid(i)) others.Add(input.ids.ids[i]);
    }
    for (int32_t i = input.a.begin(row); i < input.a.end(row) && !is_found; ++i) {
      has_null = has_null || input.items->IsNull(i);
      is_found = input.items->IsValid(i) && others.Contains(input.ids.ids[i]);
    }
    if (is_found) {
      arrow::bit_util::SetBit(bits->mutable_data(), row);
    } else if (has_null && input.a.size(row) > 0 && input.b.size(row) > 0) {
      ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
    }
  }
  return MakeColumnData(arrow::boolean(), rows, validity, {std::move(bits)});
}

arrow::Result<BoundFunction> BindOverlap(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr type, CommonArrayType("arrays_overlap", args));
  return BoundFunction{{type, type}, arrow::boolean(), Overlap};
}

}  // namespace

void AddArraySetFunctions(FunctionCatalog* catalog) {
  catalog->Add(SetFunction("array_distinct", SetRule::kDistinct));
  catalog->Add(SetFunction("array_union", SetRule::kUnion));
  catalog->Add(SetFunction("array_intersect", SetRule::kIntersect));
  catalog->Add(SetFunction("array_except", SetRule::kExcept));
  catalog->Add(
      Collection({"arrays_overlap", "arrays_overlap(array1, array2)", 2, 2, true, BindOverlap}));
}

}  // namespace tidemill
