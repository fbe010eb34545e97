#include "common/functions/codec/charset.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/choose.h"
#include "common/functions/codec/codec.h"
#include "common/functions/codec/utf8_validity.h"
#include "common/functions/columns.h"
#include "common/functions/comparison.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

struct NamedCharset {
  std::string_view name;
  Charset charset;
};
constexpr std::array<NamedCharset, 7> kCharsets = {{{"US-ASCII", Charset::kAscii},
                                                    {"ISO-8859-1", Charset::kLatin1},
                                                    {"UTF-8", Charset::kUtf8},
                                                    {"UTF-16BE", Charset::kUtf16Be},
                                                    {"UTF-16LE", Charset::kUtf16Le},
                                                    {"UTF-16", Charset::kUtf16},
                                                    {"UTF-32", Charset::kUtf32}}};

constexpr char32_t kReplacement = 0xFFFD, kByteOrderMark = 0xFEFF;

// The next character of UTF-8; broken bytes read as U+FFFD, as Java's strings do.
char32_t NextCharacter(std::string_view* text) {
  size_t bad = 0;
  const size_t size = ValidCharacterSize(*text, &bad);
  const auto byte = [&](size_t i) { return static_cast<unsigned char>((*text)[i]); };
  char32_t c = kReplacement;
  if (size == 1) c = byte(0);
  if (size > 1) {
    c = byte(0) & (0xFFU >> (size + 1));
    for (size_t i = 1; i < size; ++i) c = (c << 6) | (byte(i) & 0x3F);
  }
  text->remove_prefix(size > 0 ? size : bad);
  return c;
}

arrow::Status AppendCharacter(char32_t c, TextWriter* out) {
  char bytes[4];
  size_t size = 0;
  if (c < 0x80) {
    bytes[size++] = static_cast<char>(c);
  } else if (c < 0x800) {
    bytes[size++] = static_cast<char>(0xC0 | (c >> 6));
  } else if (c < 0x10000) {
    bytes[size++] = static_cast<char>(0xE0 | (c >> 12));
    bytes[size++] = static_cast<char>(0x80 | ((c >> 6) & 0x3F));
  } else {
    bytes[size++] = static_cast<char>(0xF0 | (c >> 18));
    bytes[size++] = static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    bytes[size++] = static_cast<char>(0x80 | ((c >> 6) & 0x3F));
  }
  if (c >= 0x80) bytes[size++] = static_cast<char>(0x80 | (c & 0x3F));
  return out->Append({bytes, size});
}

arrow::Status AppendUnit(char32_t unit, bool is_little, TextWriter* out) {
  const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit);
  const char bytes[] = {is_little ? low : high, is_little ? high : low};
  return out->Append({bytes, 2});
}

arrow::Result<bool> AppendUtf16(std::string_view text, Charset charset, TextWriter* out) {
  const bool is_little = charset == Charset::kUtf16Le;
  if (charset == Charset::kUtf16 && !text.empty()) {
    ARROW_RETURN_NOT_OK(AppendUnit(kByteOrderMark, is_little, out));
  }
  while (!text.empty()) {
    const char32_t c = NextCharacter(&text);
    if (c >= 0x10000) {
      ARROW_RETURN_NOT_OK(AppendUnit(0xD7C0 + (c >> 10), is_little, out));
      ARROW_RETURN_NOT_OK(AppendUnit(0xDC00 | (c & 0x3FF), is_little, out));
    } else {
      ARROW_RETURN_NOT_OK(AppendUnit(c, is_little, out));
    }
  }
  return true;
}

arrow::Result<bool> AppendFromUtf16(std::string_view bytes, Charset charset, TextWriter* out) {
  bool is_little = charset == Charset::kUtf16Le;
  if (charset == Charset::kUtf16 && bytes.size() >= 2) {
    is_little = bytes.substr(0, 2) == "\xFF\xFE";
    if (is_little || bytes.substr(0, 2) == "\xFE\xFF") bytes.remove_prefix(2);
  }
  if (bytes.size() % 2 == 1) return false;
  const auto unit_at = [&](size_t i) -> char32_t {
    const auto first = static_cast<unsigned char>(bytes[i]);
    const auto second = static_cast<unsigned char>(bytes[i + 1]);
    return is_little ? second << 8 | first : first << 8 | second;
  };
  for (size_t at = 0; at < bytes.size(); at += 2) {
    char32_t c = unit_at(at);
    if (c >= 0xD800 && c < 0xE000) {
      if (c >= 0xDC00 || at + 2 >= bytes.size()) return false;
      const char32_t low = unit_at(at += 2);
      if (low < 0xDC00 || low >= 0xE000) return false;
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    ARROW_RETURN_NOT_OK(AppendCharacter(c, out));
  }
  return true;
}

arrow::Result<bool> AppendUtf32(std::string_view text, TextWriter* out) {
  while (!text.empty()) {
    const char32_t c = NextCharacter(&text);
    ARROW_RETURN_NOT_OK(AppendUnit(c >> 16, false, out));
    ARROW_RETURN_NOT_OK(AppendUnit(c & 0xFFFF, false, out));
  }
  return true;
}

arrow::Result<bool> AppendFromUtf32(std::string_view bytes, TextWriter* out) {
  using std::literals::operator""sv;
  const bool is_little = bytes.substr(0, 4) == "\xFF\xFE\0\0"sv;
  if (is_little || bytes.substr(0, 4) == "\0\0\xFE\xFF"sv) bytes.remove_prefix(4);
  if (bytes.size() % 4 != 0) return false;
  for (size_t at = 0; at < bytes.size(); at += 4) {
    char32_t c = 0;
    for (size_t i = 0; i < 4; ++i) {
      c = c << 8 | static_cast<unsigned char>(bytes[at + (is_little ? 3 - i : i)]);
    }
    if (c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) return false;
    ARROW_RETURN_NOT_OK(AppendCharacter(c, out));
  }
  return true;
}

// `function` is "encode" or "decode".
arrow::Result<Charset> CharsetNamed(std::string_view name, std::string_view function) {
  if (const auto found = FindCharset(name)) return *found;
  return MakeError(ErrorKind::kJobFailed, "INVALID_PARAMETER_VALUE.CHARSET",
                   fmt::format("The value of parameter(s) `charset` in `{}` is invalid: expects "
                               "one of the iso-8859-1, us-ascii, utf-16, utf-16be, utf-16le, "
                               "utf-32, utf-8, but got {}.",
                               function, name));
}

Kernel CodecKernel(const std::string& function, const TypePtr& type) {
  const bool is_encode = function == "encode";
  return [=](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn input(args[0]), names(args[1]);
    return ComputeText(
        context, args, rows, type, input.ByteSize(rows),
        [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const Charset charset, CharsetNamed(names[row], function));
          ARROW_ASSIGN_OR_RAISE(const bool is_good, is_encode
                                                        ? AppendEncoded(input[row], charset, out)
                                                        : AppendDecoded(input[row], charset, out));
          if (is_good) return true;
          return MakeError(ErrorKind::kJobFailed, "MALFORMED_CHARACTER_CODING",
                           fmt::format("Invalid value found when performing `{}` with {}", function,
                                       names[row]));
        });
  };
}

// decode(expr, search, result[, search, result ...][, default]): the result of the first search
// that equals, NULL equal to NULL.
arrow::Result<BoundFunction> BindChoice(std::span<const ExprPtr> args) {
  const bool has_default = args.size() % 2 == 0;
  TypePtr key = args[0]->type, value = arrow::null();
  for (size_t i = 1; i < args.size(); ++i) {
    const bool is_search = i % 2 == 1 && i + 1 < args.size();
    TypePtr& type = is_search ? key : value;
    type = CommonType(type, args[i]->type);
    if (type == nullptr) return DataDiffTypes("decode", args);
  }
  if (key->id() == arrow::Type::NA) key = arrow::boolean();
  BoundFunction bound{std::vector<TypePtr>(args.size(), value), value};
  bound.arg_types[0] = key;
  for (size_t i = 1; i + 1 < args.size(); i += 2) bound.arg_types[i] = key;
  bound.kernel = [=](const EvalContext& context, Args values,
                     int64_t rows) -> arrow::Result<arrow::Datum> {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const arrow::Datum& datum : values) {
      ARROW_ASSIGN_OR_RAISE(auto column, ArrayOf(datum, rows, context.pool));
      columns.push_back(std::move(column));
    }
    std::vector<int64_t> choice(rows, has_default ? static_cast<int64_t>(columns.size()) - 1 : -1);
    for (int64_t row = 0; row < rows; ++row) {
      for (size_t i = 1; i + 1 < columns.size(); i += 2) {
        if (CompareRows(*columns[0], row, *columns[i], row) != 0) continue;
        choice[row] = static_cast<int64_t>(i) + 1;
        break;
      }
    }
    return ChooseColumns(context, values, choice, value);
  };
  return bound;
}

FunctionInfo Decode() {
  FunctionInfo info = FromSignature({.name = "decode",
                                     .usage = "decode(bin, charset), decode(expr, search, result "
                                              "[, search, result ] ... [, default])",
                                     .params = {arrow::binary(), arrow::utf8()},
                                     .result = arrow::utf8(),
                                     .kernel = CodecKernel("decode", arrow::utf8())});
  info.bind = [bind_bytes = info.bind,
               usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    if (args.size() < 2) return WrongNumArgs("decode", usage, "2", args.size());
    return args.size() == 2 ? bind_bytes(args) : BindChoice(args);
  };
  return info;
}

}  // namespace

std::optional<Charset> FindCharset(std::string_view name) {
  for (const NamedCharset& known : kCharsets) {
    const bool is_same = std::equal(
        name.begin(), name.end(), known.name.begin(), known.name.end(), [](char a, char b) {
          return a == b || (b >= 'A' && b <= 'Z' && a == static_cast<char>(b | 0x20));
        });
    if (is_same) return known.charset;
  }
  return std::nullopt;
}

arrow::Result<bool> AppendEncoded(std::string_view text, Charset charset, TextWriter* out) {
  switch (charset) {
    case Charset::kUtf8:
      ARROW_RETURN_NOT_OK(AppendValidUtf8(text, out));
      return true;
    case Charset::kAscii:
    case Charset::kLatin1:
      while (!text.empty()) {
        const char32_t c = NextCharacter(&text);
        if (c > (charset == Charset::kAscii ? 0x7F : 0xFF)) return false;
        const auto byte = static_cast<char>(c);
        ARROW_RETURN_NOT_OK(out->Append({&byte, 1}));
      }
      return true;
    case Charset::kUtf32:
      return AppendUtf32(text, out);
    default:
      return AppendUtf16(text, charset, out);
  }
}

arrow::Result<bool> AppendDecoded(std::string_view bytes, Charset charset, TextWriter* out) {
  switch (charset) {
    case Charset::kUtf8:
      if (!IsValidUtf8(bytes)) return false;
      ARROW_RETURN_NOT_OK(out->Append(bytes));
      return true;
    case Charset::kAscii:
    case Charset::kLatin1:
      for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (charset == Charset::kAscii && byte > 0x7F) return false;
        ARROW_RETURN_NOT_OK(AppendCharacter(byte, out));
      }
      return true;
    case Charset::kUtf32:
      return AppendFromUtf32(bytes, out);
    default:
      return AppendFromUtf16(bytes, charset, out);
  }
}

void AddCharsetFunctions(FunctionCatalog* catalog) {
  catalog->Add(FromSignature({.name = "encode",
                              .usage = "encode(str, charset)",
                              .params = {arrow::utf8(), arrow::utf8()},
                              .result = arrow::binary(),
                              .kernel = CodecKernel("encode", arrow::binary())}));
  catalog->Add(Decode());
}

}  // namespace tidemill
