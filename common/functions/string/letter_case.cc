#include "common/functions/string/letter_case.h"

#include <arrow/type.h>
#include <utf8proc.h>

#include <cstring>
#include <string>
#include <utility>

#include "common/base/ascii.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/string/characters.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

enum class Case { kLower, kUpper, kInitial };

char AsciiUpper(char c) { return static_cast<char>(c - (c >= 'a' && c <= 'z' ? 32 : 0)); }

// Upper-case forms of more than one character (Unicode SpecialCasing, as Java maps them).
std::string_view LongUpper(utf8proc_int32_t c) {
  switch (c) {
    case 0x00DF:
      return "SS";
    case 0x0149:
      return "\xCA\xBCN";
    case 0x01F0:
      return "J\xCC\x8C";
    case 0x0587:
      return "\xD4\xB5\xD5\x92";
    case 0xFB00:
      return "FF";
    case 0xFB01:
      return "FI";
    case 0xFB02:
      return "FL";
    case 0xFB03:
      return "FFI";
    case 0xFB04:
      return "FFL";
    case 0xFB05:
    case 0xFB06:
      return "ST";
    default:
      return "";
  }
}

// The same at the beginning of a word: "Ss", "Ffi"; other letters have a title case of their own.
std::string LongTitle(utf8proc_int32_t c) {
  std::string title(LongUpper(c));
  if (title.empty() || (title[0] & 0x80) != 0) return "";
  for (size_t i = 1; i < title.size(); ++i) title[i] = AsciiLower(title[i]);
  return title;
}

bool IsLetter(utf8proc_int32_t c) {
  const auto category = utf8proc_category(c);
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}

// One character at `at`, or -1 where the bytes are no UTF-8; `*size` is then 1.
utf8proc_int32_t CharacterAt(std::string_view text, size_t at, size_t* size) {
  utf8proc_int32_t c = -1;
  const auto read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()) + at,
                                     static_cast<utf8proc_ssize_t>(text.size() - at), &c);
  *size = read > 0 ? static_cast<size_t>(read) : 1;
  return read > 0 ? c : -1;
}

constexpr utf8proc_int32_t kCapitalSigma = 0x03A3, kFinalSigma = 0x03C2, kDottedI = 0x0130;

arrow::Status AppendMapped(std::string_view text, Case form, TextWriter* out) {
  bool after_letter = false, at_word_start = true;
  for (size_t at = 0; at < text.size();) {
    size_t size = 1;
    const utf8proc_int32_t c = CharacterAt(text, at, &size);
    const std::string_view bytes = text.substr(at, size);
    at += size;
    if (c < 0) {
      ARROW_RETURN_NOT_OK(out->Append(bytes));
      after_letter = at_word_start = false;
      continue;
    }
    const bool is_upper = form == Case::kUpper || (form == Case::kInitial && at_word_start);
    at_word_start = c == ' ';
    utf8proc_int32_t mapped = c;
    if (is_upper) {
      const std::string longer = form == Case::kUpper ? std::string(LongUpper(c)) : LongTitle(c);
      if (!longer.empty()) {
        ARROW_RETURN_NOT_OK(out->Append(longer));
        after_letter = true;
        continue;
      }
      mapped = form == Case::kInitial ? utf8proc_totitle(c) : utf8proc_toupper(c);
    } else if (c == kDottedI) {
      ARROW_RETURN_NOT_OK(out->Append("i\xCC\x87"));
      after_letter = true;
      continue;
    } else if (c == kCapitalSigma) {
      size_t next_size = 1;
      const bool before_letter = at < text.size() && IsLetter(CharacterAt(text, at, &next_size));
      mapped = after_letter && !before_letter ? kFinalSigma : utf8proc_tolower(c);
    } else {
      mapped = utf8proc_tolower(c);
    }
    after_letter = IsLetter(c);
    char encoded[4];
    const auto length = utf8proc_encode_char(mapped, reinterpret_cast<utf8proc_uint8_t*>(encoded));
    ARROW_RETURN_NOT_OK(out->Append({encoded, static_cast<size_t>(length)}));
  }
  return arrow::Status::OK();
}

// Flips the case bit of the letters from `first` to `last`, eight bytes at a time: a letter is
// where adding 128 - first carries into the top bit and adding 127 - last does not.
void FlipAscii(const char* from, int64_t size, char first, char last, char* to) {
  constexpr uint64_t kOnes = 0x0101010101010101ULL, kTop = 0x8080808080808080ULL;
  const uint64_t reach_first = kOnes * static_cast<uint64_t>(128 - first);
  const uint64_t pass_last = kOnes * static_cast<uint64_t>(127 - last);
  int64_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t word;
    std::memcpy(&word, from + i, 8);
    const uint64_t letters = (word + reach_first) & ~(word + pass_last) & kTop;
    word ^= letters >> 2;
    std::memcpy(to + i, &word, 8);
  }
  for (; i < size; ++i) {
    to[i] = static_cast<char>(from[i] ^ (from[i] >= first && from[i] <= last ? 0x20 : 0));
  }
}

// The text must be ASCII.
void MapAscii(const char* from, int64_t size, Case form, char* to) {
  if (form == Case::kLower) {
    FlipAscii(from, size, 'A', 'Z', to);
  } else if (form == Case::kUpper) {
    FlipAscii(from, size, 'a', 'z', to);
  } else {
    bool at_word_start = true;
    for (int64_t i = 0; i < size; ++i) {
      to[i] = at_word_start ? AsciiUpper(from[i]) : AsciiLower(from[i]);
      at_word_start = from[i] == ' ';
    }
  }
}

// All rows at once: the bytes are mapped in place of each other and the offsets are shared.
arrow::Result<arrow::Datum> MapAsciiColumn(const EvalContext& context, const arrow::ArrayData& data,
                                           const TextColumn& text, int64_t rows, Case form) {
  const int64_t begin = text.offsets()[0];
  const int64_t size = text.ByteSize(rows);
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes,
                        arrow::AllocateBuffer(begin + size, context.pool));
  auto* out = bytes->mutable_data_as<char>();
  std::memset(out, 0, begin);
  MapAscii(text.data() + begin, size, form, out + begin);
  auto mapped = data.Copy();
  mapped->buffers[2] = std::move(bytes);
  return arrow::Datum(std::move(mapped));
}

Kernel CaseKernel(Case form) {
  return [form](const EvalContext& context, std::span<const arrow::Datum> args,
                int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(args[0]);
    const int64_t bytes = text.ByteSize(rows);
    if (!text.is_constant() && rows > 0 && form != Case::kInitial) {
      const std::string_view all(text.data() + text.offsets()[0], bytes);
      // A slice of a long column would copy all that stands before it.
      if (IsAscii(all) && text.offsets()[0] <= bytes) {
        return MapAsciiColumn(context, *args[0].array(), text, rows, form);
      }
    }
    return ComputeText(context, args, rows, arrow::utf8(), bytes,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         const std::string_view value = text[row];
                         if (!IsAscii(value)) {
                           ARROW_RETURN_NOT_OK(AppendMapped(value, form, out));
                           return true;
                         }
                         const auto size = static_cast<int64_t>(value.size());
                         ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(size));
                         MapAscii(value.data(), size, form, place);
                         return true;
                       });
  };
}

FunctionInfo CaseFunction(std::string name, Case form) {
  const std::string usage = name + "(str)";
  return FromSignature({.name = std::move(name),
                        .usage = usage,
                        .params = {arrow::utf8()},
                        .result = arrow::utf8(),
                        .kernel = CaseKernel(form),
                        .is_total = true});
}

}  // namespace

Kernel LowerKernel() { return CaseKernel(Case::kLower); }

void AddCaseFunctions(FunctionCatalog* catalog) {
  catalog->Add(CaseFunction("lower", Case::kLower), {"lcase"});
  catalog->Add(CaseFunction("upper", Case::kUpper), {"ucase"});
  catalog->Add(CaseFunction("initcap", Case::kInitial));
}

}  // namespace tidemill
