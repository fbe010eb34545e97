#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/collection/lists.h"
#include "common/functions/columns.h"
#include "common/functions/language/language.h"
#include "common/functions/signature.h"
#include "common/functions/string/bytes.h"
#include "common/functions/string/characters.h"
#include "common/functions/string/string_parts.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// Kernels of `text -> text` and so on, where the body knows one row: `body(row, out)` with access
// to the argument columns it captured.
template <class MakeBody>
Kernel TextKernel(MakeBody make_body) {
  return [make_body](const EvalContext& context, Args args,
                     int64_t rows) -> arrow::Result<arrow::Datum> {
    auto body = make_body(args);
    const int64_t bytes = TextColumn(args[0]).ByteSize(rows);
    return ComputeText(context, args, rows, arrow::utf8(), bytes,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(body(row, out));
                         return true;
                       });
  };
}

template <class Measure>
Kernel IntKernel(Measure measure) {
  return [measure](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn text(args[0]);
    return ComputeFixed<int32_t>(context, args, rows, arrow::int32(), [&](int64_t row) {
      return static_cast<int32_t>(measure(text[row]));
    });
  };
}

Kernel Substring() {
  return TextKernel([](Args args) {
    const bool has_length = args.size() == 3;
    return [text = TextColumn(args[0]), position = FixedColumn<int32_t>(args[1]),
            length = FixedColumn<int32_t>(args[has_length ? 2 : 1]),
            has_length](int64_t row, TextWriter* out) {
      const int64_t count = has_length ? length[row] : std::numeric_limits<int32_t>::max();
      return out->Append(SubstringSql(text[row], position[row], count));
    };
  });
}

Kernel LeftOrRight(bool is_left) {
  return TextKernel([is_left](Args args) {
    return [text = TextColumn(args[0]), count = FixedColumn<int32_t>(args[1]), is_left](
               int64_t row, TextWriter* out) -> arrow::Status {
      if (count[row] <= 0) return arrow::Status::OK();
      const int64_t position = is_left ? 1 : -int64_t{count[row]};
      return out->Append(SubstringSql(text[row], position, count[row]));
    };
  });
}

enum class Side { kLeft, kRight, kBoth };

bool HasCharacter(std::string_view set, std::string_view character) {
  return set.find(character) != std::string_view::npos;
}

std::string_view TrimmedSet(std::string_view text, std::string_view set, Side side) {
  if (side != Side::kRight) {
    while (!text.empty()) {
      const size_t size = BytesOfCharacters(text, 1);
      if (!HasCharacter(set, text.substr(0, size))) break;
      text.remove_prefix(size);
    }
  }
  if (side != Side::kLeft) {
    while (!text.empty()) {
      size_t begin = text.size() - 1;
      while (begin > 0 && (text[begin] & 0xC0) == 0x80) --begin;
      if (!HasCharacter(set, text.substr(begin))) break;
      text.remove_suffix(text.size() - begin);
    }
  }
  return text;
}

// trim([characters,] text), btrim(text[, characters]); without characters blanks (0x20) alone.
Kernel Trim(Side side, bool is_text_first = false) {
  return TextKernel([side, is_text_first](Args args) {
    const arrow::Datum blank(std::make_shared<arrow::StringScalar>(" "));
    const bool has_set = args.size() == 2;
    return [text = TextColumn(args[has_set && !is_text_first ? 1 : 0]), blank,
            set = TextColumn(has_set ? args[is_text_first ? 1 : 0] : blank),
            side](int64_t row, TextWriter* out) {
      return out->Append(TrimmedSet(text[row], set[row], side));
    };
  });
}

// lpad, rpad: cuts text that is longer; an empty pad adds nothing.
Kernel Pad(bool is_left) {
  return TextKernel([is_left](Args args) {
    const arrow::Datum blank(std::make_shared<arrow::StringScalar>(" "));
    return [text = TextColumn(args[0]), length = FixedColumn<int32_t>(args[1]), blank,
            pad = TextColumn(args.size() == 3 ? args[2] : blank),
            is_left](int64_t row, TextWriter* out) -> arrow::Status {
      const std::string_view value = text[row], filler = pad[row];
      const int64_t characters = CountCharacters(value), want = length[row];
      if (want <= characters || filler.empty()) {
        return out->Append(value.substr(0, BytesOfCharacters(value, want)));
      }
      if (!is_left) ARROW_RETURN_NOT_OK(out->Append(value));
      const int64_t filler_characters = CountCharacters(filler);
      const int64_t missing = want - characters;
      ARROW_RETURN_NOT_OK(out->AppendRepeated(filler, missing / filler_characters));
      const int64_t rest = BytesOfCharacters(filler, missing % filler_characters);
      ARROW_RETURN_NOT_OK(out->Append(filler.substr(0, rest)));
      return is_left ? out->Append(value) : arrow::Status::OK();
    };
  });
}

Kernel Repeat() {
  return TextKernel([](Args args) {
    return [text = TextColumn(args[0]), times = FixedColumn<int32_t>(args[1])](
               int64_t row, TextWriter* out) -> arrow::Status {
      return out->AppendRepeated(text[row], times[row]);
    };
  });
}

Kernel Reverse() {
  return TextKernel([](Args args) {
    return [text = TextColumn(args[0])](int64_t row, TextWriter* out) -> arrow::Status {
      const std::string_view value = text[row];
      ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(static_cast<int64_t>(value.size())));
      place += value.size();
      for (size_t at = 0; at < value.size();) {
        const size_t size = std::min<size_t>(CharacterSize(value[at]), value.size() - at);
        place -= size;
        std::memcpy(place, value.data() + at, size);
        at += size;
      }
      return arrow::Status::OK();
    };
  });
}

arrow::Result<arrow::Datum> Concat(const EvalContext& context, Args args, int64_t rows) {
  std::vector<TextColumn> parts;
  int64_t bytes = 0;
  for (const arrow::Datum& arg : args) {
    parts.emplace_back(arg);
    bytes += parts.back().ByteSize(rows) * (parts.back().is_constant() ? rows : 1);
  }
  return ComputeText(context, args, rows, arrow::utf8(), bytes,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       for (const TextColumn& part : parts) {
                         ARROW_RETURN_NOT_OK(out->Append(part[row]));
                       }
                       return true;
                     });
}

FunctionInfo ConcatInfo() {
  FunctionInfo info = FromSignature({.name = "concat",
                                     .usage = "concat(str1, str2, ...)",
                                     .params = {arrow::utf8()},
                                     .required = 0,
                                     .is_variadic = true,
                                     .result = arrow::utf8(),
                                     .kernel = Concat});
  auto bind_text = info.bind;
  auto bind_binary = FromSignature(BinaryConcat()).bind;
  info.bind = [bind_text,
               bind_binary](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args.empty()) {
      BoundFunction bound;
      bound.type = arrow::utf8();
      bound.kernel = [](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
        return arrow::Datum(std::make_shared<arrow::StringScalar>(""));
      };
      return bound;
    }
    const bool is_binary = std::all_of(args.begin(), args.end(), [](const ExprPtr& arg) {
      return arg->type->id() == arrow::Type::BINARY;
    });
    return is_binary ? bind_binary(args) : bind_text(args);
  };
  return info;
}

// One argument of concat_ws: a string, or an array of strings. NULLs are left out.
class Joinable {
 public:
  Joinable(const arrow::Datum& datum, std::shared_ptr<arrow::Array> array)
      : array_(std::move(array)), list_(dynamic_cast<const arrow::ListArray*>(array_.get())) {
    if (list_ != nullptr) {
      texts_ = static_cast<const arrow::StringArray*>(list_->values().get());
    } else {
      texts_ = static_cast<const arrow::StringArray*>(array_.get());
    }
  }
  template <class Visit>
  arrow::Status ForEach(int64_t row, Visit visit) const {
    if (array_->IsNull(row)) return arrow::Status::OK();
    const int64_t begin = list_ != nullptr ? list_->value_offset(row) : row;
    const int64_t end = list_ != nullptr ? list_->value_offset(row + 1) : row + 1;
    for (int64_t i = begin; i < end; ++i) {
      if (texts_->IsValid(i)) ARROW_RETURN_NOT_OK(visit(texts_->GetView(i)));
    }
    return arrow::Status::OK();
  }

 private:
  std::shared_ptr<arrow::Array> array_;
  const arrow::ListArray* list_;
  const arrow::StringArray* texts_;
};

arrow::Result<arrow::Datum> ConcatWs(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn separator(args[0]);
  std::vector<Joinable> parts;
  for (const arrow::Datum& arg : args.subspan(1)) {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(arg, rows, context.pool));
    parts.emplace_back(arg, std::move(array));
  }
  return ComputeText(context, args.subspan(0, 1), rows, arrow::utf8(), rows * 16,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       bool is_first = true;
                       for (const Joinable& part : parts) {
                         ARROW_RETURN_NOT_OK(part.ForEach(row, [&](std::string_view text) {
                           if (!is_first) ARROW_RETURN_NOT_OK(out->Append(separator[row]));
                           is_first = false;
                           return out->Append(text);
                         }));
                       }
                       return true;
                     });
}

FunctionInfo ConcatWsInfo() {
  FunctionInfo info;
  info.name = "concat_ws";
  info.usage = "concat_ws(sep[, str | array(str)]+)";
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("concat_ws", usage, args.size(), 1, 1 << 20));
    BoundFunction bound;
    for (size_t i = 0; i < args.size(); ++i) {
      const bool is_list = i > 0 && args[i]->type->id() == arrow::Type::LIST;
      const TypePtr want = is_list ? arrow::list(arrow::utf8()) : arrow::utf8();
      if (!CanCastImplicitly(*args[i]->type, *want)) {
        return UnexpectedInput("concat_ws", args, i, "\"ARRAY<STRING>\" or \"STRING\"");
      }
      bound.arg_types.push_back(want);
    }
    bound.type = arrow::utf8();
    bound.kernel = ConcatWs;
    return bound;
  };
  return info;
}

// length and octet_length take STRING and BINARY; anything else as text.
FunctionInfo Length(const std::string& name, bool in_characters, int factor) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(str)", name);
  info.is_total = true;
  info.bind = [=,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount(name, usage, args.size(), 1, 1));
    const bool is_binary = args[0]->type->id() == arrow::Type::BINARY;
    const TypePtr type = is_binary ? arrow::binary() : arrow::utf8();
    if (!CanCastImplicitly(*args[0]->type, *type)) {
      return UnexpectedInput(name, args, 0, "(\"STRING\" or \"BINARY\")");
    }
    Kernel kernel = in_characters && !is_binary
                        ? IntKernel([](std::string_view text) { return CountCharacters(text); })
                        : IntKernel([=](std::string_view text) { return text.size() * factor; });
    return BoundFunction{{type}, arrow::int32(), std::move(kernel)};
  };
  return info;
}

int32_t FirstCodePoint(std::string_view text) {
  if (text.empty()) return 0;
  auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) & 0x3F : 0;
  };
  const auto first = static_cast<unsigned char>(text[0]);
  switch (CharacterSize(text[0])) {
    case 1:
      return first;
    case 2:
      return ((first & 0x1F) << 6) | byte(1);
    case 3:
      return ((first & 0x0F) << 12) | (byte(1) << 6) | byte(2);
    default:
      return ((first & 0x07) << 18) | (byte(1) << 12) | (byte(2) << 6) | byte(3);
  }
}

// NOLINTNEXTLINE(readability-function-size): a row of the table of functions
FunctionInfo TextFunction(std::string name, std::string usage, std::vector<TypePtr> params,
                          int required, Kernel kernel, bool is_total = true) {
  return FromSignature({.name = std::move(name),
                        .usage = std::move(usage),
                        .params = std::move(params),
                        .required = required,
                        .result = arrow::utf8(),
                        .kernel = std::move(kernel),
                        .is_total = is_total});
}

}  // namespace

void AddStringFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  const TypePtr& number = arrow::int32();
  AddCaseFunctions(catalog);
  AddDistanceFunctions(catalog);
  AddMaskFunctions(catalog);
  AddPieceFunctions(catalog);
  AddSentenceFunctions(catalog);
  catalog->Add(WithBinaryForm(TextFunction("substring", "substring(str, pos[, len])",
                                           {text, number, number}, 2, Substring()),
                              {0}, BinarySubstring()),
               {"substr"});
  catalog->Add(
      WithBinaryForm(TextFunction("left", "left(str, len)", {text, number}, 2, LeftOrRight(true)),
                     {0}, BinaryLeft()));
  catalog->Add(TextFunction("right", "right(str, len)", {text, number}, 2, LeftOrRight(false)));
  catalog->Add(
      TextFunction("trim", "trim([characters FROM] str)", {text, text}, 1, Trim(Side::kBoth)));
  catalog->Add(
      TextFunction("btrim", "btrim(str[, characters])", {text, text}, 1, Trim(Side::kBoth, true)));
  catalog->Add(
      TextFunction("ltrim", "ltrim([characters,] str)", {text, text}, 1, Trim(Side::kLeft)));
  catalog->Add(
      TextFunction("rtrim", "rtrim([characters,] str)", {text, text}, 1, Trim(Side::kRight)));
  catalog->Add(WithBinaryForm(
      TextFunction("lpad", "lpad(str, len[, pad])", {text, number, text}, 2, Pad(true)), {0, 2},
      BinaryPad(true)));
  catalog->Add(WithBinaryForm(
      TextFunction("rpad", "rpad(str, len[, pad])", {text, number, text}, 2, Pad(false)), {0, 2},
      BinaryPad(false)));
  catalog->Add(TextFunction("repeat", "repeat(str, n)", {text, number}, 2, Repeat(), false));
  catalog->Add(OrArrays(WithBinaryForm(
      TextFunction("reverse", "reverse(str)", {text}, 1, Reverse()), {0}, BinaryReverse())));
  catalog->Add(OrArrays(ConcatInfo()), {"||"});
  catalog->Add(ConcatWsInfo());
  catalog->Add(Length("length", true, 1), {"len", "char_length", "character_length"});
  catalog->Add(Length("octet_length", false, 1));
  catalog->Add(Length("bit_length", false, 8));
  catalog->Add(FromSignature({.name = "ascii",
                              .usage = "ascii(str)",
                              .params = {text},
                              .result = number,
                              .kernel = IntKernel(FirstCodePoint),
                              .is_total = true}));
}

}  // namespace tidemill
