#include <arrow/table.h>
#include <gtest/gtest.h>

#include "tests/testing/batches.h"
#include "worker/operators/filter.h"
#include "worker/operators/generate.h"
#include "worker/operators/sort.h"

namespace tidemill::worker {
namespace {

class Collector final : public RowConsumer {
 public:
  arrow::Status Consume(Rows rows) override {
    pieces.push_back(std::move(rows));
    return arrow::Status::OK();
  }
  std::vector<Rows> pieces;
};

EvalContext Context() {
  EvalContext context;
  context.pool = arrow::default_memory_pool();
  context.zone = FindTimeZone("UTC").ValueOrDie();
  return context;
}

CompiledExprPtr Column(int i, const std::shared_ptr<arrow::RecordBatch>& batch) {
  return CompiledExpr::Make(
             MakeColumn(i, batch->schema()->field(i)->name(), batch->schema()->field(i)->type()))
      .ValueOrDie();
}

void ExpectRows(const Collector& collector, const std::string& ddl, const std::string& json) {
  ASSERT_EQ(collector.pieces.size(), 1u);
  const auto expected = testing::MakeBatch(ddl, json);
  EXPECT_TRUE(collector.pieces[0].batch->Equals(*expected))
      << collector.pieces[0].batch->ToString();
}

TEST(FilterTest, DropsFalseAndNullAndKeepsRunsExact) {
  const auto batch =
      testing::MakeBatch("b BOOLEAN, id INT", "[[true, 1], [false, 2], [null, 3], [true, 4]]");
  Filter filter(FilterPlan{Column(0, batch)});
  Collector out;

  ASSERT_TRUE(filter.Process(Context(), {batch, {{3, 0, 2}, {5, 2, 3}, {9, 3, 4}}}, &out).ok());

  ExpectRows(out, "b BOOLEAN, id INT", "[[true, 1], [true, 4]]");
  ASSERT_EQ(out.pieces[0].runs.size(), 2u);
  EXPECT_EQ(out.pieces[0].runs[0].key_group, 3u);
  EXPECT_EQ(out.pieces[0].runs[1].key_group, 9u);
  EXPECT_EQ(out.pieces[0].runs[1].begin, 1);
}

TEST(GenerateTest, ExplodeRepeatsKeptColumnsAndDropsEmptyLists) {
  const auto batch = testing::MakeBatch("id INT, xs ARRAY<STRING>",
                                        R"([[1, ["a", "b"]], [2, []], [3, null], [4, ["c"]]])");
  Generate generate(GeneratePlan{"explode", {Column(1, batch)}, {0}},
                    ParseDdlSchema("id INT, col STRING").ValueOrDie());
  Collector out;

  ASSERT_TRUE(generate.Process(Context(), {batch, {}}, &out).ok());

  ExpectRows(out, "id INT, col STRING", R"([[1, "a"], [1, "b"], [4, "c"]])");
}

TEST(GenerateTest, OuterFormGivesANullRowForEmptyAndNullLists) {
  const auto batch =
      testing::MakeBatch("id INT, xs ARRAY<STRING>", R"([[1, ["a"]], [2, []], [3, null]])");
  Generate generate(GeneratePlan{"posexplode_outer", {Column(1, batch)}, {0}},
                    ParseDdlSchema("id INT, pos INT, col STRING").ValueOrDie());
  Collector out;

  ASSERT_TRUE(generate.Process(Context(), {batch, {}}, &out).ok());

  ExpectRows(out, "id INT, pos INT, col STRING",
             R"([[1, 0, "a"], [2, null, null], [3, null, null]])");
}

TEST(GenerateTest, ExplodeOfASlicedListReadsTheSliceOnly) {
  const auto whole = testing::MakeBatch("xs ARRAY<INT>", "[[[1, 2]], [[3]], [[4, 5]]]");
  Generate generate(GeneratePlan{"explode", {Column(0, whole)}, {}},
                    ParseDdlSchema("col INT").ValueOrDie());
  Collector out;

  ASSERT_TRUE(generate.Process(Context(), {whole->Slice(1, 1), {}}, &out).ok());

  ExpectRows(out, "col INT", "[[3]]");
}

TEST(SortTest, OrdersBySeveralKeysWithTheirOwnNullPlacement) {
  const auto batch =
      testing::MakeBatch("a INT, b STRING", R"([[1, "x"], [2, null], [null, "q"], [2, "y"]])");
  Sort sort(SortPlan{{Column(0, batch), Column(1, batch)}, {true, false}, {false, true}},
            batch->schema());
  Collector out;

  ASSERT_TRUE(sort.Process(Context(), {batch, {}}, &out).ok());
  ASSERT_TRUE(sort.EmitNext(Context(), 0, &out).ValueOrDie());
  ASSERT_FALSE(sort.EmitNext(Context(), 0, &out).ValueOrDie());

  ExpectRows(out, "a INT, b STRING", R"([[2, null], [2, "y"], [1, "x"], [null, "q"]])");
}

TEST(SortTest, OrdersStructsAndArraysFromLeftToRight) {
  const std::string schema = "s STRUCT<a: INT, b: STRING>, xs ARRAY<INT>";
  const auto batch = testing::MakeBatch(schema, R"([
      [{"a": 2, "b": "x"}, [1]], [{"a": 1, "b": "y"}, [1, 2]], [null, [9]],
      [{"a": 1, "b": null}, [3]], [{"a": 1, "b": "y"}, [1, 1]], [{"a": 1, "b": "y"}, null]])");
  Sort sort(SortPlan{{Column(0, batch), Column(1, batch)}, {false, true}, {false, false}},
            batch->schema());
  Collector out;

  ASSERT_TRUE(sort.Process(Context(), {batch, {}}, &out).ok());
  ASSERT_TRUE(sort.EmitNext(Context(), 0, &out).ValueOrDie());

  ExpectRows(out, schema, R"([
      [{"a": 1, "b": null}, [3]], [{"a": 1, "b": "y"}, [1, 2]], [{"a": 1, "b": "y"}, [1, 1]],
      [{"a": 1, "b": "y"}, null], [{"a": 2, "b": "x"}, [1]], [null, [9]]])");
}

TEST(LimitTest, StartsAnewWithEachEpoch) {
  const auto batch = testing::MakeBatch("a INT", "[[1], [2], [3]]");
  Limit limit(LimitPlan{2});
  Collector out;

  ASSERT_TRUE(limit.Process(Context(), {batch, {}}, &out).ok());
  ASSERT_TRUE(limit.Process(Context(), {batch, {}}, &out).ok());
  ASSERT_TRUE(limit.EndInput(Context(), &out).ok());
  ASSERT_EQ(out.pieces.size(), 1u);
  ASSERT_TRUE(limit.Process(Context(), {batch, {}}, &out).ok());

  EXPECT_EQ(out.pieces.size(), 2u);
}

}  // namespace
}  // namespace tidemill::worker
