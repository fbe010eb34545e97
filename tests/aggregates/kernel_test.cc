#include <arrow/array.h>
#include <arrow/compute/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "common/expr/expr.h"
#include "common/types/ddl.h"
#include "state/table/hot_table.h"
#include "worker/aggregates/aggregate_kernel.h"

namespace tidemill::worker {
namespace {

// Aggregates one column into two groups: row i goes to group i % 2; the first `split` rows arrive
// as one partial result, the rest as another one.
std::string Aggregate(const std::string& function, const std::string& type_text,
                      const std::string& json) {
  const auto type = ParseDdlType(type_text).ValueOrDie();
  const auto values = arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
  const std::vector<ExprPtr> args = {MakeColumn(0, "x", type)};
  const BoundAggregate signature = ResolveAggregateCall(function, args).ValueOrDie();
  const auto kernel = MakeAggregateKernel(signature).ValueOrDie();
  const auto input = arrow::compute::Cast(*values, signature.arg_types[0]).ValueOrDie();

  const auto codec = state::KeyCodec::Make({}).ValueOrDie();
  auto make_table = [&] {
    auto table = std::make_unique<state::HotTable>(
        state::HotTable::Options{.keys = state::KeyCodec::Make({arrow::int64()}).ValueOrDie(),
                                 .values = signature.state_types,
                                 .is_transactional = false});
    state::EncodedKeys keys;
    const auto groups = arrow::json::ArrayFromJSONString(arrow::int64(), "[0, 1]").ValueOrDie();
    EXPECT_TRUE(table->key_codec().Encode({groups}, 2, &keys).ok());
    uint32_t rows[2];
    table->FindOrInsert(keys, 0, 2, rows, nullptr);
    return table;
  };
  std::vector<uint32_t> target(input->length());
  for (size_t i = 0; i < target.size(); ++i) target[i] = i % 2;
  const uint32_t both[] = {0, 1};
  auto final_table = make_table();
  const int64_t split = input->length() / 2;
  for (const auto& [begin, end] :
       {std::pair<int64_t, int64_t>{0, split}, {split, input->length()}}) {
    auto partial = make_table();
    const std::vector<std::shared_ptr<arrow::Array>> columns = {input};
    EXPECT_TRUE(
        kernel->Update(columns, begin, end, target.data() + begin, &partial->column(0)).ok());
    const auto accumulators = partial->ValueArrays(both, arrow::default_memory_pool()).ValueOrDie();
    EXPECT_TRUE(kernel->Merge(accumulators, 0, 2, both, &final_table->column(0)).ok());
  }
  const auto state = final_table->ValueArrays(both, arrow::default_memory_pool()).ValueOrDie();
  const auto result = kernel->Finish(state, arrow::default_memory_pool()).ValueOrDie();
  EXPECT_TRUE(result->type()->Equals(*signature.type));
  return result->GetScalar(0).ValueOrDie()->ToString() + " " +
         result->GetScalar(1).ValueOrDie()->ToString();
}

TEST(AggregateKernelTest, CountLeavesNullsOut) {
  EXPECT_EQ(Aggregate("count", "INT", "[1, null, 3, null]"), "2 0");
}

TEST(AggregateKernelTest, SumOfNothingIsNull) {
  EXPECT_EQ(Aggregate("sum", "INT", "[1, null, 3, null]"), "4 null");
}

TEST(AggregateKernelTest, AverageOfIntegersIsADouble) {
  EXPECT_EQ(Aggregate("avg", "INT", "[1, null, 4, null]"), "2.5 null");
}

TEST(AggregateKernelTest, AverageOfDecimalsHasFourMoreDigitsRoundedHalfUp) {
  EXPECT_EQ(
      Aggregate("avg", "DECIMAL(5,2)", R"(["1.00", "-1.00", "1.00", "-1.00", "0.00", "0.00"])"),
      "0.666667 -0.666667");
}

TEST(AggregateKernelTest, MinAndMaxOfStrings) {
  EXPECT_EQ(Aggregate("min", "STRING", R"(["b", null, "a", "z"])"), "a z");
  EXPECT_EQ(Aggregate("max", "STRING", R"(["b", null, "a", "z"])"), "b z");
}

TEST(AggregateKernelTest, NanIsAboveEveryNumber) {
  const auto signature =
      ResolveAggregateCall("max", std::vector<ExprPtr>{MakeColumn(0, "x", arrow::float64())})
          .ValueOrDie();
  const auto kernel = MakeAggregateKernel(signature).ValueOrDie();
  state::StateColumn column(arrow::float64());
  column.AddRows(1);
  arrow::DoubleBuilder builder;
  EXPECT_TRUE(
      builder.AppendValues({1.0, std::nan(""), std::numeric_limits<double>::infinity()}).ok());
  const std::vector<std::shared_ptr<arrow::Array>> args = {builder.Finish().ValueOrDie()};
  const uint32_t target[] = {0, 0, 0};

  ASSERT_TRUE(kernel->Update(args, 0, 3, target, &column).ok());

  EXPECT_TRUE(std::isnan(column.values<double>()[0]));
}

TEST(AggregateKernelTest, SumOverflowIsAnError) {
  const auto signature =
      ResolveAggregateCall("sum", std::vector<ExprPtr>{MakeColumn(0, "x", arrow::int64())})
          .ValueOrDie();
  const auto kernel = MakeAggregateKernel(signature).ValueOrDie();
  state::StateColumn column(arrow::int64());
  column.AddRows(1);
  const std::vector<std::shared_ptr<arrow::Array>> args = {
      arrow::json::ArrayFromJSONString(arrow::int64(), "[9223372036854775807, 1]").ValueOrDie()};
  const uint32_t target[] = {0, 0};

  const arrow::Status status = kernel->Update(args, 0, 2, target, &column);

  EXPECT_EQ(ErrorClassOf(status), "ARITHMETIC_OVERFLOW");
  EXPECT_EQ(KindOf(status), ErrorKind::kJobFailed);
}

}  // namespace
}  // namespace tidemill::worker
