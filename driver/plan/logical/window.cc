#include "driver/plan/logical/window.h"

#include <utility>

#include "driver/plan/logical/new_node.h"

namespace tidemill::driver {

LogicalPlanPtr MakeWindow(LogicalPlanPtr child, std::vector<int> partition,
                          std::vector<SortKey> order, std::vector<WindowCall> calls, Span span) {
  auto node = NewNode<WindowNode>(std::move(child), span);
  for (const WindowCall& call : calls) node->output.push_back({"", call.text, call.type});
  node->partition = std::move(partition);
  node->order = std::move(order);
  node->calls = std::move(calls);
  return node;
}

}  // namespace tidemill::driver
