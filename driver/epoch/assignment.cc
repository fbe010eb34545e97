#include "driver/epoch/assignment.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/check.h"

namespace tidemill::driver {

namespace {

constexpr int kNobody = -1;

using Claims = std::vector<std::optional<SlotId>>;

// By key group: index into `slots` of the slot that claims it, or kNobody.
std::vector<int> IndicesOf(const Claims& claims, const std::vector<SlotId>& slots, size_t groups) {
  std::vector<int> indices(groups, kNobody);
  for (size_t group = 0; group < std::min(groups, claims.size()); ++group) {
    if (!claims[group].has_value()) continue;
    const auto found = std::lower_bound(slots.begin(), slots.end(), *claims[group]);
    if (found != slots.end() && *found == *claims[group]) {
      indices[group] = static_cast<int>(found - slots.begin());
    }
  }
  return indices;
}

std::vector<size_t> CountsOf(const std::vector<int>& indices, size_t slots) {
  std::vector<size_t> counts(slots);
  for (const int index : indices) {
    if (index != kNobody) counts[index]++;
  }
  return counts;
}

// The slots in the order in which they may have one key group more than others, or be used at all:
// by what they own, then by what else they have; equal ones as they are.
std::vector<size_t> ByClaims(const AssignmentRequest& request, const std::vector<SlotId>& slots) {
  const size_t groups = request.previous.size();
  const auto owned = CountsOf(IndicesOf(request.previous, slots, groups), slots.size());
  const auto held = CountsOf(IndicesOf(request.rejoined, slots, groups), slots.size());
  std::vector<size_t> order(slots.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::pair(owned[a], held[a]) > std::pair(owned[b], held[b]);
  });
  return order;
}

std::vector<SlotId> Choose(const AssignmentRequest& request) {
  const auto most = static_cast<size_t>(request.max_slots);
  if (request.max_slots <= 0 || request.slots.size() <= most) return request.slots;
  auto order = ByClaims(request, request.slots);
  order.resize(most);
  std::sort(order.begin(), order.end());
  std::vector<SlotId> chosen;
  chosen.reserve(order.size());
  for (const size_t index : order) chosen.push_back(request.slots[index]);
  return chosen;
}

}  // namespace

KeyGroupAssignment AssignKeyGroups(const AssignmentRequest& request) {
  TIDEMILL_CHECK(!request.slots.empty());
  KeyGroupAssignment result{.slots = Choose(request)};
  const size_t groups = request.previous.size();
  const size_t slots = result.slots.size();
  const std::vector<int> previous = IndicesOf(request.previous, result.slots, groups);
  const std::vector<int> rejoined = IndicesOf(request.rejoined, result.slots, groups);

  // Slots that have more than the common share are the ones to have one more than others.
  std::vector<size_t> room(slots, groups / slots);
  const std::vector<size_t> order = ByClaims(request, result.slots);
  for (size_t i = 0; i < groups % slots; ++i) room[order[i]]++;

  std::vector<int> owner(groups, kNobody);
  const auto give = [&](size_t group, int slot) {
    if (owner[group] != kNobody || slot == kNobody || room[slot] == 0) return;
    owner[group] = slot;
    room[slot]--;
  };
  // A slot that must give some away keeps those first that nobody else has.
  for (size_t group = 0; group < groups; ++group) {
    if (rejoined[group] == kNobody) give(group, previous[group]);
  }
  for (size_t group = 0; group < groups; ++group) give(group, previous[group]);
  for (size_t group = 0; group < groups; ++group) give(group, rejoined[group]);
  size_t next = 0;
  for (size_t group = 0; group < groups; ++group) {
    if (owner[group] != kNobody) continue;
    while (room[next] == 0) ++next;
    give(group, static_cast<int>(next));
  }
  result.owner.assign(owner.begin(), owner.end());
  return result;
}

}  // namespace tidemill::driver
