#include "worker/stateful/row_store.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "tests/state/state_testing.h"

namespace tidemill::worker {
namespace {

using Keys = std::vector<std::optional<std::string>>;
using Values = std::vector<int64_t>;

// A table of rows with one BIGINT under STRING keys.
class RowStoreTest : public ::testing::Test {
 protected:
  RowStoreTest() : store_(codec_) {}

  static std::unique_ptr<state::HotTable> NewTable(std::shared_ptr<const state::KeyCodec> codec) {
    return std::make_unique<state::HotTable>(
        state::HotTable::Options{.keys = std::move(codec), .values = {arrow::int64()}});
  }

  const state::EncodedKeys& Encode(const Keys& keys) {
    EXPECT_TRUE(RowStore::EncodeKeys(*codec_, {state::Strings(keys)}, keys.size(), &encoded_).ok());
    return encoded_;
  }

  void Insert(const Keys& keys, const Values& values) {
    store_.Attach(table_.get(), 0);
    std::vector<uint32_t> rows(keys.size());
    store_.Insert(Encode(keys), 0, keys.size(), rows.data());
    state::StateColumn& column = table_->column(0);
    for (size_t i = 0; i < rows.size(); ++i) {
      column.values<int64_t>()[rows[i]] = values[i];
      column.validity()[rows[i]] = 1;
    }
  }

  std::vector<uint32_t> RowsOf(const std::optional<std::string>& key) {
    store_.Attach(table_.get(), 0);
    RowMatches matches;
    store_.Find(Encode({key}), 0, 1, &matches);
    return matches.rows;
  }

  Values ValuesOf(const std::optional<std::string>& key) {
    Values values;
    for (const uint32_t row : RowsOf(key))
      values.push_back(table_->column(0).values<int64_t>()[row]);
    return values;
  }

  void EraseNth(const std::string& key, size_t n) {
    const uint32_t row = RowsOf(key)[n];
    store_.Erase({&row, 1});
  }

  const std::shared_ptr<const state::KeyCodec> codec_ =
      state::CodecOf(RowStore::KeyTypes({arrow::utf8()}));
  std::unique_ptr<state::HotTable> table_ = NewTable(codec_);
  RowStore store_;
  state::EncodedKeys encoded_;
};

TEST_F(RowStoreTest, RowsOfAKeyComeInTheOrderOfTheirArrival) {
  Insert({"a", "b", "a", std::nullopt}, {1, 2, 3, 4});
  Insert({"", "a", std::nullopt}, {5, 6, 7});

  EXPECT_EQ(ValuesOf("a"), (Values{1, 3, 6}));
  EXPECT_EQ(ValuesOf("b"), (Values{2}));
  EXPECT_EQ(ValuesOf(""), (Values{5}));
  EXPECT_EQ(ValuesOf(std::nullopt), (Values{4, 7}));
  EXPECT_EQ(ValuesOf("c"), Values{});
}

TEST_F(RowStoreTest, ABatchOfKeysIsLookedUpAtOnceAndRepeatsFindTheSameRows) {
  Insert({"a", "b", "a"}, {1, 2, 3});
  RowMatches matches;

  store_.Find(Encode({"x", "a", "b", "a"}), 1, 4, &matches);

  ASSERT_EQ(matches.offsets.size(), 4u);
  EXPECT_EQ(matches.Of(0).size(), 2u);
  EXPECT_EQ(matches.Of(1).size(), 1u);
  EXPECT_TRUE(std::ranges::equal(matches.Of(2), matches.Of(0)));
}

TEST_F(RowStoreTest, SomeKeysOfABatchMayBeInserted) {
  store_.Attach(table_.get(), 0);
  const std::vector<uint32_t> picked{1, 3};
  std::vector<uint32_t> rows(2);

  store_.Insert(Encode({"a", "b", "c", "b"}), picked, rows.data());

  EXPECT_EQ(RowsOf("b"), rows);
  EXPECT_TRUE(RowsOf("a").empty());
}

TEST_F(RowStoreTest, ErasedRowsAreSkippedWhereverTheyStand) {
  Insert({"a", "a", "a", "a"}, {1, 2, 3, 4});

  EraseNth("a", 3);
  EXPECT_EQ(ValuesOf("a"), (Values{1, 2, 3}));
  Insert({"a"}, {5});
  EXPECT_EQ(ValuesOf("a"), (Values{1, 2, 3, 5}));
  EraseNth("a", 0);
  EraseNth("a", 1);
  EXPECT_EQ(ValuesOf("a"), (Values{2, 5}));
  EraseNth("a", 0);
  EraseNth("a", 0);
  EXPECT_EQ(ValuesOf("a"), Values{});
  Insert({"a"}, {6});
  EXPECT_EQ(ValuesOf("a"), (Values{6}));
}

TEST_F(RowStoreTest, AnUndoneEpochLeavesNoTraceInTheIndex) {
  Insert({"a", "a", "b"}, {1, 2, 3});
  table_->CommitEpoch(0);
  Insert({"a", "c"}, {4, 5});
  EraseNth("a", 0);
  EXPECT_EQ(ValuesOf("a"), (Values{2, 4}));

  table_->UndoEpoch();

  EXPECT_EQ(ValuesOf("a"), (Values{1, 2}));
  EXPECT_EQ(ValuesOf("c"), Values{});
  Insert({"a"}, {6});
  EXPECT_EQ(ValuesOf("a"), (Values{1, 2, 6}));
}

TEST_F(RowStoreTest, ARestoredTableHasTheSameOrderAndLaterSequences) {
  Values expected;
  for (int64_t i = 0; i < 300; ++i) {  // Sequences whose bytes sort in another order.
    Insert({"a"}, {i});
    expected.push_back(i);
  }
  state::RowBlock block;
  table_->ExportChanges(&block);
  state::RowBlock backwards;
  backwards.Clear(block.key_width, block.value_width);
  for (uint32_t i = block.num_rows; i-- > 0;)
    backwards.AppendRow(block.flags[i], block.Key(i), block.Value(i));

  table_ = NewTable(codec_);
  ASSERT_TRUE(table_->Import(backwards).ok());
  table_->CommitEpoch(0);
  Insert({"a"}, {300});
  expected.push_back(300);

  EXPECT_EQ(ValuesOf("a"), expected);
}

TEST_F(RowStoreTest, RenumberedRowsAreFoundAndForgottenKeysGiveTheirMemoryBack) {
  for (int64_t epoch = 0; epoch < 20; ++epoch) {
    Keys keys{"stays"};
    Values values{epoch};
    for (int i = 0; i < 200; ++i) {
      keys.emplace_back(std::to_string(epoch) + "/" + std::to_string(i));
      values.push_back(i);
    }
    Insert(keys, values);
    for (size_t i = 1; i < keys.size(); ++i) EraseNth(*keys[i], 0);
    table_->CommitEpoch(epoch);
    ASSERT_EQ(ValuesOf("stays").size(), static_cast<size_t>(epoch + 1));
  }

  Values expected(20);
  for (int64_t i = 0; i < 20; ++i) expected[i] = i;
  EXPECT_EQ(ValuesOf("stays"), expected);
  EXPECT_EQ(table_->size(), 20);
}

TEST_F(RowStoreTest, RowsWithoutAKeyAreOfOneKey) {
  const auto codec = state::CodecOf(RowStore::KeyTypes({}));
  table_ = NewTable(codec);
  RowStore store(codec);
  state::EncodedKeys keys;
  ASSERT_TRUE(RowStore::EncodeKeys(*codec, {}, 3, &keys).ok());
  store.Attach(table_.get(), 0);
  std::vector<uint32_t> rows(3);

  store.Insert(keys, 0, 3, rows.data());

  RowMatches matches;
  store.Find(keys, 0, 1, &matches);
  EXPECT_EQ(matches.rows, rows);
}

}  // namespace
}  // namespace tidemill::worker
