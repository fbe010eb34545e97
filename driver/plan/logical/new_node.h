#pragma once

#include <memory>
#include <utility>

#include "driver/plan/logical/logical_plan.h"

namespace tidemill::driver {

// A node over one child (or none), with the child's output; for the Make functions.
template <class Node>
std::shared_ptr<Node> NewNode(LogicalPlanPtr child, Span span) {
  auto node = std::make_shared<Node>();
  node->span = span;
  if (child != nullptr) {
    node->output = child->output;
    node->children.push_back(std::move(child));
  }
  return node;
}

}  // namespace tidemill::driver
