#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/base/error.h"
#include "common/functions/collection/lists.h"

// Arrays with elements put in, taken out, or moved: nothing but picks of elements that exist.

namespace tidemill {

namespace {

constexpr int64_t kMaxLength = 2'147'483'632;

// array_append and array_prepend.
FunctionInfo AddElement(const std::string& name, bool is_append) {
  auto bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_ASSIGN_OR_RAISE(const TypePtr item, CommonItemType(name, args, 0, 1));
    const TypePtr type = arrow::list(item);
    Kernel kernel = [=](const EvalContext& context, Args values,
                        int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(Validity validity,
                            Validity::Of(values.subspan(0, 1), rows, context.pool));
      ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(values[0], rows, context.pool));
      ARROW_ASSIGN_OR_RAISE(auto added, ArrayOf(values[1], rows, context.pool));
      const int64_t first = list.items()->length();
      ARROW_ASSIGN_OR_RAISE(auto all, Concatenated(list.items(), added, context.pool));
      ListPicker picker(context.pool);
      ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows) + rows));
      for (int64_t row = 0; row < rows; ++row) {
        if (validity[row]) {
          if (!is_append) ARROW_RETURN_NOT_OK(picker.Pick(first + row));
          ARROW_RETURN_NOT_OK(picker.PickRange(list.begin(row), list.end(row)));
          if (is_append) ARROW_RETURN_NOT_OK(picker.Pick(first + row));
        }
        picker.EndRow();
      }
      return picker.Finish(type, *all, validity);
    };
    return BoundFunction{{type, item}, type, std::move(kernel)};
  };
  return Collection({name, fmt::format("{}(array, element)", name), 2, 2, true, bind});
}

// An array function of one array whose rows are picked anew by `pick(list, row, &picker)`.
template <class PickRow>
FunctionInfo Picked(const std::string& name, PickRow pick) {
  auto bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const TypePtr& type = args[0]->type;
    if (!IsList(*type)) return UnexpectedInput(name, args, 0, "\"ARRAY\"");
    Kernel kernel = [=](const EvalContext& context, Args values,
                        int64_t rows) -> arrow::Result<arrow::Datum> {
      ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
      ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(values[0], rows, context.pool));
      ListPicker picker(context.pool);
      ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows)));
      for (int64_t row = 0; row < rows; ++row) {
        if (validity[row]) ARROW_RETURN_NOT_OK(pick(list, row, &picker));
        picker.EndRow();
      }
      return picker.Finish(type, *list.items(), validity);
    };
    return BoundFunction{{type}, type, std::move(kernel)};
  };
  return Collection({name, fmt::format("{}(array)", name), 1, 1, true, bind});
}

arrow::Status PickCompact(const ListColumn& list, int64_t row, ListPicker* picker) {
  for (int32_t i = list.begin(row); i < list.end(row); ++i) {
    if (list.items()->IsValid(i)) ARROW_RETURN_NOT_OK(picker->Pick(i));
  }
  return arrow::Status::OK();
}

arrow::Status IndexOfZero() {
  return MakeError(ErrorKind::kJobFailed, "INVALID_INDEX_OF_ZERO",
                   "The index 0 is invalid. An index shall be either < 0 or > 0 (the first element "
                   "has index 1).");
}

// Puts the element `added` at a position that counts from 1, or from the end backwards; what is
// missing in between is NULL.
arrow::Status PickInserted(const ListColumn& list, int64_t row, int64_t position, int64_t added,
                           ListPicker* picker) {
  const int64_t begin = list.begin(row), end = list.end(row), size = end - begin;
  if (position > 0) {
    const int64_t before = std::min(position - 1, size);
    ARROW_RETURN_NOT_OK(picker->PickRange(begin, begin + before));
    for (int64_t i = size; i < position - 1; ++i) ARROW_RETURN_NOT_OK(picker->PickNull());
    ARROW_RETURN_NOT_OK(picker->Pick(added));
    return picker->PickRange(begin + before, end);
  }
  const int64_t after = std::min(-position - 1, size);  // elements behind the new one
  if (-position - 1 > size) {
    ARROW_RETURN_NOT_OK(picker->Pick(added));
    for (int64_t i = size; i < -position - 1; ++i) ARROW_RETURN_NOT_OK(picker->PickNull());
    return picker->PickRange(begin, end);
  }
  ARROW_RETURN_NOT_OK(picker->PickRange(begin, end - after));
  ARROW_RETURN_NOT_OK(picker->Pick(added));
  return picker->PickRange(end - after, end);
}

arrow::Result<BoundFunction> BindInsert(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr item, CommonItemType("array_insert", args, 0, 2));
  const arrow::DataType& position = *args[1]->type;
  if (!IsIntegralType(position) || position.id() == arrow::Type::INT64) {
    return UnexpectedInput("array_insert", args, 1, "\"INT\"");
  }
  const TypePtr type = arrow::list(item);
  Kernel kernel = [type](const EvalContext& context, Args values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity,
                          Validity::Of(values.subspan(0, 2), rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(values[0], rows, context.pool));
    const FixedColumn<int32_t> positions(values[1]);
    ARROW_ASSIGN_OR_RAISE(auto added, ArrayOf(values[2], rows, context.pool));
    const int64_t first = list.items()->length();
    ARROW_ASSIGN_OR_RAISE(auto all, Concatenated(list.items(), added, context.pool));
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows) + rows));
    for (int64_t row = 0; row < rows; ++row) {
      if (validity[row]) {
        const int64_t at = positions[row];
        if (at == 0) return IndexOfZero();
        if (std::abs(at) > kMaxLength) {
          return MakeError(ErrorKind::kJobFailed, "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER",
                           fmt::format("Can't create array with {} elements which exceeding the "
                                       "array size limit {}, the value returned by the function "
                                       "`array_insert` is too large.",
                                       std::abs(at), kMaxLength));
        }
        ARROW_RETURN_NOT_OK(PickInserted(list, row, at, first + row, &picker));
      }
      picker.EndRow();
    }
    return picker.Finish(type, *all, validity);
  };
  return BoundFunction{{type, arrow::int32(), item}, type, std::move(kernel)};
}

arrow::Status BadParameter(std::string_view subclass, const std::string& what) {
  return MakeError(ErrorKind::kJobFailed, fmt::format("INVALID_PARAMETER_VALUE.{}", subclass),
                   fmt::format("The value of parameter(s) {}.", what));
}

arrow::Result<BoundFunction> BindSlice(std::span<const ExprPtr> args) {
  const TypePtr& type = args[0]->type;
  if (!IsList(*type)) return UnexpectedInput("slice", args, 0, "\"ARRAY\"");
  for (size_t i = 1; i < 3; ++i) {
    if (!CanCastImplicitly(*args[i]->type, *arrow::int32())) {
      return UnexpectedInput("slice", args, i, "\"INT\"");
    }
  }
  Kernel kernel = [type](const EvalContext& context, Args values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(values[0], rows, context.pool));
    const FixedColumn<int32_t> starts(values[1]), lengths(values[2]);
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, list.total(rows)));
    for (int64_t row = 0; row < rows; ++row) {
      if (validity[row]) {
        const int64_t start = starts[row], length = lengths[row], size = list.size(row);
        if (start == 0) {
          return BadParameter("START",
                              "`start` in `slice` is invalid: Expects a positive or a negative "
                              "value for `start`, but got 0");
        }
        if (length < 0) {
          return BadParameter("LENGTH",
                              fmt::format("`length` in `slice` is invalid: Expects `length` "
                                          "greater than or equal to 0, but got {}",
                                          length));
        }
        const int64_t from = start > 0 ? start - 1 : size + start;
        if (from >= 0 && from < size) {
          const int64_t to = std::min(from + length, size);
          ARROW_RETURN_NOT_OK(picker.PickRange(list.begin(row) + from, list.begin(row) + to));
        }
      }
      picker.EndRow();
    }
    return picker.Finish(type, *list.items(), validity);
  };
  return BoundFunction{{type, arrow::int32(), arrow::int32()}, type, std::move(kernel)};
}

// One level less; NULL where an inner array is NULL.
arrow::Result<BoundFunction> BindFlatten(std::span<const ExprPtr> args) {
  const TypePtr& outer = args[0]->type;
  if (!IsList(*outer) || !IsList(*ItemType(*outer))) {
    return UnexpectedInput("flatten", args, 0, "\"ARRAY\" of \"ARRAY\"");
  }
  const TypePtr type = ItemType(*outer);
  Kernel kernel = [type](const EvalContext& context, Args values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(values[0], rows, context.pool));
    const auto& inner = static_cast<const arrow::ListArray&>(*list.items());
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, inner.values()->length()));
    for (int64_t row = 0; row < rows; ++row) {
      bool has_null = false;
      for (int32_t i = list.begin(row); validity[row] && i < list.end(row); ++i) {
        has_null = has_null || inner.IsNull(i);
      }
      if (has_null) ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
      for (int32_t i = list.begin(row); validity[row] && i < list.end(row); ++i) {
        ARROW_RETURN_NOT_OK(picker.PickRange(inner.value_offset(i), inner.value_offset(i + 1)));
      }
      picker.EndRow();
    }
    return picker.Finish(type, *inner.values(), validity);
  };
  return BoundFunction{{outer}, type, std::move(kernel)};
}

arrow::Result<BoundFunction> BindRepeat(std::span<const ExprPtr> args) {
  if (!CanCastImplicitly(*args[1]->type, *arrow::int32())) {
    return UnexpectedInput("array_repeat", args, 1, "\"INT\"");
  }
  const TypePtr type = arrow::list(args[0]->type);
  Kernel kernel = [type](const EvalContext& context, Args values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(Validity validity,
                          Validity::Of(values.subspan(1, 1), rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto items, ArrayOf(values[0], rows, context.pool));
    const FixedColumn<int32_t> counts(values[1]);
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, rows));
    for (int64_t row = 0; row < rows; ++row) {
      if (validity[row] && counts[row] > kMaxLength) {
        return MakeError(ErrorKind::kJobFailed, "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER",
                         fmt::format("Can't create array with {} elements which exceeding the "
                                     "array size limit {}, the value of the parameter(s) `count` "
                                     "in the function `array_repeat` is invalid.",
                                     counts[row], kMaxLength));
      }
      for (int32_t i = 0; validity[row] && i < counts[row]; ++i) {
        ARROW_RETURN_NOT_OK(picker.Pick(row));
      }
      picker.EndRow();
    }
    return picker.Finish(type, *items, validity);
  };
  return BoundFunction{{args[0]->type, arrow::int32()}, type, std::move(kernel)};
}

arrow::Status PickReversed(const ListColumn& list, int64_t row, ListPicker* picker) {
  for (int32_t i = list.end(row); i > list.begin(row); --i) {
    ARROW_RETURN_NOT_OK(picker->Pick(i - 1));
  }
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> ConcatArrays(const TypePtr& type, const EvalContext& context, Args args,
                                         int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  std::vector<ListColumn> lists;
  std::vector<int64_t> shifts;
  std::shared_ptr<arrow::Array> items;
  for (const arrow::Datum& arg : args) {
    ARROW_ASSIGN_OR_RAISE(lists.emplace_back(), ListColumn::Of(arg, rows, context.pool));
    shifts.push_back(items == nullptr ? 0 : items->length());
    if (items == nullptr) {
      items = lists.back().items();
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(items, Concatenated(items, lists.back().items(), context.pool));
  }
  ListPicker picker(context.pool);
  ARROW_RETURN_NOT_OK(picker.Reserve(rows, items->length()));
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t k = 0; validity[row] && k < lists.size(); ++k) {
      ARROW_RETURN_NOT_OK(
          picker.PickRange(shifts[k] + lists[k].begin(row), shifts[k] + lists[k].end(row)));
    }
    picker.EndRow();
  }
  return picker.Finish(type, *items, validity);
}

arrow::Result<BoundFunction> BindConcatArrays(std::span<const ExprPtr> args) {
  TypePtr type = args[0]->type;
  for (const ExprPtr& arg : args) {
    type = CommonType(type, arg->type);
    if (type == nullptr || (!IsList(*arg->type) && arg->type->id() != arrow::Type::NA)) {
      return DataDiffTypes("concat", args);
    }
  }
  Kernel kernel = [type](const EvalContext& context, Args values, int64_t rows) {
    return ConcatArrays(type, context, values, rows);
  };
  return BoundFunction{std::vector<TypePtr>(args.size(), type), type, std::move(kernel)};
}

}  // namespace

FunctionInfo OrArrays(FunctionInfo text) {
  const BindFunction of_arrays =
      text.name == "concat" ? BindConcatArrays : Picked("reverse", PickReversed).bind;
  text.bind = [of_text = text.bind, of_arrays](std::span<const ExprPtr> args) {
    const bool has_array = std::any_of(args.begin(), args.end(),
                                       [](const ExprPtr& arg) { return IsList(*arg->type); });
    return has_array ? of_arrays(args) : of_text(args);
  };
  return text;
}

void AddArrayEditFunctions(FunctionCatalog* catalog) {
  catalog->Add(AddElement("array_append", true));
  catalog->Add(AddElement("array_prepend", false));
  catalog->Add(Picked("array_compact", PickCompact));
  catalog->Add(Collection(
      {"array_insert", "array_insert(array, position, element)", 3, 3, false, BindInsert}));
  catalog->Add(Collection({"slice", "slice(array, start, length)", 3, 3, false, BindSlice}));
  catalog->Add(Collection({"flatten", "flatten(array of arrays)", 1, 1, true, BindFlatten}));
  catalog->Add(
      Collection({"array_repeat", "array_repeat(element, count)", 2, 2, false, BindRepeat}));
}

}  // namespace tidemill
