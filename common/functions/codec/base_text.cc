#include "common/functions/codec/base_text.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/codec/codec.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

constexpr std::array<int8_t, 256> Inverse(std::string_view alphabet) {
  std::array<int8_t, 256> inverse{};
  for (int8_t& value : inverse) value = -1;
  for (size_t i = 0; i < alphabet.size(); ++i) {
    inverse[static_cast<unsigned char>(alphabet[i])] = static_cast<int8_t>(i);
  }
  return inverse;
}
constexpr std::array<int8_t, 256> kFromBase64 = Inverse(kBase64);
constexpr std::array<int8_t, 256> kFromBase32 = Inverse(kBase32);

int Base64Value(char c) { return kFromBase64[static_cast<unsigned char>(c)]; }

constexpr size_t kLineBytes = 57;  // 76 characters: base64() breaks lines as MIME does

// Bits in groups, and '=' up to a whole number of `group` characters.
arrow::Status AppendBase(std::string_view bytes, std::string_view alphabet, int bits_per_character,
                         int group, TextWriter* out) {
  const auto bits = static_cast<int64_t>(bytes.size()) * 8;
  const int64_t digits = (bits + bits_per_character - 1) / bits_per_character;
  const int64_t size = (digits + group - 1) / group * group;
  ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(size));
  uint64_t window = 0;
  int held = 0;
  char* const end = place + size;
  const uint64_t mask = alphabet.size() - 1;
  for (const char c : bytes) {
    window = (window << 8) | static_cast<unsigned char>(c);
    for (held += 8; held >= bits_per_character;) {
      held -= bits_per_character;
      *place++ = alphabet[(window >> held) & mask];
    }
  }
  if (held > 0) *place++ = alphabet[(window << (bits_per_character - held)) & mask];
  while (place < end) *place++ = '=';
  return arrow::Status::OK();
}

arrow::Result<arrow::Datum> Base64(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn bytes(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), bytes.ByteSize(rows) / 3 * 4 + 4 * rows,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       std::string_view rest = bytes[row];
                       for (; rest.size() > kLineBytes; rest.remove_prefix(kLineBytes)) {
                         ARROW_RETURN_NOT_OK(AppendBase64(rest.substr(0, kLineBytes), out));
                         ARROW_RETURN_NOT_OK(out->Append("\r\n"));
                       }
                       ARROW_RETURN_NOT_OK(AppendBase64(rest, out));
                       return true;
                     });
}

arrow::Result<arrow::Datum> Unbase64(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeText(
      context, args, rows, arrow::binary(), text.ByteSize(rows),
      [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
        ARROW_ASSIGN_OR_RAISE(const char* wrong, AppendUnbase64(text[row], out));
        if (wrong == nullptr) return true;
        return MakeError(ErrorKind::kJobFailed, "CONVERSION_INVALID_INPUT",
                         fmt::format("The value {} (\"STRING\") cannot be converted to \"BINARY\" "
                                     "because it is malformed ({}). Correct the value as per the "
                                     "syntax, or change its format. Use `try_to_binary` to "
                                     "tolerate malformed input and return NULL instead.",
                                     QuotedText(text[row]), wrong));
      });
}

arrow::Result<arrow::Datum> ToBase32(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn bytes(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), bytes.ByteSize(rows) * 2,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       ARROW_RETURN_NOT_OK(AppendBase(bytes[row], kBase32, 5, 8, out));
                       return true;
                     });
}

// What is no digit is skipped, and padding ends it.
arrow::Result<bool> AppendUnbase32(std::string_view text, TextWriter* out) {
  text = text.substr(0, text.find('='));
  uint64_t window = 0;
  int held = 0;
  for (const char c : text) {
    const int value = kFromBase32[static_cast<unsigned char>(c & ~(c >= 'a' ? 0x20 : 0))];
    if (value < 0) continue;
    window = (window << 5) | static_cast<uint64_t>(value);
    held += 5;
    if (held >= 8) {
      held -= 8;
      const auto byte = static_cast<char>(window >> held);
      ARROW_RETURN_NOT_OK(out->Append({&byte, 1}));
    }
  }
  return true;
}

arrow::Result<arrow::Datum> FromBase32(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeText(context, args, rows, arrow::binary(), text.ByteSize(rows),
                     [&](int64_t row, TextWriter* out) { return AppendUnbase32(text[row], out); });
}

FunctionInfo Codec(const std::string& name, const TypePtr& from, const TypePtr& to, Kernel kernel) {
  return FromSignature({.name = name,
                        .usage = fmt::format("{}(expr)", name),
                        .params = {from},
                        .result = to,
                        .kernel = std::move(kernel)});
}

}  // namespace

arrow::Status AppendBase64(std::string_view bytes, TextWriter* out) {
  return AppendBase(bytes, kBase64, 6, 4, out);
}

arrow::Result<const char*> AppendUnbase64(std::string_view text, TextWriter* out) {
  uint32_t bits = 0;
  int shift = 18;
  const auto append = [&](int bytes) {
    const char group[] = {static_cast<char>(bits >> 16), static_cast<char>(bits >> 8),
                          static_cast<char>(bits)};
    return out->Append({group, static_cast<size_t>(bytes)});
  };
  size_t at = 0;
  while (at < text.size()) {
    const char c = text[at++];
    if (c == '=') {
      const bool lacks_second = shift == 6 && (at == text.size() || text[at++] != '=');
      if (lacks_second || shift == 18) return "Input byte array has wrong 4-byte ending unit";
      break;
    }
    const int value = Base64Value(c);
    if (value < 0) continue;
    bits |= static_cast<uint32_t>(value) << shift;
    shift -= 6;
    if (shift < 0) {
      ARROW_RETURN_NOT_OK(append(3));
      shift = 18;
      bits = 0;
    }
  }
  if (shift == 12) return "Last unit does not have enough valid bits";
  if (shift == 6) ARROW_RETURN_NOT_OK(append(1));
  if (shift == 0) ARROW_RETURN_NOT_OK(append(2));
  for (; at < text.size(); ++at) {
    if (Base64Value(text[at]) >= 0) return "Input byte array has incorrect ending byte";
  }
  return nullptr;
}

bool IsStrictBase64(std::string_view text) {
  int64_t symbols = 0, padding = 0;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
    if (c == '=') {
      ++padding;
    } else if (Base64Value(c) < 0 || padding > 0) {
      return false;
    } else {
      ++symbols;
    }
  }
  if (symbols % 4 == 1 || padding > 2) return false;
  return padding == 0 || (symbols % 4 >= 2 && (symbols + padding) % 4 == 0);
}

void AddBaseTextFunctions(FunctionCatalog* catalog) {
  catalog->Add(Codec("base64", arrow::binary(), arrow::utf8(), Base64));
  catalog->Add(Codec("unbase64", arrow::utf8(), arrow::binary(), Unbase64));
  catalog->Add(Codec("to_base32", arrow::binary(), arrow::utf8(), ToBase32));
  catalog->Add(Codec("from_base32", arrow::utf8(), arrow::binary(), FromBase32));
}

}  // namespace tidemill
