#pragma once

#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "driver/job/plan_job.h"
#include "proto/plan.pb.h"
#include "tests/worker/scripted_driver.h"

namespace tidemill::testing {

// Input files, and the plan records of epochs over them, made once and replayed on workers of this
// process. *Thread-compatible.*
class ReplayFixture : public ::testing::Test {
 protected:
  static constexpr int kKeyGroups = 16;
  static constexpr int kEpochs = 4;

  void SetUp() override {
    root_ = std::filesystem::path(::testing::TempDir()) / ("replay-" + NewUuid(Random::System()));
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
    source.drop_duplicates = drop_duplicates_;
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
    plan.set_epoch_time_us(int64_t{1'000'000} * epoch);
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
  Outcome Run(const proto::PhysicalPlan& plan, int workers, int slots, const std::string& name,
              ScriptedDriver::Kind kind = ScriptedDriver::Kind::kOneProcess) {
    ScriptedDriver driver(workers, slots, (root_ / name).string(), kind);
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
  std::optional<driver::DropDuplicatesSpec> drop_duplicates_;  // of the source
};

}  // namespace tidemill::testing
