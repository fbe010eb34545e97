// Workers and drivers that come, go, die and come back at random, in one thread, from a seed.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest-spi.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "common/base/error.h"
#include "driver/job/job_runner.h"
#include "tests/driver/log_fixture.h"
#include "tests/driver/simulation.h"

namespace tidemill::driver {
namespace {

constexpr int64_t kRecords = 40;

class Chaos {
 public:
  Chaos(uint64_t seed, FileSystem* fs, std::string checkpoint)
      : simulation_(seed), fs_(fs), checkpoint_(std::move(checkpoint)) {}

  ~Chaos() { run_.CrashDriver(&simulation_); }

  // Until all records are in the sink, or too much time has passed.
  void Run(bool forgets_undo) {
    forgets_undo_ = forgets_undo;
    StartDriver();
    for (int i = 0; i < 3; ++i) AddWorker();
    for (int turn = 0; turn < 4000 && !IsDone(); ++turn) {
      const uint64_t steps = Random(40);
      for (uint64_t i = 0; i < steps && !run_.result.has_value(); ++i) simulation_.RunOne();
      if (run_.result.has_value()) return;
      world_.available = std::min(kRecords, world_.available + static_cast<int64_t>(Random(2)));
      // Later on it gets calm, so that there is an end.
      if (turn < 250) Disturb();
    }
  }
  bool IsDone() const { return world_.Rows().ends_with(fmt::format("-{};", kRecords)); }
  const World& world() const { return world_; }
  const JobRun& run() const { return run_; }
  void Stop() {
    run_.runner->Stop(StopMode::kDrain);
    ASSERT_TRUE(run_.Finish(&simulation_));
  }

 private:
  uint64_t Random(uint64_t below) { return simulation_.Next() % below; }
  FakeWorker& Any() { return *run_.workers[Random(run_.workers.size())]; }

  void StartDriver() {
    JobDefinition job = SomeJob(checkpoint_, TriggerKind::kDefault);
    job.settings.key_groups = 8;
    job.base_interval = 3;
    job.max_slots = static_cast<int>(Random(2) * 3);
    JobEnvironment environment = FakeEnvironment(&simulation_, fs_, &world_);
    environment.waits_for_workers = true;
    run_.result.reset();
    run_.runner = JobRunner::Start(std::move(job), std::move(environment),
                                   [this](JobResult result) { run_.result = std::move(result); });
    for (const auto& worker : run_.workers) Connect(worker.get());
  }
  void Connect(FakeWorker* worker) { run_.runner->AddWorker(worker->Connect(&simulation_)); }

  void AddWorker() {
    const std::string name = fmt::format("w{}", next_name_++);
    StartWorker(name);
  }
  void StartWorker(const std::string& name) {
    auto worker = std::make_shared<FakeWorker>(name, fs_, 1 + static_cast<int>(Random(2)));
    worker->snapshot_every = static_cast<int64_t>(Random(4));
    worker->restore_time = std::chrono::microseconds(Random(60));
    worker->forgets_undo = forgets_undo_;
    Connect(worker.get());
    run_.workers.push_back(std::move(worker));
  }
  void Remove(FakeWorker* worker) {
    std::erase_if(run_.workers, [&](const auto& one) { return one.get() == worker; });
  }

  void Disturb() {
    for (const auto& worker : run_.workers) {
      if (!worker->is_connected() && !worker->was_closed() && Random(2) == 0) Connect(worker.get());
    }
    // What was released is a process that has ended.
    std::erase_if(run_.workers, [](const auto& one) { return one->was_closed(); });
    if (run_.workers.empty()) AddWorker();
    FakeWorker& worker = Any();
    switch (Random(14)) {
      case 0:
        if (run_.workers.size() < 5) AddWorker();
        return;
      case 1: {
        const std::string name = worker.name();
        worker.Die();
        Remove(&worker);
        if (Random(2) == 0) StartWorker(name);
        return;
      }
      case 2:  // Its stream breaks.
        worker.Disconnect();
        return Connect(&worker);
      case 3:  // Its stream breaks, and for a while it finds no driver.
        return worker.Disconnect();
      case 4: {  // Another process takes the name while the old one still seems to be there.
        const std::string name = worker.name();
        StartWorker(name);
        return;
      }
      case 5:
        return run_.runner->ReleaseWorker(worker.name());
      case 6:
        worker.fail_epoch[world_.epochs.empty() ? 0 : world_.epochs.rbegin()->first + 1] =
            MakeError(ErrorKind::kUnavailable, "PEER_GONE", "planned");
        return;
      case 7:
        run_.CrashDriver(&simulation_);
        return StartDriver();
      default:
        return;
    }
  }

  Simulation simulation_;
  FileSystem* const fs_;
  const std::string checkpoint_;
  World world_;
  JobRun run_;
  int next_name_ = 0;
  bool forgets_undo_ = false;
};

class ElasticChaosTest : public LogFixture {
 protected:
  static constexpr uint64_t kSeeds = 8;

  // TIDEMILL_SEED=17 runs that one alone.
  static uint64_t FirstSeed() {
    const char* seed = std::getenv("TIDEMILL_SEED");
    return seed == nullptr ? 0 : std::strtoull(seed, nullptr, 10);
  }
  static uint64_t EndSeed() {
    return std::getenv("TIDEMILL_SEED") == nullptr ? kSeeds : FirstSeed() + 1;
  }
};

TEST_F(ElasticChaosTest, NothingIsLostOrRepeatedWhateverComesAndGoes) {
  for (uint64_t seed = FirstSeed(); seed < EndSeed(); ++seed) {
    SCOPED_TRACE(fmt::format("TIDEMILL_SEED={}", seed));
    Chaos chaos(seed, fs_, Path(fmt::format("{}", seed)));
    chaos.Run(/*forgets_undo=*/false);
    ASSERT_FALSE(chaos.run().result.has_value()) << chaos.run().result->status;
    ASSERT_TRUE(chaos.IsDone()) << chaos.world().Rows();
    EXPECT_EQ(chaos.world().Holes(), "") << chaos.world().Rows();
    chaos.Stop();
    if (HasFailure()) return;
  }
}

TEST_F(ElasticChaosTest, AnUndoThatIsLeftOutIsNoticed) {
  testing::TestPartResultArray failures;
  for (uint64_t seed = 0; seed < kSeeds && failures.size() == 0; ++seed) {
    const testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ONLY_CURRENT_THREAD, &failures);
    Chaos(seed, fs_, Path(fmt::format("{}", seed))).Run(/*forgets_undo=*/true);
  }
  ASSERT_GT(failures.size(), 0);
  EXPECT_THAT(failures.GetTestPartResult(0).message(), testing::HasSubstr("key group"));
}

}  // namespace
}  // namespace tidemill::driver
