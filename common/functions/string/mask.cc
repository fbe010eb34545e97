#include <arrow/type.h>
#include <fmt/format.h>
#include <utf8proc.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "common/functions/call_errors.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/string/characters.h"
#include "common/functions/string/string_parts.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr std::string_view kMaskUsage =
    "mask(input[, upperChar[, lowerChar[, digitChar[, otherChar]]]])";

// What stands for capital letters, small letters, digits and the rest; nothing: it stays.
struct MaskCharacters {
  enum Class { kUpper, kLower, kDigit, kOther };
  std::array<std::optional<std::string>, 4> by_class = {"X", "x", "n", std::nullopt};

  static Class ClassOf(utf8proc_int32_t c) {
    switch (utf8proc_category(c)) {
      case UTF8PROC_CATEGORY_LU:
        return kUpper;
      case UTF8PROC_CATEGORY_LL:
        return kLower;
      case UTF8PROC_CATEGORY_ND:
        return kDigit;
      default:
        return kOther;
    }
  }
};

arrow::Status AppendMasked(std::string_view text, const MaskCharacters& mask, TextWriter* out) {
  while (!text.empty()) {
    utf8proc_int32_t c = -1;
    const auto read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &c);
    const std::string_view bytes = text.substr(0, read > 0 ? static_cast<size_t>(read) : 1);
    text.remove_prefix(bytes.size());
    // Spark masks Java's characters, of which those beyond U+FFFF have two that are no letters.
    const bool is_pair = c >= 0x10000;
    const auto kind = c < 0 || is_pair ? MaskCharacters::kOther : MaskCharacters::ClassOf(c);
    const auto& with = mask.by_class[kind];
    ARROW_RETURN_NOT_OK(out->Append(with ? std::string_view(*with) : bytes));
    if (with && is_pair) ARROW_RETURN_NOT_OK(out->Append(*with));
  }
  return arrow::Status::OK();
}

// The masking characters are literals of one character or NULL.
arrow::Result<BoundFunction> BindMask(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("mask", kMaskUsage, args.size(), 1, 5));
  if (!CanCastImplicitly(*args[0]->type, *arrow::utf8())) {
    return UnexpectedInput("mask", args, 0, "\"STRING\"");
  }
  MaskCharacters mask;
  for (size_t i = 1; i < args.size(); ++i) {
    const bool is_null = args[i]->type->id() == arrow::Type::NA;
    if (!is_null && !IsStringType(*args[i]->type)) {
      return UnexpectedInput("mask", args, i, "\"STRING\"");
    }
    if (!IsLiteral(*args[i])) return NonFoldableArgument("mask", args, i);
    std::string storage;
    const std::string* text = StringLiteralOf(*args[i], &storage);
    if (text != nullptr && CountCharacters(*text) != 1) {
      return Mismatch("INPUT_SIZE_NOT_ONE", "mask", args,
                      fmt::format("Length of `{}` should be 1.", *text));
    }
    auto& place = mask.by_class[i - 1];
    place = text == nullptr ? std::nullopt : std::optional<std::string>(*text);
  }
  BoundFunction bound{std::vector<TypePtr>(args.size(), arrow::utf8()), arrow::utf8()};
  bound.kernel = [mask](const EvalContext& context, Args values, int64_t rows) {
    const TextColumn text(values[0]);
    return ComputeText(context, values.subspan(0, 1), rows, arrow::utf8(), text.ByteSize(rows),
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(AppendMasked(text[row], mask, out));
                         return true;
                       });
  };
  return bound;
}

// Digits whose sum, every second one from the right doubled, is a multiple of ten.
bool HasLuhnSum(std::string_view digits) {
  int sum = 0;
  bool is_doubled = false;
  for (size_t i = digits.size(); i-- > 0; is_doubled = !is_doubled) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    const int digit = (digits[i] - '0') * (is_doubled ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return !digits.empty() && sum % 10 == 0;
}

arrow::Result<arrow::Datum> LuhnCheck(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeBool(context, args, rows, [&](int64_t row) { return HasLuhnSum(text[row]); });
}

}  // namespace

void AddMaskFunctions(FunctionCatalog* catalog) {
  FunctionInfo mask;
  mask.name = "mask";
  mask.usage = kMaskUsage;
  mask.is_total = true;
  mask.bind = BindMask;
  catalog->Add(std::move(mask));
  catalog->Add(FromSignature({.name = "luhn_check",
                              .usage = "luhn_check(str)",
                              .params = {arrow::utf8()},
                              .result = arrow::boolean(),
                              .kernel = LuhnCheck,
                              .is_total = true}));
}

}  // namespace tidemill
