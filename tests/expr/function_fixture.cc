#include "tests/expr/function_fixture.h"

#include <arrow/json/from_string.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "common/types/ddl.h"
#include "common/types/value_format.h"

namespace tidemill {

namespace {

std::shared_ptr<arrow::Array> ArrayFrom(const TestColumn& column) {
  return arrow::json::ArrayFromJSONString(ParseDdlType(column.type).ValueOrDie(), column.json)
      .ValueOrDie();
}

Texts ErrorTexts(const arrow::Status& status) { return {"error: " + ErrorClassOf(status)}; }

arrow::Result<ExprPtr> CallOverColumns(std::string_view name, const arrow::RecordBatch& batch,
                                       int row, bool keep_first) {
  std::vector<ExprPtr> args;
  for (int i = 0; i < batch.num_columns(); ++i) {
    const bool is_column = row < 0 || (i == 0 && keep_first);
    args.push_back(is_column ? ColumnOf(batch, i)
                             : MakeLiteral(batch.column(i)->GetScalar(row).ValueOrDie()));
  }
  return MakeCall(name, std::move(args));
}

bool IsSameOnEveryRow(const arrow::Array& array) {
  for (int64_t row = 1; row < array.length(); ++row) {
    if (!array.RangeEquals(array, 0, 1, row)) return false;
  }
  return true;
}

// Rows are evaluated as literals one by one; a failing row ends it, as it ends a batch.
Texts EvaluatedByLiterals(std::string_view name, const arrow::RecordBatch& batch) {
  Texts texts;
  for (int row = 0; row < batch.num_rows(); ++row) {
    auto call = CallOverColumns(name, batch, row, false);
    if (!call.ok()) return ErrorTexts(call.status());
    Texts one = Evaluated(*call, *batch.Slice(row, 1));
    if (one[0].starts_with("error: ")) return one;
    texts.push_back(one[0]);
  }
  return texts;
}

}  // namespace

EvalContext TestContext(std::string_view zone) {
  EvalContext context;
  context.epoch_time_us = 1'767'225'600'000'000;  // 2026-01-01 00:00:00 UTC
  context.zone = FindTimeZone(zone).ValueOrDie();
  context.seed = 42;
  context.pool = arrow::default_memory_pool();
  return context;
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::vector<TestColumn>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const TestColumn& column : columns) {
    arrays.push_back(ArrayFrom(column));
    fields.push_back(arrow::field(std::string(1, static_cast<char>('a' + fields.size())),
                                  arrays.back()->type()));
  }
  const int64_t rows = arrays.empty() ? 1 : arrays[0]->length();
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

ExprPtr ColumnOf(const arrow::RecordBatch& batch, int index) {
  return MakeColumn(index, batch.column_name(index), batch.column(index)->type());
}

ExprPtr Literal(const std::string& type, const std::string& json) {
  return MakeLiteral(ArrayFrom({type, "[" + json + "]"})->GetScalar(0).ValueOrDie());
}

ExprPtr Call(std::string_view name, std::vector<ExprPtr> args) {
  return MakeCall(name, std::move(args)).ValueOrDie();
}

ExprPtr CastTo(const ExprPtr& arg, const std::string& type, bool is_try) {
  return MakeCast(arg, ParseDdlType(type).ValueOrDie(), is_try).ValueOrDie();
}

Texts Evaluated(const ExprPtr& expr, const arrow::RecordBatch& batch, std::string_view zone) {
  auto compiled = CompiledExpr::Make(expr);
  if (!compiled.ok()) return ErrorTexts(compiled.status());
  const EvalContext context = TestContext(zone);
  auto array = (*compiled)->Evaluate(context, batch);
  if (!array.ok()) return ErrorTexts(array.status());
  EXPECT_TRUE((*array)->ValidateFull().ok()) << (*array)->ValidateFull();
  EXPECT_EQ((*array)->length(), batch.num_rows());
  EXPECT_TRUE((*array)->type()->Equals(*expr->type)) << (*array)->type()->ToString();
  Texts texts;
  for (int64_t row = 0; row < (*array)->length(); ++row) {
    texts.push_back(CastToText(**array, row, *context.zone));
  }
  return texts;
}

Texts Apply(std::string_view name, const std::vector<TestColumn>& columns) {
  const auto batch = BatchOf(columns);
  auto call = CallOverColumns(name, *batch, -1, true);
  const Texts by_literals = EvaluatedByLiterals(name, *batch);
  if (!call.ok()) return ErrorTexts(call.status());
  const Texts texts = Evaluated(*call, *batch);
  EXPECT_EQ(by_literals, texts) << name << " of literals";
  bool is_prepared = columns.size() > 1;
  for (int i = 1; i < batch->num_columns(); ++i) {
    is_prepared = is_prepared && IsSameOnEveryRow(*batch->column(i));
  }
  if (is_prepared) {
    auto prepared = CallOverColumns(name, *batch, 0, true);
    EXPECT_EQ(prepared.ok() ? Evaluated(*prepared, *batch) : ErrorTexts(prepared.status()), texts)
        << name << " of a column and literals";
  }
  // A slice has an offset, which kernels must heed.
  if (batch->num_rows() > 1 && !texts[0].starts_with("error: ")) {
    EXPECT_EQ(Evaluated(*call, *batch->Slice(1)), Texts(texts.begin() + 1, texts.end()))
        << name << " of a slice";
  }
  return texts;
}

Texts ApplyCast(const TestColumn& column, const std::string& type, bool is_try,
                std::string_view zone) {
  const auto batch = BatchOf({column});
  auto cast = MakeCast(ColumnOf(*batch, 0), ParseDdlType(type).ValueOrDie(), is_try);
  if (!cast.ok()) return ErrorTexts(cast.status());
  return Evaluated(*cast, *batch, zone);
}

std::string MessageOf(std::string_view name, const std::vector<TestColumn>& columns) {
  const auto batch = BatchOf(columns);
  auto call = CallOverColumns(name, *batch, -1, true);
  if (!call.ok()) return call.status().message();
  auto compiled = CompiledExpr::Make(*call);
  if (!compiled.ok()) return compiled.status().message();
  return (*compiled)->Evaluate(TestContext(), *batch).status().message();
}

std::string TypeOf(std::string_view name, const std::vector<std::string>& types) {
  std::vector<ExprPtr> args;
  for (const std::string& type : types) {
    args.push_back(MakeColumn(static_cast<int>(args.size()), "c", ParseDdlType(type).ValueOrDie()));
  }
  auto call = MakeCall(name, std::move(args));
  return call.ok() ? SqlTypeName(*(*call)->type) : "error: " + ErrorClassOf(call.status());
}

}  // namespace tidemill
