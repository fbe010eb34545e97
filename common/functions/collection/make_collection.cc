#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/functions/collection/lists.h"
#include "common/functions/comparison.h"

// array(), map(), named_struct() and arrays_zip(): collections out of columns.

namespace tidemill {

namespace {

// The values of several columns row by row: a0 b0 c0 a1 b1 c1 ...
arrow::Result<std::shared_ptr<arrow::Array>> Interleave(const EvalContext& context,
                                                        const std::vector<arrow::Datum>& columns,
                                                        int64_t rows) {
  arrow::ArrayVector arrays;
  for (const arrow::Datum& column : columns) {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(column, rows, context.pool));
    arrays.push_back(std::move(array));
  }
  if (arrays.size() == 1) return arrays[0];
  ARROW_ASSIGN_OR_RAISE(auto all, arrow::Concatenate(arrays, context.pool));
  const auto count = static_cast<int64_t>(arrays.size());
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(rows * count * sizeof(int32_t), context.pool));
  auto* picks = buffer->mutable_data_as<int32_t>();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < count; ++i) *picks++ = static_cast<int32_t>(i * rows + row);
  }
  return TakeItems(*all, arrow::Int32Array(rows * count, buffer), context.pool);
}

// Offsets 0, step, 2 * step, ...
arrow::Result<std::shared_ptr<arrow::Buffer>> EvenOffsets(const EvalContext& context, int64_t rows,
                                                          int64_t step) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer((rows + 1) * sizeof(int32_t), context.pool));
  auto* offsets = buffer->mutable_data_as<int32_t>();
  for (int64_t row = 0; row <= rows; ++row) offsets[row] = static_cast<int32_t>(row * step);
  return buffer;
}

arrow::Result<BoundFunction> BindArray(std::span<const ExprPtr> args) {
  TypePtr item = arrow::null();
  for (const ExprPtr& arg : args) {
    item = CommonType(item, arg->type);
    if (item == nullptr) return DataDiffTypes("array", args);
  }
  const TypePtr type = arrow::list(item);
  Kernel kernel = [type, item](const EvalContext& context, Args values,
                               int64_t rows) -> arrow::Result<arrow::Datum> {
    std::shared_ptr<arrow::Array> items;
    if (values.empty()) {
      ARROW_ASSIGN_OR_RAISE(items, arrow::MakeEmptyArray(item, context.pool));
    } else {
      ARROW_ASSIGN_OR_RAISE(items, Interleave(context, {values.begin(), values.end()}, rows));
    }
    ARROW_ASSIGN_OR_RAISE(auto offsets,
                          EvenOffsets(context, rows, static_cast<int64_t>(values.size())));
    return MakeListData(type, rows, Validity::AllValid(rows), std::move(offsets), items->data());
  };
  return BoundFunction{std::vector<TypePtr>(args.size(), item), type, std::move(kernel), true};
}

arrow::Result<arrow::Datum> MapOf(const TypePtr& type, const EvalContext& context, Args args,
                                  int64_t rows) {
  std::vector<arrow::Datum> key_columns, item_columns;
  for (size_t i = 0; i < args.size(); i += 2) {
    key_columns.push_back(args[i]);
    item_columns.push_back(args[i + 1]);
  }
  const auto count = static_cast<int64_t>(key_columns.size());
  ARROW_ASSIGN_OR_RAISE(auto offsets, EvenOffsets(context, rows, count));
  const auto& map = static_cast<const arrow::MapType&>(*type);
  ARROW_ASSIGN_OR_RAISE(auto keys, arrow::MakeEmptyArray(map.key_type(), context.pool));
  ARROW_ASSIGN_OR_RAISE(auto items, arrow::MakeEmptyArray(map.item_type(), context.pool));
  if (count > 0) {
    ARROW_ASSIGN_OR_RAISE(keys, Interleave(context, key_columns, rows));
    ARROW_ASSIGN_OR_RAISE(items, Interleave(context, item_columns, rows));
    ARROW_RETURN_NOT_OK(CheckMapKeys(keys, offsets->data_as<int32_t>(), rows, context.pool));
  }
  return MakeListData(type, rows, Validity::AllValid(rows), std::move(offsets),
                      MakeEntries(type, keys, items));
}

arrow::Result<BoundFunction> BindMap(std::span<const ExprPtr> args) {
  if (args.size() % 2 != 0) {
    return WrongNumArgs("map", "map(key0, value0, ...)", "2n (n > 0)", args.size());
  }
  TypePtr key = arrow::null(), item = arrow::null();
  for (size_t i = 0; i < args.size(); i += 2) {
    key = CommonType(key, args[i]->type);
    item = CommonType(item, args[i + 1]->type);
    if (key == nullptr || item == nullptr) return DataDiffTypes("map", args);
  }
  if (!IsComparable(*key)) return DataDiffTypes("map", args);
  const TypePtr type = arrow::map(key, item);
  BoundFunction bound;
  bound.type = type;
  bound.kernel = [type](const EvalContext& context, Args values, int64_t rows) {
    return MapOf(type, context, values, rows);
  };
  for (size_t i = 0; i < args.size(); ++i) bound.arg_types.push_back(i % 2 == 0 ? key : item);
  return bound;
}

arrow::Result<BoundFunction> BindNamedStruct(std::span<const ExprPtr> args) {
  constexpr const char* kUsage = "named_struct(name1, val1, ...)";
  if (args.empty() || args.size() % 2 != 0) {
    return WrongNumArgs("named_struct", kUsage, "2n (n > 0)", args.size());
  }
  BoundFunction bound;
  arrow::FieldVector fields;
  for (size_t i = 0; i < args.size(); i += 2) {
    std::string name;
    if (StringLiteralOf(*args[i], &name) == nullptr) {
      return NonFoldableArgument("named_struct", args, i);
    }
    fields.push_back(arrow::field(name, args[i + 1]->type));
    bound.arg_types.push_back(args[i]->type);
    bound.arg_types.push_back(args[i + 1]->type);
  }
  bound.type = arrow::struct_(fields);
  bound.is_total = true;
  bound.kernel = [type = bound.type](const EvalContext& context, Args values,
                                     int64_t rows) -> arrow::Result<arrow::Datum> {
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (size_t i = 1; i < values.size(); i += 2) {
      ARROW_ASSIGN_OR_RAISE(auto child, ArrayOf(values[i], rows, context.pool));
      children.push_back(child->data());
    }
    return arrow::Datum(arrow::ArrayData::Make(type, rows, {nullptr}, std::move(children), 0));
  };
  return bound;
}

arrow::Result<arrow::Datum> ZipArrays(const TypePtr& type, const EvalContext& context, Args args,
                                      int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  if (validity.all_null()) return NullDatum(type);
  std::vector<ListColumn> lists;
  for (const arrow::Datum& arg : args) {
    ARROW_ASSIGN_OR_RAISE(lists.emplace_back(), ListColumn::Of(arg, rows, context.pool));
  }
  arrow::ArrayDataVector children;
  std::shared_ptr<arrow::Buffer> offsets;
  int64_t length = 0;
  for (const ListColumn& list : lists) {
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows)));
    for (int64_t row = 0; row < rows; ++row) {
      int32_t longest = 0;
      for (const ListColumn& other : lists) longest = std::max(longest, other.size(row));
      if (validity[row]) {
        ARROW_RETURN_NOT_OK(picker.PickRange(list.begin(row), list.end(row)));
        for (int32_t i = list.size(row); i < longest; ++i) ARROW_RETURN_NOT_OK(picker.PickNull());
      }
      picker.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(auto picks, picker.FinishPicks());
    ARROW_ASSIGN_OR_RAISE(offsets, picker.FinishOffsets());
    ARROW_ASSIGN_OR_RAISE(auto taken, TakeItems(*list.items(), *picks, context.pool));
    length = taken->length();
    children.push_back(taken->data());
  }
  if (lists.empty()) {
    ARROW_ASSIGN_OR_RAISE(offsets, EvenOffsets(context, rows, 0));
  }
  auto items = arrow::ArrayData::Make(ItemType(*type), length, {nullptr}, std::move(children), 0);
  return MakeListData(type, rows, validity, std::move(offsets), std::move(items));
}

// MakeCall puts the names of the fields behind the arrays.
arrow::Result<BoundFunction> BindZip(std::span<const ExprPtr> args) {
  arrow::FieldVector fields;
  BoundFunction bound;
  size_t count = args.size();
  if (count > 0 && count % 2 == 0 && IsStringType(*args.back()->type)) count /= 2;
  for (size_t i = 0; i < count; ++i) {
    TypePtr type = args[i]->type;
    if (type->id() == arrow::Type::NA) type = arrow::list(arrow::null());
    if (!IsList(*type)) return UnexpectedInput("arrays_zip", args, i, "\"ARRAY\"");
    std::string name = fmt::format("{}", i);
    if (count < args.size() && StringLiteralOf(*args[count + i], &name) == nullptr) {
      return NonFoldableArgument("arrays_zip", args, count + i);
    }
    fields.push_back(arrow::field(std::move(name), ItemType(*type)));
    bound.arg_types.push_back(type);
  }
  bound.arg_types.resize(args.size(), arrow::utf8());
  bound.type = arrow::list(arrow::struct_(fields));
  bound.kernel = [type = bound.type, count](const EvalContext& context, Args values, int64_t rows) {
    return ZipArrays(type, context, values.subspan(0, count), rows);
  };
  return bound;
}

}  // namespace

void AddMakeCollectionFunctions(FunctionCatalog* catalog) {
  constexpr size_t kAny = 1 << 20;
  catalog->Add(Collection({"array", "array(expr, ...)", 0, kAny, true, BindArray}));
  catalog->Add(Collection({"map", "map(key0, value0, ...)", 0, kAny, false, BindMap}));
  catalog->Add(Collection(
      {"named_struct", "named_struct(name1, val1, ...)", 0, kAny, true, BindNamedStruct}));
  catalog->Add(Collection({"arrays_zip", "arrays_zip(array, ...)", 0, kAny, true, BindZip}));
}

void AddCollectionFunctions(FunctionCatalog* catalog) {
  AddAccessFunctions(catalog);
  AddArrayEditFunctions(catalog);
  AddArrayOrderFunctions(catalog);
  AddArraySearchFunctions(catalog);
  AddArraySetFunctions(catalog);
  AddArraySortFunctions(catalog);
  AddArrayTextFunctions(catalog);
  AddHigherOrderFunctions(catalog);
  AddMakeCollectionFunctions(catalog);
  AddMapFunctions(catalog);
  AddMapLambdaFunctions(catalog);
  AddSequenceFunctions(catalog);
}

}  // namespace tidemill
