#include "driver/job/successor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "proto/plan.pb.h"
#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Query {
  std::string text;
  connectors::OutputMode mode = kAppend;
  std::string sink_format = "console";
  std::string sink_path;
};

std::shared_ptr<const proto::PhysicalPlan> PlanOf(const Query& query) {
  auto analyzed = AnalyzeText(query.text, query.mode);
  EXPECT_TRUE(analyzed.ok()) << RenderError(analyzed.status());
  connectors::SinkSpec sink = SinkOf(*analyzed, query.sink_format);
  if (!query.sink_path.empty()) sink.options.Set("path", query.sink_path);
  return PlanStages(*analyzed, sink, {}).ValueOrDie().plan;
}

// "" where the second query may go on with the checkpoint of the first one.
std::string Difference(const Query& before, const Query& after) {
  const arrow::Status status = CheckSuccessor(*PlanOf(before), *PlanOf(after));
  if (status.ok()) return "";
  EXPECT_EQ(ErrorClassOf(status), "CHECKPOINT_INCOMPATIBLE");
  EXPECT_EQ(ExitCodeOf(status), 9);
  return status.message();
}

constexpr const char* kCounts = "SELECT page, count(*) AS c FROM log GROUP BY page";

TEST(SuccessorTest, FiltersProjectionsAndStaticSidesMayChange) {
  EXPECT_EQ(
      Difference({kCounts, kUpdate},
                 {"SELECT upper(page) AS p, count(*) + 1 AS c FROM log WHERE n > 3 AND ms < 5 "
                  "GROUP BY page",
                  kUpdate}),
      "");
  EXPECT_EQ(Difference({"SELECT user FROM log WHERE n > 1"}, {"SELECT page, n FROM log"}), "");
  EXPECT_EQ(Difference({"SELECT DISTINCT page FROM log", kUpdate},
                       {"SELECT DISTINCT page FROM log WHERE n > 1", kUpdate}),
            "");
}

TEST(SuccessorTest, SourcesMayNotChange) {
  EXPECT_THAT(Difference({"SELECT user FROM log"}, {"SELECT value FROM lines"}),
              HasSubstr("format of source 1: checkpoint=json job=text"));
  EXPECT_THAT(Difference({"SELECT user FROM log"},
                         {"SELECT user FROM log UNION ALL SELECT value FROM lines"}),
              HasSubstr("number of sources: checkpoint=1 job=2"));
  const auto before = PlanOf({"SELECT user FROM log"});
  proto::PhysicalPlan moved = *before;
  (*moved.mutable_sources(0)->mutable_options())["path"] = "/elsewhere";
  EXPECT_THAT(CheckSuccessor(*before, moved).message(),
              HasSubstr("path of source 1: checkpoint=/in/log job=/elsewhere"));
}

TEST(SuccessorTest, KeysAndAggregatesMayNotChange) {
  EXPECT_THAT(Difference({kCounts, kUpdate},
                         {"SELECT user, count(*) AS c FROM log GROUP BY user", kUpdate}),
              AllOf(HasSubstr("keys page: STRING"), HasSubstr("keys user: STRING")));
  EXPECT_THAT(Difference({"SELECT page, sum(n) AS s FROM log GROUP BY page", kUpdate},
                         {"SELECT page, sum(s.a) AS s FROM log GROUP BY page", kUpdate}),
              AllOf(HasSubstr("state"), HasSubstr("sum(")));
  EXPECT_NE(
      Difference(
          {"SELECT window(ts, '5 minutes') AS w, count(*) AS c FROM log GROUP BY 1", kUpdate},
          {"SELECT window(ts, '10 minutes') AS w, count(*) AS c FROM log GROUP BY 1", kUpdate}),
      "");
}

TEST(SuccessorTest, KeysOfDeduplicationMayNotChange) {
  proto::PhysicalPlan before;
  before.add_stages()->set_input_schema("page STRING, user STRING");
  proto::Stage* stage = before.add_stages();
  stage->set_id(1);
  stage->add_inputs()->set_stage(0);
  proto::DeduplicateOp* deduplicate = stage->add_operators()->mutable_deduplicate();
  deduplicate->add_key_columns(0);
  deduplicate->add_key_types("STRING");
  proto::PhysicalPlan after = before;
  after.mutable_stages(1)->mutable_operators(0)->mutable_deduplicate()->set_key_columns(0, 1);
  EXPECT_TRUE(CheckSuccessor(before, before).ok());
  EXPECT_THAT(CheckSuccessor(before, after).message(),
              AllOf(HasSubstr("keys page"), HasSubstr("keys user")));
}

TEST(SuccessorTest, JoinKeysMayNotChange) {
  const auto join = [](const std::string& key) {
    return Query{"SELECT a.n FROM log a JOIN log b ON a." + key + " = b." + key};
  };
  EXPECT_EQ(Difference(join("page"), join("page")), "");
  EXPECT_NE(Difference(join("page"), join("user")), "");
}

TEST(SuccessorTest, TheOutputModeOfAQueryWithStateMayNotChange) {
  EXPECT_THAT(Difference({kCounts, kUpdate}, {kCounts, kComplete}),
              HasSubstr("output mode: checkpoint=UPDATE job=COMPLETE"));
  EXPECT_EQ(Difference({"SELECT user FROM log", kAppend}, {"SELECT user FROM log", kUpdate}), "");
}

TEST(SuccessorTest, AFileSinkStaysWhereItIs) {
  const std::string query = "SELECT user FROM log";
  const Query json = {query, kAppend, "json", "/out"};
  EXPECT_EQ(Difference(json, json), "");
  EXPECT_EQ(Difference(json, {query}), "");
  EXPECT_THAT(Difference(json, {query, kAppend, "json", "/out2"}),
              HasSubstr("path of the sink: checkpoint=/out job=/out2"));
  EXPECT_THAT(Difference(json, {query, kAppend, "csv", "/out"}),
              HasSubstr("format of the sink: checkpoint=json job=csv"));
  EXPECT_THAT(Difference({query}, json), HasSubstr("format of the sink"));
}

}  // namespace
}  // namespace tidemill::driver
