#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>
#include <set>

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

// What has been flushed of a table: the tier below it.
class FlushedRows final : public ColdRows {
 public:
  arrow::Status Read(const EncodedKeys& keys, std::span<const uint32_t> picked,
                     RowBlock* out) const override {
    for (size_t i = 0; i < picked.size(); ++i) {
      EXPECT_TRUE(i == 0 || keys.Key(picked[i - 1]) < keys.Key(picked[i]));
      const auto found = rows.find(std::string(keys.Key(picked[i])));
      if (found != rows.end()) out->AppendRow(0, keys.Key(picked[i]), found->second);
    }
    return arrow::Status::OK();
  }
  void Write(const RowBlock& block) {
    for (uint32_t i = 0; i < block.num_rows; ++i) {
      std::optional<std::string> key;
      if ((block.flags[i] & RowBlock::kNullKey) == 0) key = block.Key(i);
      if ((block.flags[i] & RowBlock::kTombstone) == 0) {
        rows[key] = block.Value(i);
      } else {
        EXPECT_EQ(rows.erase(key), 1u) << "removal of a key that was never captured";
      }
    }
  }

  std::map<std::optional<std::string>, std::string> rows;
};

// A table, what is flushed of it, and what is on its way there.
struct Tiers {
  std::unique_ptr<HotTable> table = WordTable();
  std::shared_ptr<FlushedRows> flushed = std::make_shared<FlushedRows>();
  std::optional<RowBlock> captured;

  void Capture() {
    if (captured) return;
    table->CaptureDirty(&captured.emplace());
  }
  void FinishFlush() {
    if (captured) flushed->Write(*captured);
    captured.reset();
  }
  // All rows, hot and cold.
  Model Rows() const {
    const Model hot = ModelOf(*table);
    auto copy = WordTable();
    RowBlock cold;
    cold.Clear(copy->key_width(), copy->value_width());
    for (const auto& [key, value] : flushed->rows)
      if (table->cold_rows() > 0 && key && IsCold(*key)) cold.AppendRow(0, *key, value);
    EXPECT_EQ(cold.num_rows, table->cold_rows());
    EXPECT_TRUE(copy->Import(cold).ok());
    Model all = ModelOf(*copy);
    for (const auto& [key, value] : hot)
      EXPECT_TRUE(all.emplace(key, value).second) << "a row is hot and cold";
    return all;
  }
  std::set<std::string> cold;  // by the books of the test
  bool IsCold(const std::string& key) const { return cold.contains(key); }
};

// Random batches on a table and on a std::map side by side; rows are evicted now and then.
class Fuzzer {
 public:
  explicit Fuzzer(uint64_t seed) : random_(seed) {}

  // One epoch with up to 8 batches; then commit or undo, and compare.
  void RunEpoch(int64_t epoch) {
    const Model before = model_;
    const int batches = Below(8);
    for (int i = 0; i < batches; ++i) RunBatch();
    RowBlock changes;
    own_.table->ExportChanges(&changes);
    NoteCold(&own_);
    ASSERT_EQ(own_.Rows(), model_);
    if (Below(3) == 0) {
      own_.table->UndoEpoch();
      model_ = before;
    } else {
      own_.table->CommitEpoch(epoch);
      ASSERT_TRUE(replica_.table->Import(changes).ok());
      if (Below(4) == 0) {
        replica_.table->UndoEpoch();
        NoteCold(&replica_);
        ASSERT_TRUE(replica_.table->Import(changes).ok());
      }
      replica_.table->CommitEpoch(epoch);
    }
    for (Tiers* tiers : {&own_, &replica_}) {
      Settle(tiers);
      NoteCold(tiers);
      ASSERT_EQ(tiers->Rows(), model_);
      ASSERT_EQ(tiers->table->size() + tiers->table->cold_rows(),
                static_cast<int64_t>(model_.size()));
    }
  }

  int64_t evicted() const { return evicted_; }
  void Flush() {
    own_.FinishFlush();
    own_.Capture();
    own_.FinishFlush();
    ASSERT_EQ(own_.flushed->rows.size(), model_.size());
  }

 private:
  // What a worker does between two epochs.
  void Settle(Tiers* tiers) {
    if (Below(3) == 0) tiers->FinishFlush();
    if (!tiers->captured && Below(3) == 0)
      evicted_ += tiers->table->EvictClean(Below(300), tiers->flushed);
    if (Below(4) == 0) tiers->Capture();
  }
  // Cold is what the model has and the table does not.
  void NoteCold(Tiers* tiers) {
    const Model hot = ModelOf(*tiers->table);
    tiers->cold.clear();
    for (const auto& [key, value] : model_)
      if (key && !hot.contains(key)) tiers->cold.insert(*key);
  }

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
    EXPECT_TRUE(own_.table->key_codec().Encode({Strings(names)}, size, &keys).ok());
    EXPECT_TRUE(own_.table->AdmitCold(keys, 0, size).ok());
    std::vector<uint32_t> rows(names.size());
    if (insert) {
      own_.table->FindOrInsert(keys, 0, size, rows.data(), nullptr);
    } else {
      own_.table->Find(keys, 0, size, rows.data());
    }
    return rows;
  }

  void WriteBatch() {
    const auto keys = SomeKeys();
    const auto rows = RowsOf(keys, true);
    own_.table->Touch(rows);
    WriteValues(keys, rows);
  }

  void WriteValues(const std::vector<std::optional<std::string>>& keys,
                   const std::vector<uint32_t>& rows) {
    for (size_t i = 0; i < keys.size(); ++i) {
      Value& value = model_[keys[i]];
      if (Below(4) == 0) {
        value = {};
        own_.table->column(0).validity()[rows[i]] = 0;
        own_.table->column(1).SetNull(rows[i]);
        continue;
      }
      value = {static_cast<int64_t>(random_()), std::string(Below(30), 'v')};
      own_.table->column(0).values<int64_t>()[rows[i]] = *value.number;
      own_.table->column(0).validity()[rows[i]] = 1;
      own_.table->column(1).SetBytes(rows[i], *value.text);
    }
  }

  // Keys that were never there.
  void AppendBatch() {
    std::vector<std::optional<std::string>> names(1 + Below(50));
    for (auto& name : names) name = "appended" + std::to_string(num_appended_++);
    EncodedKeys keys;
    const auto size = static_cast<int64_t>(names.size());
    EXPECT_TRUE(own_.table->key_codec().Encode({Strings(names)}, size, &keys).ok());
    std::vector<uint32_t> rows(names.size());
    own_.table->Append(keys, 0, size, rows.data());
    WriteValues(names, rows);
  }

  void EraseBatch() {
    auto keys = SomeKeys();
    for (int i = Below(40); i > 0 && num_appended_ > 0; --i) {
      keys.push_back("appended" + std::to_string(Below(num_appended_)));
    }
    auto rows = RowsOf(keys, false);
    std::erase(rows, HotTable::kNoRow);
    own_.table->Erase(rows);
    for (const auto& key : keys) model_.erase(key);
  }

  std::mt19937_64 random_;
  Tiers own_;
  Tiers replica_;  // lives on exported changes alone
  Model model_;
  int num_appended_ = 0;
  int64_t evicted_ = 0;
};

TEST(HotTableTest, RandomEpochsAgreeWithAnOrderedMap) {
  const uint64_t seed = TestSeed();
  std::cout << "TIDEMILL_SEED=" << seed << "\n";
  Fuzzer fuzzer(seed);
  for (int64_t epoch = 0; epoch < 300; ++epoch) {
    fuzzer.RunEpoch(epoch);
    ASSERT_FALSE(::testing::Test::HasFailure()) << "epoch " << epoch;
  }
  fuzzer.Flush();
  EXPECT_GT(fuzzer.evicted(), 1000);
}

}  // namespace
}  // namespace tidemill::state
