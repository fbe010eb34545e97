#include "connectors/file/sink/file_sink.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "common/base/error.h"
#include "connectors/file/sink/sink_manifest.h"
#include "tests/connectors/scratch_dir.h"

namespace tidemill::connectors {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Fails every change once `changes_left` is used up, as if the process had died there.
class DyingFileSystem final : public FileSystem {
 public:
  int changes_left = 1 << 30;

  arrow::Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    ARROW_RETURN_NOT_OK(Change());
    return local_->Create(path);
  }
  arrow::Result<std::shared_ptr<ReadableFile>> OpenForRead(const std::string& path) override {
    return local_->OpenForRead(path);
  }
  arrow::Result<FileInfo> Stat(const std::string& path) override { return local_->Stat(path); }
  arrow::Result<std::vector<FileInfo>> List(const std::string& dir) override {
    return local_->List(dir);
  }
  arrow::Status Rename(const std::string& from, const std::string& to, RenameMode mode) override {
    ARROW_RETURN_NOT_OK(Change());
    return local_->Rename(from, to, mode);
  }
  arrow::Status Remove(const std::string& path) override {
    ARROW_RETURN_NOT_OK(Change());
    return local_->Remove(path);
  }
  arrow::Status CreateDirectories(const std::string& path) override {
    ARROW_RETURN_NOT_OK(Change());
    return local_->CreateDirectories(path);
  }
  arrow::Status SyncDirectory(const std::string& dir) override {
    return changes_left > 0 ? local_->SyncDirectory(dir) : Change();
  }

 private:
  arrow::Status Change() {
    if (changes_left-- > 0) return arrow::Status::OK();
    return MakeError(ErrorKind::kGeneral, "DEAD", "the process has died");
  }

  FileSystem* const local_ = FileSystem::Local();
};

class FileSinkTest : public ::testing::Test {
 protected:
  SinkSpec Spec(OutputMode mode = OutputMode::kAppend, std::string job = "job-a") {
    SinkSpec spec{.format = "text",
                  .schema = arrow::schema({arrow::field("value", arrow::utf8())}),
                  .output_mode = mode,
                  .job_uuid = std::move(job),
                  .job_name = "lines"};
    spec.options.Set("path", dir_ / "out");
    return spec;
  }

  std::unique_ptr<SinkDriver> Driver(const SinkSpec& spec, FileSystem* fs = FileSystem::Local()) {
    return MakeSinkDriver(spec, {.fs = fs, .clock = Clock::System(), .random = Random::System()})
        .ValueOrDie();
  }

  // Writes the rows of one epoch and prepares them.
  StagedOutput Stage(const SinkSpec& spec, const std::vector<std::string>& rows,
                     int64_t epoch = 0) {
    OwnThreadExecutor io;
    auto writer =
        MakeSinkWriter(
            spec, {.fs = FileSystem::Local(), .io = &io, .random = Random::System(), .wake = [] {}})
            .ValueOrDie();
    EXPECT_TRUE(writer->Begin({.epoch = epoch, .term = 1, .attempt = 1}, 0).ok());
    arrow::StringBuilder builder;
    EXPECT_TRUE(builder.AppendValues(rows).ok());
    const auto batch = arrow::RecordBatch::Make(spec.schema, static_cast<int64_t>(rows.size()),
                                                {builder.Finish().ValueOrDie()});
    if (!rows.empty()) {
      EXPECT_TRUE(writer->Write(batch).ok());
    }
    std::optional<arrow::Result<StagedOutput>> output;
    writer->Prepare([&output](arrow::Result<StagedOutput> staged) { output = std::move(staged); });
    io.RunAll();
    return output.value().ValueOrDie();
  }

  arrow::Status Commit(SinkDriver* driver, std::vector<StagedOutput> outputs, int64_t epoch = 0,
                       uint64_t plan_hash = 7) {
    return driver->Commit({.epoch = epoch, .term = 1, .attempt = 1}, plan_hash, std::move(outputs),
                          [] { return true; });
  }

  // The contents of the files that readers see, in name order.
  std::vector<std::string> Visible() {
    std::vector<std::string> contents;
    const auto entries = FileSystem::Local()->List(dir_ / "out").ValueOrDie();
    for (const FileInfo& entry : entries) {
      const std::string name = BaseName(entry.path);
      if (name[0] != '_' && name[0] != '.') contents.push_back(dir_.Read("out/" + name));
    }
    return contents;
  }

  std::vector<FileInfo> Staged(const std::string& job = "job-a") {
    return FileSystem::Local()->List(dir_ / ("out/_tidemill/" + job + "/staged")).ValueOrDie();
  }

  const ScratchDir dir_;
};

TEST_F(FileSinkTest, AnEpochBecomesVisibleWithItsCommit) {
  auto driver = Driver(Spec());
  ASSERT_TRUE(driver->Open(1).ok());
  const StagedOutput first = Stage(Spec(), {"a", "b"});
  const StagedOutput second = Stage(Spec(), {"c"});
  EXPECT_THAT(Visible(), IsEmpty());

  ASSERT_TRUE(Commit(driver.get(), {first, second}).ok());

  EXPECT_THAT(Visible(), ElementsAre("a\nb\n", "c\n"));
  EXPECT_THAT(Staged(), IsEmpty());
  EXPECT_EQ(first.num_rows, 2);
  EXPECT_EQ(first.files.at(0).size, 4);
}

TEST_F(FileSinkTest, AnEpochWithoutRowsAddsNothing) {
  auto driver = Driver(Spec());
  ASSERT_TRUE(driver->Open(1).ok());

  ASSERT_TRUE(Commit(driver.get(), {Stage(Spec(), {})}).ok());

  EXPECT_THAT(Visible(), IsEmpty());
}

TEST_F(FileSinkTest, CompleteModeReplacesOneFileAlsoByAnEmptyOne) {
  const SinkSpec spec = Spec(OutputMode::kComplete);
  auto driver = Driver(spec);
  ASSERT_TRUE(driver->Open(1).ok());

  ASSERT_TRUE(Commit(driver.get(), {Stage(spec, {"a"}, 0)}, 0).ok());
  EXPECT_THAT(Visible(), ElementsAre("a\n"));
  ASSERT_TRUE(Commit(driver.get(), {Stage(spec, {"b", "c"}, 1)}, 1).ok());
  EXPECT_EQ(dir_.Read("out/part-00000.txt"), "b\nc\n");
  ASSERT_TRUE(Commit(driver.get(), {}, 2).ok());
  EXPECT_THAT(Visible(), ElementsAre(""));
}

TEST_F(FileSinkTest, WhereverACommitDiesRecoveryAndARepeatGiveTheRowsOnce) {
  const std::vector<OutputMode> modes = {OutputMode::kAppend, OutputMode::kComplete};
  for (const OutputMode mode : modes) {
    for (int steps = 0; steps < 12; ++steps) {
      const std::string job = "job-" + std::to_string(steps);
      (void)RemoveTree(FileSystem::Local(), dir_ / "out");
      const SinkSpec spec = Spec(mode, job);
      DyingFileSystem fs;
      auto dying = Driver(spec, &fs);
      ASSERT_TRUE(dying->Open(1).ok());
      std::vector<StagedOutput> outputs = {Stage(spec, {"a", "b"})};
      if (mode == OutputMode::kAppend) outputs.push_back(Stage(spec, {"c"}));
      fs.changes_left = steps;
      const bool committed = Commit(dying.get(), outputs).ok();

      // The next driver does not know whether the commit happened.
      auto driver = Driver(spec);
      ASSERT_TRUE(driver->Open(2).ok());
      const auto published = driver->Recover(-1).ValueOrDie();
      EXPECT_THAT(Staged(job), IsEmpty()) << steps;
      EXPECT_TRUE(published.has_value() || !committed) << steps;
      std::vector<StagedOutput> again = {Stage(spec, {"a", "b"})};
      if (mode == OutputMode::kAppend) again.push_back(Stage(spec, {"c"}));
      ASSERT_TRUE(Commit(driver.get(), again).ok()) << steps;

      if (mode == OutputMode::kAppend) {
        EXPECT_THAT(Visible(), ElementsAre("a\nb\n", "c\n")) << steps;
      } else {
        EXPECT_THAT(Visible(), ElementsAre("a\nb\n")) << steps;
      }
      EXPECT_THAT(Staged(job), IsEmpty()) << steps;
    }
  }
}

TEST_F(FileSinkTest, AnEpochOfAnotherPlanIsCorruption) {
  auto driver = Driver(Spec());
  ASSERT_TRUE(driver->Open(1).ok());
  ASSERT_TRUE(Commit(driver.get(), {Stage(Spec(), {"a"})}, 0, 7).ok());

  const auto status = Commit(driver.get(), {Stage(Spec(), {"b"})}, 0, 8);

  EXPECT_EQ(ErrorClassOf(status), "SINK_EPOCH_MISMATCH");
  EXPECT_EQ(KindOf(status), ErrorKind::kCorrupt);
  EXPECT_THAT(Visible(), ElementsAre("a\n"));
}

TEST_F(FileSinkTest, RecoveryTellsTheNewestEpochAndRefusesAnUnknownOne) {
  auto driver = Driver(Spec());
  ASSERT_TRUE(driver->Open(1).ok());
  ASSERT_TRUE(Commit(driver.get(), {Stage(Spec(), {"a"}, 0)}, 0, 7).ok());
  ASSERT_TRUE(Commit(driver.get(), {Stage(Spec(), {"b"}, 1)}, 1, 9).ok());

  const auto published = driver->Recover(0).ValueOrDie();
  const auto ahead = driver->Recover(-1);

  EXPECT_EQ(published->epoch, 1);
  EXPECT_EQ(published->plan_hash, 9u);
  EXPECT_EQ(ErrorClassOf(ahead.status()), "SINK_AHEAD_OF_LOG");
}

TEST_F(FileSinkTest, AFencedDriverPublishesNothing) {
  auto driver = Driver(Spec());
  ASSERT_TRUE(driver->Open(1).ok());
  const StagedOutput output = Stage(Spec(), {"a"});

  const auto lost = driver->Commit({}, 7, {output}, [] { return false; });
  auto newer = Driver(Spec());
  ASSERT_TRUE(newer->Open(2).ok());
  const auto displaced = Commit(driver.get(), {output});

  EXPECT_EQ(KindOf(lost), ErrorKind::kFenced);
  EXPECT_EQ(KindOf(displaced), ErrorKind::kFenced);
  EXPECT_EQ(KindOf(driver->Open(1)), ErrorKind::kFenced);
  EXPECT_THAT(Visible(), IsEmpty());
}

TEST_F(FileSinkTest, ASecondJobOnThePathIsRefusedUntilTheFirstIsGone) {
  auto first = Driver(Spec());
  ASSERT_TRUE(first->Open(1).ok());

  auto second = Driver(Spec(OutputMode::kAppend, "job-b"));
  const auto status = second->Open(1);
  first.reset();

  EXPECT_EQ(KindOf(status), ErrorKind::kConflict);
  EXPECT_EQ(ErrorClassOf(status), "SINK_IN_USE");
  EXPECT_THAT(status.message(), HasSubstr("job-a"));
  EXPECT_TRUE(second->Open(1).ok());
}

TEST_F(FileSinkTest, AHolderWhoseProcessDiedIsReplaced) {
  auto first = Driver(Spec());
  ASSERT_TRUE(first->Open(1).ok());
  std::string owner = dir_.Read("out/_tidemill/owner");
  const size_t start = owner.find("start=");
  dir_.Write("out/_tidemill/owner", owner.substr(0, start) + "start=1\n");

  auto second = Driver(Spec(OutputMode::kAppend, "job-b"));

  EXPECT_TRUE(second->Open(1).ok());
}

TEST_F(FileSinkTest, AnAbortedWriterLeavesNoFile) {
  auto driver = Driver(Spec());
  ASSERT_TRUE(driver->Open(1).ok());
  OwnThreadExecutor io;
  auto writer =
      MakeSinkWriter(
          Spec(), {.fs = FileSystem::Local(), .io = &io, .random = Random::System(), .wake = [] {}})
          .ValueOrDie();
  const auto values =
      arrow::MakeArrayFromScalar(*arrow::MakeScalar(std::string(1 << 20, 'x')), 2).ValueOrDie();
  ASSERT_TRUE(writer->Begin({}, 0).ok());
  ASSERT_TRUE(writer->Write(arrow::RecordBatch::Make(Spec().schema, 2, {values})).ok());
  io.RunAll();
  ASSERT_EQ(Staged().size(), 1u);

  writer->Abort();
  io.RunAll();

  EXPECT_THAT(Staged(), IsEmpty());
}

TEST_F(FileSinkTest, OldManifestsAreRemoved) {
  auto driver = Driver(Spec());
  ASSERT_TRUE(driver->Open(1).ok());

  for (int epoch = 0; epoch < 105; ++epoch) {
    ASSERT_TRUE(Commit(driver.get(), {Stage(Spec(), {"x"}, epoch)}, epoch).ok());
  }

  const auto entries = FileSystem::Local()->List(dir_ / "out/_tidemill/job-a").ValueOrDie();
  EXPECT_EQ(entries.size(), 101u);  // 100 manifests and the staging directory
  EXPECT_EQ(driver->Recover(104).ValueOrDie()->epoch, 104);
}

TEST_F(FileSinkTest, UpdateModeIsRefusedInSparksWords) {
  const auto status = ResolveSink(Spec(OutputMode::kUpdate)).status();

  EXPECT_THAT(status.message(),
              HasSubstr("This output mode is not supported in Data Source text."));
  EXPECT_TRUE(NeedsOf(Spec(OutputMode::kComplete)).single_writer);
  EXPECT_FALSE(NeedsOf(Spec()).single_writer);
}

TEST(SinkManifestTest, AnyChangedByteIsFound) {
  const SinkManifest manifest{
      .epoch = 12,
      .plan_hash = 0xABCDEF,
      .term = 3,
      .attempt = 2,
      .files = {
          {.staged_name = "s/1", .final_name = "part-1", .size = 5, .rows = 1, .checksum = 9}}};
  const std::string text = EncodeManifest(manifest);
  ASSERT_EQ(DecodeManifest(text, "m").ValueOrDie().files.at(0).final_name, "part-1");

  for (size_t i = 0; i < text.size(); ++i) {
    std::string changed = text;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_EQ(KindOf(DecodeManifest(changed, "m").status()), ErrorKind::kCorrupt) << i;
    EXPECT_FALSE(DecodeManifest(std::string_view(text).substr(0, i), "m").ok()) << i;
  }
}

}  // namespace
}  // namespace tidemill::connectors
