#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "proto/control.pb.h"
#include "worker/slot/assignment.h"

namespace tidemill::worker {

// What an Assign makes of one worker. *Plain data.*
struct Ownership {
  std::shared_ptr<const Assignment> assignment;
  std::vector<int> slot_index;                // assignment index of own slot i, -1 for none
  std::vector<std::vector<uint32_t>> groups;  // key groups by own slot, ascending
};

// Errors: ASSIGNMENT_STATE (kBug) where it names slots or key groups that there are not.
arrow::Result<Ownership> ReadOwnership(const proto::Assign& message, const std::string& worker,
                                       size_t num_slots, int num_key_groups);

arrow::Status AssignmentError(std::string message);

// Those of `a` that are not in `b`; both ascending.
std::vector<uint32_t> Without(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b);

}  // namespace tidemill::worker
