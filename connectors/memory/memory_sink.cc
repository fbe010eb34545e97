#include "connectors/memory/memory_sink.h"

#include <fmt/format.h>

#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "connectors/memory/memory_tables.h"
#include "connectors/row_carrier.h"

namespace tidemill::connectors {

namespace {

class MemoryDriver final : public SinkDriver {
 public:
  explicit MemoryDriver(const SinkSpec& spec)
      : name_(spec.job_name), replaces_(spec.output_mode == OutputMode::kComplete) {
    MemoryTables::OfProcess()->Create(name_, spec.job_uuid, spec.schema);
  }

  arrow::Status Open(uint64_t term) override { return arrow::Status::OK(); }
  arrow::Result<std::optional<Published>> Recover(int64_t last_committed) override {
    return std::optional<Published>();
  }

  arrow::Status Commit(const EpochId& id, uint64_t plan_hash, std::vector<StagedOutput> outputs,
                       const std::function<bool()>& still_mine) override {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const StagedOutput& output : outputs) {
      ARROW_ASSIGN_OR_RAISE(auto rows, DecodeRows(output.rows));
      batches.insert(batches.end(), rows.begin(), rows.end());
    }
    if (!still_mine()) {
      return MakeError(ErrorKind::kFenced, "FENCED",
                       fmt::format("a newer driver took over before the commit: epoch={} term={}",
                                   id.epoch, id.term));
    }
    MemoryTables::OfProcess()->Put(name_, id.epoch, replaces_, std::move(batches));
    return arrow::Status::OK();
  }

  std::string Description() const override { return fmt::format("MemorySink[{}]", name_); }

 private:
  const std::string name_;
  const bool replaces_;
};

}  // namespace

arrow::Result<SinkSpec> ResolveMemorySink(SinkSpec spec) {
  ARROW_RETURN_NOT_OK(spec.options.RequireKnown({}, "memory"));
  if (spec.output_mode == OutputMode::kUpdate) {
    return MakeError(ErrorKind::kInvalid, "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE",
                     "Invalid streaming output mode: update. This output mode is not supported in "
                     "Data Source memory.");
  }
  return spec;
}

arrow::Result<std::unique_ptr<SinkDriver>> MakeMemorySinkDriver(const SinkSpec& spec,
                                                                const SinkDriverContext& context) {
  return std::make_unique<MemoryDriver>(spec);
}

arrow::Result<std::unique_ptr<SinkWriter>> MakeMemorySinkWriter(const SinkSpec& spec,
                                                                const WriterContext& context) {
  return std::make_unique<RowCarrier>(std::numeric_limits<int64_t>::max());
}

}  // namespace tidemill::connectors
