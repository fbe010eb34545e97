#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "common/base/error.h"
#include "driver/job/job_runner.h"
#include "tests/driver/log_fixture.h"
#include "tests/driver/simulation.h"

namespace tidemill::driver {
namespace {

// A file system on which fsync fails from some time on.
class FailingSync final : public FileSystem {
 public:
  explicit FailingSync(FileSystem* base) : base_(base) {}
  std::atomic<bool> is_failing{false};

  arrow::Result<std::unique_ptr<WritableFile>> Create(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(auto file, base_->Create(path));
    return std::make_unique<File>(this, std::move(file));
  }
  arrow::Result<std::shared_ptr<ReadableFile>> OpenForRead(const std::string& path) override {
    return base_->OpenForRead(path);
  }
  arrow::Result<FileInfo> Stat(const std::string& path) override { return base_->Stat(path); }
  arrow::Result<std::vector<FileInfo>> List(const std::string& dir) override {
    return base_->List(dir);
  }
  arrow::Status Rename(const std::string& from, const std::string& to, RenameMode mode) override {
    return base_->Rename(from, to, mode);
  }
  arrow::Status Remove(const std::string& path) override { return base_->Remove(path); }
  arrow::Status CreateDirectories(const std::string& path) override {
    return base_->CreateDirectories(path);
  }
  arrow::Status SyncDirectory(const std::string& dir) override { return base_->SyncDirectory(dir); }

 private:
  class File final : public WritableFile {
   public:
    File(FailingSync* owner, std::unique_ptr<WritableFile> base)
        : owner_(owner), base_(std::move(base)) {}
    arrow::Status Append(std::string_view bytes) override { return base_->Append(bytes); }
    arrow::Status Sync() override {
      if (owner_->is_failing) return MakeError(ErrorKind::kBug, "FSYNC_FAILED", "planned");
      return base_->Sync();
    }
    arrow::Status Close() override { return base_->Close(); }

   private:
    FailingSync* const owner_;
    const std::unique_ptr<WritableFile> base_;
  };

  FileSystem* const base_;
};

class JobThreadsTest : public LogFixture {};

TEST_F(JobThreadsTest, AJobRunsOnRealThreads) {
  World world{.available = 200, .per_epoch = 5};
  auto io = MakePoolExecutor("io", 4);
  auto actor = MakeThreadExecutor("job");
  auto worker_thread = MakeThreadExecutor("worker");
  Simulation numbers;  // Only for the fakes that StartJob makes.
  JobEnvironment environment = FakeEnvironment(&numbers, fs_, &world);
  environment.clock = Clock::System();
  environment.executor = actor.get();
  environment.io = io.get();
  std::vector<std::shared_ptr<FakeWorker>> workers;
  for (const std::string name : {"a", "b"}) {
    workers.push_back(std::make_shared<FakeWorker>(name, fs_));
    workers.back()->snapshot_every = 4;
    environment.workers.push_back(workers.back()->Connect(worker_thread.get()));
  }
  std::promise<JobResult> done;
  JobDefinition job = SomeJob(checkpoint_, TriggerKind::kAvailableNow);
  job.base_interval = 10;

  auto runner = JobRunner::Start(job, environment,
                                 [&](JobResult result) { done.set_value(std::move(result)); });
  const JobResult result = done.get_future().get();

  EXPECT_TRUE(result.status.ok()) << result.status;
  EXPECT_EQ(result.last_committed, 39);
  EXPECT_EQ(result.input_rows, 200);
  EXPECT_EQ(world.epochs.size(), 40u);
}

TEST_F(JobThreadsTest, AFailedFsyncOfTheLogIsFatal) {
  Simulation simulation;
  World world{.available = 3};
  FailingSync fs(fs_);
  JobDefinition job = SomeJob(checkpoint_, TriggerKind::kAvailableNow);
  job.is_durable = true;
  std::vector<std::string> fatal;
  JobEnvironment environment = FakeEnvironment(&simulation, &fs, &world);
  environment.on_fatal = [&](const arrow::Status& status) {
    fatal.push_back(ErrorClassOf(status));
  };
  JobRun run;
  AddWorkers(&simulation, &fs, 1, &run, &environment);
  run.runner =
      JobRunner::Start(job, environment, [&](JobResult result) { run.result = std::move(result); });
  run.RunUntil(&simulation, [&] { return !run.workers[0]->assigns.empty(); });

  fs.is_failing = true;
  ASSERT_TRUE(run.Finish(&simulation));

  EXPECT_THAT(fatal, testing::Contains("FSYNC_FAILED"));
  EXPECT_EQ(ExitCodeOf(run.result->status), 70);
  EXPECT_EQ(world.Rows(), "");
}

}  // namespace
}  // namespace tidemill::driver
