#include <arrow/type.h>
#include <fmt/format.h>

#include <utility>

#include "common/functions/collection/lists.h"
#include "common/functions/text_writer.h"

// Arrays of strings joined to one.

namespace tidemill {

namespace {

arrow::Result<arrow::Datum> Join(const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const ListColumn list, ListColumn::Of(args[0], rows, context.pool));
  const arrow::Datum item_data(list.items());
  const TextColumn items(item_data), delimiters(args[1]);
  const bool has_replacement = args.size() == 3;
  const TextColumn replacements(has_replacement ? args[2] : args[1]);
  const int64_t hint = items.ByteSize(list.items()->length()) + list.items()->length();
  return ComputeText(context, args, rows, arrow::utf8(), hint,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       bool is_first = true;
                       for (int32_t i = list.begin(row); i < list.end(row); ++i) {
                         const bool is_null = list.items()->IsNull(i);
                         if (is_null && !has_replacement) continue;
                         if (!is_first) ARROW_RETURN_NOT_OK(out->Append(delimiters[row]));
                         ARROW_RETURN_NOT_OK(out->Append(is_null ? replacements[row] : items[i]));
                         is_first = false;
                       }
                       return true;
                     });
}

arrow::Result<BoundFunction> BindJoin(std::span<const ExprPtr> args) {
  const TypePtr type = arrow::list(arrow::utf8());
  if (!IsList(*args[0]->type) || !CanCast(*args[0]->type, *type)) {
    return UnexpectedInput("array_join", args, 0, "\"ARRAY<STRING>\"");
  }
  BoundFunction bound{{type}, arrow::utf8(), Join};
  for (size_t i = 1; i < args.size(); ++i) {
    if (!CanCastImplicitly(*args[i]->type, *arrow::utf8())) {
      return UnexpectedInput("array_join", args, i, "\"STRING\"");
    }
    bound.arg_types.push_back(arrow::utf8());
  }
  return bound;
}

}  // namespace

void AddArrayTextFunctions(FunctionCatalog* catalog) {
  catalog->Add(Collection(
      {"array_join", "array_join(array, delimiter[, nullReplacement])", 2, 3, true, BindJoin}));
}

}  // namespace tidemill
