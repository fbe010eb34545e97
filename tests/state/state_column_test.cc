#include "state/table/state_column.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include "state/table/column_gather.h"
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

TEST(StateColumnTest, AppendingCostsWhatItAdds) {
  StateColumn column(arrow::binary());
  column.AddRows(2);

  for (int i = 0; i < 200'000; ++i) {
    ASSERT_TRUE(column.AppendBytes(i % 2, "12345").ok());
  }

  EXPECT_EQ(column.GetBytes(0).size(), 500'000u);
  EXPECT_LT(column.memory_bytes(), 10'000'000);
}

TEST(StateColumnTest, WhatWasAppendedInAnUndoneEpochIsGone) {
  StateColumn column(arrow::binary());
  column.AddRows(2);
  ASSERT_TRUE(column.AppendBytes(0, "ab").ok());
  ASSERT_TRUE(column.AppendBytes(1, "x").ok());
  ASSERT_TRUE(column.AppendBytes(1, "y").ok());
  column.EndEpoch();
  const uint32_t rows[] = {0, 1};

  for (int attempt = 0; attempt < 3; ++attempt) {
    column.SaveUndo(rows);
    ASSERT_TRUE(column.AppendBytes(0, std::string(100, 'c')).ok());
    column.MutableBytes(0)[0] = 'z';
    ASSERT_TRUE(column.AppendBytes(1, "w").ok());
    column.SetNull(1);
    ASSERT_TRUE(column.AppendBytes(1, "new").ok());
    EXPECT_EQ(column.GetBytes(1), "new");
    column.RestoreUndo(rows);
    column.TruncateForUndo(2);
    column.EndEpoch();

    EXPECT_EQ(column.GetBytes(0), "ab");
    EXPECT_EQ(column.GetBytes(1), "xy");
  }
}

TEST(StateColumnTest, RowsOfSeveralColumnsAreGatheredInOrder) {
  const auto fill = [](StateColumn* column, std::vector<std::optional<int64_t>> values) {
    column->AddRows(static_cast<uint32_t>(values.size()));
    for (size_t i = 0; i < values.size(); ++i) {
      column->values<int64_t>()[i] = values[i].value_or(77);
      column->validity()[i] = values[i] ? 1 : 0;
    }
  };
  StateColumn first(arrow::int64());
  StateColumn second(arrow::int64());
  fill(&first, {1, 2, std::nullopt});
  fill(&second, {10, 20});
  const std::vector<uint32_t> of_first = {2, 0, 0};
  const std::vector<uint32_t> of_second = {1};
  const std::vector<ColumnRows> pieces = {{&first, of_first}, {&second, of_second}, {&first, {}}};

  const auto array = GatherColumn(pieces, arrow::default_memory_pool()).ValueOrDie();

  EXPECT_TRUE(array->Equals(Int64s({std::nullopt, 1, 1, 20}))) << array->ToString();
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
