#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/functions/call_errors.h"
#include "common/functions/choose.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/string/bytes.h"
#include "common/functions/string/characters.h"
#include "common/functions/string/string_parts.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// What stands before the count-th delimiter from the left, or behind the one from the right for a
// negative count. Occurrences may overlap, as Spark counts them.
std::string_view SubstringIndex(std::string_view text, std::string_view delimiter, int64_t count) {
  constexpr size_t kNone = std::string_view::npos;
  if (text.empty() || delimiter.empty() || count == 0) return {};
  if (count > 0) {
    size_t found = text.find(delimiter);
    for (; count > 1 && found != kNone; --count) found = text.find(delimiter, found + 1);
    return text.substr(0, found);
  }
  size_t found = text.rfind(delimiter);
  for (; count < -1 && found != kNone; ++count) {
    found = found == 0 ? kNone : text.rfind(delimiter, found - 1);
  }
  return found == kNone ? text : text.substr(found + delimiter.size());
}

arrow::Result<arrow::Datum> SubstringIndexKernel(const EvalContext& context, Args args,
                                                 int64_t rows) {
  const TextColumn text(args[0]), delimiter(args[1]);
  const FixedColumn<int32_t> count(args[2]);
  return ComputeText(
      context, args, rows, arrow::utf8(), text.ByteSize(rows),
      [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
        ARROW_RETURN_NOT_OK(out->Append(SubstringIndex(text[row], delimiter[row], count[row])));
        return true;
      });
}

// overlay(str, replacement, position[, length])
arrow::Result<arrow::Datum> Overlay(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]), replacement(args[1]);
  const FixedColumn<int32_t> position(args[2]);
  const FixedColumn<int32_t> length(args.size() == 4 ? args[3] : arrow::Datum(int32_t{-1}));
  return ComputeText(
      context, args, rows, arrow::utf8(), text.ByteSize(rows) + replacement.ByteSize(rows),
      [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
        const std::string_view value = text[row], with = replacement[row];
        const int64_t begin = position[row];
        const int64_t replaced = length[row] >= 0 ? length[row] : CountCharacters(with);
        ARROW_RETURN_NOT_OK(out->Append(SubstringSql(value, 1, begin - 1)));
        ARROW_RETURN_NOT_OK(out->Append(with));
        ARROW_RETURN_NOT_OK(out->Append(
            SubstringSql(value, begin + replaced, std::numeric_limits<int32_t>::max())));
        return true;
      });
}

FunctionInfo OverlayInfo() {
  FunctionInfo info =
      FromSignature({.name = "overlay",
                     .usage = "overlay(input PLACING replace FROM pos [FOR len])",
                     .params = {arrow::utf8(), arrow::utf8(), arrow::int32(), arrow::int32()},
                     .required = 3,
                     .result = arrow::utf8(),
                     .kernel = Overlay});
  info = WithBinaryForm(std::move(info), {0, 1}, BinaryOverlay());
  info.bind =
      [bind = std::move(info.bind)](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    const auto is_binary = [&](size_t i) { return args[i]->type->id() == arrow::Type::BINARY; };
    if (args.size() >= 2 && is_binary(0) != is_binary(1) &&
        args[0]->type->id() != arrow::Type::NA && args[1]->type->id() != arrow::Type::NA) {
      return DataDiffTypes("overlay", args.subspan(0, 2));
    }
    return bind(args);
  };
  return info;
}

// The place of `word` in a list with commas, from 1; 0 where it is not in it or has a comma.
int32_t FindInSet(std::string_view word, std::string_view set) {
  if (word.find(',') != std::string_view::npos) return 0;
  for (int32_t place = 1;; ++place) {
    const size_t comma = set.find(',');
    if (set.substr(0, comma) == word) return place;
    if (comma == std::string_view::npos) return 0;
    set.remove_prefix(comma + 1);
  }
}

arrow::Result<arrow::Datum> FindInSetKernel(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn word(args[0]), set(args[1]);
  return ComputeFixed<int32_t>(context, args, rows, arrow::int32(),
                               [&](int64_t row) { return FindInSet(word[row], set[row]); });
}

// In single quotes, with a backslash before those inside.
arrow::Result<arrow::Datum> Quote(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), text.ByteSize(rows) + 2 * rows,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       ARROW_RETURN_NOT_OK(out->Append("'"));
                       std::string_view rest = text[row];
                       for (size_t quote; (quote = rest.find('\'')) != std::string_view::npos;
                            rest.remove_prefix(quote + 1)) {
                         ARROW_RETURN_NOT_OK(out->Append(rest.substr(0, quote)));
                         ARROW_RETURN_NOT_OK(out->Append("\\'"));
                       }
                       ARROW_RETURN_NOT_OK(out->Append(rest));
                       ARROW_RETURN_NOT_OK(out->Append("'"));
                       return true;
                     });
}

arrow::Result<arrow::Datum> Space(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int32_t> count(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), rows * 8,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       if (count[row] <= 0) return true;
                       ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(count[row]));
                       std::fill_n(place, count[row], ' ');
                       return true;
                     });
}

// elt(n, value1, value2, ...)
arrow::Result<BoundFunction> BindElt(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount("elt", "elt(n, input1, input2, ...)", args.size(), 2, kUnboundedArgs));
  if (!CanCastImplicitly(*args[0]->type, *arrow::int32())) {
    return UnexpectedInput("elt", args, 0, "\"INT\"");
  }
  const bool is_binary = std::all_of(args.begin() + 1, args.end(), [](const ExprPtr& arg) {
    return arg->type->id() == arrow::Type::BINARY;
  });
  const TypePtr type = is_binary ? arrow::binary() : arrow::utf8();
  for (size_t i = 1; i < args.size(); ++i) {
    if (!CanCastImplicitly(*args[i]->type, *type)) {
      return UnexpectedInput("elt", args, i, "(\"STRING\" or \"BINARY\")");
    }
  }
  BoundFunction bound{std::vector<TypePtr>(args.size(), type), type};
  bound.arg_types[0] = arrow::int32();
  bound.kernel = [type](const EvalContext& context, Args values,
                        int64_t rows) -> arrow::Result<arrow::Datum> {
    const FixedColumn<int32_t> number(values[0]);
    ARROW_ASSIGN_OR_RAISE(Validity validity,
                          Validity::Of(values.subspan(0, 1), rows, context.pool));
    std::vector<int64_t> choice(rows, -1);
    for (int64_t row = 0; row < rows; ++row) {
      if (!validity[row]) continue;
      choice[row] = int64_t{number[row]} - 1;
      const auto count = static_cast<int64_t>(values.size()) - 1;
      if (choice[row] < 0 || choice[row] >= count) {
        return MakeError(ErrorKind::kJobFailed, "INVALID_ARRAY_INDEX",
                         fmt::format("The index {} is out of bounds. The array has {} elements. "
                                     "Use the SQL function `get()` to tolerate accessing element "
                                     "at invalid index and return NULL instead.",
                                     number[row], count));
      }
    }
    return ChooseColumns(context, values.subspan(1), choice, type);
  };
  return bound;
}

}  // namespace

void AddPieceFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  const TypePtr& number = arrow::int32();
  catalog->Add(FromSignature({.name = "substring_index",
                              .usage = "substring_index(str, delim, count)",
                              .params = {text, text, number},
                              .result = text,
                              .kernel = SubstringIndexKernel,
                              .is_total = true}));
  catalog->Add(OverlayInfo());
  catalog->Add(FromSignature({.name = "find_in_set",
                              .usage = "find_in_set(str, str_array)",
                              .params = {text, text},
                              .result = number,
                              .kernel = FindInSetKernel,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "quote",
                              .usage = "quote(str)",
                              .params = {text},
                              .result = text,
                              .kernel = Quote,
                              .is_total = true}));
  catalog->Add(FromSignature(
      {.name = "space", .usage = "space(n)", .params = {number}, .result = text, .kernel = Space}));
  FunctionInfo elt;
  elt.name = "elt";
  elt.usage = "elt(n, input1, input2, ...)";
  elt.bind = BindElt;
  catalog->Add(std::move(elt));
}

}  // namespace tidemill
