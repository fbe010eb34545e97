#include <arrow/type.h>
#include <re2/re2.h>

#include <string>
#include <utility>

#include "common/functions/columns.h"
#include "common/functions/list_writer.h"
#include "common/functions/signature.h"
#include "common/functions/string/characters.h"
#include "common/functions/string/row_regex.h"
#include "common/functions/string/string_parts.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Values = std::span<const arrow::Datum>;
using Groups = std::span<const std::string_view>;

// A kernel over a regular expression: `run(context, values, rows, regexes)`.
template <class Run>
auto RegexKernel(const char* function, Run run) {
  return [=](std::span<const ExprPtr> args) -> arrow::Result<Kernel> {
    ARROW_ASSIGN_OR_RAISE(RegexPtr prepared, PreparedRegex(args, function));
    return Kernel([=](const EvalContext& context, Values values, int64_t rows) {
      RowRegex regexes(prepared, values[1], function);
      return run(context, values, rows, &regexes);
    });
  };
}

arrow::Result<arrow::Datum> CountMatches(const EvalContext& context, Values values, int64_t rows,
                                         RowRegex* regexes) {
  const TextColumn text(values[0]);
  return ComputeFixedChecked<int32_t>(
      context, values, rows, arrow::int32(), [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
        ARROW_ASSIGN_OR_RAISE(const re2::RE2* regex, regexes->At(row));
        ARROW_RETURN_NOT_OK(
            regexes->ForEachMatch(text[row], *regex, 1, [&](Groups) -> arrow::Result<bool> {
              ++*out;
              return true;
            }));
        return true;
      });
}

// regexp_instr(str, regexp[, idx]): where the first match begins, in characters from 1.
arrow::Result<arrow::Datum> MatchPlace(const EvalContext& context, Values values, int64_t rows,
                                       RowRegex* regexes) {
  const TextColumn text(values[0]);
  return ComputeFixedChecked<int32_t>(
      context, values, rows, arrow::int32(), [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
        ARROW_ASSIGN_OR_RAISE(const re2::RE2* regex, regexes->At(row));
        const std::string_view value = text[row];
        re2::StringPiece whole;
        if (regex->Match({value.data(), value.size()}, 0, value.size(), re2::RE2::UNANCHORED,
                         &whole, 1)) {
          const std::string_view before = value.substr(0, whole.data() - value.data());
          *out = static_cast<int32_t>(CountCharacters(before)) + 1;
        }
        return true;
      });
}

// The first match, or NULL where there is none or it is empty.
arrow::Result<arrow::Datum> FirstMatch(const EvalContext& context, Values values, int64_t rows,
                                       RowRegex* regexes) {
  const TextColumn text(values[0]);
  return ComputeText(context, values, rows, arrow::utf8(), text.ByteSize(rows),
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       ARROW_ASSIGN_OR_RAISE(const re2::RE2* regex, regexes->At(row));
                       const std::string_view value = text[row];
                       re2::StringPiece whole;
                       const bool found =
                           regex->Match({value.data(), value.size()}, 0, value.size(),
                                        re2::RE2::UNANCHORED, &whole, 1);
                       if (!found || whole.empty()) return false;
                       ARROW_RETURN_NOT_OK(out->Append({whole.data(), whole.size()}));
                       return true;
                     });
}

// regexp_extract_all(str, regexp[, idx]): a group of every match, empty where it took no part.
arrow::Result<arrow::Datum> ExtractAll(const EvalContext& context, Values values, int64_t rows,
                                       RowRegex* regexes) {
  const TextColumn text(values[0]);
  const FixedColumn<int32_t> indices(values.size() == 3 ? values[2] : arrow::Datum(int32_t{1}));
  return ComputeTextList(
      context, values, rows, text.ByteSize(rows),
      [&](int64_t row, TextListWriter* out) -> arrow::Result<bool> {
        ARROW_ASSIGN_OR_RAISE(const re2::RE2* regex, regexes->At(row));
        const int32_t index = indices[row];
        ARROW_RETURN_NOT_OK(CheckRegexGroup("regexp_extract_all", index, *regex));
        ARROW_RETURN_NOT_OK(regexes->ForEachMatch(text[row], *regex, index + 1,
                                                  [&](Groups found) -> arrow::Result<bool> {
                                                    ARROW_RETURN_NOT_OK(out->Append(found[index]));
                                                    return true;
                                                  }));
        return true;
      });
}

}  // namespace

void AddRegexScanFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  const TypePtr& number = arrow::int32();
  catalog->Add(FromSignature({.name = "regexp_count",
                              .usage = "regexp_count(str, regexp)",
                              .params = {text, text},
                              .result = number,
                              .make_kernel = RegexKernel("regexp_count", CountMatches)}));
  catalog->Add(FromSignature({.name = "regexp_instr",
                              .usage = "regexp_instr(str, regexp[, idx])",
                              .params = {text, text, number},
                              .required = 2,
                              .result = number,
                              .make_kernel = RegexKernel("regexp_instr", MatchPlace)}));
  catalog->Add(FromSignature({.name = "regexp_substr",
                              .usage = "regexp_substr(str, regexp)",
                              .params = {text, text},
                              .result = text,
                              .make_kernel = RegexKernel("regexp_substr", FirstMatch)}));
  catalog->Add(FromSignature({.name = "regexp_extract_all",
                              .usage = "regexp_extract_all(str, regexp[, idx])",
                              .params = {text, text, number},
                              .required = 2,
                              .result = arrow::list(text),
                              .make_kernel = RegexKernel("regexp_extract_all", ExtractAll)}));
}

}  // namespace tidemill
