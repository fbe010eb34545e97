#include <gtest/gtest.h>

#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

// What stands below WithWatermark decides which rows advance it. tests/queries/watermark_below_*
// say that Spark agrees; here is where the filters are.

constexpr const char* kEvents = "(SELECT * FROM log WATERMARK ts DELAY OF INTERVAL 1 MINUTE)";

std::string Optimized(const std::string& query) {
  std::string text = query;
  for (size_t at = text.find("EVENTS"); at != std::string::npos; at = text.find("EVENTS")) {
    text.replace(at, 6, kEvents);
  }
  return OptimizedText(text);
}

TEST(WatermarkFiltersTest, DeterministicConditionsOnOtherColumnsMoveBelow) {
  EXPECT_EQ(Optimized("SELECT user, ts FROM EVENTS WHERE n > 1 AND rand(1) < 0.5 AND ts > '2024'"),
            "Project [user, ts]\n"
            "+- Filter ((rand(1) < 0.5) AND (ts > TIMESTAMP '2024-01-01 00:00:00'))\n"
            "   +- WithWatermark ts, delay 60000 ms\n"
            "      +- Filter (n > 1)\n"
            "         +- Read log json [user, n, ts], streaming\n");
}

TEST(WatermarkFiltersTest, AFilterAboveARandomOneStaysAbove) {
  EXPECT_EQ(Optimized("SELECT user FROM (SELECT * FROM EVENTS WHERE rand(1) < 0.5) WHERE n > 1"),
            "Project [user]\n"
            "+- Filter (n > 1)\n"
            "   +- Filter (rand(1) < 0.5)\n"
            "      +- Project [user, n]\n"
            "         +- Project [user, n]\n"
            "            +- WithWatermark ts, delay 60000 ms\n"
            "               +- Read log json [user, n, ts], streaming\n");
}

TEST(WatermarkFiltersTest, ThatTheOtherColumnIsNotNullIsAskedBelow) {
  EXPECT_EQ(Optimized("SELECT user, ts FROM EVENTS WHERE ts > to_timestamp(page)"),
            "Project [user, ts]\n"
            "+- Filter ((ts IS NOT NULL) AND (ts > to_timestamp(page)))\n"
            "   +- WithWatermark ts, delay 60000 ms\n"
            "      +- Filter (page IS NOT NULL)\n"
            "         +- Read log json [user, page, ts], streaming\n");
}

TEST(WatermarkFiltersTest, JoinKeysAreNotNullWhereTheJoinDropsThem) {
  EXPECT_EQ(Optimized("SELECT user, name FROM EVENTS JOIN countries ON user = code"),
            "Project [user, name]\n"
            "+- Join Inner, (user = code)\n"
            "   :- Project [user]\n"
            "   :  +- Project [user]\n"
            "   :     +- WithWatermark ts, delay 60000 ms\n"
            "   :        +- Filter (user IS NOT NULL)\n"
            "   :           +- Read log json [user, ts], streaming\n"
            "   +- Filter (code IS NOT NULL)\n"
            "      +- Read countries json [code, name]\n");
  EXPECT_EQ(Optimized("SELECT user, name FROM EVENTS LEFT JOIN countries ON user = code"),
            "Project [user, name]\n"
            "+- Join LeftOuter, (user = code)\n"
            "   :- Project [user]\n"
            "   :  +- Project [user]\n"
            "   :     +- WithWatermark ts, delay 60000 ms\n"
            "   :        +- Read log json [user, ts], streaming\n"
            "   +- Filter (code IS NOT NULL)\n"
            "      +- Read countries json [code, name]\n");
}

TEST(WatermarkFiltersTest, WhatHoldsForOneKeyHoldsForTheOther) {
  EXPECT_EQ(Optimized("SELECT user FROM EVENTS JOIN countries ON user = code WHERE code > 'a'"),
            "Project [user]\n"
            "+- Join Inner, (user = code)\n"
            "   :- Project [user]\n"
            "   :  +- Project [user]\n"
            "   :     +- WithWatermark ts, delay 60000 ms\n"
            "   :        +- Filter (user > a)\n"
            "   :           +- Read log json [user, ts], streaming\n"
            "   +- Filter (code > a)\n"
            "      +- Read countries json [code]\n");
}

TEST(WatermarkFiltersTest, AnOuterJoinThatDropsItsNullsIsNone) {
  EXPECT_EQ(Optimized("SELECT user FROM EVENTS LEFT JOIN countries ON user = code "
                      "WHERE coalesce(name, 'x') <> 'x'"),
            "Project [user]\n"
            "+- Join Inner, (user = code)\n"
            "   :- Project [user]\n"
            "   :  +- Project [user]\n"
            "   :     +- WithWatermark ts, delay 60000 ms\n"
            "   :        +- Filter (user IS NOT NULL)\n"
            "   :           +- Read log json [user, ts], streaming\n"
            "   +- Filter ((NOT (coalesce(name, x) = x)) AND (code IS NOT NULL))\n"
            "      +- Read countries json [code, name]\n");
}

TEST(WatermarkFiltersTest, PartsOfAnOrGoIntoTheSides) {
  EXPECT_EQ(
      Optimized("SELECT user FROM EVENTS JOIN countries ON user = code AND "
                "((n = 1 AND name = 'a') OR (n = 2 AND name = 'b'))"),
      "Project [user]\n"
      "+- Join Inner, ((user = code) AND (((n = 1) AND (name = a)) OR ((n = 2) AND (name = b))))\n"
      "   :- Project [user, n]\n"
      "   :  +- Project [user, n]\n"
      "   :     +- WithWatermark ts, delay 60000 ms\n"
      "   :        +- Filter ((user IS NOT NULL) AND ((n = 1) OR (n = 2)))\n"
      "   :           +- Read log json [user, n, ts], streaming\n"
      "   +- Filter ((code IS NOT NULL) AND ((name = a) OR (name = b)))\n"
      "      +- Read countries json [code, name]\n");
}

TEST(WatermarkFiltersTest, SubqueriesOfWhereAreConditions) {
  EXPECT_EQ(Optimized("SELECT user FROM EVENTS WHERE user IN (SELECT code FROM countries)"),
            "Project [user]\n"
            "+- Project [user]\n"
            "   +- WithWatermark ts, delay 60000 ms\n"
            "      +- Join LeftSemi, (user = code)\n"
            "         :- Read log json [user, ts], streaming\n"
            "         +- Read countries json [code]\n");
  EXPECT_EQ(Optimized("SELECT user FROM EVENTS LEFT SEMI JOIN countries ON user = code"),
            "Join LeftSemi, (user = code)\n"
            ":- Project [user]\n"
            ":  +- Project [user]\n"
            ":     +- WithWatermark ts, delay 60000 ms\n"
            ":        +- Filter (user IS NOT NULL)\n"
            ":           +- Read log json [user, ts], streaming\n"
            "+- Filter (code IS NOT NULL)\n"
            "   +- Read countries json [code]\n");
  EXPECT_EQ(Optimized("SELECT user FROM EVENTS WHERE user > (SELECT max(code) FROM countries)"),
            "Project [user]\n"
            "+- Project [user, max(code)]\n"
            "   +- WithWatermark ts, delay 60000 ms\n"
            "      +- Filter (user > max(code))\n"
            "         +- Join LeftOuter\n"
            "            :- Filter (user IS NOT NULL)\n"
            "            :  +- Read log json [user, ts], streaming\n"
            "            +- Aggregate keys=[], functions=[max(code)]\n"
            "               +- Read countries json [code]\n");
}

TEST(WatermarkFiltersTest, EmptyArraysAreDroppedBelow) {
  EXPECT_EQ(Optimized("SELECT explode(tags) AS tag FROM EVENTS"),
            "Generate explode(tags), [tag]\n"
            "+- Project [tags]\n"
            "   +- WithWatermark ts, delay 60000 ms\n"
            "      +- Filter ((size(tags) > 0) AND (tags IS NOT NULL))\n"
            "         +- Read log json [tags, ts], streaming\n");
}

}  // namespace
}  // namespace tidemill::driver
