#include "state/table/hot_table.h"

#include <arrow/array.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/error.h"
#include "state_testing.h"

namespace tidemill::state {
namespace {

using ::testing::ElementsAre;

TEST(HotTableTest, RepeatedKeysOfABatchShareTheirNewRow) {
  auto table = WordTable();
  EncodedKeys keys;
  ASSERT_TRUE(table->key_codec()
                  .Encode({Strings({"a", "b", std::nullopt, "a", "", std::nullopt})}, 6, &keys)
                  .ok());
  std::vector<uint32_t> rows(5);
  std::vector<uint8_t> is_new(5);

  table->FindOrInsert(keys, 1, 6, rows.data(), is_new.data());

  EXPECT_THAT(rows, ElementsAre(0, 1, 2, 3, 1));
  EXPECT_THAT(is_new, ElementsAre(1, 1, 1, 1, 0));
  EXPECT_EQ(table->size(), 4);
}

TEST(HotTableTest, FindDoesNotAdd) {
  auto table = WordTable();
  EncodedKeys keys;
  ASSERT_TRUE(table->key_codec().Encode({Strings({"a", std::nullopt})}, 2, &keys).ok());
  std::vector<uint32_t> rows(2);

  table->Find(keys, 0, 2, rows.data());
  EXPECT_THAT(rows, ElementsAre(HotTable::kNoRow, HotTable::kNoRow));
  PutWord(table.get(), "b", 1, "x");
  table->Find(keys, 0, 2, rows.data());

  EXPECT_THAT(rows, ElementsAre(HotTable::kNoRow, HotTable::kNoRow));
  EXPECT_EQ(table->size(), 1);
}

TEST(HotTableTest, UndoRestoresValuesAndErasedRowsAndDropsNewOnes) {
  auto table = WordTable();
  PutWord(table.get(), "a", 1, "one");
  PutWord(table.get(), "b", 2, "two");
  PutWord(table.get(), std::nullopt, 3, "three");
  table->CommitEpoch(0);
  const auto before = DumpWords(*table);
  PutWord(table.get(), "a", 100, "a much longer text than before");
  EraseWord(table.get(), "b");
  PutWord(table.get(), "b", 7, "back");
  EraseWord(table.get(), std::nullopt);
  PutWord(table.get(), std::nullopt, 8, "back");
  PutWord(table.get(), "c", 9, "new");

  table->UndoEpoch();

  EXPECT_EQ(DumpWords(*table), before);
  EXPECT_EQ(table->num_rows(), 3u);
  EXPECT_TRUE(table->changed_rows().empty());
  EXPECT_EQ(RowFor(table.get(), "b"), 1u);
}

TEST(HotTableTest, ChangedRowsAreListedOnceInOrder) {
  auto table = WordTable();
  PutWord(table.get(), "a", 1, "x");
  PutWord(table.get(), "b", 1, "x");
  table->CommitEpoch(4);
  PutWord(table.get(), "c", 1, "x");
  PutWord(table.get(), "b", 2, "x");
  PutWord(table.get(), "c", 2, "x");

  EXPECT_THAT(table->changed_rows(), ElementsAre(2, 1));
  EXPECT_EQ(table->last_changed_epoch(), 4);
  table->CommitEpoch(5);
  table->CommitEpoch(6);
  EXPECT_EQ(table->last_changed_epoch(), 5);
}

TEST(HotTableTest, ExportedChangesLeaveOutRowsThatCameAndWent) {
  auto table = WordTable();
  PutWord(table.get(), "a", 1, "x");
  table->CommitEpoch(0);
  EraseWord(table.get(), "a");
  PutWord(table.get(), "gone", 1, "x");
  EraseWord(table.get(), "gone");
  PutWord(table.get(), std::nullopt, 5, "y");
  RowBlock block;

  table->ExportChanges(&block);

  ASSERT_EQ(block.num_rows, 2u);
  EXPECT_EQ(block.Key(0), "a");
  EXPECT_EQ(block.flags[0], RowBlock::kTombstone);
  EXPECT_EQ(block.flags[1], RowBlock::kNullKey);
}

TEST(HotTableTest, ImportedChangesMakeAnotherTableEqual) {
  auto table = WordTable();
  auto copy = WordTable();
  RowBlock block;
  for (int i = 0; i < 10'000; ++i) PutWord(table.get(), std::to_string(i), i, std::to_string(i));
  table->ExportChanges(&block);
  ASSERT_TRUE(copy->Import(block).ok());
  table->CommitEpoch(0);
  copy->CommitEpoch(0);
  for (int i = 0; i < 10'000; i += 2) EraseWord(table.get(), std::to_string(i));
  PutWord(table.get(), "0", -1, "back");
  PutWord(table.get(), std::nullopt, -1, "");
  table->ExportChanges(&block);

  ASSERT_TRUE(copy->Import(block).ok());

  EXPECT_EQ(DumpWords(*copy), DumpWords(*table));
}

TEST(HotTableTest, ImportRefusesRowsOfAnotherShape) {
  HotTable numbers({.keys = CodecOf({arrow::int64()}), .values = {arrow::int64()}});
  auto words = WordTable();
  PutWord(words.get(), "a", 1, "x");
  RowBlock block;
  words->ExportChanges(&block);

  const arrow::Status status = numbers.Import(block);

  EXPECT_EQ(KindOf(status), ErrorKind::kCorrupt);
}

TEST(HotTableTest, CaptureTakesEachDirtyKeyOnceAndThenNothing) {
  auto table = WordTable();
  for (const char* key : {"a", "b", "c", "d"}) PutWord(table.get(), key, 1, "x");
  table->CommitEpoch(0);
  RowBlock block;
  table->CaptureDirty(&block);
  EXPECT_EQ(block.num_rows, 4u);
  EraseWord(table.get(), "a");
  EraseWord(table.get(), "b");
  PutWord(table.get(), "never captured", 1, "x");
  table->CommitEpoch(1);
  PutWord(table.get(), "b", 2, "back");
  PutWord(table.get(), "c", 2, "x");
  EraseWord(table.get(), "never captured");
  table->CommitEpoch(2);

  table->CaptureDirty(&block);

  std::vector<std::string> entries;
  for (uint32_t i = 0; i < block.num_rows; ++i)
    entries.push_back((block.flags[i] & RowBlock::kTombstone ? "-" : "+") +
                      std::string(block.Key(i)));
  EXPECT_THAT(entries, ::testing::UnorderedElementsAre("-a", "+b", "+c"));
  table->CaptureDirty(&block);
  EXPECT_EQ(block.num_rows, 0u);
}

TEST(HotTableTest, ForgottenCapturesMakeTheNextOneTakeAllRowsAndNoRemoval) {
  auto table = WordTable();
  for (const char* key : {"a", "b", "c"}) PutWord(table.get(), key, 1, "x");
  table->CommitEpoch(0);
  RowBlock block;
  table->CaptureDirty(&block);
  EraseWord(table.get(), "a");
  table->CommitEpoch(1);

  table->MarkAllDirty();
  EraseWord(table.get(), "b");
  table->CommitEpoch(2);

  table->CaptureDirty(&block);
  ASSERT_EQ(block.num_rows, 1u);
  EXPECT_EQ(block.Key(0), "c");
  EXPECT_EQ(table->last_changed_epoch(), 2);
}

TEST(HotTableTest, LiveRowsStayInInsertionOrderWhenHolesAreDropped) {
  auto table = WordTable();
  for (int i = 0; i < 1000; ++i) PutWord(table.get(), std::to_string(i), i, std::to_string(i));
  table->CommitEpoch(0);
  for (int i = 0; i < 1000; ++i)
    if (i % 7 != 0) EraseWord(table.get(), std::to_string(i));
  table->CommitEpoch(1);
  std::vector<uint32_t> rows;

  table->LiveRows(&rows);

  ASSERT_EQ(rows.size(), 143u);
  EXPECT_EQ(table->num_rows(), 143u);
  for (size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(table->key(rows[i]), std::to_string(i * 7));
    EXPECT_EQ(table->column(1).GetBytes(rows[i]), std::to_string(i * 7));
    EXPECT_EQ(RowFor(table.get(), std::to_string(i * 7)), rows[i]);
  }
}

TEST(HotTableTest, GlobalAggregateHasOneRow) {
  HotTable table({.keys = CodecOf({}), .values = {arrow::int64()}});
  EncodedKeys keys;
  ASSERT_TRUE(table.key_codec().Encode({}, 3, &keys).ok());
  std::vector<uint32_t> rows(3);

  table.FindOrInsert(keys, 0, 3, rows.data(), nullptr);

  EXPECT_THAT(rows, ElementsAre(0, 0, 0));
}

TEST(HotTableTest, ClearedPlainTableKeepsItsCapacity) {
  HotTable table(
      {.keys = CodecOf({arrow::int64()}), .values = {arrow::int64()}, .is_transactional = false});
  std::vector<std::optional<int64_t>> numbers;
  for (int64_t i = 0; i < 5000; ++i) numbers.push_back(i * i);
  EncodedKeys keys;
  ASSERT_TRUE(table.key_codec().Encode({Int64s(numbers)}, 5000, &keys).ok());
  std::vector<uint32_t> rows(5000);
  table.FindOrInsert(keys, 0, 5000, rows.data(), nullptr);
  const int64_t bytes = table.memory_bytes();

  table.Clear();
  table.FindOrInsert(keys, 0, 5000, rows.data(), nullptr);

  EXPECT_EQ(table.size(), 5000);
  EXPECT_EQ(table.memory_bytes(), bytes);
  EXPECT_EQ(rows[4999], 4999u);
}

TEST(HotTableTest, ArraysHoldKeysAndValuesOfTheRowsAskedFor) {
  HotTable table({.keys = CodecOf({arrow::int64(), arrow::utf8()}),
                  .values = {arrow::boolean(), arrow::utf8()}});
  EncodedKeys keys;
  ASSERT_TRUE(
      table.key_codec()
          .Encode({Int64s({1, std::nullopt, 3}), Strings({"a", "b", std::nullopt})}, 3, &keys)
          .ok());
  std::vector<uint32_t> rows(3);
  table.FindOrInsert(keys, 0, 3, rows.data(), nullptr);
  table.column(0).values<uint8_t>()[2] = 1;
  table.column(0).validity()[2] = 1;
  table.column(1).SetBytes(1, "value");
  const std::vector<uint32_t> wanted = {2, 1};

  const auto key_arrays = table.KeyArrays(wanted, arrow::default_memory_pool()).ValueOrDie();
  const auto value_arrays = table.ValueArrays(wanted, arrow::default_memory_pool()).ValueOrDie();

  EXPECT_TRUE(key_arrays[0]->Equals(Int64s({3, std::nullopt})));
  EXPECT_TRUE(key_arrays[1]->Equals(Strings({std::nullopt, "b"})));
  EXPECT_EQ(value_arrays[0]->ToString(), "[\n  true,\n  null\n]");
  EXPECT_TRUE(value_arrays[1]->Equals(Strings({std::nullopt, "value"})));
}

}  // namespace
}  // namespace tidemill::state
