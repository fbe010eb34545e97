#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/source.h"

namespace tidemill::driver {

// A table that a streaming job joins with as it is in every epoch: the static side of a join, whole
// in every plan (workers that have it already are told so: kept_builds.h). It has no position,
// never is a reason to run an epoch, and is not part of progress; the plan of an epoch holds its
// splits, so that a replay reads the same. *Thread-compatible.*
class StaticSource final : public connectors::SourceDriver {
 public:
  using Make = std::function<arrow::Result<std::unique_ptr<connectors::SourceDriver>>()>;
  explicit StaticSource(Make make) : make_(std::move(make)) {}

  arrow::Result<connectors::EpochInput> Next(connectors::ReadLimit limit) override;
  arrow::Status FixEnd() override { return arrow::Status::OK(); }
  arrow::Status Commit(const connectors::EpochInput& input) override { return arrow::Status::OK(); }
  std::string Snapshot() const override { return ""; }
  arrow::Status Restore(std::string_view snapshot) override { return arrow::Status::OK(); }
  arrow::Result<std::vector<connectors::Split>> Replay(
      const connectors::EpochInput& input) override {
    return input.splits;
  }
  std::string Description() const override { return ""; }

 private:
  const Make make_;  // a source at its beginning
};

}  // namespace tidemill::driver
