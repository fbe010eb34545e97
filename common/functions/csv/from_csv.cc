#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <array>
#include <deque>
#include <utility>

#include "common/base/error.h"
#include "common/csv/csv_decoder.h"
#include "common/csv/csv_options.h"
#include "common/csv/csv_records.h"
#include "common/functions/codec/utf8_validity.h"
#include "common/functions/columns.h"
#include "common/functions/csv/csv_arguments.h"
#include "common/functions/json/json_arguments.h"
#include "common/types/ddl.h"

// from_csv: a record to a struct, by the rules of the csv format.

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

constexpr auto kOptions = std::to_array<std::string_view>(
    {"nanvalue", "positiveinf", "negativeinf", "maxcolumns", "maxcharspercolumn", "mode",
     "columnnameofcorruptrecord", "timezone", "inferschema", "multiline", "linesep"});

// What a call is bound to. *Immutable.*
struct FromCsvRule {
  TypePtr type;
  CsvOptions options;
  CsvColumns columns;
  std::vector<int> token_of;             // of each field; -1: the text of a malformed record
  std::shared_ptr<const TimeZone> zone;  // null: that of the session
  bool is_fail_fast = false;
};

// One line end less, whatever it is.
std::string_view WithoutLineEnd(std::string_view text) {
  if (text.ends_with("\r\n")) return text.substr(0, text.size() - 2);
  if (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

// Texts taken apart, a record for each. *Thread-compatible.*
class CsvTexts {
 public:
  explicit CsvTexts(const FromCsvRule& rule)
      : format_(rule.options.format), records_(&format_, rule.columns, /*has_breaks=*/false) {}

  // A text without tokens is a bad record of which there is no text. Errors: MALFORMED_CSV_RECORD.
  arrow::Status Add(std::string_view text) {
    const size_t count = records_.size();
    if (text.empty() || IsCsvComment(text, format_.comment)) {
      AddNothing();
      return arrow::Status::OK();
    }
    if (!IsValidUtf8(text)) text = replaced_.emplace_back(ReplaceBadUtf8(text));
    const char* at = text.data();
    if (!records_.Add(&at, at + text.size())) {
      constexpr size_t kShown = 100;
      return MakeError(ErrorKind::kJobFailed, "MALFORMED_CSV_RECORD",
                       fmt::format("Malformed CSV record: {}", text.substr(0, kShown)));
    }
    if (records_.size() == count) AddNothing();
    return arrow::Status::OK();
  }
  void AddNothing() { records_.AddBad({}); }

  CsvRecords* records() { return &records_; }
  bool is_bad(int64_t row) { return (*records_.bad_rows())[row] != 0; }

  arrow::Result<std::shared_ptr<arrow::ArrayData>> BadTexts(arrow::MemoryPool* pool) {
    arrow::StringBuilder builder(pool);
    for (size_t row = 0; row < records_.size(); ++row) {
      const std::string_view text = records_.text(row);
      if (is_bad(static_cast<int64_t>(row)) && !text.empty()) {
        ARROW_RETURN_NOT_OK(builder.Append(WithoutLineEnd(text)));
      } else {
        ARROW_RETURN_NOT_OK(builder.AppendNull());
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto array, builder.Finish());
    return array->data();
  }

 private:
  const CsvFormat& format_;
  std::deque<std::string> replaced_;
  CsvRecords records_;
};

arrow::Result<arrow::Datum> FromCsv(const FromCsvRule& rule, const EvalContext& context, Args args,
                                    int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const Validity validity,
                        Validity::Of(args.subspan(0, 1), rows, context.pool));
  const TextColumn column(args[0]);
  CsvTexts texts(rule);
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) {
      ARROW_RETURN_NOT_OK(texts.Add(column[row]));
    } else {
      texts.AddNothing();
    }
  }
  const TimeZone& zone = rule.zone != nullptr ? *rule.zone : *context.zone;
  const CsvDecoder decoder(&rule.options, &zone, context.pool);
  CsvRecords* const records = texts.records();
  std::vector<std::shared_ptr<arrow::ArrayData>> children(rule.token_of.size());
  for (size_t i = 0; i < children.size(); ++i) {
    if (rule.token_of[i] < 0) continue;
    ARROW_ASSIGN_OR_RAISE(children[i],
                          decoder.Decode(rule.type->field(static_cast<int>(i))->type(),
                                         records->column(rule.token_of[i]), records->bad_rows()));
  }
  for (int64_t row = 0; row < rows && rule.is_fail_fast; ++row) {
    if (validity[row] && texts.is_bad(row)) return MalformedText(column[row]);
  }
  for (size_t i = 0; i < children.size(); ++i) {
    if (rule.token_of[i] >= 0) continue;
    ARROW_ASSIGN_OR_RAISE(children[i], texts.BadTexts(context.pool));
  }
  // A malformed record is a struct without values, not NULL.
  return arrow::Datum(arrow::ArrayData::Make(
      rule.type, rows, {validity.null_count() > 0 ? validity.bitmap() : nullptr},
      std::move(children), validity.null_count()));
}

arrow::Status ReadSchema(std::span<const ExprPtr> args, FromCsvRule* rule) {
  ARROW_ASSIGN_OR_RAISE(rule->type, SchemaOf("from_csv", args, 1));
  if (rule->type->id() != arrow::Type::STRUCT) {
    return MakeError(ErrorKind::kInvalid, "INVALID_SCHEMA.NON_STRUCT_TYPE",
                     fmt::format("The input schema \"{}\" is not a valid schema string. The input "
                                 "expression should be evaluated to struct type, but got \"{}\".",
                                 ExprText(*args[1]), SqlTypeName(*rule->type)));
  }
  const std::string& corrupt_column = rule->options.corrupt_column;
  for (const auto& field : rule->type->fields()) {
    ARROW_RETURN_NOT_OK(CheckCorruptColumn(*field, corrupt_column));
    if (field->name() == corrupt_column) {
      rule->token_of.push_back(-1);
    } else if (!CsvDecoder::Decodes(*field->type())) {
      return MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATATYPE",
                       fmt::format("Unsupported data type \"{}\".", SqlTypeName(*field->type())));
    } else {
      rule->token_of.push_back(rule->columns.num_columns);
      rule->columns.wanted.push_back(rule->columns.num_columns++);
    }
  }
  rule->columns.needs_count = rule->columns.num_columns > 0;
  return arrow::Status::OK();
}

arrow::Result<BoundFunction> BindFromCsv(std::span<const ExprPtr> args) {
  ARROW_RETURN_NOT_OK(
      CheckArgCount("from_csv", "from_csv(text, schema[, options])", args.size(), 2, 3));
  const arrow::DataType& input = *args[0]->type;
  if (!IsStringType(input) && input.id() != arrow::Type::NA) {
    return UnexpectedInput("from_csv", args, 0, "\"STRING\"");
  }
  auto rule = std::make_shared<FromCsvRule>();
  ARROW_ASSIGN_OR_RAISE(const Options options, CsvOptionsOf("from_csv", args, 2, kOptions));
  ARROW_ASSIGN_OR_RAISE(rule->is_fail_fast, IsFailFast("from_csv", options.values()));
  ARROW_ASSIGN_OR_RAISE(rule->options, ParseCsvOptions(options));
  ARROW_ASSIGN_OR_RAISE(rule->zone, ZoneOption(options));
  for (const std::string_view flag : {"header", "inferSchema", "multiLine"}) {
    ARROW_RETURN_NOT_OK(options.GetBool(flag, false).status());
  }
  ARROW_RETURN_NOT_OK(ReadSchema(args, rule.get()));
  BoundFunction bound;
  bound.arg_types = {arrow::utf8()};
  for (const ExprPtr& arg : args.subspan(1)) bound.arg_types.push_back(arg->type);
  bound.type = rule->type;
  bound.kernel = [rule](const EvalContext& context, Args values, int64_t rows) {
    return FromCsv(*rule, context, values, rows);
  };
  return bound;
}

}  // namespace

void AddFromCsvFunctions(FunctionCatalog* catalog) {
  FunctionInfo info;
  info.name = "from_csv";
  info.usage = "from_csv(text, schema[, options])";
  info.reads_context = true;
  info.bind = BindFromCsv;
  catalog->Add(std::move(info));
}

}  // namespace tidemill
