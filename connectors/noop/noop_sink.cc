#include "connectors/noop/noop_sink.h"

#include <utility>

#include "connectors/row_carrier.h"

namespace tidemill::connectors {

namespace {

class NoopDriver final : public SinkDriver {
 public:
  arrow::Status Open(uint64_t term) override { return arrow::Status::OK(); }
  arrow::Result<std::optional<Published>> Recover(int64_t last_committed) override {
    return std::optional<Published>();
  }
  arrow::Status Commit(const EpochId& id, uint64_t plan_hash, std::vector<StagedOutput> outputs,
                       const std::function<bool()>& still_mine) override {
    return arrow::Status::OK();
  }
  std::string Description() const override { return "NoopSink"; }
};

}  // namespace

arrow::Result<SinkSpec> ResolveNoopSink(SinkSpec spec) {
  ARROW_RETURN_NOT_OK(spec.options.RequireKnown({}, "noop"));
  return spec;
}

arrow::Result<std::unique_ptr<SinkDriver>> MakeNoopSinkDriver(const SinkSpec& spec,
                                                              const SinkDriverContext& context) {
  return std::make_unique<NoopDriver>();
}

arrow::Result<std::unique_ptr<SinkWriter>> MakeNoopSinkWriter(const SinkSpec& spec,
                                                              const WriterContext& context) {
  return std::make_unique<RowCarrier>(/*max_rows=*/0);
}

}  // namespace tidemill::connectors
