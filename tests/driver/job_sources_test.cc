#include "driver/job/job_sources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"

namespace tidemill::driver {
namespace {

using testing::ElementsAre;
using testing::Optional;

// Gives one more row with each call, as long as there are rows.
class StepSource final : public connectors::SourceDriver {
 public:
  int rows = 0;
  bool is_failing = false;

  arrow::Result<connectors::EpochInput> Next(connectors::ReadLimit) override {
    if (is_failing) return MakeError(ErrorKind::kUnavailable, "BROKER_GONE", "planned");
    connectors::EpochInput input{.start_offset = std::to_string(position_)};
    if (position_ < rows) ++position_;
    input.end_offset = std::to_string(position_);
    return input;
  }
  arrow::Status FixEnd() override { return arrow::Status::OK(); }
  arrow::Status Commit(const connectors::EpochInput&) override { return arrow::Status::OK(); }
  std::string Snapshot() const override { return std::to_string(position_); }
  arrow::Status Restore(std::string_view) override { return arrow::Status::OK(); }
  arrow::Result<std::vector<connectors::Split>> Replay(const connectors::EpochInput&) override {
    return std::vector<connectors::Split>();
  }
  std::string Description() const override { return "StepSource"; }

 private:
  int position_ = 0;
};

class JobSourcesTest : public testing::Test {
 protected:
  JobSourcesTest() {
    std::vector<std::unique_ptr<connectors::SourceDriver>> sources;
    for (StepSource*& source : steps_) {
      sources.push_back(std::make_unique<StepSource>());
      source = static_cast<StepSource*>(sources.back().get());
    }
    sources_ = std::make_unique<JobSources>(std::move(sources), Clock::System());
  }
  arrow::Result<PolledInput> Poll(bool wants_snapshots = false) {
    return sources_->Poll(connectors::ReadLimit{}, wants_snapshots);
  }
  static std::vector<std::string> Ends(const PolledInput& polled) {
    std::vector<std::string> ends;
    for (const auto& input : polled.inputs) {
      ends.push_back(input.start_offset + "-" + input.end_offset);
    }
    return ends;
  }

  StepSource* steps_[2];
  std::unique_ptr<JobSources> sources_;
};

TEST_F(JobSourcesTest, WhatOneSourceGaveBeforeAnotherFailedIsNotLost) {
  steps_[0]->rows = 2;
  steps_[1]->rows = 2;
  steps_[1]->is_failing = true;
  EXPECT_FALSE(Poll().ok());
  EXPECT_FALSE(Poll().ok());

  steps_[1]->is_failing = false;
  EXPECT_THAT(Ends(Poll().ValueOrDie()), ElementsAre("0-1", "0-1"));
  EXPECT_THAT(Ends(Poll().ValueOrDie()), ElementsAre("1-2", "1-2"));
}

TEST_F(JobSourcesTest, ASourceWithoutNewsIsAskedAgainAfterAFailure) {
  steps_[1]->is_failing = true;
  EXPECT_FALSE(Poll().ok());

  steps_[0]->rows = 1;
  steps_[1]->is_failing = false;
  EXPECT_THAT(Ends(Poll().ValueOrDie()), ElementsAre("0-1", "0-0"));
}

TEST_F(JobSourcesTest, PositionsForABaseAreThoseBeforeAllOfTheInput) {
  steps_[0]->rows = 1;
  steps_[1]->is_failing = true;
  EXPECT_FALSE(Poll(/*wants_snapshots=*/true).ok());

  steps_[1]->is_failing = false;
  EXPECT_THAT(Poll(true).ValueOrDie().snapshots, Optional(ElementsAre("0", "0")));
  EXPECT_THAT(Poll(true).ValueOrDie().snapshots, Optional(ElementsAre("1", "0")));
}

TEST_F(JobSourcesTest, InTheMiddleOfAnInputThereAreNoPositionsForABase) {
  steps_[0]->rows = 1;
  steps_[1]->is_failing = true;
  EXPECT_FALSE(Poll().ok());

  steps_[1]->is_failing = false;
  EXPECT_EQ(Poll(/*wants_snapshots=*/true).ValueOrDie().snapshots, std::nullopt);
}

}  // namespace
}  // namespace tidemill::driver
