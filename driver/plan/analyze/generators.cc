#include "driver/plan/analyze/generators.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

constexpr std::array<std::string_view, 6> kGenerators = {
    "explode", "explode_outer", "posexplode", "posexplode_outer", "inline", "inline_outer"};

arrow::Status UnexpectedType(std::string_view name, const Expr& arg, std::string_view required,
                             Span span) {
  return QueryError(
      "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
      fmt::format("Cannot resolve \"{}({})\" due to data type mismatch: The first parameter "
                  "requires the {} type, however {} has the type {}.",
                  name, ExprText(arg), required, QuotedSql(ExprText(arg)), QuotedType(*arg.type)),
      span);
}

}  // namespace

bool IsGeneratorName(std::string_view name) {
  return std::any_of(kGenerators.begin(), kGenerators.end(),
                     [&](std::string_view known) { return EqualsIgnoreCase(known, name); });
}

arrow::Result<std::vector<PlanField>> GeneratedFields(std::string_view name,
                                                      const std::vector<ExprPtr>& args, Span span) {
  if (args.size() != 1) {
    return QueryError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                      fmt::format("The {} requires 1 parameters but the actual number is {}.",
                                  QuotedName(name), args.size()),
                      span);
  }
  const Expr& arg = *args.front();
  std::vector<PlanField> fields;
  if (name.starts_with("inline")) {
    const bool is_array = arg.type->id() == arrow::Type::LIST;
    const auto element = is_array ? arg.type->field(0)->type() : nullptr;
    if (element == nullptr || element->id() != arrow::Type::STRUCT) {
      return UnexpectedType(name, arg, "\"ARRAY<STRUCT>\"", span);
    }
    for (const auto& field : element->fields()) {
      fields.push_back({"", field->name(), field->type()});
    }
    return fields;
  }
  if (name.starts_with("pos")) fields.push_back({"", "pos", arrow::int32()});
  if (arg.type->id() == arrow::Type::LIST) {
    fields.push_back({"", "col", arg.type->field(0)->type()});
  } else if (arg.type->id() == arrow::Type::MAP) {
    const auto& map = static_cast<const arrow::MapType&>(*arg.type);
    fields.push_back({"", "key", map.key_type()});
    fields.push_back({"", "value", map.item_type()});
  } else {
    return UnexpectedType(name, arg, "(\"ARRAY\" or \"MAP\")", span);
  }
  return fields;
}

arrow::Result<std::vector<PlanField>> RenameGenerated(std::vector<PlanField> fields,
                                                      const std::vector<std::string>& names,
                                                      Span span) {
  if (names.empty()) return fields;
  if (names.size() != fields.size()) {
    return QueryError(
        "UDTF_ALIAS_NUMBER_MISMATCH",
        fmt::format("The number of aliases supplied in the AS clause does not match the number of "
                    "columns output by the UDTF. Expected {} aliases, but got {}. Please ensure "
                    "that the number of aliases provided matches the number of columns output by "
                    "the UDTF.",
                    fields.size(), fmt::join(names, ",")),
        span);
  }
  for (size_t i = 0; i < fields.size(); ++i) fields[i].name = names[i];
  return fields;
}

}  // namespace tidemill::driver
