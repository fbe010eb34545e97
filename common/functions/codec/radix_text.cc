#include "common/functions/codec/radix_text.h"

#include <arrow/type.h>

#include <bit>
#include <string>
#include <utility>

#include "common/functions/codec/codec.h"
#include "common/functions/columns.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// The digits of a number in a base that is a power of two, without leading zeros.
arrow::Status AppendDigits(int64_t value, int bits_per_digit, TextWriter* out) {
  const auto bits = static_cast<uint64_t>(value);
  const int width = bits == 0 ? 1 : 64 - std::countl_zero(bits);
  const int digits = (width + bits_per_digit - 1) / bits_per_digit;
  ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(digits));
  for (int i = 0; i < digits; ++i) {
    const uint64_t digit = bits >> (bits_per_digit * (digits - 1 - i));
    place[i] = kUpperHex[digit & ((1U << bits_per_digit) - 1)];
  }
  return arrow::Status::OK();
}

Kernel DigitsKernel(int bits_per_digit) {
  return [=](const EvalContext& context, Args args, int64_t rows) {
    const FixedColumn<int64_t> value(args[0]);
    return ComputeText(context, args, rows, arrow::utf8(), rows * 16,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(AppendDigits(value[row], bits_per_digit, out));
                         return true;
                       });
  };
}

arrow::Result<arrow::Datum> HexOfBytes(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn bytes(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), 2 * bytes.ByteSize(rows),
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       ARROW_RETURN_NOT_OK(AppendHex(bytes[row], kUpperHex, out));
                       return true;
                     });
}

// hex takes BIGINT, BINARY and STRING, tried in this order.
FunctionInfo Hex() {
  FunctionInfo info;
  info.name = "hex";
  info.usage = "hex(expr)";
  info.is_total = true;
  info.bind = [usage = info.usage](std::span<const ExprPtr> args) -> arrow::Result<BoundFunction> {
    ARROW_RETURN_NOT_OK(CheckArgCount("hex", usage, args.size(), 1, 1));
    const TypePtr& type = args[0]->type;
    if (IsStringType(*type) || type->id() == arrow::Type::BINARY) {
      return BoundFunction{{type}, arrow::utf8(), HexOfBytes};
    }
    if (IsNumericType(*type) || CanCastImplicitly(*type, *arrow::int64())) {
      return BoundFunction{{arrow::int64()}, arrow::utf8(), DigitsKernel(4)};
    }
    if (CanCastImplicitly(*type, *arrow::utf8())) {
      return BoundFunction{{arrow::utf8()}, arrow::utf8(), HexOfBytes};
    }
    return UnexpectedInput("hex", args, 0, "(\"BIGINT\" or \"BINARY\" or \"STRING\")");
  };
  return info;
}

arrow::Result<arrow::Datum> Unhex(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn digits(args[0]);
  return ComputeText(context, args, rows, arrow::binary(), digits.ByteSize(rows) / 2 + rows,
                     [&](int64_t row, TextWriter* out) { return AppendUnhex(digits[row], out); });
}

// The character with a code of 0 to 255; nothing of a negative number.
arrow::Result<arrow::Datum> Chr(const EvalContext& context, Args args, int64_t rows) {
  const FixedColumn<int64_t> code(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), rows,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       if (code[row] < 0) return true;
                       const auto byte = static_cast<unsigned char>(code[row] & 0xFF);
                       const char encoded[] = {static_cast<char>(0xC0 | (byte >> 6)),
                                               static_cast<char>(0x80 | (byte & 0x3F))};
                       const auto plain = static_cast<char>(byte);
                       ARROW_RETURN_NOT_OK(out->Append(byte < 0x80 ? std::string_view(&plain, 1)
                                                                   : std::string_view(encoded, 2)));
                       return true;
                     });
}

}  // namespace

arrow::Status AppendHex(std::string_view bytes, std::string_view digits, TextWriter* out) {
  ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(2 * static_cast<int64_t>(bytes.size())));
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    *place++ = digits[byte >> 4];
    *place++ = digits[byte & 15];
  }
  return arrow::Status::OK();
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

arrow::Result<bool> AppendUnhex(std::string_view digits, TextWriter* out) {
  const auto size = static_cast<int64_t>((digits.size() + 1) / 2);
  ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(size));
  bool is_valid = true;
  size_t at = 0;
  if (digits.size() % 2 == 1) {
    const int only = HexDigit(digits[at++]);
    is_valid = only >= 0;
    *place++ = static_cast<char>(only);
  }
  for (; at < digits.size(); at += 2) {
    const int high = HexDigit(digits[at]), low = HexDigit(digits[at + 1]);
    is_valid = is_valid && high >= 0 && low >= 0;
    *place++ = static_cast<char>((high << 4) | low);
  }
  return is_valid;
}

void AddRadixTextFunctions(FunctionCatalog* catalog) {
  catalog->Add(Hex());
  catalog->Add(FromSignature({.name = "unhex",
                              .usage = "unhex(expr)",
                              .params = {arrow::utf8()},
                              .result = arrow::binary(),
                              .kernel = Unhex,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "bin",
                              .usage = "bin(expr)",
                              .params = {arrow::int64()},
                              .result = arrow::utf8(),
                              .kernel = DigitsKernel(1),
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "chr",
                              .usage = "chr(expr)",
                              .params = {arrow::int64()},
                              .result = arrow::utf8(),
                              .kernel = Chr,
                              .is_total = true}),
               {"char"});
}

}  // namespace tidemill
