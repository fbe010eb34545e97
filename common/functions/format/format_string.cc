#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/call_errors.h"
#include "common/functions/columns.h"
#include "common/functions/format/format.h"
#include "common/functions/format/java_format.h"
#include "common/functions/signature.h"
#include "common/functions/text_writer.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;
using arrow::Type;

// A column of arguments as the formatter sees them.
class ArgumentColumn {
 public:
  explicit ArgumentColumn(std::shared_ptr<arrow::Array> array) : array_(std::move(array)) {}

  // Borrows the column, and `storage` for values that only have a text.
  JavaArgument At(int64_t row, const TimeZone& zone, std::string* storage) const {
    if (array_->IsNull(row)) return {};
    switch (array_->type_id()) {
      case Type::BOOL:
        return {static_cast<const arrow::BooleanArray&>(*array_).Value(row)};
      case Type::INT8:
        return Whole<arrow::Int8Array>(row, 8);
      case Type::INT16:
        return Whole<arrow::Int16Array>(row, 16);
      case Type::INT32:
        return Whole<arrow::Int32Array>(row, 32);
      case Type::DATE32:
        return Whole<arrow::Date32Array>(row, 32);
      case Type::INT64:
        return Whole<arrow::Int64Array>(row, 64);
      case Type::TIMESTAMP:
        return Whole<arrow::TimestampArray>(row, 64);
      case Type::FLOAT:
        return {static_cast<const arrow::FloatArray&>(*array_).Value(row)};
      case Type::DOUBLE:
        return {static_cast<const arrow::DoubleArray&>(*array_).Value(row)};
      case Type::STRING:
        return {static_cast<const arrow::StringArray&>(*array_).GetView(row)};
      default:
        storage->clear();
        AppendCastText(*array_->data(), row, zone, TextStyle::kCast, storage);
        return {JavaArgument::Other{*storage}};
    }
  }

 private:
  template <class ArrayType>
  JavaArgument Whole(int64_t row, int bits) const {
    return {JavaArgument::Integer{static_cast<const ArrayType&>(*array_).Value(row), bits}};
  }

  std::shared_ptr<arrow::Array> array_;
};

arrow::Result<arrow::Datum> Format(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn formats(args[0]);
  std::vector<ArgumentColumn> columns;
  for (const arrow::Datum& arg : args.subspan(1)) {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(arg, rows, context.pool));
    columns.emplace_back(std::move(array));
  }
  std::optional<JavaFormat> format;
  std::string_view parsed;
  std::string text;
  std::vector<std::string> storage(columns.size());
  std::vector<JavaArgument> values(columns.size());
  return ComputeText(context, args.subspan(0, 1), rows, arrow::utf8(), rows * 16,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       if (!format || formats[row] != parsed) {
                         parsed = formats[row];
                         ARROW_ASSIGN_OR_RAISE(format, JavaFormat::Parse(parsed));
                       }
                       for (size_t i = 0; i < columns.size(); ++i) {
                         values[i] = columns[i].At(row, *context.zone, &storage[i]);
                       }
                       text.clear();
                       ARROW_RETURN_NOT_OK(format->Append(values, &text));
                       ARROW_RETURN_NOT_OK(out->Append(text));
                       return true;
                     });
}

arrow::Result<BoundFunction> BindFormat(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("format_string", "format_string(strfmt, obj, ...)", args.size(),
                                    1, kUnboundedArgs));
  if (!CanCastImplicitly(*args[0]->type, *arrow::utf8())) {
    return UnexpectedInput("format_string", args, 0, "\"STRING\"");
  }
  BoundFunction bound{{arrow::utf8()}, arrow::utf8()};
  for (const ExprPtr& arg : args.subspan(1)) bound.arg_types.push_back(arg->type);
  bound.kernel = Format;
  return bound;
}

}  // namespace

void AddFormatStringFunctions(FunctionCatalog* catalog) {
  FunctionInfo info;
  info.name = "format_string";
  info.usage = "format_string(strfmt, obj, ...)";
  info.reads_context = true;  // %t shows times of the session's zone
  info.bind = BindFormat;
  catalog->Add(std::move(info), {"printf"});
}

}  // namespace tidemill
