#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/error.h"
#include "common/functions/ansi_errors.h"
#include "common/functions/codec/base_text.h"
#include "common/functions/codec/binary_format.h"
#include "common/functions/codec/charset.h"
#include "common/functions/codec/radix_text.h"
#include "common/functions/columns.h"
#include "common/functions/format/format.h"
#include "common/functions/format/number_pattern.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

Kernel NothingOf(const TypePtr& type) {
  return [type](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
    return NullDatum(type);
  };
}

// The format, which must be a literal; nullptr, and no error, where it is NULL.
arrow::Result<const std::string*> FormatOf(const std::string& name, std::span<const ExprPtr> args,
                                           std::string* storage) {
  if (!CanCastImplicitly(*args[1]->type, *arrow::utf8())) {
    return UnexpectedInput(name, args, 1, "\"STRING\"");
  }
  if (!IsLiteral(*args[1])) return NonFoldableArgument(name, args, 1);
  return StringLiteralOf(*args[1], storage);
}

// to_number(text, format), try_to_number
arrow::Result<BoundFunction> BindToNumber(const std::string& name, bool is_try,
                                          std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount(name, fmt::format("{}(expr, fmt)", name), args.size(), 2, 2));
  if (!CanCastImplicitly(*args[0]->type, *arrow::utf8())) {
    return UnexpectedInput(name, args, 0, "\"STRING\"");
  }
  std::string storage;
  ARROW_ASSIGN_OR_RAISE(const std::string* format, FormatOf(name, args, &storage));
  BoundFunction bound{{arrow::utf8(), arrow::utf8()}, arrow::decimal128(10, 0)};
  if (format == nullptr) {
    bound.kernel = NothingOf(bound.type);
    return bound;
  }
  ARROW_ASSIGN_OR_RAISE(NumberPattern pattern, NumberPattern::Parse(*format));
  bound.type = arrow::decimal128(pattern.precision(), pattern.scale());
  bound.kernel = [=, type = bound.type, written = *format](const EvalContext& context, Args values,
                                                           int64_t rows) {
    const TextColumn text(values[0]);
    return ComputeFixedChecked<Int128>(
        context, values, rows, type, [&](int64_t row, Int128* out) -> arrow::Result<bool> {
          if (pattern.Read(text[row], out)) return true;
          if (is_try) return false;
          return MakeError(ErrorKind::kJobFailed, "INVALID_FORMAT.MISMATCH_INPUT",
                           fmt::format("The format is invalid: '{}'. The input \"STRING\" {} does "
                                       "not match the format.",
                                       written, QuotedText(text[row])));
        });
  };
  bound.is_total = is_try;
  return bound;
}

// The DECIMAL that a number is written as.
TypePtr DecimalFor(const TypePtr& type) {
  if (type->id() == arrow::Type::FLOAT) return arrow::decimal128(14, 7);
  if (type->id() == arrow::Type::DOUBLE) return arrow::decimal128(30, 15);
  if (IsStringType(*type) || type->id() == arrow::Type::NA) return arrow::decimal128(38, 18);
  return DecimalOf(type);
}

arrow::Status AppendBinary(std::string_view bytes, BinaryFormat format, TextWriter* out) {
  if (format == BinaryFormat::kHex) return AppendHex(bytes, kUpperHex, out);
  if (format == BinaryFormat::kBase64) return AppendBase64(bytes, out);
  ARROW_ASSIGN_OR_RAISE(const bool is_text, AppendDecoded(bytes, Charset::kUtf8, out));
  if (is_text) return arrow::Status::OK();
  return MakeError(ErrorKind::kJobFailed, "MALFORMED_CHARACTER_CODING",
                   "Invalid value found when performing `to_char` with utf-8");
}

// to_char(binary, 'hex' | 'base64' | 'utf-8')
arrow::Result<BoundFunction> BindBinaryToChar(const std::string& name,
                                              std::span<const ExprPtr> args) {
  std::string storage;
  ARROW_ASSIGN_OR_RAISE(const std::string* text, FormatOf(name, args, &storage));
  BoundFunction bound{{arrow::binary(), arrow::utf8()}, arrow::utf8()};
  if (text == nullptr) {
    bound.kernel = NothingOf(bound.type);
    return bound;
  }
  const auto format = FindBinaryFormat(*text);
  if (!format) {
    return MakeError(ErrorKind::kInvalid, "INVALID_PARAMETER_VALUE.BINARY_FORMAT",
                     fmt::format("The value of parameter(s) `format` in `{}` is invalid: expects "
                                 "one of binary formats 'base64', 'hex', 'utf-8', but got {}.",
                                 name, QuotedText(*text)));
  }
  bound.kernel = [format = *format](const EvalContext& context, Args values, int64_t rows) {
    const TextColumn bytes(values[0]);
    return ComputeText(context, values, rows, arrow::utf8(), 2 * bytes.ByteSize(rows),
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(AppendBinary(bytes[row], format, out));
                         return true;
                       });
  };
  return bound;
}

// to_char(number, format); dates and timestamps are date_format's.
arrow::Result<BoundFunction> BindToChar(const std::string& name, std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount(name, fmt::format("{}(expr, format)", name), args.size(), 2, 2));
  const TypePtr& from = args[0]->type;
  if (IsDatetimeType(*from)) {
    const FunctionInfo* date_format = FindFunction("date_format");
    if (date_format != nullptr) return date_format->bind(args);
  }
  if (from->id() == arrow::Type::BINARY) return BindBinaryToChar(name, args);
  const TypePtr type = DecimalFor(from);
  if (!IsDecimalType(*type)) return UnexpectedInput(name, args, 0, "\"DECIMAL\"");
  std::string storage;
  ARROW_ASSIGN_OR_RAISE(const std::string* format, FormatOf(name, args, &storage));
  BoundFunction bound{{type, arrow::utf8()}, arrow::utf8()};
  if (format == nullptr) {
    bound.kernel = NothingOf(bound.type);
    return bound;
  }
  ARROW_ASSIGN_OR_RAISE(NumberPattern pattern, NumberPattern::Parse(*format));
  bound.kernel = [=, scale = static_cast<const arrow::DecimalType&>(*type).scale()](
                     const EvalContext& context, Args values, int64_t rows) {
    const FixedColumn<Int128> number(values[0]);
    return ComputeText(context, values, rows, arrow::utf8(), rows * 16,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(out->Append(pattern.Write(number[row], scale)));
                         return true;
                       });
  };
  return bound;
}

}  // namespace

void AddNumberPatternFunctions(FunctionCatalog* catalog) {
  for (const bool is_try : {false, true}) {
    FunctionInfo info;
    info.name = is_try ? "try_to_number" : "to_number";
    info.usage = info.name + "(expr, fmt)";
    info.bind = [is_try, name = info.name](std::span<const ExprPtr> args) {
      return BindToNumber(name, is_try, args);
    };
    catalog->Add(std::move(info));
  }
  FunctionInfo to_char;
  to_char.name = "to_char";
  to_char.usage = "to_char(expr, format)";
  to_char.bind = [](std::span<const ExprPtr> args) { return BindToChar("to_char", args); };
  catalog->Add(std::move(to_char), {"to_varchar"});
}

}  // namespace tidemill
