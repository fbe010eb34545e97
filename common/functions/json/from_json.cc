#include <arrow/array.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <deque>
#include <utility>

#include "common/base/error.h"
#include "common/functions/cast/cast_rules.h"
#include "common/functions/columns.h"
#include "common/functions/json/json_arguments.h"
#include "common/json/json_decoder.h"
#include "common/json/json_scanner.h"
#include "common/types/ddl.h"

// from_json: text to values of a schema, by the rules of the json format.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// Those of inference say nothing where there is a schema, as in Spark.
constexpr auto kOptions = std::to_array<std::string_view>(
    {"mode", "columnnameofcorruptrecord", "dateformat", "timestampformat", "timestampntzformat",
     "timezone", "primitivesasstring", "prefersdecimal", "dropfieldifallnull", "infertimestamp"});

// What a call is bound to. *Plain data.*
struct FromJsonRule {
  TypePtr type;
  JsonSyntax syntax;
  JsonFormats formats;
  std::shared_ptr<const TimeZone> zone;  // nullptr: the session's
  bool is_fail_fast = false;
  int corrupt_column = -1;  // of a struct
};

// The roots of a column of texts.
struct Roots {
  std::vector<JsonValue> values;
  std::vector<uint8_t> is_bad;
  std::deque<std::string> wrapped;  // objects that stand where an array is wanted
};

// The value of one text, as the type wants it; a null value where it is malformed.
void ReadRoot(const FromJsonRule& rule, std::string_view text, size_t row, Roots* roots) {
  JsonScanner scanner(text, rule.syntax);
  JsonValue root;
  bool suits = scanner.ScanValue(&root);
  if (suits && rule.type->id() == arrow::Type::LIST) {
    const bool holds_structs = rule.type->field(0)->type()->id() == arrow::Type::STRUCT;
    if (root.kind == JsonKind::kObject && holds_structs) {
      const std::string& array = roots->wrapped.emplace_back(fmt::format("[{}]", root.text()));
      root = {array.data(), static_cast<uint32_t>(array.size()), JsonKind::kArray};
    }
    suits = root.kind == JsonKind::kArray;
  } else if (suits) {
    suits = root.kind == JsonKind::kObject;
  }
  if (suits) {
    roots->values[row] = root;
  } else {
    roots->is_bad[row] = 1;
  }
}

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// The texts of malformed records.
arrow::Result<std::shared_ptr<arrow::ArrayData>> CorruptTexts(const TextColumn& texts,
                                                              const Roots& roots,
                                                              arrow::MemoryPool* pool) {
  arrow::StringBuilder builder(pool);
  for (size_t row = 0; row < roots.is_bad.size(); ++row) {
    if (roots.is_bad[row]) {
      ARROW_RETURN_NOT_OK(builder.Append(texts[static_cast<int64_t>(row)]));
    } else {
      ARROW_RETURN_NOT_OK(builder.AppendNull());
    }
  }
  ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
  return array->data();
}

arrow::Result<arrow::Datum> FromJson(const FromJsonRule& rule, const EvalContext& context,
                                     Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args.subspan(0, 1), rows, context.pool));
  const TextColumn texts(args[0]);
  Roots roots;
  roots.values.resize(rows);
  roots.is_bad.resize(rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (!validity[row]) continue;
    const std::string_view text = texts[row];
    if (IsBlank(text)) {
      ARROW_RETURN_NOT_OK(validity.SetNull(row, context.pool));
    } else {
      ReadRoot(rule, text, row, &roots);
    }
  }
  const TimeZone& zone = rule.zone == nullptr ? ZoneOf(context) : *rule.zone;
  JsonDecoder decoder(&zone, rule.syntax, context.pool, rule.formats);
  ARROW_ASSIGN_OR_RAISE(auto data, decoder.Decode(rule.type, roots.values, &roots.is_bad));
  if (rule.is_fail_fast) {
    for (int64_t row = 0; row < rows; ++row) {
      if (roots.is_bad[row]) return MalformedText(texts[row]);
    }
  }
  if (rule.type->id() != arrow::Type::STRUCT) return arrow::Datum(std::move(data));
  // A malformed record is a struct without values, not NULL.
  auto structs = data->Copy();
  structs->buffers[0] = validity.null_count() > 0 ? validity.bitmap() : nullptr;
  structs->null_count = validity.null_count();
  if (rule.corrupt_column >= 0) {
    ARROW_ASSIGN_OR_RAISE(structs->child_data[rule.corrupt_column],
                          CorruptTexts(texts, roots, context.pool));
  }
  return arrow::Datum(std::move(structs));
}

arrow::Result<std::shared_ptr<const DatetimePattern>> PatternOption(const FormatOptions& options,
                                                                    const std::string& name) {
  const auto found = options.find(name);
  if (found == options.end()) return nullptr;
  return DatetimePattern::Compile(found->second, DatetimePattern::Use::kParse);
}

arrow::Result<BoundFunction> BindFromJson(std::span<const ExprPtr> args) {
  constexpr const char* kUsage = "from_json(text, schema[, options])";
  ARROW_RETURN_NOT_OK(CheckArgCount("from_json", kUsage, args.size(), 2, 3));
  const arrow::DataType& input = *args[0]->type;
  if (!IsStringType(input) && input.id() != arrow::Type::NA) {
    return UnexpectedInput("from_json", args, 0, "\"STRING\"");
  }
  FromJsonRule rule;
  ARROW_ASSIGN_OR_RAISE(rule.type, SchemaOf("from_json", args, 1));
  if (rule.type->num_fields() == 0 && rule.type->id() != arrow::Type::STRUCT) {
    return MakeError(ErrorKind::kInvalid, "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA",
                     fmt::format("Cannot resolve \"from_json({})\" due to data type mismatch: "
                                 "Input schema \"{}\" must be a struct, an array, a map or a "
                                 "variant.",
                                 ExprText(*args[0]), SqlTypeName(*rule.type)));
  }
  ARROW_ASSIGN_OR_RAISE(const FormatOptions options,
                        OptionsOf("from_json", args, 2, WithJsonSyntax(kOptions)));
  ARROW_ASSIGN_OR_RAISE(rule.is_fail_fast, IsFailFast("from_json", options));
  ARROW_ASSIGN_OR_RAISE(rule.zone, ZoneOption(options));
  rule.syntax = JsonSyntaxOf(options);
  ARROW_ASSIGN_OR_RAISE(rule.formats.date, PatternOption(options, "dateformat"));
  ARROW_ASSIGN_OR_RAISE(rule.formats.timestamp, PatternOption(options, "timestampformat"));
  ARROW_ASSIGN_OR_RAISE(rule.formats.timestamp_ntz, PatternOption(options, "timestampntzformat"));
  if (rule.type->id() == arrow::Type::STRUCT) {
    const std::string name = OptionOr(options, "columnnameofcorruptrecord", "_corrupt_record");
    for (int i = 0; i < rule.type->num_fields(); ++i) {
      const auto& field = rule.type->field(i);
      if (field->name() == name && IsStringType(*field->type())) rule.corrupt_column = i;
    }
  }
  BoundFunction bound;
  bound.arg_types = {arrow::utf8()};
  for (const ExprPtr& arg : args.subspan(1)) bound.arg_types.push_back(arg->type);
  bound.type = rule.type;
  bound.is_total = !rule.is_fail_fast;
  bound.kernel = [rule](const EvalContext& context, Args values, int64_t rows) {
    return FromJson(rule, context, values, rows);
  };
  return bound;
}

}  // namespace

void AddFromJsonFunctions(FunctionCatalog* catalog) {
  FunctionInfo info;
  info.name = "from_json";
  info.usage = "from_json(text, schema[, options])";
  info.reads_context = true;
  info.bind = BindFromJson;
  catalog->Add(std::move(info));
}

}  // namespace tidemill
