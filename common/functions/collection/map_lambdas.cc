#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/functions/collection/lambda_rows.h"
#include "common/functions/comparison.h"

// Functions over maps with lambdas.

namespace tidemill {

namespace {

using Lambdas = std::span<const Lambda>;
using arrow::Datum;

const arrow::MapType& AsMap(const TypePtr& type) {
  return static_cast<const arrow::MapType&>(*type);
}

ShapeOfLambda EntryShape(const std::string& name) {
  return [name](std::span<const ExprPtr> args, size_t) -> arrow::Result<LambdaShape> {
    const TypePtr& type = args[0]->type;
    if (!IsMap(*type)) return UnexpectedInput(name, args, 0, "\"MAP\"");
    return LambdaShape{{AsMap(type).key_type(), AsMap(type).item_type()}, 2};
  };
}

// The entries of args[0] and the lambda's value for each.
struct MappedEntries {
  Validity validity;
  LambdaElements elements;
  std::shared_ptr<arrow::Array> keys, items, values;
};

arrow::Result<MappedEntries> MapEntries(const EvalContext& context, Args args, Lambdas lambdas,
                                        int64_t rows) {
  MappedEntries mapped;
  ARROW_ASSIGN_OR_RAISE(mapped.validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const ListColumn map, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(mapped.elements,
                        LambdaElements::Of(map, mapped.validity, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(mapped.keys, TakeItems(*map.keys(), *mapped.elements.places, context.pool));
  ARROW_ASSIGN_OR_RAISE(mapped.items,
                        TakeItems(*map.values(), *mapped.elements.places, context.pool));
  ARROW_ASSIGN_OR_RAISE(mapped.values, lambdas[0]({Datum(mapped.keys), Datum(mapped.items)},
                                                  mapped.elements.parents));
  return mapped;
}

arrow::Result<BoundFunction> BindTransformValues(std::span<const ExprPtr> args) {
  const TypePtr type = arrow::map(AsMap(args[0]->type).key_type(), args[1]->type);
  BoundFunction bound{{args[0]->type, args[1]->type}, type, nullptr};
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const MappedEntries mapped, MapEntries(context, values, lambdas, rows));
    return MakeListData(type, rows, mapped.validity, mapped.elements.offsets,
                        MakeEntries(type, mapped.keys, mapped.values));
  };
  return bound;
}

arrow::Result<BoundFunction> BindTransformKeys(std::span<const ExprPtr> args) {
  const TypePtr type = arrow::map(args[1]->type, AsMap(args[0]->type).item_type());
  BoundFunction bound{{args[0]->type, args[1]->type}, type, nullptr};
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const MappedEntries mapped, MapEntries(context, values, lambdas, rows));
    ARROW_RETURN_NOT_OK(
        CheckMapKeys(mapped.values, mapped.elements.offsets_data(), rows, context.pool));
    return MakeListData(type, rows, mapped.validity, mapped.elements.offsets,
                        MakeEntries(type, mapped.values, mapped.items));
  };
  return bound;
}

arrow::Result<BoundFunction> BindMapFilter(std::span<const ExprPtr> args) {
  if (args[1]->type->id() != arrow::Type::BOOL) {
    return LambdaMustBe("map_filter", args, 1, arrow::boolean());
  }
  const TypePtr type = args[0]->type;
  BoundFunction bound{{type, args[1]->type}, type, nullptr};
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const MappedEntries mapped, MapEntries(context, values, lambdas, rows));
    const auto& kept = static_cast<const arrow::BooleanArray&>(*mapped.values);
    const int32_t* offsets = mapped.elements.offsets_data();
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, mapped.elements.count()));
    for (int64_t row = 0; row < rows; ++row) {
      for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        if (kept.IsValid(i) && kept.Value(i)) ARROW_RETURN_NOT_OK(picker.Pick(i));
      }
      picker.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(auto picks, picker.FinishPicks());
    ARROW_ASSIGN_OR_RAISE(auto kept_offsets, picker.FinishOffsets());
    ARROW_ASSIGN_OR_RAISE(auto keys, TakeItems(*mapped.keys, *picks, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto items, TakeItems(*mapped.items, *picks, context.pool));
    return MakeListData(type, rows, mapped.validity, std::move(kept_offsets),
                        MakeEntries(type, keys, items));
  };
  return bound;
}

arrow::Result<TypePtr> CommonKey(std::span<const ExprPtr> args) {
  for (size_t i = 0; i < 2; ++i) {
    if (!IsMap(*args[i]->type)) return UnexpectedInput("map_zip_with", args, i, "\"MAP\"");
  }
  const TypePtr key = CommonType(AsMap(args[0]->type).key_type(), AsMap(args[1]->type).key_type());
  if (key == nullptr || !IsComparable(*key)) return DataDiffTypes("map_zip_with", args);
  return key;
}

arrow::Result<LambdaShape> ZipShape(std::span<const ExprPtr> args, size_t) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr key, CommonKey(args));
  return LambdaShape{{key, AsMap(args[0]->type).item_type(), AsMap(args[1]->type).item_type()}, 3};
}

// Where the keys of both maps stand: those of the first, then those that only the second has.
struct ZippedKeys {
  explicit ZippedKeys(arrow::MemoryPool* pool)
      : keys(pool), left(pool), right(pool), parents(pool) {}
  ListPicker keys;
  ListPicker left, right;
  arrow::TypedBufferBuilder<int32_t> parents;
};

// Two maps, with ids for the keys of both, the second's behind the first's.
struct ZipInput {
  ListColumn a, b;
  ItemIds ids;
  int32_t shift = 0;
};

arrow::Status PickKeys(const ZipInput& input, int64_t row, ZippedKeys* out) {
  const auto& [a, b, ids, shift] = input;
  auto find = [&](const ListColumn& map, int32_t from, int32_t id) -> int32_t {
    for (int32_t i = map.begin(row); i < map.end(row); ++i) {
      if (input.ids.ids[from + i] == id) return i;
    }
    return -1;
  };
  const auto parent = static_cast<int32_t>(row);
  for (int32_t i = a.begin(row); i < a.end(row); ++i) {
    const int32_t other = find(b, shift, ids.ids[i]);
    ARROW_RETURN_NOT_OK(out->keys.Pick(i));
    ARROW_RETURN_NOT_OK(out->left.Pick(i));
    ARROW_RETURN_NOT_OK(other < 0 ? out->right.PickNull() : out->right.Pick(other));
    ARROW_RETURN_NOT_OK(out->parents.Append(parent));
  }
  for (int32_t i = b.begin(row); i < b.end(row); ++i) {
    if (find(a, 0, ids.ids[shift + i]) >= 0) continue;
    ARROW_RETURN_NOT_OK(out->keys.Pick(shift + i));
    ARROW_RETURN_NOT_OK(out->left.PickNull());
    ARROW_RETURN_NOT_OK(out->right.Pick(i));
    ARROW_RETURN_NOT_OK(out->parents.Append(parent));
  }
  return arrow::Status::OK();
}

arrow::Result<Datum> ZipMaps(const TypePtr& type, const EvalContext& context, Args args,
                             const Lambda& lambda, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  ZipInput input;
  ARROW_ASSIGN_OR_RAISE(input.a, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(input.b, ListColumn::Of(args[1], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto all_keys, Concatenated(input.a.keys(), input.b.keys(), context.pool));
  ARROW_ASSIGN_OR_RAISE(input.ids, ItemIds::Of(all_keys, context.pool));
  input.shift = static_cast<int32_t>(input.a.keys()->length());
  ZippedKeys zipped(context.pool);
  ARROW_RETURN_NOT_OK(zipped.keys.Reserve(rows, all_keys->length()));
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) ARROW_RETURN_NOT_OK(PickKeys(input, row, &zipped));
    zipped.keys.EndRow();
  }
  const int64_t count = zipped.parents.length();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> parents, zipped.parents.Finish());
  ARROW_ASSIGN_OR_RAISE(auto key_picks, zipped.keys.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto offsets, zipped.keys.FinishOffsets());
  ARROW_ASSIGN_OR_RAISE(auto left_picks, zipped.left.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto right_picks, zipped.right.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto keys, TakeItems(*all_keys, *key_picks, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto left, TakeItems(*input.a.values(), *left_picks, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto right, TakeItems(*input.b.values(), *right_picks, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto values, lambda({Datum(keys), Datum(left), Datum(right)},
                                            Int32ArrayOf(std::move(parents), count)));
  return MakeListData(type, rows, validity, std::move(offsets), MakeEntries(type, keys, values));
}

arrow::Result<BoundFunction> BindMapZipWith(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr key, CommonKey(args));
  const TypePtr type = arrow::map(key, args[2]->type);
  BoundFunction bound{{arrow::map(key, AsMap(args[0]->type).item_type()),
                       arrow::map(key, AsMap(args[1]->type).item_type()), args[2]->type},
                      type,
                      nullptr};
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) {
    return ZipMaps(type, context, values, lambdas[0], rows);
  };
  return bound;
}

FunctionInfo OverEntries(const std::string& name, bool is_total, const BindFunction& bind) {
  return HigherOrder({.name = name,
                      .usage = fmt::format("{}(map, (key, value) -> result)", name),
                      .is_total = is_total,
                      .shape = EntryShape(name),
                      .bind = bind});
}

}  // namespace

void AddMapLambdaFunctions(FunctionCatalog* catalog) {
  catalog->Add(OverEntries("transform_values", true, BindTransformValues));
  catalog->Add(OverEntries("transform_keys", false, BindTransformKeys));
  catalog->Add(OverEntries("map_filter", true, BindMapFilter));
  catalog->Add(HigherOrder({.name = "map_zip_with",
                            .usage = "map_zip_with(map1, map2, (key, value1, value2) -> result)",
                            .collections = 2,
                            .least = 3,
                            .most = 3,
                            .shape = ZipShape,
                            .bind = BindMapZipWith}));
}

}  // namespace tidemill
