#include "driver/plan/analyze/generators.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "common/expr/function_registry.h"
#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

constexpr std::array<std::string_view, 8> kGenerators = {
    "explode", "explode_outer", "posexplode", "posexplode_outer",
    "inline",  "inline_outer",  "json_tuple", "stack"};

ExprPtr TextLiteral(std::string text, Span span) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(std::move(text)), span);
}

// json_tuple(text, a, b): one row of what the fields hold.
arrow::Result<ExprPtr> TupleRows(const std::vector<ExprPtr>& args, Span span) {
  if (args.size() < 2) {
    return QueryError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                      fmt::format("The `json_tuple` requires > 1 parameters but the actual number "
                                  "is {}.",
                                  args.size()),
                      span);
  }
  std::vector<ExprPtr> fields;
  for (size_t i = 1; i < args.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(
        ExprPtr path,
        MakeCall("concat", {TextLiteral("$['", span), args[i], TextLiteral("']", span)}, span));
    ARROW_ASSIGN_OR_RAISE(ExprPtr value, MakeCall("get_json_object", {args[0], path}, span));
    fields.push_back(TextLiteral(fmt::format("c{}", i - 1), span));
    fields.push_back(std::move(value));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr row, MakeCall("named_struct", std::move(fields), span));
  return MakeCall("array", {std::move(row)}, span);
}

// stack(n, x, y, ...): n rows, filled up with NULLs.
arrow::Result<ExprPtr> StackRows(const std::vector<ExprPtr>& args, Span span) {
  const bool has_count = args.size() >= 2 && args[0]->kind == Expr::Kind::kLiteral &&
                         args[0]->type->id() == arrow::Type::INT32 && args[0]->literal->is_valid;
  const int32_t rows =
      has_count ? static_cast<const arrow::Int32Scalar&>(*args[0]->literal).value : 0;
  if (rows <= 0) {
    return QueryError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                      "Cannot resolve \"stack\" due to data type mismatch: The n must be a "
                      "positive INT literal.",
                      span);
  }
  const size_t width = (args.size() - 1 + rows - 1) / rows;
  std::vector<ExprPtr> structs;
  for (int32_t row = 0; row < rows; ++row) {
    std::vector<ExprPtr> fields;
    for (size_t i = 0; i < width; ++i) {
      const size_t at = 1 + row * width + i;
      fields.push_back(TextLiteral(fmt::format("col{}", i), span));
      fields.push_back(at < args.size()
                           ? args[at]
                           : MakeLiteral(arrow::MakeNullScalar(args[1 + i]->type), span));
    }
    ARROW_ASSIGN_OR_RAISE(structs.emplace_back(),
                          MakeCall("named_struct", std::move(fields), span));
  }
  return MakeCall("array", std::move(structs), span);
}

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

arrow::Status RewriteGenerator(std::string* name, std::vector<ExprPtr>* args, Span span) {
  if (*name != "json_tuple" && *name != "stack") return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(ExprPtr rows,
                        *name == "stack" ? StackRows(*args, span) : TupleRows(*args, span));
  *name = "inline";
  *args = {std::move(rows)};
  return arrow::Status::OK();
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
