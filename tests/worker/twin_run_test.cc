#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include "driver/job/plan_job.h"
#include "proto/plan.pb.h"
#include "tests/worker/scripted_driver.h"

namespace tidemill::testing {
namespace {

constexpr int kKeyGroups = 16;
constexpr int kEpochs = 4;

// Input files, and the plan records of epochs over them, made once and replayed by every twin.
class TwinRunTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::path(::testing::TempDir()) / ("twin-" + NewUuid(Random::System()));
    std::filesystem::create_directories(root_ / "in");
    std::mt19937_64 random(7);
    for (int file = 0; file < 6; ++file) {
      std::ofstream out(root_ / "in" / (std::to_string(file) + ".json"));
      for (int row = 0; row < 30'000; ++row) {
        // Sums of numbers of very different size depend on the order of adding.
        out << "{\"k\":\"key" << random() % 500
            << "\",\"x\":" << (random() % 2 == 0 ? 1e16 : 1.0) / (1 + random() % 97)
            << ",\"n\":" << random() % 1000 << "}\n";
      }
    }
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  proto::PhysicalPlan Plan(const std::string& query, connectors::OutputMode mode) {
    driver::JobSpec spec;
    spec.name = "twin";
    driver::SourceDecl source;
    source.name = "t";
    source.format = "json";
    source.schema = "k STRING, x DOUBLE, n BIGINT";
    source.options.Set("path", (root_ / "in").string());
    spec.sources.push_back(source);
    spec.query = query;
    spec.sink_format = "console";
    spec.sink_options.Set("style", "json");
    spec.output_mode = mode;
    return *driver::PlanJob(spec, FileSystem::Local()).ValueOrDie().query.plan;
  }

  // Epoch e reads the files e and e + 1 in ranges, over three lanes.
  proto::EpochPlan EpochRecord(int epoch) {
    proto::EpochPlan plan;
    plan.set_epoch(epoch);
    plan.set_lanes(3);
    plan.set_epoch_time_us(1'000'000 * epoch);
    plan.set_seed(99 + epoch);
    proto::SourceInput* input = plan.add_sources();
    for (int file = epoch; file < epoch + 2; ++file) {
      const auto path = root_ / "in" / (std::to_string(file) + ".json");
      const auto info = FileSystem::Local()->Stat(path.string()).ValueOrDie();
      for (int64_t begin = 0; begin < info.size; begin += 300'000) {
        proto::Split* split = input->add_splits();
        split->set_path(info.path);
        split->set_begin(begin);
        split->set_end(std::min(begin + 300'000, info.size));
        split->set_file_size(info.size);
        split->set_mtime_us(info.mtime_us);
      }
    }
    return plan;
  }

  static void AddRows(const proto::Prepared& prepared, std::multiset<std::string>* rows) {
    for (const proto::StagedOutput& output : prepared.outputs()) {
      if (output.rows().empty()) continue;
      auto input =
          std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(output.rows()));
      auto reader = arrow::ipc::RecordBatchStreamReader::Open(input).ValueOrDie();
      while (auto batch = reader->Next().ValueOrDie()) {
        const JsonRowWriter writer(batch->schema(), FindTimeZone("UTC").ValueOrDie());
        for (int64_t row = 0; row < batch->num_rows(); ++row) {
          std::string text;
          writer.AppendRow(*batch, row, &text);
          rows->insert(text);
        }
      }
    }
  }

  struct Outcome {
    std::vector<std::multiset<std::string>> rows;  // by epoch
    std::vector<proto::Extent> extents;
  };
  Outcome Run(const proto::PhysicalPlan& plan, int workers, int slots, const std::string& name) {
    ScriptedDriver driver(workers, slots, (root_ / name).string());
    driver.Deploy(plan, kKeyGroups);
    driver.Assign({}, {}, -1);
    Outcome outcome;
    for (int epoch = 0; epoch < kEpochs; ++epoch) {
      const auto prepared = driver.RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1);
      EXPECT_FALSE(prepared.empty()) << driver.last_failure().ShortDebugString();
      auto& rows = outcome.rows.emplace_back();
      for (const proto::Prepared& part : prepared) {
        AddRows(part, &rows);
        outcome.extents.insert(outcome.extents.end(), part.extents().begin(), part.extents().end());
      }
    }
    return outcome;
  }

  std::filesystem::path root_;
};

TEST_F(TwinRunTest, OneSlotAndThreeSlotsGiveTheSameRowsInEveryEpoch) {
  const auto plan = Plan(
      "SELECT k, sum(x) AS s, count(*) AS c, min(n) AS lo, max(x) AS hi, avg(x) AS a FROM t GROUP "
      "BY k",
      connectors::OutputMode::kUpdate);

  const Outcome one = Run(plan, 1, 1, "one");
  const Outcome three = Run(plan, 1, 3, "three");
  const Outcome spread = Run(plan, 3, 2, "spread");

  ASSERT_EQ(one.rows.size(), static_cast<size_t>(kEpochs));
  EXPECT_EQ(one.rows[0].size(), 500u);
  EXPECT_EQ(three.rows, one.rows);
  EXPECT_EQ(spread.rows, one.rows);
}

TEST_F(TwinRunTest, StateRestoredOnAnotherNumberOfSlotsGoesOnEqually) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome whole = Run(plan, 1, 1, "whole");
  const std::string shared = (root_ / "moved").string();
  std::vector<proto::Extent> extents;
  {
    ScriptedDriver first(1, 3, shared);
    first.Deploy(plan, kKeyGroups);
    first.Assign({}, {}, -1);
    for (int epoch = 0; epoch < 2; ++epoch) {
      for (const auto& part : first.RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1)) {
        extents.insert(extents.end(), part.extents().begin(), part.extents().end());
      }
    }
  }

  ScriptedDriver second(2, 1, shared);
  second.Deploy(plan, kKeyGroups);
  for (const auto& assigned : second.Assign({}, extents, 1))
    EXPECT_FALSE(assigned.has_error()) << assigned.ShortDebugString();
  for (int epoch = 2; epoch < kEpochs; ++epoch) {
    std::multiset<std::string> rows;
    for (const auto& part : second.RunEpoch(EpochRecord(epoch), 2, epoch - 1, epoch == 2 ? 1 : 2))
      AddRows(part, &rows);
    EXPECT_EQ(rows, whole.rows[epoch]) << "epoch " << epoch;
  }
}

TEST_F(TwinRunTest, AnAbortedAttemptLeavesNoTrace) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome undisturbed = Run(plan, 1, 2, "undisturbed");
  ScriptedDriver driver(1, 2, (root_ / "disturbed").string());
  driver.Deploy(plan, kKeyGroups);
  driver.Assign({}, {}, -1);
  driver.RunEpoch(EpochRecord(0), 1, -1, 0);

  driver.RunEpoch(EpochRecord(1), 1, 0, 1);
  driver.Abort(1, 1);
  driver.RunEpoch(EpochRecord(1), 2, 0, 1);
  const auto third =
      driver.RunEpoch(EpochRecord(1), 3, 0, 1);  // Attempt 2 is undone without being told.

  std::multiset<std::string> rows;
  for (const auto& part : third) AddRows(part, &rows);
  EXPECT_EQ(rows, undisturbed.rows[1]);
}

// Else a slot could send rows of the first epoch to one that does not know the job.
TEST_F(TwinRunTest, AWorkerIsAssignedWhenEverySlotIs) {
  ScriptedDriver driver(1, 2, (root_ / "assigned").string());
  driver.Deploy(Plan("SELECT k, count(*) AS c FROM t GROUP BY k", connectors::OutputMode::kUpdate),
                kKeyGroups);

  EXPECT_TRUE(driver.AssignmentWaitsForEverySlot());
}

// What a driver does after the epoch that the query's predecessor had planned; a snapshot of the
// first deployment is under way meanwhile.
TEST_F(TwinRunTest, AJobDeployedAgainOnTheSameWorkersGoesOnWithItsState) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome whole = Run(plan, 1, 1, "whole");
  ScriptedDriver driver(2, 2, (root_ / "again").string());
  std::vector<proto::Extent> extents;
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    driver.Deploy(plan, kKeyGroups, /*snapshot_min_bytes=*/1);
    driver.Assign({}, extents, epoch - 1);
    const auto prepared = driver.RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1);
    ASSERT_FALSE(prepared.empty()) << driver.last_failure().ShortDebugString();
    std::multiset<std::string> rows;
    for (const auto& part : prepared) {
      AddRows(part, &rows);
      extents.insert(extents.end(), part.extents().begin(), part.extents().end());
    }
    EXPECT_EQ(rows, whole.rows[epoch]) << "epoch " << epoch;
    driver.Commit(epoch, 1);
    driver.Undeploy();
  }
}

TEST_F(TwinRunTest, ASnapshotReplacesTheChangelogBeforeIt) {
  const auto plan = Plan("SELECT k, sum(x) AS s, count(*) AS c FROM t GROUP BY k",
                         connectors::OutputMode::kComplete);
  const Outcome whole = Run(plan, 1, 1, "whole");
  const std::string shared = (root_ / "snapshots").string();
  std::vector<proto::Extent> extents;
  proto::Snapshot snapshot;
  {
    ScriptedDriver first(1, 2, shared);
    first.Deploy(plan, kKeyGroups, /*snapshot_min_bytes=*/1);
    first.Assign({}, {}, -1);
    for (int epoch = 0; epoch < 3; ++epoch) {
      for (const auto& part : first.RunEpoch(EpochRecord(epoch), 1, epoch - 1, 1)) {
        extents.insert(extents.end(), part.extents().begin(), part.extents().end());
      }
    }
    snapshot = first.WaitForSnapshot();
  }
  ASSERT_GE(snapshot.epoch(), 0);
  ASSERT_EQ(snapshot.key_groups_size(), kKeyGroups);
  std::erase_if(extents,
                [&](const proto::Extent& extent) { return extent.epoch() <= snapshot.epoch(); });

  ScriptedDriver second(1, 3, shared);
  second.Deploy(plan, kKeyGroups);
  for (const auto& assigned : second.Assign({snapshot}, extents, 2))
    EXPECT_FALSE(assigned.has_error()) << assigned.ShortDebugString();
  std::multiset<std::string> rows;
  for (const auto& part : second.RunEpoch(EpochRecord(3), 2, 2, 1)) AddRows(part, &rows);

  EXPECT_EQ(rows, whole.rows[3]);
}

}  // namespace
}  // namespace tidemill::testing
