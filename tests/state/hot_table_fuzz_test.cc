#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>

#include "state/table/hot_table.h"
#include "state_testing.h"

namespace tidemill::state {
namespace {

struct Value {
  std::optional<int64_t> number;
  std::optional<std::string> text;
  bool operator==(const Value&) const = default;
};
using Model = std::map<std::optional<std::string>, Value>;

Model ModelOf(const HotTable& table) {
  std::vector<uint32_t> rows;
  table.LiveRows(&rows);
  Model model;
  for (const uint32_t row : rows) {
    Value value;
    if (table.column(0).validity()[row] != 0) value.number = table.column(0).values<int64_t>()[row];
    if (table.column(1).validity()[row] != 0) value.text = table.column(1).GetBytes(row);
    std::optional<std::string> key;
    if (!table.is_null_key(row)) key = table.key(row);
    EXPECT_TRUE(model.emplace(key, value).second) << "key twice";
  }
  return model;
}

// Random batches on a table and on a std::map side by side.
class Fuzzer {
 public:
  explicit Fuzzer(uint64_t seed) : random_(seed), table_(WordTable()) {}

  // One epoch with up to 8 batches; then commit or undo, and compare.
  void RunEpoch(int64_t epoch) {
    const Model before = model_;
    const int batches = Below(8);
    for (int i = 0; i < batches; ++i) RunBatch();
    ASSERT_EQ(ModelOf(*table_), model_);
    RowBlock changes;
    table_->ExportChanges(&changes);
    if (Below(3) == 0) {
      table_->UndoEpoch();
      model_ = before;
    } else {
      table_->CommitEpoch(epoch);
      ASSERT_TRUE(replica_->Import(changes).ok());
      replica_->CommitEpoch(epoch);
      if (Below(5) == 0) Flush();
    }
    ASSERT_EQ(ModelOf(*table_), model_);
    ASSERT_EQ(table_->size(), static_cast<int64_t>(model_.size()));
    ASSERT_EQ(ModelOf(*replica_), model_);
  }

  void Flush() {
    RowBlock block;
    table_->CaptureDirty(&block);
    for (uint32_t i = 0; i < block.num_rows; ++i) {
      std::optional<std::string> key;
      if ((block.flags[i] & RowBlock::kNullKey) == 0) key = block.Key(i);
      if ((block.flags[i] & RowBlock::kTombstone) != 0) {
        ASSERT_EQ(flushed_.erase(key), 1u) << "removal of a key that was never captured";
      } else {
        flushed_[key] = block.Value(i);
      }
    }
    ASSERT_EQ(flushed_.size(), model_.size());
    auto copy = WordTable();
    RowBlock all;
    all.Clear(copy->key_width(), copy->value_width());
    for (const auto& [key, value] : flushed_)
      all.AppendRow(key ? 0 : RowBlock::kNullKey, key.value_or(""), value);
    ASSERT_TRUE(copy->Import(all).ok());
    ASSERT_EQ(ModelOf(*copy), model_);
  }

 private:
  int Below(int limit) { return static_cast<int>(random_() % limit); }

  void RunBatch() {
    const int what = Below(6);
    if (what < 2) return EraseBatch();
    return what < 4 ? WriteBatch() : AppendBatch();
  }

  std::vector<std::optional<std::string>> SomeKeys() {
    std::vector<std::optional<std::string>> keys(1 + Below(200));
    for (auto& key : keys)
      if (const int number = Below(400); number > 0)
        key = std::string(number % 40, 'k') + std::to_string(number);
    return keys;
  }

  std::vector<uint32_t> RowsOf(const std::vector<std::optional<std::string>>& names, bool insert) {
    EncodedKeys keys;
    const auto size = static_cast<int64_t>(names.size());
    EXPECT_TRUE(table_->key_codec().Encode({Strings(names)}, size, &keys).ok());
    std::vector<uint32_t> rows(names.size());
    if (insert) {
      table_->FindOrInsert(keys, 0, size, rows.data(), nullptr);
    } else {
      table_->Find(keys, 0, size, rows.data());
    }
    return rows;
  }

  void WriteBatch() {
    const auto keys = SomeKeys();
    const auto rows = RowsOf(keys, true);
    table_->Touch(rows);
    WriteValues(keys, rows);
  }

  void WriteValues(const std::vector<std::optional<std::string>>& keys,
                   const std::vector<uint32_t>& rows) {
    for (size_t i = 0; i < keys.size(); ++i) {
      Value& value = model_[keys[i]];
      if (Below(4) == 0) {
        value = {};
        table_->column(0).validity()[rows[i]] = 0;
        table_->column(1).SetNull(rows[i]);
        continue;
      }
      value = {static_cast<int64_t>(random_()), std::string(Below(30), 'v')};
      table_->column(0).values<int64_t>()[rows[i]] = *value.number;
      table_->column(0).validity()[rows[i]] = 1;
      table_->column(1).SetBytes(rows[i], *value.text);
    }
  }

  // Keys that were never there.
  void AppendBatch() {
    std::vector<std::optional<std::string>> names(1 + Below(50));
    for (auto& name : names) name = "appended" + std::to_string(num_appended_++);
    EncodedKeys keys;
    const auto size = static_cast<int64_t>(names.size());
    EXPECT_TRUE(table_->key_codec().Encode({Strings(names)}, size, &keys).ok());
    std::vector<uint32_t> rows(names.size());
    table_->Append(keys, 0, size, rows.data());
    WriteValues(names, rows);
  }

  void EraseBatch() {
    auto keys = SomeKeys();
    for (int i = Below(40); i > 0 && num_appended_ > 0; --i) {
      keys.push_back("appended" + std::to_string(Below(num_appended_)));
    }
    auto rows = RowsOf(keys, false);
    std::erase(rows, HotTable::kNoRow);
    table_->Erase(rows);
    for (const auto& key : keys) model_.erase(key);
  }

  std::mt19937_64 random_;
  std::unique_ptr<HotTable> table_;
  std::unique_ptr<HotTable> replica_ = WordTable();  // lives on exported changes alone
  Model model_;
  int num_appended_ = 0;
  std::map<std::optional<std::string>, std::string> flushed_;
};

TEST(HotTableTest, RandomEpochsAgreeWithAnOrderedMap) {
  const uint64_t seed = TestSeed();
  std::cout << "TIDEMILL_SEED=" << seed << "\n";
  Fuzzer fuzzer(seed);
  for (int64_t epoch = 0; epoch < 150; ++epoch) {
    fuzzer.RunEpoch(epoch);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "epoch " << epoch;
  }
  fuzzer.Flush();
}

}  // namespace
}  // namespace tidemill::state
