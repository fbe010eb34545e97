#include "deploy/client/row_text.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <string_view>

#include "common/types/value_format.h"

namespace tidemill::deploy {

namespace {

void AppendCsvField(std::string_view text, std::string* out) {
  if (!text.empty() && text.find_first_of("\",\r\n") == std::string_view::npos) {
    out->append(text);
    return;
  }
  out->push_back('"');
  for (const char c : text) {
    if (c == '"') out->push_back('"');
    out->push_back(c);
  }
  out->push_back('"');
}

}  // namespace

arrow::Result<std::string> RowsAsTable(const RowSet& rows, const TimeZone& zone) {
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        arrow::Table::FromRecordBatches(rows.schema, rows.batches));
  ARROW_ASSIGN_OR_RAISE(const auto batch, table->CombineChunksToBatch());
  std::string text =
      ShowText(*batch, batch->num_rows(), /*truncate=*/false, /*has_more=*/false, zone);
  while (text.ends_with("\n\n")) text.pop_back();
  return text;
}

std::string RowsAsJson(const RowSet& rows, std::shared_ptr<const TimeZone> zone) {
  const JsonRowWriter writer(rows.schema, std::move(zone));
  std::string text;
  for (const auto& batch : rows.batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      writer.AppendRow(*batch, row, &text);
      text.push_back('\n');
    }
  }
  return text;
}

std::string RowsAsCsv(const RowSet& rows, const TimeZone& zone) {
  std::string text;
  for (int i = 0; i < rows.schema->num_fields(); ++i) {
    if (i > 0) text.push_back(',');
    AppendCsvField(rows.schema->field(i)->name(), &text);
  }
  text += "\n";
  for (const auto& batch : rows.batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      for (int i = 0; i < batch->num_columns(); ++i) {
        if (i > 0) text.push_back(',');
        const arrow::Array& column = *batch->column(i);
        if (!column.IsNull(row)) AppendCsvField(CastToText(column, row, zone), &text);
      }
      text += "\n";
    }
  }
  return text;
}

}  // namespace tidemill::deploy
