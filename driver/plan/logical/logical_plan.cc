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

ExprPtr ColumnOf(const PlanField& field, int column, Span span) {
  return MakeColumn(column, field.name, field.type, span);
}

ExprPtr ColumnAt(const LogicalPlan& plan, int column, Span span) {
  return ColumnOf(plan.output[column], column, span);
}

std::vector<ExprPtr> ColumnsAt(const LogicalPlan& plan, const std::vector<int>& columns,
                               Span span) {
  std::vector<ExprPtr> exprs;
  exprs.reserve(columns.size());
  for (const int column : columns) exprs.push_back(ColumnAt(plan, column, span));
  return exprs;
}

std::vector<ExprPtr> ColumnsOf(const std::vector<PlanField>& fields, Span span) {
  std::vector<ExprPtr> exprs;
  exprs.reserve(fields.size());
  for (const PlanField& field : fields) {
    exprs.push_back(ColumnOf(field, static_cast<int>(exprs.size()), span));
  }
  return exprs;
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
