#include "connectors/memory/values_source.h"

#include <arrow/record_batch.h>
#include <arrow/util/base64.h>
#include <fmt/format.h>

#include <utility>

#include "common/base/error.h"
#include "connectors/memory/row_table.h"
#include "connectors/row_carrier.h"

namespace tidemill::connectors {

namespace {

constexpr const char* kRows = "rows";  // base64 of an Arrow IPC stream

arrow::Result<std::shared_ptr<const RowTable>> TableOf(const SourceSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const std::string bytes,
                        arrow::util::base64_decode(spec.options.GetString(kRows, "")));
  ARROW_ASSIGN_OR_RAISE(auto batches, DecodeRows(bytes));
  return RowTable::Make(spec.schema, std::move(batches));
}

}  // namespace

arrow::Result<SourceSpec> ValuesSourceOf(std::string name,
                                         const std::shared_ptr<arrow::RecordBatch>& rows) {
  SourceSpec spec;
  spec.name = std::move(name);
  spec.format = "values";
  spec.schema = rows->schema();
  spec.is_streaming = false;
  ARROW_ASSIGN_OR_RAISE(const std::string bytes, EncodeRows({rows}));
  spec.options.Set(kRows, arrow::util::base64_encode(bytes));
  spec.bytes = static_cast<int64_t>(bytes.size());
  return spec;
}

arrow::Result<SourceSpec> ResolveValuesSource(SourceSpec spec) {
  return WithHint(
      MakeError(ErrorKind::kInvalid, "UNSUPPORTED_DATA_SOURCE",
                fmt::format("source format cannot be declared: format={}", spec.format)),
      "write VALUES in the query");
}

arrow::Result<std::unique_ptr<SourceDriver>> MakeValuesSourceDriver(
    const SourceSpec& spec, const SourceDriverContext& context) {
  ARROW_ASSIGN_OR_RAISE(const auto table, TableOf(spec));
  return MakeRowTableDriver("ValuesSource", table->num_rows);
}

arrow::Result<std::unique_ptr<SourceReader>> MakeValuesSourceReader(
    const SourceSpec& spec, const std::vector<int>& columns) {
  ARROW_ASSIGN_OR_RAISE(auto table, TableOf(spec));
  // The only row needs no number.
  std::string name = table->num_rows > 1 ? "VALUES" : "";
  return MakeRowTableReader(std::move(name), std::move(table), columns);
}

}  // namespace tidemill::connectors
