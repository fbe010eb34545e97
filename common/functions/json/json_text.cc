#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_nested.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <optional>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/error.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/json/json_arguments.h"
#include "common/functions/text_writer.h"
#include "common/json/inferred_type.h"
#include "common/json/json_path.h"
#include "common/json/json_scanner.h"
#include "common/json/json_style.h"
#include "common/types/ddl.h"
#include "common/types/json_value_writer.h"

// to_json, and what is read out of JSON text without a schema.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr auto kToJsonOptions = std::to_array<std::string_view>(
    {"ignorenullfields", "sortkeys", "pretty", "writenonasciicharacterascodepoint", "dateformat",
     "timestampformat", "timestampntzformat", "timezone"});

arrow::Result<std::shared_ptr<const DatetimePattern>> PatternOption(const FormatOptions& options,
                                                                    const std::string& name) {
  const auto found = options.find(name);
  if (found == options.end()) return nullptr;
  return DatetimePattern::Compile(found->second, DatetimePattern::Use::kFormat);
}

bool IsSet(const FormatOptions& options, const std::string& name) {
  return AsciiLower(OptionOr(options, name, "false")) == "true";
}

arrow::Result<BoundFunction> BindToJson(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("to_json", "to_json(expr[, options])", args.size(), 1, 2));
  const TypePtr& type = args[0]->type;
  BoundFunction bound = NullText(args);
  if (type->id() == arrow::Type::NA) return bound;
  if (type->num_fields() == 0 && type->id() != arrow::Type::STRUCT) {
    return MakeError(ErrorKind::kInvalid, "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
                     fmt::format("Cannot resolve \"to_json({})\" due to data type mismatch: Input "
                                 "schema \"{}\" must be a struct, an array, a map or a variant.",
                                 ExprText(*args[0]), SqlTypeName(*type)));
  }
  ARROW_ASSIGN_OR_RAISE(const FormatOptions options, OptionsOf("to_json", args, 1, kToJsonOptions));
  JsonTextOptions form;
  form.keeps_nulls = OptionOr(options, "ignorenullfields", "true") == "false";
  form.sorts_keys = IsSet(options, "sortkeys");
  ARROW_ASSIGN_OR_RAISE(form.date, PatternOption(options, "dateformat"));
  ARROW_ASSIGN_OR_RAISE(form.timestamp, PatternOption(options, "timestampformat"));
  ARROW_ASSIGN_OR_RAISE(form.timestamp_ntz, PatternOption(options, "timestampntzformat"));
  ARROW_ASSIGN_OR_RAISE(const auto zone, ZoneOption(options));
  const JsonStyle style{.is_pretty = IsSet(options, "pretty"),
                        .is_ascii = IsSet(options, "writenonasciicharacterascodepoint")};
  bound.kernel = [type, form, zone, style](const EvalContext& context, Args values,
                                           int64_t rows) -> arrow::Result<arrow::Datum> {
    ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(values[0], rows, context.pool));
    const JsonValueWriter writer(*array->type(), zone == nullptr ? ZoneOf(context) : *zone, form);
    std::string text;
    return ComputeText(context, values.subspan(0, 1), rows, arrow::utf8(), rows * 32,
                       [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                         text.clear();
                         writer.Append(*array->data(), row, &text);
                         ARROW_RETURN_NOT_OK(out->Append(Restyled(text, style)));
                         return true;
                       });
  };
  return bound;
}

// The paths of a column; the last one is remembered.
class PathColumn {
 public:
  explicit PathColumn(const arrow::Datum& datum) : texts_(datum) {}
  const std::optional<JsonPath>& operator[](int64_t row) {
    const std::string_view text = texts_[row];
    // A constant is the same text in every row.
    if (text.data() == text_.data() && text.size() == text_.size() && is_known_) return path_;
    if (!is_known_ || text != text_) path_ = JsonPath::Compile(text);
    text_ = text;
    is_known_ = true;
    return path_;
  }

 private:
  const TextColumn texts_;
  bool is_known_ = false;
  std::string_view text_;
  std::optional<JsonPath> path_;
};

arrow::Result<arrow::Datum> GetJsonObject(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn records(args[0]);
  PathColumn paths(args[1]);
  std::string text;
  return ComputeText(context, args, rows, arrow::utf8(), rows * 16,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       const std::optional<JsonPath>& path = paths[row];
                       text.clear();
                       if (!path || !path->Find(records[row], &text)) return false;
                       ARROW_RETURN_NOT_OK(out->Append(text));
                       return true;
                     });
}

arrow::Result<arrow::Datum> JsonArrayLength(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn records(args[0]);
  return ComputeFixedChecked<int32_t>(
      context, args, rows, arrow::int32(), [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
        JsonScanner scanner(records[row], {});
        int32_t count = 0;
        if (scanner.Peek() != '[' || !scanner.ScanArray([&](const JsonValue&) { ++count; })) {
          return false;
        }
        *out = count;
        return true;
      });
}

arrow::Result<arrow::Datum> JsonObjectKeys(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn records(args[0]);
  ARROW_ASSIGN_OR_RAISE(const Validity validity, Validity::Of(args, rows, context.pool));
  auto keys = std::make_shared<arrow::StringBuilder>(context.pool);
  arrow::ListBuilder lists(context.pool, keys, arrow::list(arrow::utf8()));
  std::vector<std::string> found;
  for (int64_t row = 0; row < rows; ++row) {
    found.clear();
    bool is_object = false;
    if (validity[row]) {
      JsonScanner scanner(records[row], {});
      is_object =
          scanner.Peek() == '{' && scanner.ScanObject([&](const JsonValue& key, const JsonValue&) {
            UnescapeJson(key.text(), &found.emplace_back());
          });
    }
    if (!is_object) {
      ARROW_RETURN_NOT_OK(lists.AppendNull());
      continue;
    }
    ARROW_RETURN_NOT_OK(lists.Append());
    for (const std::string& key : found) ARROW_RETURN_NOT_OK(keys->Append(key));
  }
  ARROW_ASSIGN_OR_RAISE(auto array, lists.Finish());
  return arrow::Datum(array);
}

// The type of one constant record, as DDL.
arrow::Result<BoundFunction> BindSchemaOfJson(std::span<const ExprPtr> args) {
  const std::string_view name = "schema_of_json";
  ARROW_RETURN_NOT_OK(CheckArgCount(name, "schema_of_json(text[, options])", args.size(), 1, 2));
  std::string text;
  if (!ConstantText(args[0], &text)) return NonFoldableArgument(name, args, 0);
  ARROW_ASSIGN_OR_RAISE(const FormatOptions options, OptionsOf(name, args, 1, WithJsonSyntax({})));
  const JsonSyntax syntax = JsonSyntaxOf(options);
  BoundFunction bound;
  for (const ExprPtr& arg : args) bound.arg_types.push_back(arg->type);
  bound.type = arrow::utf8();
  JsonScanner scanner(text, syntax);
  JsonValue record;
  if (!scanner.ScanValue(&record)) {
    bound.kernel = [text](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
      return MalformedText(text);
    };
    return bound;
  }
  InferredType inferred;
  inferred.Add(record, syntax);
  const TypePtr type = inferred.Finish();
  const std::string ddl = type == nullptr ? "STRUCT<>" : SqlTypeName(*type);
  bound.kernel = [ddl](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
    return arrow::Datum(ddl);
  };
  bound.is_total = true;
  return bound;
}

}  // namespace

void AddJsonTextFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  FunctionInfo to_json;
  to_json.name = "to_json";
  to_json.usage = "to_json(expr[, options])";
  to_json.reads_context = true;
  to_json.bind = BindToJson;
  catalog->Add(std::move(to_json));
  FunctionInfo schema_of;
  schema_of.name = "schema_of_json";
  schema_of.usage = "schema_of_json(text[, options])";
  schema_of.bind = BindSchemaOfJson;
  catalog->Add(std::move(schema_of));
  catalog->Add(FromSignature({.name = "get_json_object",
                              .usage = "get_json_object(text, path)",
                              .params = {text, text},
                              .result = text,
                              .kernel = GetJsonObject,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "json_array_length",
                              .usage = "json_array_length(text)",
                              .params = {text},
                              .result = arrow::int32(),
                              .kernel = JsonArrayLength,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "json_object_keys",
                              .usage = "json_object_keys(text)",
                              .params = {text},
                              .result = arrow::list(text),
                              .kernel = JsonObjectKeys,
                              .is_total = true}));
}

}  // namespace tidemill
