#include <arrow/type.h>
#include <fmt/format.h>
#include <re2/re2.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/call_errors.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/string/letter_case.h"
#include "common/functions/string/like.h"
#include "common/functions/string/row_regex.h"
#include "common/functions/string/string_parts.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

arrow::Result<Kernel> MakeRlike(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(RegexPtr prepared, PreparedRegex(args, "rlike"));
  return Kernel([prepared](const EvalContext& context, std::span<const arrow::Datum> values,
                           int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(values[0]);
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
    RowRegex regex(prepared, values[1], "rlike");
    arrow::Status failed;
    ARROW_ASSIGN_OR_RAISE(arrow::Datum result, ComputeBool(context, values, rows, [&](int64_t row) {
                            if (!validity[row] || !failed.ok()) return false;
                            auto compiled = regex.At(row);
                            if (!compiled.ok()) failed = compiled.status();
                            if (!failed.ok()) return false;
                            return re2::RE2::PartialMatch(
                                re2::StringPiece(text[row].data(), text[row].size()), **compiled);
                          }));
    ARROW_RETURN_NOT_OK(failed);
    return result;
  });
}

arrow::Result<char> EscapeOf(std::string_view text) {
  if (text.size() == 1) return text[0];
  return MakeError(ErrorKind::kInvalid, "INVALID_ESCAPE_CHAR",
                   fmt::format("`EscapeChar` should be a string literal of length one, but got "
                               "\"{}\".",
                               text));
}

// like(str, pattern[, escape])
arrow::Result<Kernel> MakeLike(std::span<const ExprPtr> args) {
  std::string storage;
  char escape = '\\';
  if (args.size() == 3) {
    const std::string* text = StringLiteralOf(*args[2], &storage);
    if (text == nullptr) return NonFoldableArgument("like", args, 2);
    ARROW_ASSIGN_OR_RAISE(escape, EscapeOf(*text));
  }
  const std::string* pattern = StringLiteralOf(*args[1], &storage);
  if (pattern != nullptr) {
    ARROW_ASSIGN_OR_RAISE(LikePattern like, LikePattern::Parse(*pattern, escape));
    return Kernel([like = std::move(like)](const EvalContext& context,
                                           std::span<const arrow::Datum> values, int64_t rows) {
      const TextColumn text(values[0]);
      return ComputeBool(context, values, rows,
                         [&](int64_t row) { return like.Matches(text[row]); });
    });
  }
  return Kernel([escape](const EvalContext& context, std::span<const arrow::Datum> values,
                         int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(values[0]), patterns(values[1]);
    ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(values, rows, context.pool));
    arrow::Status failed;
    ARROW_ASSIGN_OR_RAISE(arrow::Datum result, ComputeBool(context, values, rows, [&](int64_t row) {
                            if (!validity[row] || !failed.ok()) return false;
                            auto like = LikePattern::Parse(patterns[row], escape);
                            if (!like.ok()) failed = like.status();
                            return like.ok() && like->Matches(text[row]);
                          }));
    ARROW_RETURN_NOT_OK(failed);
    return result;
  });
}

// LIKE over the lower-case forms of both.
arrow::Result<Kernel> MakeIlike(std::span<const ExprPtr> args) {
  std::vector<ExprPtr> lowered(args.begin(), args.end());
  const Kernel lower = LowerKernel();
  std::string storage;
  if (const std::string* pattern = StringLiteralOf(*args[1], &storage)) {
    EvalContext context;
    context.pool = arrow::default_memory_pool();
    const arrow::Datum text(std::make_shared<arrow::StringScalar>(*pattern));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum lower_text, lower(context, std::span(&text, 1), 1));
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(lower_text, 1, context.pool));
    ARROW_ASSIGN_OR_RAISE(auto scalar, array->GetScalar(0));
    lowered[1] = MakeLiteral(std::move(scalar), args[1]->span);
  }
  ARROW_ASSIGN_OR_RAISE(Kernel like, MakeLike(lowered));
  return Kernel([=](const EvalContext& context, std::span<const arrow::Datum> values,
                    int64_t rows) -> arrow::Result<arrow::Datum> {
    std::vector<arrow::Datum> lower_values(values.begin(), values.end());
    for (size_t i = 0; i < 2; ++i) {
      ARROW_ASSIGN_OR_RAISE(lower_values[i], lower(context, values.subspan(i, 1), rows));
    }
    return like(context, lower_values, rows);
  });
}

// A replacement in Java's language ("$1", "${name}", "\$"), cut into text and groups.
struct Replacement {
  struct Part {
    int group = -1;  // -1: `text`
    std::string text;
  };
  std::vector<Part> parts;

  static arrow::Result<Replacement> Parse(std::string_view text, const re2::RE2& regex) {
    Replacement replacement;
    std::string run;
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\\' && i + 1 < text.size()) {
        run += text[++i];
        continue;
      }
      if (text[i] != '$') {
        run += text[i];
        continue;
      }
      Part part;
      ARROW_ASSIGN_OR_RAISE(part.group, ParseGroup(text, regex, &i));
      if (!run.empty()) replacement.parts.push_back({-1, std::move(run)});
      run.clear();
      replacement.parts.push_back(std::move(part));
    }
    if (!run.empty()) replacement.parts.push_back({-1, std::move(run)});
    return replacement;
  }

  static arrow::Status Invalid(std::string_view text) {
    return MakeError(ErrorKind::kJobFailed, "INVALID_REGEXP_REPLACE",
                     fmt::format("Could not perform regexp_replace: the replacement names a group "
                                 "that the pattern has not: replacement=\"{}\"",
                                 text));
  }

  // `*at` is at the dollar sign, and afterwards at the last character of the reference. As in Java,
  // further digits belong to it while there is such a group.
  static arrow::Result<int> ParseGroup(std::string_view text, const re2::RE2& regex, size_t* at) {
    const int groups = regex.NumberOfCapturingGroups();
    size_t i = *at + 1;
    if (i < text.size() && text[i] == '{') {
      const size_t end = text.find('}', i);
      if (end == std::string_view::npos) return Invalid(text);
      const auto& names = regex.NamedCapturingGroups();
      auto found = names.find(std::string(text.substr(i + 1, end - i - 1)));
      if (found == names.end()) return Invalid(text);
      *at = end;
      return found->second;
    }
    auto is_digit = [&](size_t k) { return k < text.size() && text[k] >= '0' && text[k] <= '9'; };
    if (!is_digit(i)) return Invalid(text);
    int group = text[i] - '0';
    if (group > groups) return Invalid(text);
    while (is_digit(i + 1) && group * 10 + (text[i + 1] - '0') <= groups) {
      group = group * 10 + (text[++i] - '0');
    }
    *at = i;
    return group;
  }
};

// NOLINTNEXTLINE(readability-function-size): the last two are where results go
arrow::Status ReplaceAll(std::string_view text, size_t from, const re2::RE2& regex,
                         const Replacement& replacement, std::vector<re2::StringPiece>* groups,
                         TextWriter* out) {
  const re2::StringPiece input(text.data(), text.size());
  size_t copied = 0, search = from;
  while (search <= text.size() && regex.Match(input, search, text.size(), re2::RE2::UNANCHORED,
                                              groups->data(), static_cast<int>(groups->size()))) {
    const size_t begin = (*groups)[0].data() - text.data();
    const size_t end = begin + (*groups)[0].size();
    ARROW_RETURN_NOT_OK(out->Append(text.substr(copied, begin - copied)));
    for (const Replacement::Part& part : replacement.parts) {
      if (part.group < 0) {
        ARROW_RETURN_NOT_OK(out->Append(part.text));
      } else if ((*groups)[part.group].data() != nullptr) {
        const re2::StringPiece& group = (*groups)[part.group];
        ARROW_RETURN_NOT_OK(out->Append({group.data(), group.size()}));
      }
    }
    copied = end;
    search = end;
    if (begin == end) search += end < text.size() ? CharacterSize(text[end]) : 1;
  }
  return out->Append(text.substr(copied));
}

// Byte offset of a character that counts from 1; the size where the text is shorter.
size_t OffsetOfCharacter(std::string_view text, int32_t position) {
  size_t at = 0;
  for (int32_t i = 1; i < position && at < text.size(); ++i) at += CharacterSize(text[at]);
  return std::min(at, text.size());
}

// regexp_replace(str, regexp, rep[, position])
arrow::Result<Kernel> MakeRegexpReplace(std::span<const ExprPtr> args) {
  if (args.size() == 4 && IsLiteral(*args[3]) && args[3]->literal->is_valid) {
    const std::string position = args[3]->literal->ToString();
    if (position == "0" || position.starts_with('-')) {
      return Mismatch("VALUE_OUT_OF_RANGE", "regexp_replace", args,
                      fmt::format("The `position` must be between (0, 2147483647] (current value = "
                                  "{}).",
                                  position));
    }
  }
  ARROW_ASSIGN_OR_RAISE(RegexPtr prepared, PreparedRegex(args, "regexp_replace"));
  return Kernel([prepared](const EvalContext& context, std::span<const arrow::Datum> values,
                           int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(values[0]), replacements(values[2]);
    const FixedColumn<int32_t> positions(values.size() == 4 ? values[3] : arrow::Datum(int32_t{1}));
    RowRegex regexes(prepared, values[1], "regexp_replace");
    const re2::RE2* regex = nullptr;
    std::string parsed;
    Replacement replacement;
    std::vector<re2::StringPiece> groups;
    return ComputeText(
        context, values, rows, arrow::utf8(), text.ByteSize(rows),
        [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const re2::RE2* current, regexes.At(row));
          if (current != regex || replacements[row] != parsed) {
            ARROW_ASSIGN_OR_RAISE(replacement, Replacement::Parse(replacements[row], *current));
            parsed = replacements[row];
            regex = current;
            groups.resize(regex->NumberOfCapturingGroups() + 1);
          }
          const size_t from = OffsetOfCharacter(text[row], positions[row]);
          ARROW_RETURN_NOT_OK(ReplaceAll(text[row], from, *regex, replacement, &groups, out));
          return true;
        });
  });
}

// regexp_extract(str, regexp[, idx]): the group of the first match, or empty.
arrow::Result<Kernel> MakeRegexpExtract(std::span<const ExprPtr> args) {
  ARROW_ASSIGN_OR_RAISE(RegexPtr prepared, PreparedRegex(args, "regexp_extract"));
  return Kernel([prepared](const EvalContext& context, std::span<const arrow::Datum> values,
                           int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(values[0]);
    const FixedColumn<int32_t> indices(values.size() == 3 ? values[2] : arrow::Datum(int32_t{1}));
    RowRegex regexes(prepared, values[1], "regexp_extract");
    std::vector<re2::StringPiece> groups;
    return ComputeText(
        context, values, rows, arrow::utf8(), text.ByteSize(rows),
        [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const re2::RE2* regex, regexes.At(row));
          const re2::StringPiece input(text[row].data(), text[row].size());
          const int32_t index = indices[row];
          ARROW_RETURN_NOT_OK(CheckRegexGroup("regexp_extract", index, *regex));
          groups.resize(index + 1);
          if (regex->Match(input, 0, input.size(), re2::RE2::UNANCHORED, groups.data(),
                           static_cast<int>(groups.size()))) {
            ARROW_RETURN_NOT_OK(out->Append({groups[index].data(), groups[index].size()}));
          }
          return true;
        });
  });
}

}  // namespace

void AddRegexFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  const TypePtr& number = arrow::int32();
  catalog->Add(FromSignature({.name = "like",
                              .usage = "str LIKE pattern [ESCAPE escape]",
                              .params = {text, text, text},
                              .required = 2,
                              .result = arrow::boolean(),
                              .make_kernel = MakeLike,
                              .is_total_if_prepared = true}));
  catalog->Add(FromSignature({.name = "ilike",
                              .usage = "str ILIKE pattern [ESCAPE escape]",
                              .params = {text, text, text},
                              .required = 2,
                              .result = arrow::boolean(),
                              .make_kernel = MakeIlike,
                              .is_total_if_prepared = true}));
  catalog->Add(FromSignature({.name = "rlike",
                              .usage = "rlike(str, regexp)",
                              .params = {text, text},
                              .result = arrow::boolean(),
                              .make_kernel = MakeRlike,
                              .is_total_if_prepared = true}),
               {"regexp", "regexp_like"});
  catalog->Add(FromSignature({.name = "regexp_replace",
                              .usage = "regexp_replace(str, regexp, rep[, position])",
                              .params = {text, text, text, number},
                              .required = 3,
                              .result = text,
                              .make_kernel = MakeRegexpReplace}));
  catalog->Add(FromSignature({.name = "regexp_extract",
                              .usage = "regexp_extract(str, regexp[, idx])",
                              .params = {text, text, number},
                              .required = 2,
                              .result = text,
                              .make_kernel = MakeRegexpExtract}));
  AddRegexScanFunctions(catalog);
}

}  // namespace tidemill
