#include "connectors/console/console_sink.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "connectors/row_carrier.h"

namespace tidemill::connectors {

namespace {

constexpr int64_t kAllRows = std::numeric_limits<int64_t>::max();

struct ConsoleOptions {
  int64_t num_rows = 20;
  bool truncates = true;
  bool is_json = false;

  // One more than is shown tells that there are more.
  int64_t rows_to_carry() const { return is_json ? kAllRows : num_rows + 1; }
};

arrow::Result<ConsoleOptions> ParseConsoleOptions(const Options& options) {
  ConsoleOptions parsed;
  ARROW_RETURN_NOT_OK(options.RequireKnown({"numRows", "truncate", "style"}, "console"));
  ARROW_ASSIGN_OR_RAISE(parsed.num_rows, options.GetInt("numRows", 20, 0, int64_t{1} << 31));
  ARROW_ASSIGN_OR_RAISE(parsed.truncates, options.GetBool("truncate", true));
  const std::string style = options.GetString("style", "table");
  if (style != "table" && style != "json") {
    return MakeError(ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
                     fmt::format("option style: must be table or json: value={}", style));
  }
  parsed.is_json = style == "json";
  return parsed;
}

class ConsoleDriver final : public SinkDriver {
 public:
  ConsoleDriver(ConsoleOptions options, std::shared_ptr<arrow::Schema> schema,
                SinkDriverContext context)
      : options_(options), schema_(std::move(schema)), context_(std::move(context)) {}

  arrow::Status Open(uint64_t term) override { return arrow::Status::OK(); }
  arrow::Result<std::optional<Published>> Recover(int64_t last_committed) override {
    return std::optional<Published>();
  }

  arrow::Status Commit(const EpochId& id, uint64_t plan_hash, std::vector<StagedOutput> outputs,
                       const std::function<bool()>& still_mine) override {
    int64_t num_rows = 0;
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const StagedOutput& output : outputs) {
      num_rows += output.num_rows;
      ARROW_ASSIGN_OR_RAISE(auto rows, DecodeRows(output.rows));
      batches.insert(batches.end(), rows.begin(), rows.end());
    }
    std::string text;
    if (options_.is_json) {
      if (num_rows > 0) text = JsonText(id.epoch, batches);
    } else {
      ARROW_ASSIGN_OR_RAISE(text, TableText(id.epoch, batches, num_rows));
    }
    if (!still_mine()) {
      return MakeError(ErrorKind::kFenced, "FENCED",
                       fmt::format("a newer driver took over before the commit: epoch={} term={}",
                                   id.epoch, id.term));
    }
    if (!text.empty()) context_.print(text);
    return arrow::Status::OK();
  }

  std::string Description() const override {
    return fmt::format("ConsoleSink[numRows={}, truncate={}]", options_.num_rows,
                       options_.truncates);
  }

 private:
  std::string JsonText(int64_t epoch,
                       const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) const {
    const JsonRowWriter writer(schema_, context_.zone);
    std::string text = fmt::format("{{\"batchId\":{},\"rows\":[", epoch);
    const size_t begin = text.size();
    for (const auto& batch : batches) {
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        if (text.size() > begin) text += ',';
        writer.AppendRow(*batch, row, &text);
      }
    }
    return text + "]}\n";
  }

  arrow::Result<std::string> TableText(
      int64_t epoch, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
      int64_t num_rows) const {
    std::shared_ptr<arrow::RecordBatch> rows;
    if (batches.empty()) {
      ARROW_ASSIGN_OR_RAISE(rows, arrow::RecordBatch::MakeEmpty(schema_));
    } else {
      ARROW_ASSIGN_OR_RAISE(rows, arrow::ConcatenateRecordBatches(batches));
    }
    constexpr std::string_view kDashes = "-------------------------------------------\n";
    return fmt::format("{}Batch: {}\n{}{}", kDashes, epoch, kDashes,
                       ShowText(*rows, options_.num_rows, options_.truncates,
                                num_rows > options_.num_rows, *context_.zone));
  }

  const ConsoleOptions options_;
  const std::shared_ptr<arrow::Schema> schema_;
  const SinkDriverContext context_;
};

}  // namespace

arrow::Result<SinkSpec> ResolveConsoleSink(SinkSpec spec) {
  ARROW_RETURN_NOT_OK(ParseConsoleOptions(spec.options).status());
  return spec;
}

arrow::Result<std::unique_ptr<SinkDriver>> MakeConsoleSinkDriver(const SinkSpec& spec,
                                                                 const SinkDriverContext& context) {
  ARROW_ASSIGN_OR_RAISE(const ConsoleOptions options, ParseConsoleOptions(spec.options));
  return std::make_unique<ConsoleDriver>(options, spec.schema, context);
}

arrow::Result<std::unique_ptr<SinkWriter>> MakeConsoleSinkWriter(const SinkSpec& spec,
                                                                 const WriterContext& context) {
  ARROW_ASSIGN_OR_RAISE(const ConsoleOptions options, ParseConsoleOptions(spec.options));
  return std::make_unique<RowCarrier>(options.rows_to_carry());
}

}  // namespace tidemill::connectors
