#include "common/functions/string/bytes.h"

#include <arrow/type.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/functions/columns.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// Spark's substring in bytes: positions count from 1, 0 is as 1, negative ones from the end.
std::string_view Part(std::string_view bytes, int64_t position, int64_t length) {
  const auto size = static_cast<int64_t>(bytes.size());
  const int64_t begin = position > 0 ? position - 1 : position < 0 ? size + position : 0;
  const int64_t end = std::min(size, begin + length);
  if (end <= begin || end <= 0) return {};
  return bytes.substr(std::max<int64_t>(begin, 0), end - std::max<int64_t>(begin, 0));
}

// `append(row, &writer)` for every row on which all arguments have a value.
template <class MakeBody>
Kernel BytesKernel(MakeBody make_body) {
  return [make_body](const EvalContext& context, Args args, int64_t rows) {
    auto body = make_body(args);
    return ComputeText(context, args, rows, arrow::binary(), TextColumn(args[0]).ByteSize(rows),
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         ARROW_RETURN_NOT_OK(body(row, out));
                         return true;
                       });
  };
}

Signature BinarySignature(std::vector<TypePtr> params, int required, Kernel kernel) {
  return {.params = std::move(params),
          .required = required,
          .result = arrow::binary(),
          .kernel = std::move(kernel)};
}

}  // namespace

FunctionInfo WithBinaryForm(FunctionInfo text, std::vector<size_t> places, Signature binary) {
  binary.name = text.name;
  binary.usage = text.usage;
  const bool is_total = binary.is_total && text.is_total;
  text.is_total = is_total;
  text.bind = [bind_text = std::move(text.bind), places = std::move(places),
               bind_binary = FromSignature(std::move(binary)).bind](std::span<const ExprPtr> args) {
    const bool is_binary =
        !args.empty() && std::all_of(places.begin(), places.end(), [&](size_t place) {
          return place >= args.size() || args[place]->type->id() == arrow::Type::BINARY;
        });
    return is_binary ? bind_binary(args) : bind_text(args);
  };
  return text;
}

Signature BinarySubstring() {
  return BinarySignature(
      {arrow::binary(), arrow::int32(), arrow::int32()}, 2, BytesKernel([](Args args) {
        const bool has_length = args.size() == 3;
        return [bytes = TextColumn(args[0]), position = FixedColumn<int32_t>(args[1]),
                length = FixedColumn<int32_t>(args[has_length ? 2 : 1]),
                has_length](int64_t row, TextWriter* out) {
          const int64_t count = has_length ? length[row] : std::numeric_limits<int32_t>::max();
          return out->Append(Part(bytes[row], position[row], count));
        };
      }));
}

Signature BinaryLeft() {
  return BinarySignature({arrow::binary(), arrow::int32()}, 2, BytesKernel([](Args args) {
                           return
                               [bytes = TextColumn(args[0]), count = FixedColumn<int32_t>(args[1])](
                                   int64_t row, TextWriter* out) {
                                 return out->Append(Part(bytes[row], 1, count[row]));
                               };
                         }));
}

Signature BinaryPad(bool is_left) {
  return BinarySignature(
      {arrow::binary(), arrow::int32(), arrow::binary()}, 2, BytesKernel([is_left](Args args) {
        const arrow::Datum zero(
            std::make_shared<arrow::BinaryScalar>(arrow::Buffer::FromString(std::string(1, '\0'))));
        return [bytes = TextColumn(args[0]), length = FixedColumn<int32_t>(args[1]), zero, is_left,
                pad = TextColumn(args.size() == 3 ? args[2] : zero)](
                   int64_t row, TextWriter* out) -> arrow::Status {
          const std::string_view value = bytes[row], filler = pad[row];
          const size_t want = std::max(length[row], 0);
          if (want <= value.size() || filler.empty()) return out->Append(value.substr(0, want));
          if (!is_left) ARROW_RETURN_NOT_OK(out->Append(value));
          for (size_t missing = want - value.size(); missing > 0;) {
            const std::string_view piece = filler.substr(0, missing);
            ARROW_RETURN_NOT_OK(out->Append(piece));
            missing -= piece.size();
          }
          return is_left ? out->Append(value) : arrow::Status::OK();
        };
      }));
}

Signature BinaryOverlay() {
  return BinarySignature(
      {arrow::binary(), arrow::binary(), arrow::int32(), arrow::int32()}, 3,
      BytesKernel([](Args args) {
        const bool has_length = args.size() == 4;
        return [bytes = TextColumn(args[0]), replacement = TextColumn(args[1]),
                position = FixedColumn<int32_t>(args[2]),
                length = FixedColumn<int32_t>(args[has_length ? 3 : 2]),
                has_length](int64_t row, TextWriter* out) -> arrow::Status {
          const std::string_view value = bytes[row], with = replacement[row];
          const int64_t begin = position[row];
          const bool is_given = has_length && length[row] >= 0;
          const int64_t replaced = is_given ? length[row] : static_cast<int64_t>(with.size());
          ARROW_RETURN_NOT_OK(out->Append(Part(value, 1, begin - 1)));
          ARROW_RETURN_NOT_OK(out->Append(with));
          return out->Append(Part(value, begin + replaced, std::numeric_limits<int32_t>::max()));
        };
      }));
}

Signature BinaryConcat() {
  Signature signature =
      BinarySignature({arrow::binary()}, 1, BytesKernel([](Args args) {
                        std::vector<TextColumn> parts(args.begin(), args.end());
                        return [parts](int64_t row, TextWriter* out) -> arrow::Status {
                          for (const TextColumn& part : parts)
                            ARROW_RETURN_NOT_OK(out->Append(part[row]));
                          return arrow::Status::OK();
                        };
                      }));
  signature.is_variadic = true;
  return signature;
}

Signature BinaryReverse() {
  return BinarySignature(
      {arrow::binary()}, 1, BytesKernel([](Args args) {
        return [bytes = TextColumn(args[0])](int64_t row, TextWriter* out) -> arrow::Status {
          const std::string_view value = bytes[row];
          ARROW_ASSIGN_OR_RAISE(char* place, out->Extend(static_cast<int64_t>(value.size())));
          std::reverse_copy(value.begin(), value.end(), place);
          return arrow::Status::OK();
        };
      }));
}

}  // namespace tidemill
