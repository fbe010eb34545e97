#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>

#include "common/base/logging.h"
#include "tests/simulation/planted_bugs.h"
#include "tests/simulation/simulated_cluster.h"

namespace tidemill::testing {

namespace {

constexpr uint64_t kSeeds = 1000;
constexpr uint64_t kParts = 4;

volatile uint64_t current_seed = 0;

// A check that fails ends the process: say at which seed.
void OnAbort(int signal) {
  std::fprintf(stderr, "the simulation aborted at TIDEMILL_SIM_SEED=%llu\n",
               static_cast<unsigned long long>(current_seed));
  std::signal(signal, SIG_DFL);
}

using Plant = void (*)(SimulatedCluster*);

Outcome RunSeed(uint64_t seed, bool prints = false, Plant plant = nullptr) {
  current_seed = seed;
  std::signal(SIGABRT, OnAbort);
  std::signal(SIGSEGV, OnAbort);
  SetLogLevel(prints ? LogLevel::kInfo : LogLevel::kError);
  SimulatedCluster cluster(seed);
  cluster.world()->time.PrintTrace(prints);
  if (plant != nullptr) plant(&cluster);
  return cluster.Run();
}

// TIDEMILL_SIM_SEED=<n> runs that seed alone, with a trace.
const char* OnlySeed() { return std::getenv("TIDEMILL_SIM_SEED"); }

// TIDEMILL_SIM_BUG=<undo|changelog|plan> plants a bug into that run.
Plant BugOfEnvironment() {
  const char* name = std::getenv("TIDEMILL_SIM_BUG");
  if (name == nullptr) return nullptr;
  const std::string_view bug = name;
  if (bug == "undo") return PlantSkippedUndo;
  if (bug == "changelog") return PlantLostChangelog;
  return bug == "plan" ? PlantForgottenPlan : nullptr;
}

class SimulatedClusterTest : public ::testing::TestWithParam<uint64_t> {};

TEST_P(SimulatedClusterTest, EndsWithTheRightResultWhateverFails) {
  if (OnlySeed() != nullptr) GTEST_SKIP();
  const uint64_t begin = GetParam() * (kSeeds / kParts);
  for (uint64_t seed = begin; seed < begin + kSeeds / kParts; ++seed) {
    const Outcome outcome = RunSeed(seed);
    EXPECT_EQ(outcome.violation, "") << "repeat with TIDEMILL_SIM_SEED=" << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Part, SimulatedClusterTest, ::testing::Range<uint64_t>(0, kParts));

TEST(SimulatedClusterSeedTest, RunsTheSeedOfTheEnvironment) {
  if (OnlySeed() == nullptr) GTEST_SKIP() << "TIDEMILL_SIM_SEED is not set";
  const Outcome outcome =
      RunSeed(std::strtoull(OnlySeed(), nullptr, 10), /*prints=*/true, BugOfEnvironment());
  std::printf("%d faults, %lld files, %llu tasks, %.3f s of virtual time, trace %016llx\n",
              outcome.faults, static_cast<long long>(outcome.files),
              static_cast<unsigned long long>(outcome.tasks), outcome.virtual_time.count() / 1e6,
              static_cast<unsigned long long>(outcome.trace_hash));
  EXPECT_EQ(outcome.violation, "");
}

TEST(SimulatedClusterSeedTest, RepeatsASeedExactly) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Outcome first = RunSeed(seed);
    const Outcome second = RunSeed(seed);
    EXPECT_EQ(first.trace_hash, second.trace_hash) << "seed " << seed;
  }
}

// The seed that finds the planted bug first; fails where none does.
void ExpectFound(Plant plant) {
  if (OnlySeed() != nullptr) GTEST_SKIP();
  for (uint64_t seed = 0; seed < kSeeds / 2; ++seed) {
    const Outcome outcome = RunSeed(seed, /*prints=*/false, plant);
    if (outcome.violation.empty()) continue;
    std::printf("found by seed %llu: %s\n", static_cast<unsigned long long>(seed),
                outcome.violation.c_str());
    return;
  }
  FAIL() << "no seed finds the planted bug";
}

TEST(SimulatedClusterBugTest, FindsASkippedUndo) { ExpectFound(PlantSkippedUndo); }
TEST(SimulatedClusterBugTest, FindsALostEndOfAChangelog) { ExpectFound(PlantLostChangelog); }
TEST(SimulatedClusterBugTest, FindsAnEpochThatIsPlannedTwice) { ExpectFound(PlantForgottenPlan); }

}  // namespace

}  // namespace tidemill::testing
