#pragma once

#include <arrow/status.h>

#include "driver/plan/logical/window.h"

namespace tidemill::proto {
class Aggregate;
class SortOp;
class WindowOp;
}  // namespace tidemill::proto

namespace tidemill::driver {

// How plan_writer writes what a window has in common with other operators. *Plain data.*
struct WindowParts {
  arrow::Status (*write_aggregate)(const AggregateCall& call, proto::Aggregate* message);
  arrow::Status (*write_order)(const std::vector<SortKey>& keys, proto::SortOp* message);
};

arrow::Status WriteWindow(const WindowNode& node, const WindowParts& parts,
                          proto::WindowOp* message);

}  // namespace tidemill::driver
