#include <arrow/table.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/types/ddl.h"
#include "common/types/value_format.h"
#include "tests/testing/batches.h"
#include "worker/join/stream_join.h"
#include "worker/join/table_join.h"

namespace tidemill::worker {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

constexpr const char* kLeft = "id INT, t TIMESTAMP";
constexpr const char* kRight = "rid INT, rt TIMESTAMP";

// Rows as text, "1@5 | 1@7": ids with the seconds of their times, - for NULL.
class RowTexts final : public RowConsumer {
 public:
  arrow::Status Consume(Rows rows) override {
    const arrow::RecordBatch& batch = *rows.batch;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      std::string text = Half(batch, 0, row);
      if (batch.num_columns() > 2) text += " | " + Half(batch, 2, row);
      texts.push_back(text);
    }
    return arrow::Status::OK();
  }
  std::vector<std::string> Take() { return std::exchange(texts, {}); }

 private:
  static std::string Half(const arrow::RecordBatch& batch, int column, int64_t row) {
    const auto& ids = static_cast<const arrow::Int32Array&>(*batch.column(column));
    const auto& times = static_cast<const arrow::TimestampArray&>(*batch.column(column + 1));
    const std::string id = ids.IsNull(row) ? "-" : std::to_string(ids.Value(row));
    if (times.IsNull(row)) return id;
    return id + "@" + std::to_string(times.Value(row) / 1'000'000);
  }
  std::vector<std::string> texts;
};

EvalContext Context() {
  EvalContext context;
  context.pool = arrow::default_memory_pool();
  context.zone = FindTimeZone("UTC").ValueOrDie();
  return context;
}

// Rows of (id, seconds); an id of -1 is NULL. All in key group 0.
Rows MakeRows(int side, const std::vector<std::pair<int, int>>& values) {
  arrow::Int32Builder ids;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                arrow::default_memory_pool());
  for (const auto& [id, seconds] : values) {
    EXPECT_TRUE((id < 0 ? ids.AppendNull() : ids.Append(id)).ok());
    EXPECT_TRUE(times.Append(int64_t{1'000'000} * seconds).ok());
  }
  const auto schema = ParseDdlSchema(side == 0 ? kLeft : kRight).ValueOrDie();
  const auto length = static_cast<int64_t>(values.size());
  auto batch = arrow::RecordBatch::Make(schema, length,
                                        {ids.Finish().ValueOrDie(), times.Finish().ValueOrDie()});
  return {std::move(batch), {{0, 0, static_cast<int32_t>(length)}}, side};
}

JoinPlan MakePlan(JoinType type) {
  JoinPlan plan;
  plan.type = type;
  for (int side = 0; side < 2; ++side) {
    const auto schema = ParseDdlSchema(side == 0 ? kLeft : kRight).ValueOrDie();
    plan.sides[side].keys = {0};
    plan.sides[side].key_types = {arrow::int32()};
    for (const auto& field : schema->fields()) plan.sides[side].types.push_back(field->type());
  }
  plan.is_null_safe = {false};
  plan.joined_schema = ParseDdlSchema(std::string(kLeft) + ", " + std::string(kRight)).ValueOrDie();
  return plan;
}

std::shared_ptr<arrow::Schema> OutputOf(const JoinPlan& plan) {
  return plan.gives_left_only() ? ParseDdlSchema(kLeft).ValueOrDie() : plan.joined_schema;
}

std::vector<std::string> JoinTables(JoinPlan plan) {
  const auto schema = OutputOf(plan);
  auto join = TableJoin::Make(std::move(plan), schema, nullptr).ValueOrDie();
  RowTexts out;
  EXPECT_TRUE(join->Process(Context(), MakeRows(1, {{1, 1}, {2, 2}, {-1, 3}}), &out).ok());
  EXPECT_TRUE(join->Process(Context(), MakeRows(1, {{1, 4}}), &out).ok());
  EXPECT_TRUE(join->Process(Context(), MakeRows(0, {{1, 10}, {3, 30}, {-1, 40}}), &out).ok());
  while (join->EmitNext(Context(), 0, &out).ValueOrDie()) {
  }
  return out.Take();
}

TEST(TableJoinTest, GivesPairsOfEqualKeysAndNullHasNone) {
  EXPECT_THAT(JoinTables(MakePlan(JoinType::kInner)), ElementsAre("1@10 | 1@1", "1@10 | 1@4"));
}

TEST(TableJoinTest, OuterJoinsKeepRowsWithoutPartner) {
  EXPECT_THAT(JoinTables(MakePlan(JoinType::kLeft)),
              UnorderedElementsAre("1@10 | 1@1", "1@10 | 1@4", "3@30 | -", "-@40 | -"));
  EXPECT_THAT(JoinTables(MakePlan(JoinType::kRight)),
              UnorderedElementsAre("1@10 | 1@1", "1@10 | 1@4", "- | 2@2", "- | -@3"));
  EXPECT_THAT(JoinTables(MakePlan(JoinType::kFull)),
              UnorderedElementsAre("1@10 | 1@1", "1@10 | 1@4", "3@30 | -", "-@40 | -", "- | 2@2",
                                   "- | -@3"));
}

TEST(TableJoinTest, SemiAndAntiGiveLeftRowsOnce) {
  EXPECT_THAT(JoinTables(MakePlan(JoinType::kLeftSemi)), ElementsAre("1@10"));
  EXPECT_THAT(JoinTables(MakePlan(JoinType::kLeftAnti)), ElementsAre("3@30", "-@40"));
}

TEST(TableJoinTest, NullMeetsNullWhereTheConditionSaysSo) {
  JoinPlan plan = MakePlan(JoinType::kInner);
  plan.is_null_safe = {true};

  EXPECT_THAT(JoinTables(plan), ElementsAre("1@10 | 1@1", "1@10 | 1@4", "-@40 | -@3"));
}

TEST(TableJoinTest, TheRestOfTheConditionDecidesWhoIsAPartner) {
  JoinPlan plan = MakePlan(JoinType::kLeft);
  const auto time = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  const auto limit = MakeLiteral(std::make_shared<arrow::TimestampScalar>(2'000'000, time));
  plan.condition =
      CompiledExpr::Make(MakeCall("<", {limit, MakeColumn(3, "rt", time)}).ValueOrDie())
          .ValueOrDie();

  EXPECT_THAT(JoinTables(plan), UnorderedElementsAre("1@10 | 1@4", "3@30 | -", "-@40 | -"));
}

TEST(TableJoinTest, StartsEmptyAfterAReset) {
  JoinPlan plan = MakePlan(JoinType::kInner);
  const auto schema = OutputOf(plan);
  auto join = TableJoin::Make(std::move(plan), schema, nullptr).ValueOrDie();
  RowTexts out;
  ASSERT_TRUE(join->Process(Context(), MakeRows(1, {{1, 1}}), &out).ok());
  join->Reset();

  ASSERT_TRUE(join->Process(Context(), MakeRows(0, {{1, 10}}), &out).ok());
  EXPECT_THAT(out.Take(), IsEmpty());
}

TEST(TableJoinTest, AStaticTableIsKeptUntilAnEpochBringsAnother) {
  JoinPlan plan = MakePlan(JoinType::kInner);
  plan.keeps_build = true;
  const auto schema = OutputOf(plan);
  auto join = TableJoin::Make(std::move(plan), schema, nullptr).ValueOrDie();
  RowTexts out;
  const EpochInfo anew;
  join->Begin(anew);
  ASSERT_TRUE(join->Process(Context(), MakeRows(1, {{1, 1}}), &out).ok());
  join->Reset();
  EpochInfo kept;
  kept.keeps_builds = true;
  for (int epoch = 0; epoch < 2; ++epoch) {
    join->Begin(kept);
    ASSERT_TRUE(join->Process(Context(), MakeRows(0, {{1, 10}, {2, 20}}), &out).ok());
    join->Reset();
    EXPECT_THAT(out.Take(), ElementsAre("1@10 | 1@1"));
  }
  join->Begin(anew);
  ASSERT_TRUE(join->Process(Context(), MakeRows(1, {{2, 2}}), &out).ok());
  ASSERT_TRUE(join->Process(Context(), MakeRows(0, {{1, 10}, {2, 20}}), &out).ok());
  EXPECT_THAT(out.Take(), ElementsAre("2@20 | 2@2"));
}

TEST(TableJoinTest, ATableThatIsNotThereIsAnError) {
  JoinPlan plan = MakePlan(JoinType::kInner);
  plan.keeps_build = true;
  const auto schema = OutputOf(plan);
  auto join = TableJoin::Make(std::move(plan), schema, nullptr).ValueOrDie();
  RowTexts out;
  EpochInfo kept;
  kept.keeps_builds = true;
  join->Begin(kept);
  EXPECT_EQ(ErrorClassOf(join->Process(Context(), MakeRows(0, {{1, 10}}), &out)),
            "BUILD_SIDE_MISSING");
}

TEST(TableJoinTest, JoinsWithASharedTableOnlyLookUp) {
  JoinPlan plan = MakePlan(JoinType::kLeft);
  plan.broadcast = 0;
  const auto table = BuildTable::Make(&plan).ValueOrDie();
  table->Begin({});
  ASSERT_TRUE(table->Add(Context(), MakeRows(1, {{1, 1}, {2, 2}})).ok());
  ASSERT_TRUE(table->Finish().ok());
  for (int lane = 0; lane < 2; ++lane) {
    auto join = TableJoin::Make(plan, OutputOf(plan), table.get()).ValueOrDie();
    RowTexts out;
    join->Begin({});
    Rows rows = MakeRows(0, {{1, 10}, {3, 30}});
    rows.runs.clear();
    ASSERT_TRUE(join->Process(Context(), std::move(rows), &out).ok());
    join->Reset();
    EXPECT_THAT(out.Take(), ElementsAre("1@10 | 1@1", "3@30 | -"));
  }
}

TEST(TableJoinTest, TheLeftSideMayBeTheBuildSide) {
  JoinPlan plan = MakePlan(JoinType::kRight);
  plan.build_side = 0;
  auto join = TableJoin::Make(plan, OutputOf(plan), nullptr).ValueOrDie();
  RowTexts out;
  ASSERT_TRUE(join->Process(Context(), MakeRows(0, {{1, 10}, {3, 30}}), &out).ok());
  ASSERT_TRUE(join->Process(Context(), MakeRows(1, {{1, 1}, {2, 2}}), &out).ok());
  EXPECT_THAT(out.Take(), UnorderedElementsAre("1@10 | 1@1", "- | 2@2"));
}

// Left rows are kept until their time is passed by the left state watermark, right ones likewise.
class StreamJoinTest : public ::testing::Test {
 protected:
  void Make(JoinType type) {
    JoinPlan plan = MakePlan(type);
    plan.is_symmetric = true;
    plan.operator_id = 0;
    for (JoinSidePlan& side : plan.sides) {
      side.event_time = {1, 0};
      side.state_time = {1, 0};
    }
    std::vector<StatefulOperator> operators;
    for (int side = 0; side < 2; ++side) {
      StatefulOperator op{side, "symmetricHashJoin", RowStore::KeyTypes({arrow::int32()}),
                          plan.sides[side].types};
      op.value_types.push_back(arrow::boolean());
      operators.push_back(op);
    }
    states_ = OperatorStates::Make(operators, 1).ValueOrDie();
    for (int side = 0; side < 2; ++side) states_->AddTable(side, 0, states_->MakeTable(side));
    const auto schema = OutputOf(plan);
    join_ = StreamJoin::Make(std::move(plan), schema, states_.get()).ValueOrDie();
  }

  void Begin(int late, int state) {
    info_.watermarks[0] = {late * int64_t{1'000'000}, state * int64_t{1'000'000},
                           state * int64_t{1'000'000}, state * int64_t{1'000'000}};
    join_->Begin(info_);
  }
  std::vector<std::string> Run(const std::vector<std::pair<int, int>>& left,
                               const std::vector<std::pair<int, int>>& right) {
    RowTexts out;
    EXPECT_TRUE(join_->Process(Context(), MakeRows(0, left), &out).ok());
    EXPECT_TRUE(join_->Process(Context(), MakeRows(1, right), &out).ok());
    while (join_->EmitNext(Context(), 0, &out).ValueOrDie()) {
    }
    join_->Reset();
    return out.Take();
  }
  void Commit(int64_t epoch) { states_->CommitEpoch(epoch); }
  int64_t Kept(int side) { return states_->Find(side, 0)->size(); }

  std::unique_ptr<OperatorStates> states_;
  std::unique_ptr<StreamJoin> join_;
  EpochInfo info_;
};

TEST_F(StreamJoinTest, FindsPartnersWithinAndAcrossEpochs) {
  Make(JoinType::kInner);
  Begin(0, 0);
  EXPECT_THAT(Run({{1, 10}, {2, 10}}, {{1, 11}}), ElementsAre("1@10 | 1@11"));
  Commit(0);

  Begin(0, 0);
  EXPECT_THAT(Run({{1, 12}}, {{2, 13}}), UnorderedElementsAre("1@12 | 1@11", "2@10 | 2@13"));
}

TEST_F(StreamJoinTest, DropsLateRowsAndStateThatTheWatermarkHasPassed) {
  Make(JoinType::kInner);
  Begin(0, 0);
  Run({{1, 10}, {1, 20}}, {});
  Commit(0);

  Begin(5, 10);
  EXPECT_THAT(Run({{1, 5}}, {}), IsEmpty());
  EXPECT_EQ(Kept(0), 1);
  EpochCounters counters;
  Commit(1);

  Begin(10, 20);
  EXPECT_THAT(Run({}, {{1, 30}}), ElementsAre("1@20 | 1@30"));
  EXPECT_EQ(Kept(0), 0);
}

TEST_F(StreamJoinTest, UnmatchedRowsOfAnOuterSideComeWhenTheyGo) {
  Make(JoinType::kFull);
  Begin(0, 0);
  EXPECT_THAT(Run({{1, 10}, {2, 10}, {-1, 10}}, {{1, 11}, {3, 10}}), ElementsAre("1@10 | 1@11"));
  Commit(0);

  Begin(0, 10);
  EXPECT_THAT(Run({}, {}), UnorderedElementsAre("2@10 | -", "-@10 | -", "- | 3@10"));
  EXPECT_EQ(Kept(0), 0);
  EXPECT_EQ(Kept(1), 1);
}

TEST_F(StreamJoinTest, ASemiJoinGivesALeftRowOnce) {
  Make(JoinType::kLeftSemi);
  Begin(0, 0);
  EXPECT_THAT(Run({{1, 10}, {2, 10}}, {{1, 11}, {1, 12}}), ElementsAre("1@10"));
  Commit(0);

  Begin(0, 0);
  EXPECT_THAT(Run({{1, 13}}, {{1, 14}, {2, 15}, {2, 16}}), UnorderedElementsAre("1@13", "2@10"));
}

TEST_F(StreamJoinTest, AnUndoneEpochLeavesNothing) {
  Make(JoinType::kLeft);
  Begin(0, 0);
  Run({{1, 10}, {2, 10}}, {});
  Commit(0);

  Begin(0, 10);
  EXPECT_THAT(Run({{3, 20}}, {{1, 15}}), UnorderedElementsAre("1@10 | 1@15", "2@10 | -"));
  states_->UndoEpoch();
  EXPECT_EQ(Kept(0), 2);
  EXPECT_EQ(Kept(1), 0);

  Begin(0, 10);
  EXPECT_THAT(Run({}, {}), UnorderedElementsAre("1@10 | -", "2@10 | -"));
}

}  // namespace
}  // namespace tidemill::worker
