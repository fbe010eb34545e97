#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace tidemill::driver {

// A slot of a worker of the cluster. *Plain data.*
struct SlotId {
  std::string worker;
  int slot = 0;
  bool operator==(const SlotId&) const = default;
  bool operator<(const SlotId& other) const {
    return std::tie(worker, slot) < std::tie(other.worker, other.slot);
  }
};

// What an assignment is computed from. Slots that are named but not available count as gone.
struct AssignmentRequest {
  std::vector<SlotId> slots;  // available, ascending
  int max_slots = 0;          // that may be used; 0: all
  // By key group: its owner before, nothing for none.
  std::vector<std::optional<SlotId>> previous;
  // By key group: a slot that has come (back) with its state, nothing for none. May be shorter.
  std::vector<std::optional<SlotId>> rejoined;
};

struct KeyGroupAssignment {
  std::vector<SlotId> slots;    // in use, ascending
  std::vector<uint32_t> owner;  // by key group: index into slots
};

// Gives every key group to one slot. The numbers of key groups of two slots differ by 1 at most; as
// many key groups as that allows stay with their previous owner, and of the others as many as
// possible without moving more go to a slot that has come back with their state. Slots that own
// key groups are used before others where not all may be used. `slots` must not be empty. Pure and
// deterministic.
KeyGroupAssignment AssignKeyGroups(const AssignmentRequest& request);

}  // namespace tidemill::driver
