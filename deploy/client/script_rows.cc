#include "deploy/client/script_rows.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "common/functions/docs/function_docs.h"
#include "common/types/catalog_name.h"
#include "driver/spec/script/name_pattern.h"

namespace tidemill::deploy {

namespace {

// A result of text columns.
class TextRows {
 public:
  explicit TextRows(const std::vector<std::string>& names) : builders_(names.size()) {
    arrow::FieldVector fields;
    fields.reserve(names.size());
    for (const std::string& name : names) fields.push_back(arrow::field(name, arrow::utf8()));
    schema_ = arrow::schema(std::move(fields));
  }

  // One value per column; nothing is NULL.
  arrow::Status Add(const std::vector<std::optional<std::string>>& row) {
    for (size_t i = 0; i < row.size(); ++i) {
      ARROW_RETURN_NOT_OK(row[i] ? builders_[i].Append(*row[i]) : builders_[i].AppendNull());
    }
    ++count_;
    return arrow::Status::OK();
  }

  arrow::Result<RowSet> Finish() {
    arrow::ArrayVector columns(builders_.size());
    for (size_t i = 0; i < columns.size(); ++i)
      ARROW_RETURN_NOT_OK(builders_[i].Finish(&columns[i]));
    return RowSet{schema_, {arrow::RecordBatch::Make(schema_, count_, std::move(columns))}};
  }

 private:
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<arrow::StringBuilder> builders_;
  int64_t count_ = 0;
};

arrow::Result<RowSet> RowsOfTables(const driver::TablesStep& step) {
  arrow::StringBuilder spaces;
  arrow::StringBuilder names;
  arrow::BooleanBuilder temporaries;
  for (const auto& table : step.tables) {
    ARROW_RETURN_NOT_OK(spaces.Append(table.is_temporary ? "" : "default"));
    ARROW_RETURN_NOT_OK(names.Append(table.name));
    ARROW_RETURN_NOT_OK(temporaries.Append(table.is_temporary));
  }
  arrow::ArrayVector columns(3);
  ARROW_RETURN_NOT_OK(spaces.Finish(&columns[0]));
  ARROW_RETURN_NOT_OK(names.Finish(&columns[1]));
  ARROW_RETURN_NOT_OK(temporaries.Finish(&columns[2]));
  const auto schema = arrow::schema({arrow::field("namespace", arrow::utf8()),
                                     arrow::field("tableName", arrow::utf8()),
                                     arrow::field("isTemporary", arrow::boolean())});
  const auto count = static_cast<int64_t>(step.tables.size());
  return RowSet{schema, {arrow::RecordBatch::Make(schema, count, std::move(columns))}};
}

// A row for each line, so that tables of them can be read.
arrow::Result<RowSet> RowsOfLines(std::string_view text) {
  TextRows rows({"plan"});
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    ARROW_RETURN_NOT_OK(rows.Add({std::string(text.substr(0, end))}));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return rows.Finish();
}

arrow::Result<RowSet> RowsOfColumns(const arrow::Schema& schema) {
  TextRows rows({"col_name", "data_type", "comment"});
  for (const auto& field : schema.fields()) {
    ARROW_RETURN_NOT_OK(rows.Add({field->name(), CatalogTypeName(*field->type()), std::nullopt}));
  }
  return rows.Finish();
}

arrow::Result<RowSet> RowsOfFunctions(const driver::ShowFunctions& step) {
  TextRows rows({"function"});
  for (const std::string& name : DescribedFunctions()) {
    if (driver::MatchesPattern(name, step.pattern)) ARROW_RETURN_NOT_OK(rows.Add({name}));
  }
  return rows.Finish();
}

arrow::Result<RowSet> RowsOfFunction(const driver::DescribeFunction& step) {
  const auto function = DescribeFunction(step.name.text);
  TextRows rows({"function_desc"});
  if (!function.has_value()) {
    ARROW_RETURN_NOT_OK(rows.Add({fmt::format("Function: {} not found.", step.name.text)}));
    return rows.Finish();
  }
  ARROW_RETURN_NOT_OK(rows.Add({fmt::format("Function: {}", function->canonical)}));
  ARROW_RETURN_NOT_OK(
      rows.Add({fmt::format("Usage: {} - {}", function->usage, function->description)}));
  if (!step.is_extended) return rows.Finish();
  std::string extended = "No example for this function.";
  if (!function->example.empty()) {
    const bool is_query = function->example.starts_with("SELECT ");
    extended = fmt::format("\n    Examples:\n      > {}{};\n       {}\n", is_query ? "" : "SELECT ",
                           function->example, function->result);
  }
  ARROW_RETURN_NOT_OK(rows.Add({fmt::format("Extended Usage:{}", extended)}));
  return rows.Finish();
}

// Runs what a step asks for; `tables` finds what a query does not declare.
struct StepRunner {
  const TableFinder& find_tables;

  arrow::Result<std::map<std::string, RowSet>> Find(const driver::JobSpec& query) const {
    ARROW_ASSIGN_OR_RAISE(const std::vector<TableName> names, UndeclaredTables(query));
    if (names.empty() || !find_tables) return std::map<std::string, RowSet>();
    return find_tables(query, names);
  }

  arrow::Result<RowSet> operator()(const driver::QueryStep& step) const {
    ARROW_ASSIGN_OR_RAISE(const auto tables, Find(step.query));
    if (!step.is_explained) return RunBoundedQuery(step.query, tables);
    ARROW_ASSIGN_OR_RAISE(const std::string plan, ExplainQuery(step.query, tables));
    return RowsOfLines(plan);
  }
  arrow::Result<RowSet> operator()(const driver::DescribeStep& step) const {
    ARROW_ASSIGN_OR_RAISE(const auto tables, Find(step.query));
    ARROW_ASSIGN_OR_RAISE(const auto schema, SchemaOfQuery(step.query, tables));
    return RowsOfColumns(*schema);
  }
  arrow::Result<RowSet> operator()(const driver::TablesStep& step) const {
    return RowsOfTables(step);
  }
  arrow::Result<RowSet> operator()(const driver::ShowFunctions& step) const {
    return RowsOfFunctions(step);
  }
  arrow::Result<RowSet> operator()(const driver::DescribeFunction& step) const {
    return RowsOfFunction(step);
  }
};

}  // namespace

arrow::Result<RowSet> RowsOf(const driver::ScriptStep& step, const TableFinder& find_tables) {
  return std::visit(StepRunner{find_tables}, step.action);
}

}  // namespace tidemill::deploy
