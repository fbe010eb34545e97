#include <arrow/array.h>
#include <arrow/memory_pool.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <utility>

#include "common/base/error.h"
#include "common/csv/csv_inferred_type.h"
#include "common/csv/csv_tokenizer.h"
#include "common/csv/csv_writer.h"
#include "common/expr/evaluator.h"
#include "common/functions/call_errors.h"
#include "common/functions/columns.h"
#include "common/functions/csv/csv_arguments.h"
#include "common/functions/json/json_arguments.h"
#include "common/functions/text_writer.h"
#include "common/types/ddl.h"

// to_csv, and the schema of a record.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr auto kToCsvOptions =
    std::to_array<std::string_view>({"quoteall", "escapequotes", "timezone", "linesep"});

constexpr auto kSchemaOptions =
    std::to_array<std::string_view>({"nanvalue", "positiveinf", "negativeinf", "maxcolumns",
                                     "maxcharspercolumn", "preferdate", "mode", "inferschema"});

arrow::Result<arrow::Datum> ToCsv(const CsvWriteOptions& options,
                                  const std::shared_ptr<const TimeZone>& zone,
                                  const EvalContext& context, Args args, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(auto array, ArrayOf(args[0], rows, context.pool));
  const arrow::ArrayVector columns = static_cast<const arrow::StructArray&>(*array).fields();
  CsvWriter writer(options, zone != nullptr ? zone : context.zone);
  std::string text;
  return ComputeText(context, args.subspan(0, 1), rows, arrow::utf8(), rows * 32,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       text.clear();
                       writer.AppendRow(columns, row, &text);
                       if (text.empty()) return false;
                       ARROW_RETURN_NOT_OK(out->Append(text));
                       return true;
                     });
}

arrow::Result<BoundFunction> BindToCsv(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(CheckArgCount("to_csv", "to_csv(expr[, options])", args.size(), 1, 2));
  const TypePtr& type = args[0]->type;
  BoundFunction bound = NullText(args);
  if (type->id() == arrow::Type::NA) return bound;
  if (type->id() != arrow::Type::STRUCT) {
    return Mismatch(
        "UNSUPPORTED_INPUT_TYPE", "to_csv", args,
        fmt::format("The input of `to_csv` can't be \"{}\" type data.", SqlTypeName(*type)));
  }
  ARROW_ASSIGN_OR_RAISE(const Options options, CsvOptionsOf("to_csv", args, 1, kToCsvOptions));
  ARROW_ASSIGN_OR_RAISE(const auto zone, ZoneOption(options));
  ARROW_ASSIGN_OR_RAISE(const CsvWriteOptions parsed, ParseCsvWriteOptions(options));
  bound.kernel = [parsed, zone](const EvalContext& context, Args values, int64_t rows) {
    return ToCsv(parsed, zone, context, values, rows);
  };
  return bound;
}

// Why an argument is not a text that is known when the query is bound.
arrow::Status NotAText(std::span<const ExprPtr> args) {
  EvalContext context;
  context.pool = arrow::default_memory_pool();
  context.zone = UtcTimeZone();
  const ExprPtr folded =
      IsLiteral(*args[0]) || IsNullLiteral(*args[0]) ? args[0] : FoldConstant(args[0], context);
  if (folded == nullptr) return NonFoldableArgument("schema_of_csv", args, 0);
  if (IsNullLiteral(*folded)) {
    return Mismatch("UNEXPECTED_NULL", "schema_of_csv", args, "The `csv` must not be null.");
  }
  return UnexpectedInput("schema_of_csv", args, 0, "\"STRING\"");
}

// The type of one constant record, as DDL.
arrow::Result<BoundFunction> BindSchemaOfCsv(std::span<const ExprPtr> args) {
  const std::string_view name = "schema_of_csv";
  ARROW_RETURN_NOT_OK(CheckArgCount(name, "schema_of_csv(text[, options])", args.size(), 1, 2));
  std::string text;
  if (!ConstantText(args[0], &text)) return NotAText(args);
  ARROW_ASSIGN_OR_RAISE(const Options given, CsvOptionsOf(name, args, 1, kSchemaOptions));
  ARROW_ASSIGN_OR_RAISE(const CsvOptions options, ParseCsvOptions(given));
  BoundFunction bound;
  for (const ExprPtr& arg : args) bound.arg_types.push_back(arg->type);
  bound.type = arrow::utf8();
  std::vector<std::string> tokens;
  const char* at = text.data();
  if (IsCsvComment(text, options.format.comment) ||
      TakeAllTokens(options.format, /*has_breaks=*/false, &at, at + text.size(), &tokens) <= 0) {
    bound.kernel = [text](const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
      return MalformedText(text);
    };
    return bound;
  }
  arrow::FieldVector fields;
  for (const std::string& token : tokens) {
    CsvInferredType inferred;
    inferred.Add(token, options, *UtcTimeZone());
    fields.push_back(arrow::field(fmt::format("_c{}", fields.size()), inferred.Finish()));
  }
  bound.kernel = [ddl = SqlTypeName(*arrow::struct_(fields))](
                     const EvalContext&, Args, int64_t) -> arrow::Result<arrow::Datum> {
    return arrow::Datum(ddl);
  };
  bound.is_total = true;
  return bound;
}

}  // namespace

void AddCsvTextFunctions(FunctionCatalog* catalog) {
  FunctionInfo to_csv;
  to_csv.name = "to_csv";
  to_csv.usage = "to_csv(expr[, options])";
  to_csv.reads_context = true;
  to_csv.bind = BindToCsv;
  catalog->Add(std::move(to_csv));
  FunctionInfo schema_of;
  schema_of.name = "schema_of_csv";
  schema_of.usage = "schema_of_csv(text[, options])";
  schema_of.bind = BindSchemaOfCsv;
  catalog->Add(std::move(schema_of));
}

}  // namespace tidemill
