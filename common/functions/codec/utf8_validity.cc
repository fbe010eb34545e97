#include "common/functions/codec/utf8_validity.h"

#include <arrow/type.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/codec/codec.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr std::string_view kReplacementBytes = "\xEF\xBF\xBD";

arrow::Result<arrow::Datum> IsValid(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeBool(context, args, rows, [&](int64_t row) { return IsValidUtf8(text[row]); });
}

arrow::Result<arrow::Datum> MakeValid(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), text.ByteSize(rows),
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       ARROW_RETURN_NOT_OK(AppendValidUtf8(text[row], out));
                       return true;
                     });
}

Kernel Validate(bool is_try) {
  return [is_try](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn text(args[0]);
    return ComputeText(
        context, args, rows, arrow::utf8(), text.ByteSize(rows),
        [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
          if (!IsValidUtf8(text[row])) {
            if (is_try) return false;
            std::string bytes;
            for (const char c : text[row]) {
              bytes += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
            }
            return MakeError(ErrorKind::kJobFailed, "INVALID_UTF8_STRING",
                             fmt::format("Invalid UTF8 byte sequence found in string: {}.", bytes));
          }
          ARROW_RETURN_NOT_OK(out->Append(text[row]));
          return true;
        });
  };
}

// NOLINTNEXTLINE(readability-function-size): a row of the table of functions
void Add(FunctionCatalog* catalog, const std::string& name, const TypePtr& result, Kernel kernel,
         bool is_total) {
  catalog->Add(FromSignature({.name = name,
                              .usage = name + "(str)",
                              .params = {arrow::utf8()},
                              .result = result,
                              .kernel = std::move(kernel),
                              .is_total = is_total}));
}

}  // namespace

size_t ValidCharacterSize(std::string_view text, size_t* bad) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  *bad = 1;
  if (first < 0x80) return 1;
  const size_t size = first < 0xC2 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : first < 0xF5 ? 4 : 0;
  if (size == 0) return 0;
  for (size_t i = 1; i < size; ++i) {
    // The second byte excludes long forms, surrogates and what is beyond U+10FFFF.
    unsigned char least = 0x80, most = 0xBF;
    if (i == 1 && first == 0xE0) least = 0xA0;
    if (i == 1 && first == 0xED) most = 0x9F;
    if (i == 1 && first == 0xF0) least = 0x90;
    if (i == 1 && first == 0xF4) most = 0x8F;
    if (i >= text.size() || byte(i) < least || byte(i) > most) {
      *bad = i;
      return 0;
    }
  }
  return size;
}

bool IsValidUtf8(std::string_view text) {
  // The tables are constant; initialising them again does nothing.
  static const bool is_ready = (arrow::util::InitializeUTF8(), true);
  return is_ready && arrow::util::ValidateUTF8(text);
}

arrow::Status AppendValidUtf8(std::string_view text, TextWriter* out) {
  if (IsValidUtf8(text)) return out->Append(text);
  while (!text.empty()) {
    size_t bad = 0;
    const size_t size = ValidCharacterSize(text, &bad);
    ARROW_RETURN_NOT_OK(out->Append(size > 0 ? text.substr(0, size) : kReplacementBytes));
    text.remove_prefix(size > 0 ? size : bad);
  }
  return arrow::Status::OK();
}

void AddUtf8Functions(FunctionCatalog* catalog) {
  Add(catalog, "is_valid_utf8", arrow::boolean(), IsValid, true);
  Add(catalog, "make_valid_utf8", arrow::utf8(), MakeValid, true);
  Add(catalog, "validate_utf8", arrow::utf8(), Validate(false), false);
  Add(catalog, "try_validate_utf8", arrow::utf8(), Validate(true), true);
}

}  // namespace tidemill
