#include "driver/epoch/assignment.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "common/base/random.h"

namespace tidemill::driver {
namespace {

using testing::ElementsAre;

using Claims = std::vector<std::optional<SlotId>>;

// "aabb": the worker of each key group's owner, all with one slot.
std::string Owners(const KeyGroupAssignment& assignment) {
  std::string owners;
  for (const uint32_t index : assignment.owner) owners += assignment.slots[index].worker;
  return owners;
}

// One slot per letter; '-' for nobody.
Claims ClaimsOf(const std::string& workers) {
  Claims claims;
  for (const char worker : workers) {
    claims.push_back(worker == '-' ? std::nullopt
                                   : std::optional(SlotId{std::string(1, worker), 0}));
  }
  return claims;
}

std::string Assign(const std::string& available, const std::string& previous,
                   const std::string& rejoined = "", int max_slots = 0) {
  AssignmentRequest request{
      .max_slots = max_slots, .previous = ClaimsOf(previous), .rejoined = ClaimsOf(rejoined)};
  for (const char worker : available) request.slots.push_back({std::string(1, worker), 0});
  return Owners(AssignKeyGroups(request));
}

TEST(AssignKeyGroupsTest, FreshOnesAreDealtInContiguousRanges) {
  EXPECT_EQ(Assign("abc", "--------"), "aaabbbcc");
}

TEST(AssignKeyGroupsTest, NothingMovesWithoutNeed) {
  EXPECT_EQ(Assign("abc", "cbacbabc"), "cbacbabc");
}

TEST(AssignKeyGroupsTest, ANewWorkerGetsItsShareAndNobodyElseGetsAnything) {
  EXPECT_EQ(Assign("abc", "aaabbb"), "aacbbc");
}

TEST(AssignKeyGroupsTest, OnlyWhatALostWorkerHadMoves) {
  EXPECT_EQ(Assign("ac", "aabbcc"), "aaaccc");
}

TEST(AssignKeyGroupsTest, AWorkerThatComesBackIsGivenWhatItHas) {
  EXPECT_EQ(Assign("ab", "aaaaaa", "-bbb--"), "abbbaa");
  EXPECT_EQ(Assign("ab", "------", "b-----"), "baaabb");
}

TEST(AssignKeyGroupsTest, WhereNotAllSlotsMayBeUsedThoseInUseAre) {
  EXPECT_EQ(Assign("abcd", "--------", "", 2), "aaaabbbb");
  EXPECT_EQ(Assign("abcd", "ccccdddd", "", 2), "ccccdddd");
  EXPECT_EQ(Assign("abcd", "ccccdddd", "", 1), "cccccccc");
}

TEST(AssignKeyGroupsTest, SlotsBeyondTheKeyGroupsAreInUseAllTheSame) {
  const auto assignment =
      AssignKeyGroups({.slots = {{"a", 0}, {"a", 1}, {"b", 0}}, .previous = Claims(2)});
  EXPECT_EQ(assignment.slots.size(), 3u) << "they take part of the input";
  EXPECT_THAT(assignment.owner, ElementsAre(0, 1));
}

// Random requests. Least movement: what stays is the most that balanced sizes allow.
TEST(AssignKeyGroupsTest, IsBalancedSparingAndDeterministic) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(fmt::format("seed={}", seed));
    uint64_t index = 0;
    const auto random = [&](uint64_t below) { return SplitMix64(seed, index++) % below; };
    AssignmentRequest request;
    const auto slot = [&] {
      return SlotId{fmt::format("w{}", random(5)), static_cast<int>(random(3))};
    };
    for (int i = 0; i < 8; ++i) request.slots.push_back(slot());
    std::sort(request.slots.begin(), request.slots.end());
    request.slots.erase(std::unique(request.slots.begin(), request.slots.end()),
                        request.slots.end());
    const size_t groups = 1 + random(40);
    for (size_t group = 0; group < groups; ++group) {
      request.previous.push_back(random(3) == 0 ? std::nullopt : std::optional(slot()));
      request.rejoined.push_back(random(3) != 0 ? std::nullopt : std::optional(slot()));
    }
    request.max_slots = static_cast<int>(random(2) * (1 + random(10)));

    const KeyGroupAssignment result = AssignKeyGroups(request);

    const size_t most =
        request.max_slots == 0 ? request.slots.size() : static_cast<size_t>(request.max_slots);
    ASSERT_EQ(result.slots.size(), std::min(request.slots.size(), most));
    ASSERT_EQ(result.owner.size(), groups);
    ASSERT_TRUE(std::is_sorted(result.slots.begin(), result.slots.end()));
    std::vector<size_t> sizes(result.slots.size());
    std::vector<size_t> claims(result.slots.size());
    size_t stayed = 0;
    for (size_t group = 0; group < groups; ++group) {
      ASSERT_LT(result.owner[group], result.slots.size());
      sizes[result.owner[group]]++;
      stayed += request.previous[group] == result.slots[result.owner[group]] ? 1 : 0;
      const auto found =
          request.previous[group].has_value()
              ? std::find(result.slots.begin(), result.slots.end(), *request.previous[group])
              : result.slots.end();
      if (found != result.slots.end()) claims[found - result.slots.begin()]++;
    }
    const auto [least, greatest] = std::minmax_element(sizes.begin(), sizes.end());
    EXPECT_LE(*greatest - *least, 1u);
    size_t can_stay = 0;
    size_t extra = groups % result.slots.size();
    const size_t share = groups / result.slots.size();
    for (const size_t claimed : claims) {
      const bool wants_more = claimed > share && extra > 0;
      if (wants_more) --extra;
      can_stay += std::min(claimed, share + (wants_more ? 1 : 0));
    }
    EXPECT_EQ(stayed, can_stay);

    EXPECT_EQ(AssignKeyGroups(request).owner, result.owner);
    AssignmentRequest again = request;
    for (size_t group = 0; group < groups; ++group) {
      again.previous[group] = result.slots[result.owner[group]];
    }
    EXPECT_EQ(AssignKeyGroups(again).owner, result.owner) << "a second time nothing moves";
  }
}

}  // namespace
}  // namespace tidemill::driver
