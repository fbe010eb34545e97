#include "driver/plan/logical/logical_plan.h"

#include <arrow/type.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "common/base/check.h"

namespace tidemill::driver {

namespace {

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

}  // namespace

LogicalPlanPtr MakeOneRow(Span span) { return NewNode<OneRowNode>(nullptr, span); }

LogicalPlanPtr MakeRead(connectors::SourceSpec source, Span span) {
  std::vector<int> columns(source.schema->num_fields());
  std::iota(columns.begin(), columns.end(), 0);
  return MakeRead(std::move(source), std::move(columns), span);
}

LogicalPlanPtr MakeRead(connectors::SourceSpec source, std::vector<int> columns, Span span) {
  auto node = NewNode<ReadNode>(nullptr, span);
  for (int column : columns) {
    const auto& field = source.schema->field(column);
    node->output.push_back({source.name, field->name(), field->type()});
  }
  node->source = std::move(source);
  node->columns = std::move(columns);
  return node;
}

LogicalPlanPtr MakeSubqueryAlias(LogicalPlanPtr child, std::string alias, Span span) {
  auto node = NewNode<SubqueryAliasNode>(std::move(child), span);
  for (PlanField& field : node->output) field.qualifier = alias;
  node->alias = std::move(alias);
  return node;
}

LogicalPlanPtr MakeFilter(LogicalPlanPtr child, ExprPtr condition, Span span) {
  auto node = NewNode<FilterNode>(std::move(child), span);
  node->condition = std::move(condition);
  return node;
}

LogicalPlanPtr MakeProject(LogicalPlanPtr child, std::vector<ExprPtr> exprs,
                           std::vector<PlanField> fields, Span span) {
  TIDEMILL_CHECK(exprs.size() == fields.size());
  auto node = NewNode<ProjectNode>(std::move(child), span);
  for (size_t i = 0; i < fields.size(); ++i) fields[i].type = exprs[i]->type;
  node->exprs = std::move(exprs);
  node->output = std::move(fields);
  return node;
}

// NOLINTNEXTLINE(readability-function-size): the members of the node
LogicalPlanPtr MakeGenerate(LogicalPlanPtr child, std::string function, std::vector<ExprPtr> args,
                            std::vector<int> kept, std::vector<PlanField> generated, Span span) {
  auto node = NewNode<GenerateNode>(std::move(child), span);
  node->output.clear();
  for (int column : kept) node->output.push_back(node->child().output[column]);
  node->output.insert(node->output.end(), generated.begin(), generated.end());
  node->function = std::move(function);
  node->args = std::move(args);
  node->kept = std::move(kept);
  node->generated = std::move(generated);
  return node;
}

LogicalPlanPtr MakeAggregate(LogicalPlanPtr child, std::vector<ExprPtr> keys,
                             std::vector<AggregateCall> calls, Span span) {
  auto node = NewNode<AggregateNode>(std::move(child), span);
  node->output.clear();
  for (const ExprPtr& key : keys) node->output.push_back({"", ExprText(*key), key->type});
  for (const AggregateCall& call : calls) {
    node->output.push_back({"", call.text, call.signature.type});
  }
  node->keys = std::move(keys);
  node->calls = std::move(calls);
  return node;
}

LogicalPlanPtr MakeSort(LogicalPlanPtr child, std::vector<SortKey> keys, Span span) {
  auto node = NewNode<SortNode>(std::move(child), span);
  node->keys = std::move(keys);
  return node;
}

LogicalPlanPtr MakeLimit(LogicalPlanPtr child, int64_t count, Span span) {
  auto node = NewNode<LimitNode>(std::move(child), span);
  node->count = count;
  return node;
}

bool IsStreaming(const LogicalPlanPtr& plan) {
  bool is_streaming = false;
  ForEachNode(plan, [&](const LogicalPlanPtr& node) {
    if (node->kind == LogicalPlan::Kind::kRead) {
      is_streaming = is_streaming || As<ReadNode>(*node).source.is_streaming;
    }
  });
  return is_streaming;
}

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<PlanField>& fields) {
  arrow::FieldVector columns;
  for (const PlanField& field : fields) columns.push_back(arrow::field(field.name, field.type));
  return arrow::schema(std::move(columns));
}

}  // namespace tidemill::driver
