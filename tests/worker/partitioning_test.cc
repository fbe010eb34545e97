#include <arrow/array.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/testing/batches.h"
#include "worker/exchange/hash_partitioner.h"

namespace tidemill::worker {
namespace {

// Every row with its key group, in the order in which a slot gets them.
std::map<uint32_t, std::vector<int64_t>> RowsByGroup(const std::vector<Rows>& pieces) {
  std::map<uint32_t, std::vector<int64_t>> rows;
  for (const Rows& piece : pieces) {
    if (piece.batch == nullptr) continue;
    const auto& ids = static_cast<const arrow::Int64Array&>(*piece.batch->GetColumnByName("id"));
    int32_t position = 0;
    for (const GroupRun& run : piece.runs) {
      EXPECT_EQ(run.begin, position);
      for (; position < run.end; ++position) rows[run.key_group].push_back(ids.Value(position));
    }
    EXPECT_EQ(position, piece.batch->num_rows());
  }
  return rows;
}

TEST(HashPartitionerTest, KeyGroupsAndOrderDoNotDependOnTheSlots) {
  std::string json = "[";
  for (int i = 0; i < 1000; ++i)
    json += (i == 0 ? "" : ",") + std::string("[\"k") + std::to_string(i % 37) + "\"," +
            std::to_string(i) + "]";
  const auto batch = testing::MakeBatch("k STRING, id BIGINT", json + "]");
  std::vector<uint32_t> one_slot(16, 0);
  std::vector<uint32_t> three_slots(16);
  for (uint32_t group = 0; group < 16; ++group) three_slots[group] = (group * 7) % 3;
  auto one = HashPartitioner::Make({arrow::utf8()}, {0}, one_slot, 1).ValueOrDie();
  auto three = HashPartitioner::Make({arrow::utf8()}, {0}, three_slots, 3).ValueOrDie();

  const auto expected = RowsByGroup(one->Partition(batch).ValueOrDie());
  const auto pieces = three->Partition(batch).ValueOrDie();

  EXPECT_EQ(RowsByGroup(pieces), expected);
  for (size_t slot = 0; slot < pieces.size(); ++slot) {
    for (const GroupRun& run : pieces[slot].runs) EXPECT_EQ(three_slots[run.key_group], slot);
  }
}

TEST(HashPartitionerTest, GlobalAggregateGoesToKeyGroupZero) {
  const auto batch = testing::MakeBatch("id BIGINT", "[[1], [2]]");
  auto partitioner = HashPartitioner::Make({}, {}, {1, 0}, 2).ValueOrDie();

  const auto pieces = partitioner->Partition(batch).ValueOrDie();

  EXPECT_EQ(pieces[0].batch, nullptr);
  ASSERT_NE(pieces[1].batch, nullptr);
  EXPECT_EQ(pieces[1].runs[0].key_group, 0u);
}

}  // namespace
}  // namespace tidemill::worker
