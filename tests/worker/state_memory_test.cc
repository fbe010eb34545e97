#include "worker/state_memory.h"

#include <gtest/gtest.h>

#include "common/base/error.h"

namespace tidemill::worker {
namespace {

constexpr int kEvictable = 1;
constexpr int kWalked = 2;

class StateMemoryTest : public ::testing::Test {
 protected:
  static std::vector<StatefulOperator> Operators() {
    StatefulOperator evictable;
    evictable.operator_id = kEvictable;
    evictable.is_evictable = true;
    StatefulOperator walked;
    walked.operator_id = kWalked;
    return {evictable, walked};
  }
  static arrow::Status Update(StateMemory* memory, int64_t evictable_bytes, int64_t walked_bytes) {
    return memory->Update("w", {{kEvictable, "a", evictable_bytes}, {kWalked, "b", walked_bytes}});
  }

  MemoryBudget budget_{1000};
};

TEST_F(StateMemoryTest, FlushesBeforeItEvictsAndWaitsLast) {
  StateMemory memory(&budget_, 0, Operators());

  EXPECT_FALSE(memory.wants_flush());
  ASSERT_TRUE(Update(&memory, 400, 0).ok());
  EXPECT_TRUE(memory.wants_flush());
  EXPECT_FALSE(memory.is_full());
  ASSERT_TRUE(Update(&memory, 600, 0).ok());
  EXPECT_TRUE(memory.is_full());
  EXPECT_TRUE(memory.wants_eviction());

  memory.Set(600 * memory.kept_share(), 600 * memory.kept_share());
  EXPECT_FALSE(memory.wants_eviction());
  EXPECT_FALSE(memory.wants_flush());
}

TEST_F(StateMemoryTest, DoesNotFlushAgainAndAgainForWhatCannotBeEvicted) {
  StateMemory memory(&budget_, 0, Operators());

  ASSERT_TRUE(Update(&memory, 60, 700).ok());

  EXPECT_FALSE(memory.wants_flush());
  EXPECT_TRUE(memory.is_full());
}

TEST_F(StateMemoryTest, TheTighterOfTwoLimitsCountsAndOtherJobsTakeTheirShare) {
  StateMemory other(&budget_, 0, Operators());
  StateMemory limited(&budget_, 100, Operators());
  StateMemory memory(&budget_, 0, Operators());

  ASSERT_TRUE(Update(&limited, 40, 0).ok());
  EXPECT_TRUE(limited.wants_flush());
  EXPECT_EQ(ErrorClassOf(Update(&limited, 101, 0)), "MEMORY_LIMIT_EXCEEDED");
  ASSERT_TRUE(Update(&memory, 200, 0).ok());
  EXPECT_FALSE(memory.wants_flush());
  ASSERT_TRUE(Update(&other, 400, 0).ok());
  EXPECT_TRUE(memory.wants_flush());
  EXPECT_EQ(ErrorClassOf(Update(&memory, 700, 0)), "MEMORY_LIMIT_EXCEEDED");
}

TEST_F(StateMemoryTest, TablesThatAreRestoredAheadCountOnce) {
  StateMemory memory(&budget_, 0, Operators());
  ASSERT_TRUE(Update(&memory, 220, 0).ok());

  memory.SetWarm(300);
  EXPECT_FALSE(memory.is_full());
  memory.SetWarm(340);
  EXPECT_TRUE(memory.is_full());
  EXPECT_EQ(budget_.used(), 560);
  memory.SetWarm(0);
  EXPECT_EQ(budget_.used(), 220);
}

TEST_F(StateMemoryTest, NothingIsEvictedWithoutALimitOrATableThatCan) {
  MemoryBudget unlimited(0);
  StateMemory free(&unlimited, 0, Operators());
  StateMemory walked(&budget_, 0, {Operators()[1]});

  ASSERT_TRUE(Update(&free, int64_t{1} << 40, 0).ok());
  ASSERT_TRUE(Update(&walked, 0, 900).ok());

  for (const StateMemory* memory : {&free, &walked}) {
    EXPECT_FALSE(memory->can_evict());
    EXPECT_FALSE(memory->wants_flush());
    EXPECT_FALSE(memory->wants_eviction());
    EXPECT_FALSE(memory->is_full());
    EXPECT_EQ(memory->kept_share(), 1);
  }
}

}  // namespace
}  // namespace tidemill::worker
