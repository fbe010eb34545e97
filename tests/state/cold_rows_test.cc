#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <limits>
#include <thread>

#include "common/base/error.h"
#include "job_testing.h"
#include "state/table/cold_filter.h"

namespace tidemill::state {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr uint32_t kStep = 0x9e3779b1;  // from tag to tag

// Adds `keys` tags in pieces, held to `most_bytes` all along.
void Fill(ColdFilter* filter, uint32_t keys,
          int64_t most_bytes = std::numeric_limits<int64_t>::max()) {
  for (uint32_t added = 0; added < keys; added += 1000) {
    filter->Reserve(1000);
    for (uint32_t i = added; i < added + 1000; ++i) filter->Add(i * kStep);
    filter->ShrinkTo(most_bytes);
  }
}

// How many of as many others it takes for added.
int MistakesOf(const ColdFilter& filter, uint32_t keys) {
  int mistakes = 0;
  for (uint32_t i = keys; i < 2 * keys; ++i) mistakes += filter.MayContain(i * kStep) ? 1 : 0;
  return mistakes;
}

TEST(ColdFilterTest, KnowsEveryKeyThatWasAddedAndFewOthersHoweverItGrew) {
  ColdFilter filter;
  constexpr uint32_t kKeys = 200'000;
  Fill(&filter, kKeys);

  for (uint32_t i = 0; i < kKeys; ++i) ASSERT_TRUE(filter.MayContain(i * kStep));
  EXPECT_LT(MistakesOf(filter, kKeys), kKeys / 10);
  EXPECT_LT(filter.memory_bytes() * 8, int64_t{21} * kKeys);
}

TEST(ColdFilterTest, MadeSmallerForgetsNoKey) {
  ColdFilter filter;
  constexpr uint32_t kKeys = 100'000;
  Fill(&filter, kKeys, 80'000);

  for (uint32_t i = 0; i < kKeys; ++i) ASSERT_TRUE(filter.MayContain(i * kStep));
  EXPECT_LE(filter.memory_bytes(), 80'000);
  EXPECT_LT(MistakesOf(filter, kKeys), kKeys * 2 / 3);
  filter.ShrinkTo(0);
  for (uint32_t i = 0; i < kKeys; ++i) ASSERT_TRUE(filter.MayContain(i * kStep));
}

// Rows "0" to "9" of one table of JobFixture, flushed and, but for `kept`, evicted.
class ColdRowsTest : public JobFixture {
 protected:
  void SetUp() override {
    JobFixture::SetUp();
    for (int i = 0; i < 10; ++i) PutWord(table(), std::to_string(i), i, "x");
    Commit();
    FlushAndSnapshot();
  }
  HotTable* table() { return tables_[1].get(); }
  int64_t Evict(int64_t rows) { return table()->EvictClean(rows, tier_->RowsOf(0, 1)); }
  void Admit(const std::vector<std::optional<std::string>>& words) {
    EncodedKeys keys;
    const auto size = static_cast<int64_t>(words.size());
    ASSERT_TRUE(table()->key_codec().Encode({Strings(words)}, size, &keys).ok());
    const auto admitted = table()->AdmitCold(keys, 0, size);
    ASSERT_TRUE(admitted.ok()) << admitted;
  }
  int64_t rows() { return table()->size() + table()->cold_rows(); }
};

TEST_F(ColdRowsTest, ComeBackUnchangedWhenTheirKeysAreAskedFor) {
  EXPECT_EQ(Evict(8), 8);
  EXPECT_THAT(DumpWords(*table()), ElementsAre("8=8/x", "9=9/x"));

  Admit({"3", "new", std::nullopt, "0", "3", "9"});

  EXPECT_THAT(DumpWords(*table()), ElementsAre("0=0/x", "3=3/x", "8=8/x", "9=9/x"));
  EXPECT_THAT(table()->changed_rows(), IsEmpty());
  EXPECT_EQ(table()->cold_rows(), 6);
  EXPECT_EQ(table()->TakeColdCounters().found, 2);
  RowBlock changes;
  table()->ExportChanges(&changes);
  EXPECT_EQ(changes.num_rows, 0u);
}

TEST_F(ColdRowsTest, AreTheOnesThatWereNotTouchedAndNeverWhatTheTierLacks) {
  PutWord(table(), "0", 100, "not flushed");
  PutWord(table(), std::nullopt, 1, "x");
  Commit();
  FlushAndSnapshot();
  PutWord(table(), "1", 100, "not flushed");
  PutWord(table(), "new", 1, "x");
  Commit();

  EXPECT_EQ(Evict(8), 8);
  EXPECT_THAT(DumpWords(*table()),
              ElementsAre("(null)=1/x", "0=100/not flushed", "1=100/not flushed", "new=1/x"));
  EXPECT_EQ(Evict(8), 1);  // "0" had its second chance.
  EXPECT_EQ(Evict(8), 0);
  EXPECT_EQ(rows(), 12);
}

TEST_F(ColdRowsTest, ThatWereInUseAgainAndAgainStayWhileOthersPassBy) {
  for (int use = 0; use < 3; ++use) {
    PutWord(table(), "0", use, "often");
    Commit();
  }
  FlushAndSnapshot();
  EXPECT_EQ(Evict(9), 9);
  for (const char* word : {"1", "2", "3", "4", "5"}) {
    Admit({word});
    Commit();
    EXPECT_EQ(Evict(1), 1);
    EXPECT_THAT(DumpWords(*table()), ElementsAre("0=2/often")) << word;
  }
  EXPECT_EQ(Evict(10), 1);  // nothing else is there
  EXPECT_EQ(rows(), 10);
}

TEST_F(ColdRowsTest, AreColdAgainAfterAnUndo) {
  Evict(10);
  Admit({"1", "2", "3"});
  PutWord(table(), "1", 100, "changed");
  EraseWord(table(), "2");
  PutWord(table(), "2", 7, "born again");
  PutWord(table(), "new", 1, "x");

  table()->UndoEpoch();

  EXPECT_EQ(table()->size(), 0);
  EXPECT_EQ(table()->cold_rows(), 10);
  Admit({"1", "2", "3"});
  EXPECT_THAT(DumpWords(*table()), ElementsAre("1=1/x", "2=2/x", "3=3/x"));
}

TEST_F(ColdRowsTest, ThatAreRemovedStayAwayAlsoBeforeTheTierKnows) {
  Evict(10);
  Admit({"1", "2"});
  EraseWord(table(), "1");
  EraseWord(table(), "2");
  Admit({"1"});
  EXPECT_EQ(table()->size(), 0);
  RowBlock changes;
  table()->ExportChanges(&changes);
  EXPECT_EQ(changes.num_rows, 2u);
  Commit();
  Admit({"1"});
  EXPECT_EQ(table()->size(), 0);
  EXPECT_EQ(Evict(10), 0);  // Nothing was captured since.
  Admit({"1"});
  EXPECT_EQ(rows(), 8);
  PutWord(table(), "1", 100, "born again");
  Commit();

  FlushAndSnapshot();
  EXPECT_EQ(Evict(10), 1);
  Admit({"1", "2"});

  EXPECT_THAT(DumpWords(*table()), ElementsAre("1=100/born again"));
  EXPECT_EQ(rows(), 9);
}

TEST_F(ColdRowsTest, GiveTheirMemoryBack) {
  for (int i = 0; i < 100'000; ++i) Put(std::to_string(i), i, std::string(50, 'x'));
  Commit();
  FlushAndSnapshot();
  const int64_t before = table()->memory_bytes();

  Evict(100'000);

  EXPECT_EQ(table()->size(), 0);
  EXPECT_LT(table()->memory_bytes(), before / 10);
}

TEST_F(ColdRowsTest, KeysThatNeverWereHereAreNotLookedUp) {
  Evict(10);
  std::vector<std::optional<std::string>> words;
  for (int i = 0; i < 1000; ++i) words.push_back("new" + std::to_string(i));

  Admit(words);

  EXPECT_LT(table()->TakeColdCounters().lookups, 50);
}

TEST_F(ColdRowsTest, OfAnotherKeyGroupAreNotFound) {
  PutWord(tables_[2].get(), "elsewhere", 1, "x");
  Commit();
  FlushAndSnapshot();
  EncodedKeys keys;
  ASSERT_TRUE(table()->key_codec().Encode({Strings({"0", "elsewhere"})}, 2, &keys).ok());
  const std::vector<uint32_t> both = {0, 1};

  for (const uint32_t group : {1u, 2u, 3u}) {
    RowBlock found;
    found.Clear(table()->key_width(), table()->value_width());
    ASSERT_TRUE(tier_->RowsOf(0, group)->Read(keys, both, &found).ok());
    std::vector<std::string> names;
    for (uint32_t i = 0; i < found.num_rows; ++i) names.emplace_back(found.Key(i));
    const std::vector<std::string> expected[] = {{}, {"0"}, {"elsewhere"}, {}};
    EXPECT_EQ(names, expected[group]);
  }
}

// Readers see each row as one of the flushes left it, and keep the database alive.
TEST_F(ColdRowsTest, AreReadWhileOthersAreFlushed) {
  Evict(10);
  const auto rows = tier_->RowsOf(0, 1);
  std::vector<std::optional<std::string>> words;
  for (int i = 0; i < 10; ++i) words.push_back(std::to_string(i));
  EncodedKeys keys;
  ASSERT_TRUE(table()->key_codec().Encode({Strings(words)}, 10, &keys).ok());
  const std::vector<uint32_t> all = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::atomic<bool> is_done = false;
  std::atomic<int64_t> reads = 0;
  std::thread reader([&] {
    while (!is_done || reads == 0) {
      RowBlock found;
      found.Clear(-1, -1);
      EXPECT_TRUE(rows->Read(keys, all, &found).ok());
      EXPECT_EQ(found.num_rows, 10u);
      ++reads;
    }
  });

  for (int flush = 0; flush < 20; ++flush) {
    Admit(words);
    for (int i = 0; i < 10; ++i) PutWord(table(), std::to_string(i), flush, "y");
    Commit();
    FlushAndSnapshot();
    EXPECT_EQ(Evict(10), 10);
  }
  is_done = true;
  reader.join();
  tier_.reset();

  Admit({"4"});
  EXPECT_THAT(DumpWords(*table()), ElementsAre("4=19/y"));
}

// Tables that are restored in less memory than they take.
class RestoreBeyondMemoryTest : public JobFixture {
 protected:
  // Evicts all that is there whenever it is asked.
  arrow::Status MakeRoom(Tables* tables) {
    ++calls_;
    FlushBatch batch;
    for (auto& [group, table] : *tables) batch.Add(0, group, table.get());
    const FlushBatch* batches[] = {&batch};
    ARROW_RETURN_NOT_OK(tier_->Flush(-1, batches));
    for (auto& [group, table] : *tables) table->EvictClean(table->size(), tier_->RowsOf(0, group));
    return arrow::Status::OK();
  }
  arrow::Result<Restorer::Stats> RestoreWithRoom(Tables* tables) {
    Restorer restorer(RestoreOptions());
    const std::vector<uint32_t> groups = {0, 1, 2, 3};
    return restorer.Restore(
        groups, [&](int32_t, uint32_t group) { return (*tables)[group].get(); },
        [&] { return MakeRoom(tables); });
  }
  // All rows in memory again.
  static void AdmitAll(Tables* tables, int keys) {
    for (auto& [group, table] : *tables) {
      for (int begin = 0; begin < keys; begin += 1000) {
        std::vector<std::optional<std::string>> words;
        for (int i = begin; i < begin + 1000; ++i) words.push_back(std::to_string(i));
        EncodedKeys encoded;
        ASSERT_TRUE(table->key_codec().Encode({Strings(words)}, 1000, &encoded).ok());
        ASSERT_TRUE(table->AdmitCold(encoded, 0, 1000).ok());
      }
    }
  }

  int calls_ = 0;
};

TEST_F(RestoreBeyondMemoryTest, HoldsWhatARestoreInMemoryHolds) {
  constexpr int kWords = 200'000;
  for (int i = 0; i < kWords; ++i) Put(std::to_string(i), i, "x");
  Commit();
  FlushAndSnapshot();
  for (int epoch = 1; epoch < 4; ++epoch) {
    for (int i = epoch; i < kWords; i += 3) Put(std::to_string(i), -i, "changed");
    for (int i = epoch * 7; i < kWords; i += 100) Erase(std::to_string(i));
    Commit();
  }
  const auto expected = Dump(tables_);
  StartWorker("two");
  Tables restored = NewTables();

  const auto stats = RestoreWithRoom(&restored);

  ASSERT_TRUE(stats.ok()) << stats.status();
  EXPECT_GT(calls_, 4);
  EXPECT_EQ(stats->rows, static_cast<int64_t>(expected.size()));
  int64_t cold = 0;
  for (const auto& [group, table] : restored) cold += table->cold_rows();
  EXPECT_GT(cold, kWords / 4);
  for (const auto& [group, table] : restored)
    EXPECT_EQ(table->last_changed_epoch(), tables_[group]->last_changed_epoch());

  // The next snapshot has all of it.
  tables_ = std::move(restored);
  snapshots_ = {FlushAndSnapshot()};
  extents_.clear();
  Tables again = NewTables();
  ASSERT_TRUE(RestoreInto(&again).ok());
  EXPECT_EQ(Dump(again), expected);
  AdmitAll(&tables_, kWords);
  EXPECT_EQ(Dump(tables_), expected);
}

}  // namespace
}  // namespace tidemill::state
