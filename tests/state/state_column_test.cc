#include "state/table/state_column.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "state/table/row_codec.h"
#include "state_testing.h"

namespace tidemill::state {
namespace {

TEST(StateColumnTest, RewritingTextsInOneEpochDoesNotGrow) {
  StateColumn column(arrow::utf8());
  column.AddRows(1);
  column.SetBytes(0, "0123456789");
  const int64_t before = column.memory_bytes();

  for (int i = 0; i < 100'000; ++i) column.SetBytes(0, std::to_string(i));

  EXPECT_EQ(column.memory_bytes(), before);
  EXPECT_EQ(column.GetBytes(0), "99999");
}

TEST(StateColumnTest, CompactionKeepsTextsAndFreesOldOnes) {
  StateColumn column(arrow::utf8());
  column.AddRows(100);
  for (int epoch = 0; epoch < 100; ++epoch) {
    for (uint32_t row = 0; row < 100; ++row)
      column.SetBytes(row, std::to_string(epoch * 1000 + row));
    column.EndEpoch();
  }
  ASSERT_TRUE(column.wants_compaction());

  column.CompactBytes();

  EXPECT_FALSE(column.wants_compaction());
  for (uint32_t row = 0; row < 100; ++row)
    EXPECT_EQ(column.GetBytes(row), std::to_string(99'000 + row));
}

TEST(StateColumnTest, NestedValuesAreKeptEncoded) {
  const auto type = arrow::map(arrow::utf8(), arrow::list(arrow::int32()));
  const auto values =
      arrow::json::ArrayFromJSONString(type, R"([[["a", [1, null]], ["b", null]], null])")
          .ValueOrDie();
  StateColumn column(type);
  column.AddRows(2);
  PodVector<uint8_t> encoded;
  AppendEncoded(*values, 0, /*normalise=*/false, &encoded);
  column.SetBytes(0, {reinterpret_cast<const char*>(encoded.data()), encoded.size()});
  const std::vector<uint32_t> rows = {0, 1};

  const auto array = column.ToArray(rows, arrow::default_memory_pool()).ValueOrDie();

  EXPECT_TRUE(array->Equals(values)) << array->ToString();
}

}  // namespace
}  // namespace tidemill::state
