#include "driver/epoch/watermark.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tidemill::driver {
namespace {

using Node = WatermarkGraph::Node;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Node Watermark(int input, int number, int64_t delay_ms) {
  return {
      .kind = Node::Kind::kWatermark, .inputs = {input}, .watermark = number, .delay_ms = delay_ms};
}

Node Stateful(int input, int operator_id, bool evicts = true) {
  return {.kind = Node::Kind::kStateful,
          .inputs = {input},
          .operator_id = operator_id,
          .evicts = evicts};
}

// Two sources with watermarks of 10 s and 20 s, joined, and an aggregation above the join.
WatermarkGraph JoinThenAggregate(JoinSideRule left, JoinSideRule right) {
  WatermarkGraph graph;
  graph.nodes = {{}, Watermark(0, 0, 10'000), {}, Watermark(2, 1, 20'000)};
  graph.nodes.push_back({.kind = Node::Kind::kJoin,
                         .inputs = {1, 3},
                         .operator_id = 0,
                         .evicts = true,
                         .left = std::move(left),
                         .right = std::move(right)});
  graph.nodes.push_back(Stateful(4, 2));
  return graph;
}

TEST(WatermarkGraphTest, OperatorsThatNoWatermarkReachesHaveNone) {
  WatermarkGraph graph;
  graph.nodes = {{}, Stateful(0, 0)};

  EXPECT_THAT(InputWatermarks(graph, 5'000), IsEmpty());
  EXPECT_FALSE(WantsEpoch(graph, 0, 5'000));
}

TEST(WatermarkGraphTest, AChainGetsTheGlobalWatermarkEverywhere) {
  WatermarkGraph graph;
  graph.nodes = {{}, Watermark(0, 0, 0), Stateful(1, 0), {.inputs = {2}}, Stateful(3, 1)};

  EXPECT_THAT(InputWatermarks(graph, 5'000), ElementsAre(Pair(0, 5'000), Pair(1, 5'000)));
}

TEST(WatermarkGraphTest, WhatAJoinStillMayEmitHoldsBackWhatIsAboveIt) {
  const JoinSideRule left{JoinSideRule::Kind::kValue, {{-7'000'000, false}}};
  const JoinSideRule right{JoinSideRule::Kind::kValue, {{-3'000'000, true}, {-1'000'000, false}}};
  const WatermarkGraph graph = JoinThenAggregate(left, right);

  EXPECT_THAT(InputWatermarks(graph, 60'000), ElementsAre(Pair(0, 60'000), Pair(2, 53'000)));
  const auto operators = OperatorWatermarks(graph, 50'000, 60'000);
  ASSERT_EQ(operators.size(), 2u);
  EXPECT_EQ(operators[0], (OperatorWatermark{0, 50'000, 60'000, 53'000, 56'999}));
  EXPECT_EQ(operators[1], (OperatorWatermark{2, 43'000, 53'000, {}, {}}));
}

TEST(WatermarkGraphTest, NothingIsLateBeforeThereIsAWatermark) {
  const JoinSideRule rule{JoinSideRule::Kind::kValue, {{-7'000'000, false}}};
  const auto operators = OperatorWatermarks(JoinThenAggregate(rule, {}), 0, 0);

  EXPECT_EQ(operators[1].late_ms, 0);
  EXPECT_EQ(operators[1].eviction_ms, 0);
}

TEST(WatermarkGraphTest, AnEpochIsWantedWhereAnOperatorEvictsMore) {
  WatermarkGraph graph;
  graph.nodes = {{}, Watermark(0, 0, 0), Stateful(1, 0, /*evicts=*/false)};
  EXPECT_FALSE(WantsEpoch(graph, 0, 5'000));

  graph.nodes.back().evicts = true;
  EXPECT_TRUE(WantsEpoch(graph, 0, 5'000));
  EXPECT_FALSE(WantsEpoch(graph, 5'000, 5'000));
}

WatermarkGraph TwoWatermarks() {
  WatermarkGraph graph;
  graph.nodes = {{}, Watermark(0, 0, 10'000), {}, Watermark(2, 1, 20'000)};
  return graph;
}

TEST(WatermarkTrackerTest, TheLeastIsNothingUntilEveryInputHasRows) {
  WatermarkTracker tracker(TwoWatermarks(), WatermarkPolicy::kMin);
  tracker.Observe(0, 100'000);
  tracker.Advance();
  EXPECT_EQ(tracker.global_ms(), 0);

  tracker.Observe(1, 50'000);
  tracker.Advance();
  EXPECT_EQ(tracker.global_ms(), 30'000);
}

TEST(WatermarkTrackerTest, TheGreatestFollowsTheFastestInput) {
  WatermarkTracker tracker(TwoWatermarks(), WatermarkPolicy::kMax);
  tracker.Observe(0, 100'000);
  tracker.Advance();

  EXPECT_EQ(tracker.global_ms(), 90'000);
}

TEST(WatermarkTrackerTest, NeverGoesBack) {
  WatermarkTracker tracker(TwoWatermarks(), WatermarkPolicy::kMax);
  tracker.Observe(0, 100'000);
  tracker.Advance();
  tracker.Observe(0, 20'000);
  tracker.Observe(1, 30'000);
  tracker.Advance();

  EXPECT_EQ(tracker.global_ms(), 90'000);
  EXPECT_THAT(tracker.by_watermark(), ElementsAre(90'000, 10'000));
}

TEST(WatermarkTrackerTest, GoesOnFromWhatWasLogged) {
  WatermarkTracker tracker(TwoWatermarks(), WatermarkPolicy::kMin);
  tracker.Restore({90'000, std::nullopt}, 0);
  tracker.Observe(1, 70'000);
  tracker.Advance();
  EXPECT_EQ(tracker.global_ms(), 50'000);

  WatermarkTracker changed(TwoWatermarks(), WatermarkPolicy::kMin);
  changed.Restore({90'000}, 40'000);
  EXPECT_EQ(changed.global_ms(), 40'000);
  EXPECT_THAT(changed.by_watermark(), ElementsAre(std::nullopt, std::nullopt));
}

}  // namespace
}  // namespace tidemill::driver
