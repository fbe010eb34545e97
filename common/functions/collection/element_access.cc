#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/compute/api.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <cctype>
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

bool SameName(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

// Column of the field, without regard to case; -1 where there is none.
int FieldIndex(const arrow::DataType& type, std::string_view name) {
  int found = -1;
  for (int i = 0; i < type.num_fields(); ++i) {
    if (type.field(i)->name() == name) return i;
    if (found < 0 && SameName(type.field(i)->name(), name)) found = i;
  }
  return found;
}

arrow::Status NoSuchField(const arrow::DataType& type, const std::string& name) {
  std::string names;
  std::vector<std::string> candidates;
  for (const auto& field : type.fields()) {
    names += fmt::format("{}`{}`", names.empty() ? "" : ", ", field->name());
    candidates.push_back(field->name());
  }
  arrow::Status status = MakeError(ErrorKind::kInvalid, "FIELD_NOT_FOUND",
                                   fmt::format("No such struct field `{}` in {}.", name, names));
  const std::string nearest = NearestName(name, candidates);
  return nearest.empty() ? status : WithHint(status, fmt::format("did you mean `{}`?", nearest));
}

Kernel StructField(int index) {
  return
      [index](const EvalContext& context, Args args, int64_t rows) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
        ARROW_ASSIGN_OR_RAISE(
            auto field,
            static_cast<const arrow::StructArray&>(*array).GetFlattenedField(index, context.pool));
        return arrow::Datum(field);
      };
}

// The field of each struct in an array: an array again.
Kernel ArrayOfField(int index, const TypePtr& type) {
  return [index, type](const EvalContext& context, Args args,
                       int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
    const auto& list = static_cast<const arrow::ListArray&>(*array);
    ARROW_ASSIGN_OR_RAISE(auto field, static_cast<const arrow::StructArray&>(*list.values())
                                          .GetFlattenedField(index, context.pool));
    auto data = array->data()->Copy();
    data->type = type;
    data->child_data = {field->data()};
    return arrow::Datum(std::move(data));
  };
}

arrow::Result<BoundFunction> BindGetField(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("get_field", "struct.field", args.size(), 2, 2));
  std::string name;
  if (StringLiteralOf(*args[1], &name) == nullptr) return NonFoldableArgument("get_field", args, 1);
  const TypePtr& type = args[0]->type;
  const bool is_list =
      type->id() == arrow::Type::LIST && type->field(0)->type()->id() == arrow::Type::STRUCT;
  if (!is_list && type->id() != arrow::Type::STRUCT) {
    return MakeError(ErrorKind::kInvalid, "INVALID_EXTRACT_BASE_FIELD_TYPE",
                     fmt::format("Can't extract a value from \"{}\". Need a complex type [STRUCT, "
                                 "ARRAY, MAP] but got \"{}\".",
                                 ExprText(*args[0]), type->ToString()));
  }
  const TypePtr& fields = is_list ? type->field(0)->type() : type;
  const int index = FieldIndex(*fields, name);
  if (index < 0) return NoSuchField(*fields, name);
  TypePtr result = fields->field(index)->type();
  if (is_list) result = arrow::list(result);
  Kernel kernel = is_list ? ArrayOfField(index, result) : StructField(index);
  return BoundFunction{{type, args[1]->type}, result, std::move(kernel), true};
}

// What an index out of range does, and whether indices count from 0.
enum class IndexRule { kGetItem, kGet, kElementAt, kTryElementAt };

arrow::Status OutOfBounds(IndexRule rule, int64_t index, int64_t size) {
  const bool is_item = rule == IndexRule::kGetItem;
  return MakeError(
      ErrorKind::kJobFailed, is_item ? "INVALID_ARRAY_INDEX" : "INVALID_ARRAY_INDEX_IN_ELEMENT_AT",
      fmt::format("The index {} is out of bounds. The array has {} elements. Use {} to tolerate "
                  "accessing element at invalid index and return NULL instead.",
                  index, size, is_item ? "the SQL function `get()`" : "`try_element_at`"));
}

// The position within `size` elements, -1 for NULL.
arrow::Result<int64_t> Position(IndexRule rule, int64_t index, int64_t size) {
  int64_t position = index;
  if (rule == IndexRule::kElementAt || rule == IndexRule::kTryElementAt) {
    if (index == 0) {
      return MakeError(ErrorKind::kJobFailed, "INVALID_INDEX_OF_ZERO",
                       "The index 0 is invalid. An index shall be either < 0 or > 0 (the first "
                       "element has index 1).");
    }
    position = index > 0 ? index - 1 : size + index;
  }
  if (position >= 0 && position < size) return position;
  if (rule == IndexRule::kGet || rule == IndexRule::kTryElementAt) return -1;
  return OutOfBounds(rule, index, size);
}

// Takes one element for each row: `find(row)` gives its place among `items`, or -1 for NULL.
template <class Find>
arrow::Result<arrow::Datum> TakeElements(const EvalContext& context, const arrow::Array& items,
                                         int64_t rows, Find find) {
  arrow::Int32Builder picks(context.pool);
  ARROW_RETURN_NOT_OK(picks.Reserve(rows));
  for (int64_t row = 0; row < rows; ++row) {
    ARROW_ASSIGN_OR_RAISE(const int64_t place, find(row));
    if (place < 0) {
      picks.UnsafeAppendNull();
    } else {
      picks.UnsafeAppend(static_cast<int32_t>(place));
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto indices, picks.Finish());
  cp::ExecContext exec(context.pool);
  ARROW_ASSIGN_OR_RAISE(auto taken,
                        cp::Take(items, *indices, cp::TakeOptions::NoBoundsCheck(), &exec));
  return arrow::Datum(taken);
}

Kernel ArrayElement(IndexRule rule) {
  return [rule](const EvalContext& context, Args args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
    const auto& list = static_cast<const arrow::ListArray&>(*array);
    const FixedColumn<int64_t> index(args[1]);
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
    return TakeElements(context, *list.values(), rows, [&](int64_t row) -> arrow::Result<int64_t> {
      if (!validity[row]) return -1;
      ARROW_ASSIGN_OR_RAISE(const int64_t position,
                            Position(rule, index[row], list.value_length(row)));
      return position < 0 ? -1 : list.value_offset(row) + position;
    });
  };
}

// The value of the key, NULL where the map has it not.
arrow::Result<arrow::Datum> MapElement(const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto wanted, ArrayOf(args[1], rows, context.pool));
  const auto& map = static_cast<const arrow::MapArray&>(*array);
  const arrow::Array& keys = *map.keys();
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  return TakeElements(context, *map.items(), rows, [&](int64_t row) -> arrow::Result<int64_t> {
    if (!validity[row]) return -1;
    for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
      if (CompareRows(keys, i, *wanted, row) == 0) return i;
    }
    return -1;
  });
}

FunctionInfo Element(const std::string& name, const std::string& usage, IndexRule rule,
                     bool takes_maps) {
  FunctionInfo info;
  info.name = name;
  info.usage = usage;
  info.bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 2, 2));
    const TypePtr& type = args[0]->type;
    if (takes_maps && type->id() == arrow::Type::MAP) {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      const TypePtr key = CommonType(map.key_type(), args[1]->type);
      if (key == nullptr || !CanCast(*map.key_type(), *key)) return DataDiffTypes(name, args);
      return BoundFunction{
          {arrow::map(key, map.item_type()), key}, map.item_type(), MapElement, true};
    }
    if (type->id() != arrow::Type::LIST) {
      return UnexpectedInput(name, args, 0, takes_maps ? "(\"ARRAY\" or \"MAP\")" : "\"ARRAY\"");
    }
    const TypePtr& index = args[1]->type;
    if (!IsIntegralType(*index) && index->id() != arrow::Type::NA) {
      return UnexpectedInput(name, args, 1, "\"INTEGRAL\"");
    }
    return BoundFunction{{type, arrow::int64()}, type->field(0)->type(), ArrayElement(rule)};
  };
  return info;
}

}  // namespace

void AddAccessFunctions(FunctionCatalog* catalog) {
  FunctionInfo get_field;
  get_field.name = "get_field";
  get_field.usage = "struct.field";
  get_field.is_total = true;
  get_field.bind = BindGetField;
  catalog->Add(std::move(get_field));
  catalog->Add(Element("get_item", "array[index] or map[key]", IndexRule::kGetItem, true), {"[]"});
  catalog->Add(Element("get", "get(array, index)", IndexRule::kGet, false));
  catalog->Add(
      Element("element_at", "element_at(array or map, index)", IndexRule::kElementAt, true));
  catalog->Add(Element("try_element_at", "try_element_at(array or map, index)",
                       IndexRule::kTryElementAt, true));
}

}  // namespace tidemill
