#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "common/functions/columns.h"
#include "common/functions/comparison.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

namespace cp = arrow::compute;
using Args = std::span<const arrow::Datum>;

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
  const arrow::Int32Array indices(rows * count, buffer);
  cp::ExecContext exec(context.pool);
  return cp::Take(*all, indices, cp::TakeOptions::NoBoundsCheck(), &exec);
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
    return arrow::Datum(
        arrow::ArrayData::Make(type, rows, {nullptr, std::move(offsets)}, {items->data()}, 0));
  };
  return BoundFunction{std::vector<TypePtr>(args.size(), item), type, std::move(kernel)};
}

arrow::Status CheckKeys(const arrow::Array& keys, int64_t rows, int64_t count) {
  if (keys.null_count() > 0) {
    return MakeError(ErrorKind::kJobFailed, "NULL_MAP_KEY", "Cannot use null as map key.");
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 1; i < count; ++i) {
      for (int64_t k = 0; k < i; ++k) {
        if (CompareRows(keys, row * count + i, keys, row * count + k) != 0) continue;
        ARROW_ASSIGN_OR_RAISE(auto key, keys.GetScalar(row * count + i));
        return MakeError(ErrorKind::kJobFailed, "DUPLICATED_MAP_KEY",
                         fmt::format("Duplicate map key {} was found, please check the input "
                                     "data.",
                                     key->ToString()));
      }
    }
  }
  return arrow::Status::OK();
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
  Kernel kernel = [type](const EvalContext& context, Args values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    std::vector<arrow::Datum> key_columns, item_columns;
    for (size_t i = 0; i < values.size(); i += 2) {
      key_columns.push_back(values[i]);
      item_columns.push_back(values[i + 1]);
    }
    const auto count = static_cast<int64_t>(key_columns.size());
    if (count == 0) return arrow::Status::Invalid("map() without entries has no type");
    ARROW_ASSIGN_OR_RAISE(auto keys, Interleave(context, key_columns, rows));
    ARROW_ASSIGN_OR_RAISE(auto items, Interleave(context, item_columns, rows));
    ARROW_RETURN_NOT_OK(CheckKeys(*keys, rows, count));
    ARROW_ASSIGN_OR_RAISE(auto offsets, EvenOffsets(context, rows, count));
    auto entries =
        arrow::ArrayData::Make(static_cast<const arrow::MapType&>(*type).value_type(), rows * count,
                               {nullptr}, {keys->data(), items->data()}, 0);
    return arrow::Datum(
        arrow::ArrayData::Make(type, rows, {nullptr, std::move(offsets)}, {std::move(entries)}, 0));
  };
  BoundFunction bound{{}, type, std::move(kernel)};
  for (size_t i = 0; i < args.size(); ++i) bound.arg_types.push_back(i % 2 == 0 ? key : item);
  if (args.empty()) return WrongNumArgs("map", "map(key0, value0, ...)", "2n (n > 0)", 0);
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

// The number of elements; NULL of NULL.
FunctionInfo Size() {
  FunctionInfo info;
  info.name = "size";
  info.usage = "size(array or map)";
  info.is_total = true;
  info.bind = [](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("size", "size(expr)", args.size(), 1, 1));
    const TypePtr& type = args[0]->type;
    if (type->id() != arrow::Type::LIST && type->id() != arrow::Type::MAP) {
      return UnexpectedInput("size", args, 0, "(\"ARRAY\" or \"MAP\")");
    }
    Kernel kernel = [](const EvalContext& context, Args values,
                       int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(values[0], rows, context.pool));
      const auto* offsets = array->data()->GetValues<int32_t>(1);
      return ComputeFixed<int32_t>(context, values, rows, arrow::int32(),
                                   [&](int64_t row) { return offsets[row + 1] - offsets[row]; });
    };
    return BoundFunction{{type}, arrow::int32(), std::move(kernel)};
  };
  return info;
}

// TRUE where the value is found; else NULL where the array has a NULL, as with IN.
arrow::Result<arrow::Datum> ArrayContains(const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(auto lists, ArrayOf(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto wanted, ArrayOf(args[1], rows, context.pool));
  const auto& list = static_cast<const arrow::ListArray&>(*lists);
  const arrow::Array& items = *list.values();
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                        arrow::AllocateEmptyBitmap(rows, context.pool));
  for (int64_t row = 0; row < rows; ++row) {
    if (!validity[row]) continue;
    bool has_null = false, is_found = false;
    for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1) && !is_found; ++i) {
      has_null = has_null || items.IsNull(i);
      is_found = items.IsValid(i) && CompareRows(items, i, *wanted, row) == 0;
    }
    if (is_found) arrow::bit_util::SetBit(bits->mutable_data(), row);
    if (!is_found && has_null) ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
  }
  return MakeColumnData(arrow::boolean(), rows, validity, {std::move(bits)});
}

FunctionInfo ArrayContainsInfo() {
  FunctionInfo info;
  info.name = "array_contains";
  info.usage = "array_contains(array, value)";
  info.is_total = true;
  info.bind = [](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(
        CheckArgCount("array_contains", "array_contains(array, value)", args.size(), 2, 2));
    if (args[0]->type->id() != arrow::Type::LIST) {
      return UnexpectedInput("array_contains", args, 0, "\"ARRAY\"");
    }
    const TypePtr item = CommonType(args[0]->type->field(0)->type(), args[1]->type);
    if (item == nullptr || !IsComparable(*item)) return DataDiffTypes("array_contains", args);
    return BoundFunction{{arrow::list(item), item}, arrow::boolean(), ArrayContains};
  };
  return info;
}

// The keys or the values of a map, as an array.
FunctionInfo MapPart(const std::string& name, int child) {
  FunctionInfo info;
  info.name = name;
  info.usage = name + "(map)";
  info.is_total = true;
  info.bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, name + "(map)", args.size(), 1, 1));
    const TypePtr& type = args[0]->type;
    if (type->id() != arrow::Type::MAP) return UnexpectedInput(name, args, 0, "\"MAP\"");
    const auto& map = static_cast<const arrow::MapType&>(*type);
    const TypePtr result = arrow::list(child == 0 ? map.key_type() : map.item_type());
    Kernel kernel = [result, child](const EvalContext& context, Args values,
                                    int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(values[0], rows, context.pool));
      const auto& maps = static_cast<const arrow::MapArray&>(*array);
      auto data = array->data()->Copy();
      data->type = result;
      data->child_data = {(child == 0 ? maps.keys() : maps.items())->data()};
      return arrow::Datum(std::move(data));
    };
    return BoundFunction{{type}, result, std::move(kernel)};
  };
  return info;
}

FunctionInfo Collection(
    std::string name, std::string usage,
    std::function<arrow::Result<BoundFunction>(std::span<const ExprPtr>)> bind) {
  FunctionInfo info;
  info.name = std::move(name);
  info.usage = std::move(usage);
  info.bind = std::move(bind);
  return info;
}

}  // namespace

void AddCollectionFunctions(FunctionCatalog* catalog) {
  AddAccessFunctions(catalog);
  catalog->Add(Collection("array", "array(expr, ...)", BindArray));
  catalog->Add(Collection("map", "map(key0, value0, ...)", BindMap));
  catalog->Add(Collection("named_struct", "named_struct(name1, val1, ...)", BindNamedStruct));
  catalog->Add(Size(), {"cardinality"});
  catalog->Add(ArrayContainsInfo());
  catalog->Add(MapPart("map_keys", 0));
  catalog->Add(MapPart("map_values", 1));
}

}  // namespace tidemill
