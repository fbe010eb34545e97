#include "driver/epoch/adoption.h"

#include <gtest/gtest.h>

namespace tidemill::driver {
namespace {

constexpr uint64_t kPlan = 7;
constexpr uint64_t kOld = (1ull << 32) + 2;    // attempt of the term before
constexpr uint64_t kOther = (1ull << 32) + 1;  // another one

struct Row {
  const char* when;
  WorkerReport report;
  AdoptionFacts facts;
  Adoption expected;
};

// What a driver finds after its restart (or a worker after its stream), row by row of the crash
// table. The log's last commit is epoch 5.
const Row kRows[] = {
    {"nothing was open", {kPlan, 5}, {kPlan, 5, kOld}, Adoption::kKeep},
    {"nothing was ever committed", {kPlan, -1}, {kPlan, -1, 0}, Adoption::kKeep},
    {"driver before or after Plan(6), worker still computing",
     {kPlan, 5, 6, kOld, false},
     {kPlan, 5, kOld},
     Adoption::kUndo},
    {"driver after Prepared(6), before Commit(6)",
     {kPlan, 5, 6, kOld, true},
     {kPlan, 5, kOld},
     Adoption::kUndo},
    {"driver after Commit(5), before telling anyone",
     {kPlan, 4, 5, kOld, true},
     {kPlan, 5, kOld},
     Adoption::kKeepAsCommitted},
    {"5 was committed with another attempt",
     {kPlan, 4, 5, kOther, true},
     {kPlan, 5, kOld},
     Adoption::kDrop},
    {"5 was committed without this worker's part",
     {kPlan, 4, 5, kOld, false},
     {kPlan, 5, kOld},
     Adoption::kDrop},
    {"5 was committed while the worker was away", {kPlan, 4}, {kPlan, 5, kOld}, Adoption::kDrop},
    {"more than one was committed meanwhile",
     {kPlan, 3, 4, kOld, true},
     {kPlan, 5, kOld},
     Adoption::kDrop},
    {"the worker is of a newer past than the log", {kPlan, 6}, {kPlan, 5, kOld}, Adoption::kDrop},
    {"the worker's open epoch alone fits",
     {kPlan, 3, 5, kOld, true},
     {kPlan, 5, kOld},
     Adoption::kDrop},
    {"the query was changed", {kPlan + 1, 5}, {kPlan, 5, kOld}, Adoption::kDrop},
    {"the first epoch was committed before telling anyone",
     {kPlan, -1, 0, kOld, true},
     {kPlan, 0, kOld},
     Adoption::kKeepAsCommitted},
};

TEST(DecideAdoptionTest, FollowsTheCrashTable) {
  for (const Row& row : kRows) {
    EXPECT_EQ(DecideAdoption(row.report, row.facts), row.expected) << row.when;
  }
}

}  // namespace
}  // namespace tidemill::driver
