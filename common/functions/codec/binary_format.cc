#include "common/functions/codec/binary_format.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/call_errors.h"
#include "common/functions/codec/base_text.h"
#include "common/functions/codec/charset.h"
#include "common/functions/codec/codec.h"
#include "common/functions/codec/radix_text.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr std::string_view kUsage = "to_binary(str[, fmt])";

arrow::Result<bool> AppendBytes(std::string_view text, BinaryFormat format, TextWriter* out) {
  if (format == BinaryFormat::kHex) return AppendUnhex(text, out);
  if (format == BinaryFormat::kUtf8) return AppendEncoded(text, Charset::kUtf8, out);
  if (!IsStrictBase64(text)) return false;
  ARROW_ASSIGN_OR_RAISE(const char* wrong, AppendUnbase64(text, out));
  return wrong == nullptr;
}

Kernel ToBinaryKernel(BinaryFormat format, bool is_try) {
  return [=](const EvalContext& context, Args args, int64_t rows) {
    const TextColumn text(args[0]);
    return ComputeText(
        context, args.subspan(0, 1), rows, arrow::binary(), text.ByteSize(rows),
        [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
          ARROW_ASSIGN_OR_RAISE(const bool is_good, AppendBytes(text[row], format, out));
          if (is_good || is_try) return is_good;
          return MakeError(ErrorKind::kJobFailed, "CONVERSION_INVALID_INPUT",
                           fmt::format("The value {} (\"STRING\") cannot be converted to "
                                       "\"BINARY\" because it is malformed. Correct the value as "
                                       "per the syntax, or change its format. Use `try_to_binary` "
                                       "to tolerate malformed input and return NULL instead.",
                                       QuotedText(text[row])));
        });
  };
}

// A format that is no literal is refused; an unknown one too, but is NULL for try_to_binary.
arrow::Result<BoundFunction> BindToBinary(const std::string& name, bool is_try,
                                          std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount(name, kUsage, args.size(), 1, 2));
  for (size_t i = 0; i < args.size(); ++i) {
    if (!CanCastImplicitly(*args[i]->type, *arrow::utf8())) {
      return UnexpectedInput(name, args, i, "\"STRING\"");
    }
  }
  BoundFunction bound{std::vector<TypePtr>(args.size(), arrow::utf8()), arrow::binary()};
  const Kernel nothing = [](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
    return NullDatum(arrow::binary());
  };
  BinaryFormat format = BinaryFormat::kHex;
  if (args.size() == 2) {
    if (!IsLiteral(*args[1])) return NonFoldableArgument(name, args, 1);
    std::string storage;
    const std::string* text = StringLiteralOf(*args[1], &storage);
    const auto found = text == nullptr ? std::nullopt : FindBinaryFormat(*text);
    if (text != nullptr && !found && !is_try) {
      return Mismatch("INVALID_ARG_VALUE", name, args,
                      fmt::format("The `fmt` value must to be a \"STRING\" literal of ['hex', "
                                  "'utf-8', 'utf8', 'base64'], but got {}.",
                                  QuotedText(*text)));
    }
    if (!found) {
      bound.kernel = nothing;
      return bound;
    }
    format = *found;
  }
  bound.kernel = ToBinaryKernel(format, is_try);
  bound.is_total = is_try;
  return bound;
}

FunctionInfo ToBinary(const std::string& name, bool is_try) {
  FunctionInfo info;
  info.name = name;
  info.usage = fmt::format("{}(str[, fmt])", name);
  info.bind = [=](std::span<const ExprPtr> args) { return BindToBinary(name, is_try, args); };
  return info;
}

}  // namespace

std::optional<BinaryFormat> FindBinaryFormat(std::string_view name) {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  if (lower == "hex") return BinaryFormat::kHex;
  if (lower == "base64") return BinaryFormat::kBase64;
  if (lower == "utf-8" || lower == "utf8") return BinaryFormat::kUtf8;
  return std::nullopt;
}

void AddBinaryFormatFunctions(FunctionCatalog* catalog) {
  catalog->Add(ToBinary("to_binary", false));
  catalog->Add(ToBinary("try_to_binary", true));
}

}  // namespace tidemill
