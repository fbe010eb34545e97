#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/error.h"
#include "common/functions/collection/lambda_rows.h"
#include "common/functions/comparison.h"

// array_sort: ascending with NULLs last, or by a comparator lambda.

namespace tidemill {

namespace {

using Lambdas = std::span<const Lambda>;
using arrow::Datum;

// A merge of two sorted runs of one row that is under way. Places count in `order`.
struct Merge {
  int32_t row;
  int32_t left, left_end;
  int32_t right, right_end;
  int32_t out;
};

// Sorts the elements of all rows at once: runs double in length, and all merges of one length go on
// step by step together, so that the comparator is evaluated on many pairs at a time.
class ComparatorSort {
 public:
  ComparatorSort(const EvalContext& context, const ListColumn& list, const Lambda& comparator)
      : context_(context), list_(list), comparator_(comparator) {}

  // Sorts order_[offsets[row], offsets[row + 1]) for every row; returns the places in order.
  arrow::Result<std::vector<int32_t>> Sort(const LambdaElements& elements, int64_t rows) {
    const auto& places = static_cast<const arrow::Int32Array&>(*elements.places);
    order_.assign(places.raw_values(), places.raw_values() + places.length());
    next_ = order_;
    const int32_t* offsets = elements.offsets_data();
    int32_t longest = 0;
    for (int64_t row = 0; row < rows; ++row) {
      longest = std::max(longest, offsets[row + 1] - offsets[row]);
    }
    for (int64_t width = 1; width < longest; width *= 2) {
      std::vector<Merge> merges = BeginMerges(offsets, rows, width);
      ARROW_RETURN_NOT_OK(RunMerges(std::move(merges)));
      std::swap(order_, next_);
    }
    return order_;
  }

 private:
  std::vector<Merge> BeginMerges(const int32_t* offsets, int64_t rows, int64_t width) const {
    std::vector<Merge> merges;
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t end = offsets[row + 1];
      for (int64_t begin = offsets[row]; begin < end; begin += 2 * width) {
        const auto middle = static_cast<int32_t>(std::min(begin + width, end));
        merges.push_back({static_cast<int32_t>(row), static_cast<int32_t>(begin), middle, middle,
                          static_cast<int32_t>(std::min(begin + 2 * width, end)),
                          static_cast<int32_t>(begin)});
      }
    }
    return merges;
  }

  arrow::Status RunMerges(std::vector<Merge> merges) {
    while (true) {
      // What has one side left needs no comparison.
      std::erase_if(merges, [this](Merge& merge) {
        if (merge.left < merge.left_end && merge.right < merge.right_end) return false;
        while (merge.left < merge.left_end) next_[merge.out++] = order_[merge.left++];
        while (merge.right < merge.right_end) next_[merge.out++] = order_[merge.right++];
        return true;
      });
      if (merges.empty()) return arrow::Status::OK();
      ARROW_ASSIGN_OR_RAISE(auto results, CompareAll(merges));
      const auto& orders = static_cast<const arrow::Int32Array&>(*results);
      for (size_t i = 0; i < merges.size(); ++i) {
        Merge& merge = merges[i];
        if (orders.IsNull(static_cast<int64_t>(i))) {
          return MakeError(ErrorKind::kJobFailed, "COMPARATOR_RETURNS_NULL",
                           "The comparator has returned a NULL for a comparison. It should return "
                           "a positive integer for \"greater than\", 0 for \"equal\" and a "
                           "negative integer for \"less than\".");
        }
        const bool takes_right = orders.Value(static_cast<int64_t>(i)) > 0;
        next_[merge.out++] = takes_right ? order_[merge.right++] : order_[merge.left++];
      }
    }
  }

  arrow::Result<std::shared_ptr<arrow::Array>> CompareAll(const std::vector<Merge>& merges) {
    const auto count = static_cast<int64_t>(merges.size());
    arrow::Int32Builder left(context_.pool), right(context_.pool), parents(context_.pool);
    ARROW_RETURN_NOT_OK(left.Reserve(count));
    ARROW_RETURN_NOT_OK(right.Reserve(count));
    ARROW_RETURN_NOT_OK(parents.Reserve(count));
    for (const Merge& merge : merges) {
      left.UnsafeAppend(order_[merge.left]);
      right.UnsafeAppend(order_[merge.right]);
      parents.UnsafeAppend(merge.row);
    }
    ARROW_ASSIGN_OR_RAISE(auto left_places, left.Finish());
    ARROW_ASSIGN_OR_RAISE(auto right_places, right.Finish());
    ARROW_ASSIGN_OR_RAISE(auto rows, parents.Finish());
    ARROW_ASSIGN_OR_RAISE(auto a, TakeItems(*list_.items(), *left_places, context_.pool));
    ARROW_ASSIGN_OR_RAISE(auto b, TakeItems(*list_.items(), *right_places, context_.pool));
    return comparator_({Datum(a), Datum(b)}, rows);
  }

  const EvalContext& context_;
  const ListColumn& list_;
  const Lambda& comparator_;
  std::vector<int32_t> order_, next_;
};

// NULLs last.
void SortNaturally(const arrow::Array& items, std::vector<int32_t>* order) {
  std::stable_sort(order->begin(), order->end(), [&](int32_t a, int32_t b) {
    if (items.IsNull(a) || items.IsNull(b)) return items.IsValid(a) && items.IsNull(b);
    return CompareRows(items, a, items, b) < 0;
  });
}

arrow::Result<Datum> SortArrays(const TypePtr& type, const EvalContext& context, Args args,
                                Lambdas lambdas, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
  ARROW_ASSIGN_OR_RAISE(const LambdaElements elements,
                        LambdaElements::Of(list, validity, rows, context.pool));
  const int32_t* offsets = elements.offsets_data();
  std::vector<int32_t> order;
  if (!lambdas.empty()) {
    ARROW_ASSIGN_OR_RAISE(order, ComparatorSort(context, list, lambdas[0]).Sort(elements, rows));
  }
  ListPicker picker(context.pool);
  ARROW_RETURN_NOT_OK(picker.Reserve(rows, elements.count()));
  std::vector<int32_t> own;
  for (int64_t row = 0; row < rows; ++row) {
    if (lambdas.empty()) {
      own.resize(offsets[row + 1] - offsets[row]);
      std::iota(own.begin(), own.end(), list.begin(row));
      SortNaturally(*list.items(), &own);
      for (int32_t place : own) ARROW_RETURN_NOT_OK(picker.Pick(place));
    } else {
      for (int32_t i = offsets[row]; i < offsets[row + 1]; ++i) {
        ARROW_RETURN_NOT_OK(picker.Pick(order[i]));
      }
    }
    picker.EndRow();
  }
  return picker.Finish(type, *list.items(), validity);
}

arrow::Result<LambdaShape> ComparatorShape(std::span<const ExprPtr> args, size_t) {
  if (!IsList(*args[0]->type)) return UnexpectedInput("array_sort", args, 0, "\"ARRAY\"");
  const TypePtr item = ItemType(*args[0]->type);
  return LambdaShape{{item, item}, 2};
}

arrow::Result<BoundFunction> BindArraySort(std::span<const ExprPtr> args) {
  const TypePtr& type = args[0]->type;
  if (!IsList(*type)) return UnexpectedInput("array_sort", args, 0, "\"ARRAY\"");
  BoundFunction bound{{type}, type, nullptr};
  if (args.size() == 1) {
    if (!IsComparable(*type)) return NoOrdering("array_sort", args, *type);
  } else {
    if (args[1]->type->id() != arrow::Type::INT32) {
      return MakeError(ErrorKind::kInvalid, "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE",
                       "Cannot resolve \"array_sort\" due to data type mismatch: The `array_sort` "
                       "requires return \"INT\" type.");
    }
    bound.arg_types.push_back(args[1]->type);
  }
  bound.higher_order = [type](const EvalContext& context, Args values, Lambdas lambdas,
                              int64_t rows) {
    return SortArrays(type, context, values, lambdas, rows);
  };
  return bound;
}

}  // namespace

void AddArraySortFunctions(FunctionCatalog* catalog) {
  catalog->Add(HigherOrder({.name = "array_sort",
                            .usage = "array_sort(array[, (a, b) -> order])",
                            .least = 1,
                            .is_total = false,
                            .shape = ComparatorShape,
                            .bind = BindArraySort}));
}

}  // namespace tidemill
