#include "common/functions/json/json_arguments.h"

#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/ascii.h"
#include "common/base/error.h"
#include "common/expr/evaluator.h"
#include "common/functions/columns.h"
#include "common/json/json_scanner.h"
#include "common/types/ddl.h"

namespace tidemill {

namespace {

std::string TextOf(const JsonValue& value) {
  std::string text;
  UnescapeJson(value.text(), &text);
  return text;
}

arrow::Status BadTypeJson(std::string_view text) {
  return MakeError(ErrorKind::kInvalid, "INVALID_JSON_DATA_TYPE",
                   fmt::format("Failed to convert the JSON string '{}' to a data type. Please "
                               "enter a valid data type.",
                               text));
}

// One member of a JSON object; a null value where it is not there.
JsonValue MemberOf(const JsonValue& object, std::string_view name) {
  JsonValue found;
  JsonScanner scanner(object.text(), {});
  (void)scanner.ScanObject([&](const JsonValue& key, const JsonValue& value) {
    if (key.text() == name) found = value;
  });  // scanned before
  return found;
}

arrow::Result<TypePtr> TypeOfJson(const JsonValue& value);

arrow::Result<TypePtr> StructOfJson(const JsonValue& value) {
  const JsonValue list = MemberOf(value, "fields");
  if (list.kind != JsonKind::kArray) return BadTypeJson(value.text());
  std::vector<JsonValue> members;
  JsonScanner scanner(list.text(), {});
  (void)scanner.ScanArray([&](const JsonValue& member) { members.push_back(member); });
  arrow::FieldVector fields;
  for (const JsonValue& member : members) {
    if (member.kind != JsonKind::kObject) return BadTypeJson(value.text());
    ARROW_ASSIGN_OR_RAISE(TypePtr type, TypeOfJson(MemberOf(member, "type")));
    fields.push_back(arrow::field(TextOf(MemberOf(member, "name")), std::move(type)));
  }
  return arrow::struct_(fields);
}

arrow::Result<TypePtr> TypeOfJson(const JsonValue& value) {
  if (value.kind == JsonKind::kString) {
    const std::string name = TextOf(value);
    if (name == "integer") return arrow::int32();
    return ParseDdlType(name);
  }
  if (value.kind != JsonKind::kObject) return BadTypeJson(value.text());
  const std::string kind = TextOf(MemberOf(value, "type"));
  if (kind == "struct") return StructOfJson(value);
  if (kind == "array") {
    ARROW_ASSIGN_OR_RAISE(TypePtr item, TypeOfJson(MemberOf(value, "elementType")));
    return arrow::list(std::move(item));
  }
  if (kind == "map") {
    ARROW_ASSIGN_OR_RAISE(TypePtr key, TypeOfJson(MemberOf(value, "keyType")));
    ARROW_ASSIGN_OR_RAISE(TypePtr item, TypeOfJson(MemberOf(value, "valueType")));
    return arrow::map(std::move(key), std::move(item));
  }
  return BadTypeJson(value.text());
}

arrow::Result<TypePtr> ParseSchemaText(const std::string& text) {
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) {
    return MakeError(ErrorKind::kInvalid, "PARSE_EMPTY_STATEMENT",
                     "Syntax error, unexpected empty statement");
  }
  JsonScanner scanner(text, {});
  JsonValue root;
  if (scanner.Peek() == '{' && scanner.ScanValue(&root) && scanner.IsAtEnd()) {
    return TypeOfJson(root);
  }
  auto type = ParseDdlType(text);
  if (type.ok()) return type;
  auto schema = ParseDdlSchema(text);
  // The text is a list of columns rather than a type, so that is what its error is about.
  if (!schema.ok()) return schema.status();
  return arrow::struct_((*schema)->fields());
}

}  // namespace

bool ConstantText(const ExprPtr& expr, std::string* text) {
  if (StringLiteralOf(*expr, text) != nullptr) return true;
  if (!IsStringType(*expr->type)) return false;
  EvalContext context;
  context.pool = arrow::default_memory_pool();
  context.zone = UtcTimeZone();
  const ExprPtr folded = FoldConstant(expr, context);
  return folded != nullptr && StringLiteralOf(*folded, text) != nullptr;
}

arrow::Result<FormatOptions> OptionsOf(std::string_view function, std::span<const ExprPtr> args,
                                       size_t index, std::span<const std::string_view> known) {
  FormatOptions options;
  if (index >= args.size()) return options;
  const Expr& map = *args[index];
  if (map.kind != Expr::Kind::kCall || map.name != "map") {
    return MakeError(ErrorKind::kInvalid, "INVALID_OPTIONS.NON_MAP_FUNCTION",
                     fmt::format("Invalid options: Must use the `map()` function for options, but "
                                 "got \"{}\".",
                                 ExprText(map)));
  }
  for (size_t i = 0; i + 1 < map.args.size(); i += 2) {
    std::string key, value;
    if (StringLiteralOf(*map.args[i], &key) == nullptr ||
        StringLiteralOf(*map.args[i + 1], &value) == nullptr) {
      return MakeError(ErrorKind::kInvalid, "INVALID_OPTIONS.NON_STRING_TYPE",
                       fmt::format("Invalid options: A type of keys and values in `map()` must be "
                                   "string, but got \"{}\".",
                                   SqlTypeName(*map.type)));
    }
    key = AsciiLower(key);
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      const arrow::Status unknown = MakeError(
          ErrorKind::kInvalid, "UNKNOWN_OPTION",
          fmt::format("unknown or unsupported option: function={} option={}", function, key));
      const std::string nearest = NearestName(key, known);
      return nearest.empty() ? unknown
                             : WithHint(unknown, fmt::format("did you mean `{}`?", nearest));
    }
    options[key] = value;
  }
  return options;
}

arrow::Result<TypePtr> SchemaOf(std::string_view function, std::span<const ExprPtr> args,
                                size_t index) {
  std::string text;
  if (!ConstantText(args[index], &text)) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SCHEMA.NON_STRING_LITERAL",
                     fmt::format("The input schema \"{}\" is not a valid schema string. The input "
                                 "expression must be string literal and not null.",
                                 ExprText(*args[index])));
  }
  auto type = ParseSchemaText(text);
  if (type.ok()) return type;
  // Places in the schema's text are none in the query.
  return WithHint(
      MakeError(ErrorKind::kInvalid, ErrorClassOf(type.status()), type.status().message()),
      fmt::format("the schema of {} is '{}'", function, text));
}

arrow::Result<bool> IsFailFast(std::string_view function, const FormatOptions& options) {
  const std::string mode = AsciiLower(OptionOr(options, "mode", "permissive"));
  if (mode == "dropmalformed") {
    return MakeError(ErrorKind::kInvalid, "PARSE_MODE_UNSUPPORTED",
                     fmt::format("The function `{}` doesn't support the DROPMALFORMED mode. "
                                 "Acceptable modes are PERMISSIVE and FAILFAST.",
                                 function));
  }
  return mode == "failfast";
}

std::string OptionOr(const FormatOptions& options, const std::string& name,
                     std::string_view otherwise) {
  const auto found = options.find(name);
  return found == options.end() ? std::string(otherwise) : found->second;
}

namespace {

// An option of JSON's syntax and what it sets.
struct SyntaxOption {
  std::string_view name;
  bool JsonSyntax::*flag;
};
constexpr auto kSyntaxOptions = std::to_array<SyntaxOption>({
    {"allowsinglequotes", &JsonSyntax::allows_single_quotes},
    {"allownonnumericnumbers", &JsonSyntax::allows_non_numeric_numbers},
    {"allownumericleadingzeros", &JsonSyntax::allows_leading_zeros},
    {"allowunquotedfieldnames", &JsonSyntax::allows_unquoted_names},
    {"allowcomments", &JsonSyntax::allows_comments},
    {"allowbackslashescapinganycharacter", &JsonSyntax::allows_any_escape},
    {"allowunquotedcontrolchars", &JsonSyntax::allows_control_characters},
});

}  // namespace

std::vector<std::string_view> WithJsonSyntax(std::span<const std::string_view> own) {
  std::vector<std::string_view> names(own.begin(), own.end());
  for (const SyntaxOption& option : kSyntaxOptions) names.push_back(option.name);
  return names;
}

JsonSyntax JsonSyntaxOf(const FormatOptions& options) {
  JsonSyntax syntax;
  for (const SyntaxOption& option : kSyntaxOptions) {
    const auto given = options.find(std::string(option.name));
    if (given != options.end()) syntax.*option.flag = AsciiLower(given->second) == "true";
  }
  return syntax;
}

arrow::Result<std::shared_ptr<const TimeZone>> ZoneOption(const FormatOptions& options) {
  const auto name = options.find("timezone");
  if (name == options.end()) return nullptr;
  return FindTimeZone(name->second);
}

BoundFunction NullText(std::span<const ExprPtr> args) {
  BoundFunction bound;
  for (const ExprPtr& arg : args) bound.arg_types.push_back(arg->type);
  bound.type = arrow::utf8();
  bound.is_total = true;
  bound.kernel = [](const EvalContext&, std::span<const arrow::Datum>,
                    int64_t) -> arrow::Result<arrow::Datum> { return NullDatum(arrow::utf8()); };
  return bound;
}

arrow::Status MalformedText(std::string_view text) {
  constexpr size_t kShown = 100;
  return MakeError(ErrorKind::kJobFailed, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                   fmt::format("Malformed records are detected in record parsing: {}. Parse Mode: "
                               "FAILFAST. To process malformed records as null result, try setting "
                               "the option 'mode' as 'PERMISSIVE'.",
                               text.substr(0, kShown)));
}

void AddJsonFunctions(FunctionCatalog* catalog) {
  AddFromJsonFunctions(catalog);
  AddJsonTextFunctions(catalog);
}

}  // namespace tidemill
