#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>

#include "worker/plan/stage_plan.h"

namespace tidemill::proto {
class Aggregate;
class WindowOp;
}  // namespace tidemill::proto

namespace tidemill::worker {

using KernelReader =
    std::function<arrow::Result<std::shared_ptr<const AggregateKernel>>(const proto::Aggregate&)>;

// Binds a window operator from the wire. Errors: kBug PLAN_INVALID.
arrow::Result<WindowPlan> ReadWindow(const proto::WindowOp& message,
                                     const KernelReader& read_kernel);

}  // namespace tidemill::worker
