#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/functions/signature.h"
#include "common/json/json_scanner.h"

// The constant arguments of functions over JSON and CSV text: a schema and options.

namespace tidemill {

// Options by name, lower case. *Plain data.*
using FormatOptions = std::map<std::string, std::string>;

// The options of argument `index`, a map() of string literals; none where it is not given. Names
// that are not in `known` are refused. Errors: INVALID_OPTIONS.*, UNKNOWN_OPTION.
arrow::Result<FormatOptions> OptionsOf(std::string_view function, std::span<const ExprPtr> args,
                                       size_t index, std::span<const std::string_view> known);

// The type that a constant argument says, as DDL ("a INT, b STRING", "ARRAY<INT>") or as Spark's
// JSON form of a type. Errors: INVALID_SCHEMA.NON_STRING_LITERAL, and those of the text.
arrow::Result<TypePtr> SchemaOf(std::string_view function, std::span<const ExprPtr> args,
                                size_t index);

// Whether a record that does not suit fails the query. Errors: PARSE_MODE_UNSUPPORTED.
arrow::Result<bool> IsFailFast(std::string_view function, const FormatOptions& options);
std::string OptionOr(const FormatOptions& options, const std::string& name,
                     std::string_view otherwise);
// `own` and the options of what JSON text may look like; what these say.
std::vector<std::string_view> WithJsonSyntax(std::span<const std::string_view> own);
JsonSyntax JsonSyntaxOf(const FormatOptions& options);
// The zone of the option timeZone; nullptr where it is not given. Errors: INVALID_TIMEZONE.
arrow::Result<std::shared_ptr<const TimeZone>> ZoneOption(const FormatOptions& options);

// The text of a constant argument; false where it is none, or NULL.
bool ConstantText(const ExprPtr& expr, std::string* text);

// A call of to_json or to_csv, with the kernel for an argument without a type, which is NULL.
BoundFunction NullText(std::span<const ExprPtr> args);

arrow::Status MalformedText(std::string_view text);

void AddFromJsonFunctions(FunctionCatalog* catalog);
void AddJsonTextFunctions(FunctionCatalog* catalog);

}  // namespace tidemill
