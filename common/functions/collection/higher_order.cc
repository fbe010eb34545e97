#include <arrow/array/concatenate.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "common/functions/collection/lambda_rows.h"
#include "common/functions/comparison.h"

// Functions over arrays with lambdas. A lambda is evaluated once over the elements of all rows.

namespace tidemill {

namespace {

using Lambdas = std::span<const Lambda>;
using arrow::Datum;

arrow::Result<TypePtr> ListItem(std::string_view name, std::span<const ExprPtr> args,
                                size_t index) {
  const TypePtr& type = args[index]->type;
  if (!IsList(*type)) return UnexpectedInput(name, args, index, "\"ARRAY\"");
  return ItemType(*type);
}

// A lambda of an element, and of its index where `takes_index`.
ShapeOfLambda ElementShape(const std::string& name, bool takes_index) {
  return [=](std::span<const ExprPtr> args, size_t) -> arrow::Result<LambdaShape> {
    ARROW_ASSIGN_OR_RAISE(const TypePtr item, ListItem(name, args, 0));
    LambdaShape shape{{item}, 1};
    if (takes_index) shape.parameters.push_back(arrow::int32());
    return shape;
  };
}

// The column of args[0], its elements, and the lambda's value for each of them.
struct Mapped {
  Validity validity;
  ListColumn list;
  LambdaElements elements;
  std::shared_ptr<arrow::Array> values;
};

arrow::Result<Mapped> MapElements(const EvalContext& context, Args args, Lambdas lambdas,
                                  int64_t rows) {
  Mapped mapped;
  ARROW_ASSIGN_OR_RAISE(mapped.validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(mapped.list, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(mapped.elements,
                        LambdaElements::Of(mapped.list, mapped.validity, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto items,
                        TakeItems(*mapped.list.items(), *mapped.elements.places, context.pool));
  ARROW_ASSIGN_OR_RAISE(mapped.values, lambdas[0]({Datum(items), Datum(mapped.elements.indices)},
                                                  mapped.elements.parents));
  return mapped;
}

arrow::Result<BoundFunction> BindTransform(std::span<const ExprPtr> args) {
  const TypePtr type = arrow::list(args[1]->type);
  BoundFunction bound{{args[0]->type, args[1]->type}, type, nullptr};
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Mapped mapped, MapElements(context, values, lambdas, rows));
    return MakeListData(type, rows, mapped.validity, mapped.elements.offsets,
                        mapped.values->data());
  };
  return bound;
}

arrow::Result<BoundFunction> BindFilter(std::span<const ExprPtr> args) {
  if (args[1]->type->id() != arrow::Type::BOOL && args[1]->type->id() != arrow::Type::NA) {
    return LambdaMustBe("filter", args, 1, arrow::boolean());
  }
  const TypePtr type = args[0]->type;
  BoundFunction bound{{type, args[1]->type}, type, nullptr};
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) -> arrow::Result<Datum> {
    ARROW_ASSIGN_OR_RAISE(const Mapped mapped, MapElements(context, values, lambdas, rows));
    const Datum kept_data(mapped.values);
    const bool is_void = mapped.values->type_id() == arrow::Type::NA;
    const int32_t* places =
        static_cast<const arrow::Int32Array&>(*mapped.elements.places).raw_values();
    const int32_t* offsets = mapped.elements.offsets_data();
    ListPicker picker(context.pool);
    ARROW_RETURN_NOT_OK(picker.Reserve(rows, mapped.elements.count()));
    for (int64_t row = 0; row < rows; ++row) {
      for (int32_t i = offsets[row]; !is_void && i < offsets[row + 1]; ++i) {
        const auto& kept = static_cast<const arrow::BooleanArray&>(*mapped.values);
        if (kept.IsValid(i) && kept.Value(i)) ARROW_RETURN_NOT_OK(picker.Pick(places[i]));
      }
      picker.EndRow();
    }
    return picker.Finish(type, *mapped.list.items(), mapped.validity);
  };
  return bound;
}

// exists (any TRUE) and forall (no FALSE), with NULL where a NULL leaves it open.
FunctionInfo Quantifier(const std::string& name, bool is_exists) {
  auto bind = [=](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args[1]->type->id() != arrow::Type::BOOL) {
      return LambdaMustBe(name, args, 1, arrow::boolean());
    }
    BoundFunction bound{{args[0]->type, args[1]->type}, arrow::boolean(), nullptr};
    bound.higher_order = [is_exists](const EvalContext& context, Args values, Lambdas lambdas,
                                     int64_t rows) -> arrow::Result<Datum> {
      ARROW_ASSIGN_OR_RAISE(Mapped mapped, MapElements(context, values, lambdas, rows));
      const auto& holds = static_cast<const arrow::BooleanArray&>(*mapped.values);
      const int32_t* offsets = mapped.elements.offsets_data();
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bits,
                            arrow::AllocateEmptyBitmap(rows, context.pool));
      for (int64_t row = 0; row < rows; ++row) {
        if (!mapped.validity[row]) continue;
        bool is_decided = false, has_null = false;
        for (int32_t i = offsets[row]; i < offsets[row + 1] && !is_decided; ++i) {
          has_null = has_null || holds.IsNull(i);
          is_decided = holds.IsValid(i) && holds.Value(i) == is_exists;
        }
        if (!is_decided && has_null) {
          ARROW_RETURN_NOT_OK(mapped.validity.SetNull(row, context.pool));
        } else if (is_decided == is_exists) {
          arrow::bit_util::SetBit(bits->mutable_data(), row);
        }
      }
      return MakeColumnData(arrow::boolean(), rows, mapped.validity, {std::move(bits)});
    };
    return bound;
  };
  return HigherOrder({.name = name,
                      .usage = fmt::format("{}(array, element -> condition)", name),
                      .shape = ElementShape(name, false),
                      .bind = bind});
}

arrow::Result<LambdaShape> ZipShape(std::span<const ExprPtr> args, size_t) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr a, ListItem("zip_with", args, 0));
  ARROW_ASSIGN_OR_RAISE(const TypePtr b, ListItem("zip_with", args, 1));
  return LambdaShape{{a, b}, 2};
}

// The shorter array is filled up with NULLs.
arrow::Result<Datum> ZipWith(const TypePtr& type, const EvalContext& context, Args args,
                             const Lambda& lambda, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const ListColumn a, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const ListColumn b, ListColumn::Of(args[1], rows, context.pool));
  ListPicker left(context.pool), right(context.pool);
  ARROW_RETURN_NOT_OK(left.Reserve(rows, a.total(rows)));
  ARROW_RETURN_NOT_OK(right.Reserve(rows, b.total(rows)));
  arrow::TypedBufferBuilder<int32_t> parents(context.pool);
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) {
      const int32_t size = std::max(a.size(row), b.size(row));
      ARROW_RETURN_NOT_OK(left.PickRange(a.begin(row), a.end(row)));
      ARROW_RETURN_NOT_OK(right.PickRange(b.begin(row), b.end(row)));
      for (int32_t i = a.size(row); i < size; ++i) ARROW_RETURN_NOT_OK(left.PickNull());
      for (int32_t i = b.size(row); i < size; ++i) ARROW_RETURN_NOT_OK(right.PickNull());
      ARROW_RETURN_NOT_OK(parents.Append(size, static_cast<int32_t>(row)));
    }
    left.EndRow();
    right.EndRow();
  }
  const int64_t count = parents.length();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> parent_rows, parents.Finish());
  ARROW_ASSIGN_OR_RAISE(auto left_picks, left.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto right_picks, right.FinishPicks());
  ARROW_ASSIGN_OR_RAISE(auto offsets, left.FinishOffsets());
  ARROW_ASSIGN_OR_RAISE(auto left_items, TakeItems(*a.items(), *left_picks, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto right_items, TakeItems(*b.items(), *right_picks, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto values, lambda({Datum(left_items), Datum(right_items)},
                                            Int32ArrayOf(std::move(parent_rows), count)));
  return MakeListData(type, rows, validity, std::move(offsets), values->data());
}

arrow::Result<BoundFunction> BindZipWith(std::span<const ExprPtr> args) {
  const TypePtr type = arrow::list(args[2]->type);
  BoundFunction bound{{args[0]->type, args[1]->type, args[2]->type}, type, nullptr};
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) {
    return ZipWith(type, context, values, lambdas[0], rows);
  };
  return bound;
}

// The accumulator is what the start is; `finish` takes it alone.
arrow::Result<LambdaShape> AggregateShape(std::span<const ExprPtr> args, size_t index) {
  ARROW_ASSIGN_OR_RAISE(const TypePtr item, ListItem("aggregate", args, 0));
  if (index == 2) return LambdaShape{{args[1]->type, item}, 2};
  return LambdaShape{{args[1]->type}, 1};
}

// Element after element: step i takes the i-th element of all rows that have one.
arrow::Result<std::shared_ptr<arrow::Array>> FoldRows(const EvalContext& context,
                                                      const ListColumn& list,
                                                      const Validity& validity,
                                                      std::shared_ptr<arrow::Array> sums,
                                                      const Lambda& merge) {
  const int64_t rows = sums->length();
  std::vector<int32_t> active;
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row] && list.size(row) > 0) active.push_back(static_cast<int32_t>(row));
  }
  for (int32_t step = 0; !active.empty(); ++step) {
    const auto count = static_cast<int64_t>(active.size());
    const int64_t bytes = count * static_cast<int64_t>(sizeof(int32_t));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> parents,
                          arrow::AllocateBuffer(bytes, context.pool));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> places,
                          arrow::AllocateBuffer(bytes, context.pool));
    for (int64_t i = 0; i < count; ++i) {
      parents->mutable_data_as<int32_t>()[i] = active[i];
      places->mutable_data_as<int32_t>()[i] = list.begin(active[i]) + step;
    }
    const auto parent_rows = Int32ArrayOf(std::move(parents), count);
    ARROW_ASSIGN_OR_RAISE(
        auto items,
        TakeItems(*list.items(), *Int32ArrayOf(std::move(places), count), context.pool));
    ARROW_ASSIGN_OR_RAISE(auto before, TakeItems(*sums, *parent_rows, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto after, merge({Datum(before), Datum(items)}, parent_rows));
    if (count == rows) {
      sums = std::move(after);
    } else {
      // Rows that took part read the new values, which stand behind the old ones.
      ARROW_ASSIGN_OR_RAISE(auto both, Concatenated(sums, after, context.pool));
      ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> picks,
                            arrow::AllocateBuffer(rows * sizeof(int32_t), context.pool));
      auto* pick = picks->mutable_data_as<int32_t>();
      for (int64_t row = 0; row < rows; ++row) pick[row] = static_cast<int32_t>(row);
      for (int64_t i = 0; i < count; ++i) pick[active[i]] = static_cast<int32_t>(rows + i);
      ARROW_ASSIGN_OR_RAISE(sums,
                            TakeItems(*both, *Int32ArrayOf(std::move(picks), rows), context.pool));
    }
    std::erase_if(active, [&](int32_t row) { return list.size(row) <= step + 1; });
  }
  return sums;
}

arrow::Result<Datum> Aggregate(const EvalContext& context, Args args, Lambdas lambdas,
                               int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const Validity validity,
                        Validity::Of(args.subspan(0, 1), rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(auto sums, ArrayOf(args[1], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(sums, FoldRows(context, list, validity, std::move(sums), lambdas[0]));
  if (validity.null_count() == 0 && lambdas.size() == 1) return Datum(sums);
  // A NULL array gives NULL, whatever the last lambda says.
  arrow::Int32Builder picks(context.pool);
  ARROW_RETURN_NOT_OK(picks.Reserve(rows));
  arrow::Int32Builder valid_rows(context.pool);
  int32_t next = 0;
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) {
      picks.UnsafeAppend(next++);
      ARROW_RETURN_NOT_OK(valid_rows.Append(static_cast<int32_t>(row)));
    } else {
      picks.UnsafeAppendNull();
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto parents, valid_rows.Finish());
  ARROW_ASSIGN_OR_RAISE(auto result, TakeItems(*sums, *parents, context.pool));
  if (lambdas.size() == 2) {
    ARROW_ASSIGN_OR_RAISE(result, lambdas[1]({Datum(result)}, parents));
  }
  ARROW_ASSIGN_OR_RAISE(auto indices, picks.Finish());
  ARROW_ASSIGN_OR_RAISE(auto spread, TakeItems(*result, *indices, context.pool));
  return Datum(spread);
}

FunctionInfo AggregateInfo(const std::string& name) {
  auto bind = [name](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (!args[2]->type->Equals(*args[1]->type)) {
      return LambdaMustBe(name, args, 2, args[1]->type);
    }
    BoundFunction bound;
    for (const ExprPtr& arg : args) bound.arg_types.push_back(arg->type);
    bound.type = args.size() == 4 ? args[3]->type : args[1]->type;
    bound.higher_order = Aggregate;
    return bound;
  };
  return HigherOrder({.name = name,
                      .usage = fmt::format("{}(array, start, (sum, element) -> sum[, sum -> "
                                           "result])",
                                           name),
                      .collections = 2,
                      .least = 3,
                      .most = 4,
                      .shape = AggregateShape,
                      .bind = bind});
}

}  // namespace

void AddHigherOrderFunctions(FunctionCatalog* catalog) {
  catalog->Add(HigherOrder({.name = "transform",
                            .usage = "transform(array, element -> value)",
                            .shape = ElementShape("transform", true),
                            .bind = BindTransform}));
  catalog->Add(HigherOrder({.name = "filter",
                            .usage = "filter(array, element -> condition)",
                            .shape = ElementShape("filter", true),
                            .bind = BindFilter}));
  catalog->Add(Quantifier("exists", true));
  catalog->Add(Quantifier("forall", false));
  catalog->Add(HigherOrder({.name = "zip_with",
                            .usage = "zip_with(array1, array2, (a, b) -> value)",
                            .collections = 2,
                            .least = 3,
                            .most = 3,
                            .shape = ZipShape,
                            .bind = BindZipWith}));
  catalog->Add(AggregateInfo("aggregate"));
  catalog->Add(AggregateInfo("reduce"));
}

}  // namespace tidemill
