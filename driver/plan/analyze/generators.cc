#include "driver/plan/analyze/generators.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <utility>

#include "common/base/ascii.h"
#include "common/expr/function_registry.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

namespace {

constexpr std::array<std::string_view, 8> kGenerators = {
    "explode", "explode_outer", "posexplode", "posexplode_outer",
    "inline",  "inline_outer",  "stack",      "json_tuple"};

arrow::Status UnexpectedType(std::string_view name, const Expr& arg, std::string_view required,
                             Span span) {
  return QueryError(
      "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
      fmt::format("Cannot resolve \"{}({})\" due to data type mismatch: The first parameter "
                  "requires the {} type, however {} has the type {}.",
                  name, ExprText(arg), required, QuotedSql(ExprText(arg)), QuotedType(*arg.type)),
      span);
}

ExprPtr StringLiteral(std::string text, Span span) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(std::move(text)), span);
}

// The columns of explode, posexplode and inline.
arrow::Result<std::vector<PlanField>> CollectionFields(std::string_view name, const Expr& arg,
                                                       Span span) {
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

// stack(n, ...): n rows of the values in turn, the last one filled up with NULL.
arrow::Result<Generator> ResolveStack(std::vector<ExprPtr> args, Span span) {
  if (args.size() < 2) {
    return QueryError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                      fmt::format("The `stack` requires > 1 parameters but the actual number is "
                                  "{}.",
                                  args.size()),
                      span);
  }
  const Expr& count = *args[0];
  const bool is_count = count.kind == Expr::Kind::kLiteral && count.literal->is_valid &&
                        count.type->id() == arrow::Type::INT32;
  const int64_t rows = is_count ? static_cast<const arrow::Int32Scalar&>(*count.literal).value : 0;
  if (rows < 1) {
    return QueryError("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                      fmt::format("Cannot resolve \"stack({}, ...)\" due to data type mismatch: "
                                  "The `n` must be between (0, 2147483647] (current value = {}).",
                                  ExprText(count), ExprText(count)),
                      span);
  }
  const auto values = static_cast<int64_t>(args.size()) - 1;
  const int64_t width = (values + rows - 1) / rows;
  std::vector<std::shared_ptr<arrow::DataType>> types(width, arrow::null());
  for (int64_t i = 0; i < values; ++i) {
    types[i % width] = CommonType(types[i % width], args[i + 1]->type);
    if (types[i % width] == nullptr) {
      return QueryError("DATATYPE_MISMATCH.STACK_COLUMN_DIFF_TYPES",
                        fmt::format("Cannot resolve \"stack\" due to data type mismatch: The data "
                                    "type of the column ({}) do not have the same type.",
                                    i % width),
                        span);
    }
  }
  std::vector<ExprPtr> structs;
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<ExprPtr> fields;
    for (int64_t column = 0; column < width; ++column) {
      const int64_t i = row * width + column;
      ExprPtr value =
          i < values ? args[i + 1] : MakeLiteral(arrow::MakeNullScalar(types[column]), span);
      ARROW_ASSIGN_OR_RAISE(value, ImplicitCast(std::move(value), types[column]));
      fields.push_back(StringLiteral(fmt::format("col{}", column), span));
      fields.push_back(std::move(value));
    }
    ARROW_ASSIGN_OR_RAISE(ExprPtr made, MakeCall("named_struct", std::move(fields), span));
    structs.push_back(std::move(made));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr all, MakeCall("array", std::move(structs), span));
  return ResolveGenerator("inline", {std::move(all)}, span);
}

// json_tuple(json, name, ...): one row of the fields of one JSON object, as texts.
arrow::Result<Generator> ResolveJsonTuple(const std::vector<ExprPtr>& args, Span span) {
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
        MakeCall("concat", {StringLiteral("$['", span), args[i], StringLiteral("']", span)}, span));
    ARROW_ASSIGN_OR_RAISE(ExprPtr field, MakeCall("get_json_object", {args[0], path}, span));
    fields.push_back(StringLiteral(fmt::format("c{}", i - 1), span));
    fields.push_back(std::move(field));
  }
  ARROW_ASSIGN_OR_RAISE(ExprPtr row, MakeCall("named_struct", std::move(fields), span));
  ARROW_ASSIGN_OR_RAISE(ExprPtr all, MakeCall("array", {std::move(row)}, span));
  return ResolveGenerator("inline", {std::move(all)}, span);
}

}  // namespace

bool IsGeneratorName(std::string_view name) {
  return std::any_of(kGenerators.begin(), kGenerators.end(),
                     [&](std::string_view known) { return EqualsIgnoreCase(known, name); });
}

bool HasOuterForm(std::string_view name) {
  return IsGeneratorName(name) && !EqualsIgnoreCase(name, "stack") &&
         !EqualsIgnoreCase(name, "json_tuple");
}

arrow::Result<Generator> ResolveGenerator(std::string_view name, std::vector<ExprPtr> args,
                                          Span span) {
  std::string function = AsciiLower(name);
  if (function == "stack") return ResolveStack(std::move(args), span);
  if (function == "json_tuple") return ResolveJsonTuple(args, span);
  if (args.size() != 1) {
    return QueryError("WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                      fmt::format("The {} requires 1 parameters but the actual number is {}.",
                                  QuotedName(name), args.size()),
                      span);
  }
  ARROW_ASSIGN_OR_RAISE(auto fields, CollectionFields(function, *args[0], span));
  return Generator{std::move(function), std::move(args), std::move(fields), span};
}

arrow::Status RenameGenerated(const std::vector<std::string>& names, Span span,
                              Generator* generator) {
  if (names.empty()) return arrow::Status::OK();
  std::vector<PlanField>& fields = generator->fields;
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
  return arrow::Status::OK();
}

LogicalPlanPtr ApplyGenerator(LogicalPlanPtr input, Generator generator) {
  std::vector<int> kept(input->output.size());
  std::iota(kept.begin(), kept.end(), 0);
  return MakeGenerate(std::move(input), std::move(generator.function), std::move(generator.args),
                      std::move(kept), std::move(generator.fields), generator.span);
}

}  // namespace tidemill::driver
