#include "tests/functions/evaluation.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "common/base/sql_state.h"
#include "common/types/ddl.h"
#include "common/types/json_value_writer.h"
#include "common/types/value_format.h"
#include "driver/plan/analyze/expr_binder.h"
#include "driver/sql/parser.h"

namespace tidemill {

namespace {

// The classes by which a function says that an argument must be a literal.
bool WantsLiteral(const arrow::Status& status) {
  return ErrorClassOf(status) == "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT" ||
         ErrorClassOf(status) == "DATATYPE_MISMATCH.NON_STRING_TYPE" ||
         ErrorClassOf(status) == "NON_FOLDABLE_ARGUMENT" ||
         ErrorClassOf(status).starts_with("INVALID_SCHEMA.") ||
         ErrorClassOf(status).starts_with("INVALID_OPTIONS.");
}

std::string Escaped(std::string_view bytes) {
  arrow::util::InitializeUTF8();
  const bool is_text = arrow::util::ValidateUTF8(bytes);
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F || c == '\\' || (byte >= 0x80 && !is_text)) {
      text += fmt::format("\\x{:02X}", byte);
    } else {
      text += c;
    }
  }
  return text;
}

std::string Hex(std::string_view bytes) {
  std::string text = "X'";
  for (const char c : bytes) text += fmt::format("{:02X}", static_cast<unsigned char>(c));
  return text + "'";
}

std::string NestedText(const std::shared_ptr<arrow::Array>& array, int64_t row,
                       const EvalContext& context) {
  std::string json;
  JsonValueWriter(*array->type(), *context.zone, {}).Append(*array->data(), row, &json);
  return json;
}

std::string ValueText(const std::shared_ptr<arrow::Array>& array, int64_t row,
                      const EvalContext& context) {
  const arrow::DataType& type = *array->type();
  if (array->IsNull(row)) return "NULL";
  if (type.id() == arrow::Type::BINARY) {
    return Hex(static_cast<const arrow::BinaryArray&>(*array).GetView(row));
  }
  if (type.id() == arrow::Type::STRING) {
    const std::string_view text = static_cast<const arrow::StringArray&>(*array).GetView(row);
    return fmt::format("\"{}\"", Escaped(text));
  }
  if (type.num_fields() > 0 && !arrow::is_interval(type.id())) {
    return NestedText(array, row, context);
  }
  return CastToText(*array, row, *context.zone);
}

std::string TextOf(const std::shared_ptr<arrow::Array>& array, int64_t row,
                   const EvalContext& context) {
  return fmt::format("{} | {}", SqlTypeName(*array->type()), ValueText(array, row, context));
}

arrow::Result<std::shared_ptr<arrow::Array>> Evaluate(const ExprPtr& expr,
                                                      const arrow::RecordBatch& batch,
                                                      const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(auto compiled, CompiledExpr::Make(expr));
  ARROW_ASSIGN_OR_RAISE(auto array, compiled->Evaluate(context, batch));
  ARROW_RETURN_NOT_OK(array->ValidateFull());
  if (array->length() != batch.num_rows() || !array->type()->Equals(*expr->type)) {
    return arrow::Status::Invalid("wrong length or type: ", array->ToString());
  }
  return array;
}

// Puts columns in place of literals, or takes the NULL of their type instead.
class LiteralReplacer {
 public:
  LiteralReplacer(ExprPtr root, bool only_first) : root_(std::move(root)) {
    for (size_t place = 0; place < CountLiterals(*root_); ++place) {
      if (only_first && !values_.empty()) break;
      places_.push_back(place);
      arrow::Status made = CompiledExpr::Make(WithColumns()).status();
      if (!made.ok()) {
        places_.pop_back();
        if (!WantsLiteral(made)) unexpected_ = made;
        continue;
      }
      values_.push_back(LiteralAt(*root_, place));
    }
  }
  const arrow::Status& unexpected() const { return unexpected_; }
  const std::vector<std::shared_ptr<arrow::Scalar>>& values() const { return values_; }

  ExprPtr WithColumns() const {
    size_t place = 0;
    return Replaced(root_, &place, [](const Expr& literal, int index) {
      return MakeColumn(index, fmt::format("c{}", index), literal.type, literal.span);
    });
  }
  ExprPtr WithNulls() const {
    size_t place = 0;
    return Replaced(root_, &place, [](const Expr& literal, int) {
      return MakeLiteral(arrow::MakeNullScalar(literal.type), literal.span);
    });
  }

 private:
  static size_t CountLiterals(const Expr& expr) {
    if (expr.kind == Expr::Kind::kLiteral) return 1;
    size_t count = 0;
    for (const ExprPtr& arg : expr.args) count += CountLiterals(*arg);
    return count;
  }
  static std::shared_ptr<arrow::Scalar> LiteralAt(const Expr& expr, size_t place) {
    if (expr.kind == Expr::Kind::kLiteral) return expr.literal;
    for (const ExprPtr& arg : expr.args) {
      const size_t count = CountLiterals(*arg);
      if (place < count) return LiteralAt(*arg, place);
      place -= count;
    }
    return nullptr;
  }
  template <class Make>
  ExprPtr Replaced(const ExprPtr& expr, size_t* place, const Make& make) const {
    if (expr->kind == Expr::Kind::kLiteral) {
      const size_t own = (*place)++;
      for (size_t i = 0; i < places_.size(); ++i) {
        if (places_[i] == own) return make(*expr, static_cast<int>(i));
      }
      return expr;
    }
    auto copy = std::make_shared<Expr>(*expr);
    for (ExprPtr& arg : copy->args) arg = Replaced(arg, place, make);
    return copy;
  }

  ExprPtr root_;
  std::vector<size_t> places_;
  std::vector<std::shared_ptr<arrow::Scalar>> values_;
  arrow::Status unexpected_;
};

arrow::Result<std::shared_ptr<arrow::RecordBatch>> BatchOf(
    const std::vector<std::shared_ptr<arrow::Scalar>>& values, const std::vector<bool>& is_valid) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& value : values) {
    arrow::ArrayVector rows;
    for (const bool valid : is_valid) {
      const auto scalar = valid ? value : arrow::MakeNullScalar(value->type);
      ARROW_ASSIGN_OR_RAISE(auto row, arrow::MakeArrayFromScalar(*scalar, 1));
      rows.push_back(std::move(row));
    }
    ARROW_ASSIGN_OR_RAISE(auto column, arrow::Concatenate(rows));
    fields.push_back(arrow::field(fmt::format("c{}", fields.size()), value->type));
    arrays.push_back(std::move(column));
  }
  const auto rows = static_cast<int64_t>(is_valid.size());
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

}  // namespace

EvalContext ContextOf(std::string_view zone) {
  EvalContext context;
  context.epoch_time_us = 1'767'225'600'000'000;  // 2026-01-01 00:00:00 UTC
  context.zone = FindTimeZone(zone).ValueOrDie();
  context.seed = 42;
  context.pool = arrow::default_memory_pool();
  return context;
}

arrow::Result<ExprPtr> BoundExpression(std::string_view text, const EvalContext& context) {
  ARROW_ASSIGN_OR_RAISE(driver::sql::AstExpr ast, driver::sql::ParseExpression(text));
  const driver::NameScope nothing({});
  driver::ExprBinder binder(nothing, {.query = text, .zone = context.zone.get()});
  return binder.Bind(ast);
}

std::string ErrorAnswer(const arrow::Status& status) {
  const std::string error_class = ErrorClassOf(status);
  const std::string_view state = SqlStateOf(error_class);
  return fmt::format("error | {}{}{}", error_class, state.empty() ? "" : " ", state);
}

std::string AnswerOf(const ExprPtr& expr, const EvalContext& context) {
  const auto batch = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  auto array = Evaluate(expr, *batch, context);
  return array.ok() ? TextOf(*array, 0, context) : ErrorAnswer(array.status());
}

std::string PlainTextOf(const ExprPtr& expr, const EvalContext& context) {
  const auto batch = arrow::RecordBatch::Make(arrow::schema({}), 1, arrow::ArrayVector{});
  auto array = Evaluate(expr, *batch, context);
  if (!array.ok()) return ErrorAnswer(array.status());
  const bool is_binary = (*array)->type_id() == arrow::Type::BINARY && (*array)->IsValid(0);
  return is_binary ? ValueText(*array, 0, context) : CastToText(**array, 0, *context.zone);
}

bool IsSameAnswer(std::string_view ours, std::string_view recorded) {
  if (ours == recorded) return true;
  // Errors that have no SQLSTATE in Spark, or are ours alone, have one here.
  constexpr std::string_view kError = "error | ";
  constexpr size_t kStateSize = 6;  // with its blank
  if (recorded.starts_with(kError) && recorded.find(' ', kError.size()) == std::string_view::npos) {
    return ours.size() == recorded.size() + kStateSize && ours.starts_with(recorded);
  }
  for (const bool is_float : {false, true}) {
    const std::string_view head = is_float ? "FLOAT | " : "DOUBLE | ";
    if (!ours.starts_with(head) || !recorded.starts_with(head)) continue;
    char *end_a = nullptr, *end_b = nullptr;
    const std::string text_a(ours.substr(head.size())), text_b(recorded.substr(head.size()));
    const double x = std::strtod(text_a.c_str(), &end_a), y = std::strtod(text_b.c_str(), &end_b);
    if (*end_a != 0 || *end_b != 0) return false;
    if (x == y) return true;
    const double unit = is_float ? double{std::numeric_limits<float>::epsilon()}
                                 : std::numeric_limits<double>::epsilon();
    return std::fabs(x - y) <= 2 * unit * std::max(std::fabs(x), std::fabs(y));
  }
  return false;
}

std::string DifferenceOverColumns(const ExprPtr& expr, const EvalContext& context,
                                  const std::string& answer, bool only_first) {
  const LiteralReplacer replacer(expr, only_first);
  if (!replacer.unexpected().ok()) return "does not bind: " + replacer.unexpected().message();
  if (replacer.values().empty()) return "";
  const std::string of_nulls = AnswerOf(replacer.WithNulls(), context);
  const bool has_error = answer.starts_with("error") || of_nulls.starts_with("error");
  const std::vector<bool> rows =
      has_error ? std::vector<bool>{true, true, true} : std::vector<bool>{false, true, false, true};
  auto batch = BatchOf(replacer.values(), rows);
  if (!batch.ok()) return batch.status().message();
  auto array = Evaluate(replacer.WithColumns(), *(*batch)->Slice(1), context);
  if (!array.ok()) {
    const std::string error = ErrorAnswer(array.status());
    return IsSameAnswer(error, answer) ? "" : error + ": " + array.status().message();
  }
  for (int64_t row = 0; row < (*array)->length(); ++row) {
    const std::string& want = rows[row + 1] ? answer : of_nulls;
    const std::string got = TextOf(*array, row, context);
    if (!IsSameAnswer(got, want)) {
      return fmt::format("row {} gives {}, want {}", row, got, want);
    }
  }
  return "";
}

}  // namespace tidemill
