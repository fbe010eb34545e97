#include "driver/plan/stages/stage_planner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/plan/stages/state_ttl.h"
#include "proto/plan.pb.h"
#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

std::string StagesOf(const std::string& query, connectors::OutputMode mode,
                     bool single_writer = false) {
  auto analyzed = AnalyzeText(query, mode);
  if (!analyzed.ok()) return RenderError(analyzed.status());
  auto stages = SplitIntoStages(analyzed->optimized, analyzed->output_mode, {single_writer},
                                /*broadcast_bytes=*/0);
  if (!stages.ok()) return RenderError(stages.status());
  return StagesText(*stages, SinkOf(*analyzed));
}

TEST(StagePlannerTest, AStatelessQueryIsOneStage) {
  EXPECT_EQ(StagesOf("SELECT upper(user) AS u FROM log WHERE n > 1", kAppend),
            "Stage 0: reads log json [user, n]\n"
            "  Filter (n > 1)\n"
            "  Project [upper(user) AS u]\n"
            "  -> sink console, append mode\n");
}

TEST(StagePlannerTest, AnAggregationIsSplitByAHashExchange) {
  EXPECT_EQ(StagesOf("SELECT word, count(*) AS count FROM (SELECT explode(split(value, ' ')) AS "
                     "word FROM lines) GROUP BY word HAVING count(*) > 1",
                     kUpdate),
            "Stage 0: reads lines text [value]\n"
            "  Generate explode(split(value,  , -1)), [word]\n"
            "  PartialAggregate keys=[word], functions=[count(1)]\n"
            "  -> hash exchange by [k0]\n"
            "Stage 1: from stage 0\n"
            "  FinalAggregate #0 keys=[word], functions=[count(1)]\n"
            "  Filter (count(1) > 1)\n"
            "  Project [word, count(1) AS count]\n"
            "  -> sink console, update mode\n");
}

TEST(StagePlannerTest, SortAndLimitRunInOnePlace) {
  EXPECT_EQ(StagesOf("SELECT user, sum(n) AS total FROM log GROUP BY user ORDER BY total DESC "
                     "LIMIT 3",
                     kComplete),
            "Stage 0: reads log json [user, n]\n"
            "  PartialAggregate keys=[user], functions=[sum(n)]\n"
            "  -> hash exchange by [k0]\n"
            "Stage 1: from stage 0\n"
            "  FinalAggregate #0 keys=[user], functions=[sum(n)]\n"
            "  -> gather to one place\n"
            "Stage 2: from stage 1, in one place\n"
            "  Sort [sum(n) DESC NULLS LAST]\n"
            "  Limit 3\n"
            "  Project [user, sum(n) AS total]\n"
            "  -> sink console, complete mode\n");
}

// No lane of a source sends more than could pass.
TEST(StagePlannerTest, ALimitOfAStreamCountsOverItsEpochs) {
  EXPECT_EQ(StagesOf("SELECT upper(user) AS u FROM log LIMIT 3", kAppend),
            "Stage 0: reads log json [user]\n"
            "  Project [upper(user) AS u]\n"
            "  Limit 3\n"
            "  -> gather to one place\n"
            "Stage 1: from stage 0, in one place\n"
            "  GlobalLimit #0 3\n"
            "  -> sink console, append mode\n");
}

TEST(StagePlannerTest, ASinkWithASingleWriterIsGatheredFor) {
  EXPECT_EQ(StagesOf("SELECT count(*) AS c FROM lines", kComplete, /*single_writer=*/true),
            "Stage 0: reads lines text []\n"
            "  PartialAggregate keys=[], functions=[count(1)]\n"
            "  -> hash exchange without keys, to key group 0\n"
            "Stage 1: from stage 0\n"
            "  FinalAggregate #0 keys=[], functions=[count(1)]\n"
            "  Project [count(1) AS c]\n"
            "  -> gather to one place\n"
            "Stage 2: from stage 1, in one place\n"
            "  -> sink console, complete mode\n");
}

// Whether what a join of the stream `log` makes of `table` may be kept over epochs.
bool KeepsBuild(const std::string& table, const std::string& join = "JOIN") {
  auto analyzed =
      AnalyzeText("SELECT l.n, c.name FROM log l " + join + " " + table + " c ON l.user = c.code");
  EXPECT_TRUE(analyzed.ok()) << RenderError(analyzed.status());
  auto stages = SplitIntoStages(analyzed->optimized, analyzed->output_mode, {},
                                /*broadcast_bytes=*/0);
  EXPECT_TRUE(stages.ok()) << stages.status();
  bool is_kept = false;
  for (const StageSpec& stage : stages->stages) {
    for (const StageInput& input : stage.inputs) {
      EXPECT_TRUE(!input.is_kept || input.is_build);
      is_kept = is_kept || input.is_kept;
    }
  }
  return is_kept;
}

TEST(StagePlannerTest, AStaticSideIsKeptWhereItDependsOnItsFilesAlone) {
  EXPECT_TRUE(KeepsBuild("countries"));
  EXPECT_TRUE(KeepsBuild("countries", "LEFT JOIN"));
  EXPECT_TRUE(KeepsBuild("(SELECT upper(code) AS code, name FROM countries WHERE code > 'a')"));
  EXPECT_TRUE(KeepsBuild("(SELECT * FROM countries UNION ALL SELECT * FROM countries)"));
  EXPECT_FALSE(KeepsBuild("(SELECT code, name FROM countries WHERE rand() < 0.5)"));
  EXPECT_FALSE(KeepsBuild("(SELECT code, date_format(now(), 'yyyy') AS name FROM countries)"));
  EXPECT_FALSE(KeepsBuild("(SELECT code, max(name) AS name FROM countries GROUP BY code)"));
}

// As StagesOf, with state.ttl of 2 s.
std::string LimitedStagesOf(const std::string& query, connectors::OutputMode mode) {
  auto analyzed = AnalyzeText(query, mode);
  if (!analyzed.ok()) return RenderError(analyzed.status());
  auto stages = SplitIntoStages(analyzed->optimized, analyzed->output_mode, {},
                                /*broadcast_bytes=*/0);
  if (!stages.ok()) return RenderError(stages.status());
  const arrow::Status limited = LimitState(2'000'000, &*stages);
  return limited.ok() ? StagesText(*stages, SinkOf(*analyzed)) : ErrorClassOf(limited);
}

TEST(StagePlannerTest, KeysThatNoWatermarkRemovesGetATimeToLive) {
  using testing::HasSubstr;
  using testing::Not;
  const std::string life = ", state.ttl 2000 ms";
  EXPECT_THAT(LimitedStagesOf("SELECT user, count(*) AS c FROM log GROUP BY user", kUpdate),
              HasSubstr("functions=[count(1)]" + life));
  EXPECT_THAT(LimitedStagesOf("SELECT DISTINCT user FROM log", kUpdate), HasSubstr(life));
  EXPECT_THAT(LimitedStagesOf("SELECT count(*) AS c FROM log", kUpdate), Not(HasSubstr(life)));
  // Its keys go by the watermark.
  EXPECT_THAT(LimitedStagesOf("SELECT window(t, '1 minute') AS w, count(*) AS c FROM events "
                              "GROUP BY window(t, '1 minute')",
                              kAppend),
              Not(HasSubstr(life)));
  EXPECT_EQ(LimitedStagesOf("SELECT a.n FROM log a JOIN log b ON a.user = b.user", kAppend),
            "STATE_TTL_UNSUPPORTED");
}

// The stages of a query whose table `countries` holds 1000 bytes.
std::string StagesWithin(int64_t broadcast_bytes, const std::string& query) {
  auto sources = TestSources();
  sources[2].bytes = 1000;
  const auto analyzed = AnalyzeQuery(SpecOf(query), sources);
  if (!analyzed.ok()) return RenderError(analyzed.status());
  const auto stages =
      SplitIntoStages(analyzed->optimized, analyzed->output_mode, {}, broadcast_bytes);
  return stages.ok() ? StagesText(*stages, SinkOf(*analyzed)) : stages.status().ToString();
}

TEST(StagePlannerTest, ASmallTableIsBroadcastToTheStageOfTheStream) {
  EXPECT_EQ(StagesWithin(1000, "SELECT n, name FROM log JOIN countries ON user = code"),
            "Stage 0: reads countries json [code, name]\n"
            "  Filter (code IS NOT NULL)\n"
            "  -> broadcast to every slot\n"
            "Stage 1: reads log json [user, n]\n"
            "  Filter (user IS NOT NULL)\n"
            "  BroadcastJoin Inner, (user = code), right side from stage 0\n"
            "  Project [n, name]\n"
            "  -> sink console, append mode\n");
  EXPECT_NE(StagesWithin(999, "SELECT n, name FROM log JOIN countries ON user = code")
                .find("-> hash exchange by [code]"),
            std::string::npos);
}

TEST(StagePlannerTest, WhatIsBroadcastIsTheSideThatIsNotPreserved) {
  const auto is_broadcast = [](const std::string& join) {
    return StagesWithin(1000, "SELECT n FROM log " + join).find("broadcast") != std::string::npos;
  };
  EXPECT_TRUE(is_broadcast("LEFT JOIN countries ON user = code"));
  EXPECT_TRUE(is_broadcast("LEFT SEMI JOIN countries ON user = code"));
  EXPECT_TRUE(is_broadcast("LEFT ANTI JOIN countries ON user = code"));
  EXPECT_TRUE(is_broadcast("CROSS JOIN countries"));
  EXPECT_TRUE(is_broadcast("JOIN countries ON user < code"));
  EXPECT_FALSE(
      is_broadcast("JOIN (SELECT explode(array(code)) AS code FROM countries) ON "
                   "user = code"))
      << "nobody knows how many rows a generator makes";
  EXPECT_TRUE(StagesWithin(1000, "SELECT n FROM countries RIGHT JOIN log ON user = code")
                  .find("left side from stage 0") != std::string::npos);
}

// Each branch looks up in the same rows.
TEST(StagePlannerTest, ABroadcastServesAllBranchesOfAUnion) {
  EXPECT_EQ(StagesWithin(1000,
                         "SELECT name FROM (SELECT user FROM log UNION ALL SELECT value FROM "
                         "lines) LEFT JOIN countries ON user = code"),
            "Stage 0: reads countries json [code, name]\n"
            "  Filter (code IS NOT NULL)\n"
            "  -> broadcast to every slot\n"
            "Stage 1: reads log json [user]\n"
            "  BroadcastJoin LeftOuter, (user = code), right side from stage 0\n"
            "  Project [name]\n"
            "  -> sink console, append mode\n"
            "Stage 2: reads lines text [value]\n"
            "  Project [value AS user]\n"
            "  BroadcastJoin LeftOuter, (user = code), right side from stage 0\n"
            "  Project [name]\n"
            "  -> sink console, append mode\n");
}

TEST(StagePlannerTest, TheWirePlanHoldsSchemasKeysAndAccumulators) {
  auto analyzed =
      AnalyzeText("SELECT user, avg(n) AS a, count(*) AS c FROM log GROUP BY user", kUpdate);
  ASSERT_TRUE(analyzed.ok()) << RenderError(analyzed.status());

  auto planned = PlanStages(*analyzed, SinkOf(*analyzed), {});

  ASSERT_TRUE(planned.ok()) << planned.status();
  const proto::PhysicalPlan& plan = *planned->plan;
  ASSERT_EQ(plan.sources_size(), 1);
  EXPECT_EQ(plan.sources(0).options().at("path"), "/in/log");
  EXPECT_EQ(std::vector<int>(plan.sources(0).columns().begin(), plan.sources(0).columns().end()),
            (std::vector<int>{0, 3}));
  ASSERT_EQ(plan.stages_size(), 2);
  EXPECT_EQ(plan.stages(0).input_schema(), "user STRING, n INT");
  const proto::Operator& partial = plan.stages(0).operators(0);
  EXPECT_EQ(partial.schema(), "k0 STRING, a0_0 DOUBLE, a0_1 BIGINT, a1_0 BIGINT");
  EXPECT_EQ(partial.partial_aggregate().aggregates(0).args(0).type(), "DOUBLE");
  EXPECT_EQ(plan.stages(0).output(), proto::Stage::HASH);
  EXPECT_EQ(plan.stages(0).output_keys_size(), 1);
  const proto::Operator& final = plan.stages(1).operators(0);
  EXPECT_EQ(final.final_aggregate().operator_id(), 0);
  EXPECT_EQ(final.final_aggregate().key_types(0), "STRING");
  EXPECT_EQ(final.final_aggregate().aggregates(1).function(), "count");
  EXPECT_EQ(plan.sink().schema(), "user STRING, a DOUBLE, c BIGINT");
  EXPECT_EQ(plan.output_mode(), proto::UPDATE);
  EXPECT_EQ(plan.time_zone(), "UTC");
}

}  // namespace
}  // namespace tidemill::driver
