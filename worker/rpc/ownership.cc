#include "worker/rpc/ownership.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "common/base/error.h"
#include "worker/rpc/messages.h"

namespace tidemill::worker {

arrow::Status AssignmentError(std::string message) {
  return MakeError(ErrorKind::kBug, "ASSIGNMENT_STATE", std::move(message));
}

std::vector<uint32_t> Without(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
  std::vector<uint32_t> result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(result));
  return result;
}

arrow::Result<Ownership> ReadOwnership(const proto::Assign& message, const std::string& worker,
                                       size_t num_slots, int num_key_groups) {
  Ownership next;
  next.assignment = ReadAssignment(message);
  next.slot_index.assign(num_slots, -1);
  next.groups.resize(num_slots);
  const Assignment& assignment = *next.assignment;
  if (assignment.num_key_groups() != num_key_groups)
    return AssignmentError(fmt::format("number of key groups differs: want={} got={}",
                                       num_key_groups, assignment.num_key_groups()));
  for (int index = 0; index < assignment.num_slots(); ++index) {
    const SlotAddress& address = assignment.slots[index];
    if (address.worker != worker) continue;
    if (address.slot < 0 || address.slot >= static_cast<int>(num_slots))
      return AssignmentError(
          fmt::format("there is no such slot: slot={} slots={}", address.slot, num_slots));
    next.slot_index[address.slot] = index;
  }
  for (uint32_t group = 0; group < assignment.key_group_slot.size(); ++group) {
    const uint32_t index = assignment.key_group_slot[group];
    if (index >= assignment.slots.size())
      return AssignmentError(fmt::format("key group without a slot: key_group={} slot={} slots={}",
                                         group, index, assignment.num_slots()));
    const SlotAddress& address = assignment.slots[index];
    if (address.worker == worker) next.groups[address.slot].push_back(group);
  }
  return next;
}

}  // namespace tidemill::worker
