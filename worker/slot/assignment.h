#pragma once

#include <cstdint>
#include <vector>

#include "worker/exchange/frame.h"

namespace tidemill::worker {

// Which slot of the cluster does what, from `version` on. Belongs to the attempt, never to the
// plan: it may influence nothing but speed. *Immutable.*
struct Assignment {
  uint64_t version = 0;
  std::vector<SlotAddress> slots;
  std::vector<uint32_t> key_group_slot;  // by key group: index into slots

  int num_slots() const { return static_cast<int>(slots.size()); }
  int num_key_groups() const { return static_cast<int>(key_group_slot.size()); }
  // Gathered stages run where key group 0 lives.
  int gather_slot() const { return static_cast<int>(key_group_slot[0]); }
  int lane_slot(int lane) const { return lane % num_slots(); }
  bool OwnsKeyGroups(int slot) const {
    for (uint32_t owner : key_group_slot) {
      if (static_cast<int>(owner) == slot) return true;
    }
    return false;
  }
};

}  // namespace tidemill::worker
