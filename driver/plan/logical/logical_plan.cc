#include "driver/plan/logical/logical_plan.h"

#include <arrow/type.h>

#include <utility>

#include "driver/plan/logical/relations.h"

namespace tidemill::driver {

bool IsStreaming(const LogicalPlanPtr& plan) {
  bool is_streaming = false;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (node->kind == LogicalPlan::Kind::kRead) {
      is_streaming = is_streaming || As<ReadNode>(*node).source.is_streaming;
    }
  });
  return is_streaming;
}

std::vector<PlanField> SideBySide(const LogicalPlan& left, const LogicalPlan& right) {
  std::vector<PlanField> fields = left.output;
  fields.insert(fields.end(), right.output.begin(), right.output.end());
  return fields;
}

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<PlanField>& fields) {
  arrow::FieldVector columns;
  for (const PlanField& field : fields) columns.push_back(arrow::field(field.name, field.type));
  return arrow::schema(std::move(columns));
}

}  // namespace tidemill::driver
