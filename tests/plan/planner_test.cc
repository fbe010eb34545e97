#include <gtest/gtest.h>

#include "driver/plan/stages/plan_writer.h"
#include "proto/plan.pb.h"
#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

arrow::Result<PlannedQuery> Plan(const std::string& query, connectors::OutputMode mode = kAppend) {
  ARROW_ASSIGN_OR_RAISE(AnalyzedQuery analyzed, AnalyzeText(query, mode));
  return PlanStages(analyzed, SinkOf(analyzed), {});
}

TEST(PlannerTest, TheFingerprintIgnoresWhiteSpaceAndNothingElse) {
  auto plan = Plan("SELECT value FROM lines WHERE value <> 'a'");
  auto spaced = Plan("SELECT  value\nFROM lines /* all */ WHERE value<>'a';");
  auto other = Plan("SELECT value FROM lines WHERE value <> 'b'");

  ASSERT_TRUE(plan.ok() && spaced.ok() && other.ok());
  EXPECT_EQ(plan->fingerprint, spaced->fingerprint);
  EXPECT_NE(plan->fingerprint, other->fingerprint);
  EXPECT_NE(plan->plan->query_text(), spaced->plan->query_text());
}

TEST(PlannerTest, ExpressionsKeepTheirPlacesForErrorsAtRunTime) {
  auto planned = Plan("SELECT 1 / n AS x FROM log");

  ASSERT_TRUE(planned.ok()) << planned.status();
  const proto::Expr& expr = planned->plan->stages(0).operators(0).project().exprs(0);
  EXPECT_EQ(expr.span_begin(), 7);
  EXPECT_EQ(expr.span_end(), 12);
}

TEST(PlannerTest, UnusedSourcesAreAWarning) {
  auto analyzed = AnalyzeText("SELECT value FROM lines");

  ASSERT_TRUE(analyzed.ok());
  EXPECT_EQ(
      analyzed->warnings,
      (std::vector<std::string>{"source is declared and not used by the query: name=log",
                                "source is declared and not used by the query: name=countries"}));
}

TEST(PlannerTest, ExplainShowsThePlansAndTheStages) {
  auto planned = Plan("SELECT upper(value) AS v FROM lines");

  ASSERT_TRUE(planned.ok()) << planned.status();
  EXPECT_EQ(planned->explanation,
            "== Analyzed Logical Plan ==\n"
            "v STRING\n"
            "Project [upper(value) AS v]\n"
            "+- Read lines text [value], streaming\n"
            "\n"
            "== Optimized Logical Plan ==\n"
            "Project [upper(value) AS v]\n"
            "+- Read lines text [value], streaming\n"
            "\n"
            "== Stages ==\n"
            "Stage 0: reads lines text [value]\n"
            "  Project [upper(value) AS v]\n"
            "  -> sink console, append mode\n");
}

TEST(PlannerTest, LiteralsOfEveryTypeCrossTheWire) {
  auto planned = Plan(
      "SELECT true, 1Y, 3000000000, 1.50, -0.05, 1.5F, 'x', X'1F', DATE '1970-01-02', "
      "TIMESTAMP '1970-01-01 00:00:01', NULL, CAST(NULL AS INT) FROM lines");

  ASSERT_TRUE(planned.ok()) << planned.status();
  const auto& exprs = planned->plan->stages(0).operators(0).project().exprs();
  ASSERT_EQ(exprs.size(), 12);
  EXPECT_TRUE(exprs[0].literal().bool_value());
  EXPECT_EQ(exprs[1].type(), "TINYINT");
  EXPECT_EQ(exprs[2].literal().int_value(), 3000000000);
  EXPECT_EQ(exprs[3].literal().decimal_value(), "1.50");
  EXPECT_EQ(exprs[4].literal().decimal_value(), "-0.05");
  EXPECT_EQ(exprs[5].literal().double_value(), 1.5);
  EXPECT_EQ(exprs[6].literal().string_value(), "x");
  EXPECT_EQ(exprs[7].literal().bytes_value(), "\x1F");
  EXPECT_EQ(exprs[8].literal().int_value(), 1);
  EXPECT_EQ(exprs[9].literal().int_value(), 1000000);
  EXPECT_EQ(exprs[10].literal().value_case(), proto::Literal::VALUE_NOT_SET);
  EXPECT_EQ(exprs[11].kind(), proto::Expr::LITERAL);
  EXPECT_EQ(exprs[11].type(), "INT");
}

TEST(PlannerTest, TheSessionTimeZoneComesFromTheSettings) {
  JobSpec spec = SpecOf("SELECT TIMESTAMP '1970-01-01 01:00:00' AS t FROM lines");
  spec.settings["timeZone"] = "Europe/Berlin";

  auto analyzed = AnalyzeQuery(spec, TestSources());

  ASSERT_TRUE(analyzed.ok()) << analyzed.status();
  auto planned = PlanStages(*analyzed, SinkOf(*analyzed), {});
  ASSERT_TRUE(planned.ok());
  EXPECT_EQ(planned->plan->time_zone(), "Europe/Berlin");
  const auto& exprs = planned->plan->stages(0).operators(0).project().exprs();
  EXPECT_EQ(exprs[0].literal().int_value(), 0);
}

}  // namespace
}  // namespace tidemill::driver
