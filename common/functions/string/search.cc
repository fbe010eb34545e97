#include <arrow/type.h>
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/string/characters.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

template <class Test>
Kernel TestKernel(Test test) {
  return [test](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn text(args[0]), part(args[1]);
    return ComputeBool(context, args, rows,
                       [&](int64_t row) { return test(text[row], part[row]); });
  };
}

// The place of `part` at or after character `start`, both counting from 1; 0 where there is none.
int32_t Locate(std::string_view part, std::string_view text, int32_t start) {
  if (start < 1) return 0;
  if (part.empty()) return 1;  // Wherever the search begins, as in Spark.
  const size_t from = BytesOfCharacters(text, start - 1);
  const size_t found = text.find(part, from);
  if (found == std::string_view::npos) return 0;
  return static_cast<int32_t>(CountCharacters(text.substr(0, found)) + 1);
}

arrow::Result<arrow::Datum> Instr(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]), part(args[1]);
  return ComputeFixed<int32_t>(context, args, rows, arrow::int32(),
                               [&](int64_t row) { return Locate(part[row], text[row], 1); });
}

// Where the part stands for the `occurrence`-th time from character `start` on, or from the end
// backwards where `start` is negative: -1 is the last character.
int32_t InstrFrom(std::string_view part, std::string_view text, int64_t start, int32_t occurrence) {
  if (start == 0) return 0;
  if (part.empty()) return 1;  // Wherever the search begins, as in Spark.
  size_t found = std::string_view::npos;
  if (start > 0) {
    size_t from = BytesOfCharacters(text, start - 1);
    for (int32_t i = 0; i < occurrence; ++i) {
      found = text.find(part, from);
      if (found == std::string_view::npos) return 0;
      from = found + 1;
    }
  } else {
    const int64_t first = CountCharacters(text) + start;
    if (first < 0) return 0;
    size_t from = BytesOfCharacters(text, first);
    for (int32_t i = 0; i < occurrence; ++i) {
      if (i > 0 && found == 0) return 0;
      found = text.rfind(part, i == 0 ? from : found - 1);
      if (found == std::string_view::npos) return 0;
    }
  }
  return static_cast<int32_t>(CountCharacters(text.substr(0, found)) + 1);
}

arrow::Result<arrow::Datum> InstrFromPosition(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]), part(args[1]);
  const FixedColumn<int32_t> start(args[2]);
  const FixedColumn<int32_t> occurrence(args.size() == 4 ? args[3] : arrow::Datum(int32_t{1}));
  return ComputeFixedChecked<int32_t>(
      context, args, rows, arrow::int32(), [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
        if (occurrence[row] < 1) {
          return MakeError(ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.OCCURRENCE",
                           fmt::format("The value of parameter(s) `occurrence` in `instr` is "
                                       "invalid: expects a positive integer, but got {}.",
                                       occurrence[row]));
        }
        *out = InstrFrom(part[row], text[row], start[row], occurrence[row]);
        return true;
      });
}

// instr(str, substr[, position[, occurrence]])
FunctionInfo InstrInfo() {
  const TypePtr &text = arrow::utf8(), &number = arrow::int32();
  FunctionInfo info = FromSignature({.name = "instr",
                                     .usage = "instr(str, substr[, position[, occurrence]])",
                                     .params = {text, text, number, number},
                                     .required = 2,
                                     .result = number});
  info.bind = [bind = info.bind](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_ASSIGN_OR_RAISE(BoundFunction bound, bind(args));
    bound.kernel = args.size() == 2 ? Kernel(Instr) : Kernel(InstrFromPosition);
    bound.is_total = args.size() < 4;
    return bound;
  };
  return info;
}

// locate(substr, str[, pos]); a NULL position gives 0, as in Spark.
arrow::Result<arrow::Datum> LocateKernel(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn part(args[0]), text(args[1]);
  const FixedColumn<int32_t> start(args.size() == 3 ? args[2] : arrow::Datum(int32_t{1}));
  Validity has_start = Validity::AllValid(rows);
  if (args.size() == 3) {
    ARROW_ASSIGN_OR_RAISE(has_start, Validity::Of(args.subspan(2), rows, context.pool));
  }
  return ComputeFixed<int32_t>(context, args.subspan(0, 2), rows, arrow::int32(), [&](int64_t row) {
    return has_start[row] ? Locate(part[row], text[row], start[row]) : 0;
  });
}

// replace(str, search[, rep]): an empty search leaves the text as it is.
arrow::Result<arrow::Datum> Replace(const EvalContext& context, Args args, int64_t rows) {
  const arrow::Datum nothing(std::make_shared<arrow::StringScalar>(""));
  const TextColumn text(args[0]), search(args[1]), with(args.size() == 3 ? args[2] : nothing);
  return ComputeText(context, args, rows, arrow::utf8(), text.ByteSize(rows),
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       const std::string_view value = text[row], part = search[row];
                       size_t copied = 0;
                       while (!part.empty()) {
                         const size_t found = value.find(part, copied);
                         if (found == std::string_view::npos) break;
                         ARROW_RETURN_NOT_OK(out->Append(value.substr(copied, found - copied)));
                         ARROW_RETURN_NOT_OK(out->Append(with[row]));
                         copied = found + part.size();
                       }
                       ARROW_RETURN_NOT_OK(out->Append(value.substr(copied)));
                       return true;
                     });
}

std::vector<std::string_view> CharactersOf(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    characters.push_back(text.substr(0, BytesOfCharacters(text, 1)));
    text.remove_prefix(characters.back().size());
  }
  return characters;
}

using CharacterMap = std::unordered_map<std::string_view, std::string_view>;

// The first occurrence of a character counts; one without a partner is removed.
CharacterMap MapOf(std::string_view from, std::string_view to) {
  const auto keys = CharactersOf(from), values = CharactersOf(to);
  CharacterMap map;
  for (size_t i = 0; i < keys.size(); ++i) {
    map.emplace(keys[i], i < values.size() ? values[i] : std::string_view());
  }
  return map;
}

arrow::Result<arrow::Datum> Translate(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]), from(args[1]), to(args[2]);
  const bool is_fixed = from.is_constant() && to.is_constant();
  CharacterMap map = is_fixed ? MapOf(from[0], to[0]) : CharacterMap();
  return ComputeText(
      context, args, rows, arrow::utf8(), text.ByteSize(rows),
      [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
        if (!is_fixed) map = MapOf(from[row], to[row]);
        std::string_view rest = text[row];
        while (!rest.empty()) {
          const auto character = rest.substr(0, BytesOfCharacters(rest, 1));
          rest.remove_prefix(character.size());
          auto found = map.find(character);
          ARROW_RETURN_NOT_OK(out->Append(found == map.end() ? character : found->second));
        }
        return true;
      });
}

// Part `number` between delimiters, from 1, or from -1 backwards; empty where there is none.
std::string_view PartOf(std::string_view text, std::string_view delimiter, int64_t number) {
  if (delimiter.empty()) return number == 1 || number == -1 ? text : std::string_view();
  if (number < 0) {
    int64_t parts = 1;
    for (size_t at = text.find(delimiter); at != std::string_view::npos;
         at = text.find(delimiter, at + delimiter.size())) {
      ++parts;
    }
    number += parts + 1;
    if (number < 1) return {};
  }
  size_t begin = 0;
  for (; number > 1; --number) {
    const size_t found = text.find(delimiter, begin);
    if (found == std::string_view::npos) return {};
    begin = found + delimiter.size();
  }
  return text.substr(begin, text.find(delimiter, begin) - begin);
}

arrow::Result<arrow::Datum> SplitPart(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]), delimiter(args[1]);
  const FixedColumn<int32_t> number(args[2]);
  return ComputeText(
      context, args, rows, arrow::utf8(), text.ByteSize(rows),
      [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
        if (number[row] == 0) {
          return MakeError(ErrorKind::kJobFailed, "INVALID_INDEX_OF_ZERO",
                           "The index 0 is invalid. An index shall be either < 0 or > 0 (the "
                           "first element has index 1).");
        }
        ARROW_RETURN_NOT_OK(out->Append(PartOf(text[row], delimiter[row], number[row])));
        return true;
      });
}

FunctionInfo Test(std::string name, Kernel kernel) {
  const std::string usage = fmt::format("{}(left, right)", name);
  return FromSignature({.name = std::move(name),
                        .usage = usage,
                        .params = {arrow::utf8(), arrow::utf8()},
                        .result = arrow::boolean(),
                        .kernel = std::move(kernel),
                        .is_total = true});
}

}  // namespace

void AddSearchFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  const TypePtr& number = arrow::int32();
  using View = std::string_view;
  catalog->Add(Test("startswith", TestKernel([](View a, View b) { return a.starts_with(b); })));
  catalog->Add(Test("endswith", TestKernel([](View a, View b) { return a.ends_with(b); })));
  catalog->Add(
      Test("contains", TestKernel([](View a, View b) { return a.find(b) != View::npos; })));
  catalog->Add(InstrInfo());
  catalog->Add(FromSignature({.name = "locate",
                              .usage = "locate(substr, str[, pos])",
                              .params = {text, text, number},
                              .required = 2,
                              .result = number,
                              .kernel = LocateKernel,
                              .is_total = true}),
               {"position"});
  catalog->Add(FromSignature({.name = "replace",
                              .usage = "replace(str, search[, replace])",
                              .params = {text, text, text},
                              .required = 2,
                              .result = text,
                              .kernel = Replace}));
  catalog->Add(FromSignature({.name = "translate",
                              .usage = "translate(input, from, to)",
                              .params = {text, text, text},
                              .result = text,
                              .kernel = Translate}));
  catalog->Add(FromSignature({.name = "split_part",
                              .usage = "split_part(str, delimiter, partNum)",
                              .params = {text, text, number},
                              .result = text,
                              .kernel = SplitPart}));
}

}  // namespace tidemill
