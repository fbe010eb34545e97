// Which state may leave memory: only what an operator asks for by key. Whoever walks its rows or
// removes them by time would give wrong answers without them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <ostream>
#include <set>
#include <string>

#include "driver/job/plan_job.h"
#include "worker/plan/stage_plan.h"

namespace tidemill::worker {
namespace {

using connectors::OutputMode;

struct Case {
  std::string name;
  std::string query;
  OutputMode mode;
  std::set<std::string> state;      // names of operators with state
  std::set<std::string> evictable;  // of these
  bool has_watermark = true;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.name; }

class EvictableOperatorsTest : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(in_);
    std::ofstream(in_ / "0.json") << R"({"k":"a","n":1,"ts":"2024-01-01T00:00:00Z"})"
                                  << "\n";
  }
  void TearDown() override { std::filesystem::remove_all(in_); }

  std::shared_ptr<const JobPlan> Plan(const Case& test) {
    driver::JobSpec spec;
    spec.name = "evictable";
    for (const char* name : {"t", "u"}) {
      driver::SourceDecl source;
      source.name = name;
      source.format = "json";
      source.schema = "k STRING, n BIGINT, ts TIMESTAMP";
      source.options.Set("path", in_.string());
      if (test.has_watermark) source.watermark = driver::WatermarkSpec{"ts", 1'000'000, {}, {}};
      spec.sources.push_back(source);
    }
    spec.query = test.query;
    spec.sink_format = "console";
    spec.output_mode = test.mode;
    auto planned = driver::PlanJob(spec, FileSystem::Local());
    EXPECT_TRUE(planned.ok()) << planned.status();
    return ReadPlan(*planned->query.plan, "uuid", "evictable").ValueOrDie();
  }

  const std::filesystem::path in_ =
      std::filesystem::path(::testing::TempDir()) / ("evictable-" + NewUuid(Random::System()));
};

TEST_P(EvictableOperatorsTest, AreThoseThatAskByKeyOnly) {
  std::set<std::string> state;
  std::set<std::string> evictable;
  const auto plan = Plan(GetParam());
  for (const StatefulOperator& op : plan->stateful) {
    if (op.is_ephemeral) {
      EXPECT_FALSE(op.is_evictable) << op.name;
      continue;
    }
    state.insert(op.name);
    if (op.is_evictable) evictable.insert(op.name);
  }

  EXPECT_EQ(state, GetParam().state);
  EXPECT_EQ(evictable, GetParam().evictable);
}

constexpr char kSave[] = "stateStoreSave";

INSTANTIATE_TEST_SUITE_P(
    Queries, EvictableOperatorsTest,
    ::testing::Values(
        Case{"update",
             "SELECT k, count(*) AS c FROM t GROUP BY k",
             OutputMode::kUpdate,
             {kSave},
             {kSave},
             false},
        Case{"update_beside_a_watermark",
             "SELECT k, count(*) AS c FROM t GROUP BY k",
             OutputMode::kUpdate,
             {kSave},
             {kSave}},
        Case{"one_row", "SELECT count(*) AS c FROM t", OutputMode::kUpdate, {kSave}, {}, false},
        Case{"complete",
             "SELECT k, count(*) AS c FROM t GROUP BY k",
             OutputMode::kComplete,
             {kSave},
             {},
             false},
        Case{"windows_update",
             "SELECT k, window(ts, '1 minute') AS w, count(*) AS c FROM t "
             "GROUP BY k, window(ts, '1 minute')",
             OutputMode::kUpdate,
             {kSave},
             {}},
        Case{"windows_append",
             "SELECT k, window(ts, '1 minute') AS w, count(*) AS c FROM t "
             "GROUP BY k, window(ts, '1 minute')",
             OutputMode::kAppend,
             {kSave},
             {}},
        Case{"time_as_a_key",
             "SELECT ts, count(*) AS c FROM t GROUP BY ts",
             OutputMode::kUpdate,
             {kSave},
             {}},
        Case{"sessions",
             "SELECT k, session_window(ts, '1 minute') AS w, count(*) AS c FROM t "
             "GROUP BY k, session_window(ts, '1 minute')",
             OutputMode::kAppend,
             {"sessionWindowStateStoreSaveExec"},
             {}},
        Case{"distinct", "SELECT DISTINCT k FROM t", OutputMode::kUpdate, {kSave}, {kSave}, false},
        Case{
            "distinct_with_time", "SELECT DISTINCT k, ts FROM t", OutputMode::kAppend, {kSave}, {}},
        Case{"join",
             "SELECT t.k, t.n, u.n AS m FROM t JOIN u ON t.k = u.k",
             OutputMode::kAppend,
             {"symmetricHashJoin"},
             {},
             false},
        Case{"limit", "SELECT k FROM t LIMIT 3", OutputMode::kAppend, {"globalLimit"}, {}, false}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidemill::worker
