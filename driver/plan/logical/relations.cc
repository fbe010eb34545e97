#include "driver/plan/logical/relations.h"

#include <arrow/type.h>

#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "driver/plan/logical/new_node.h"

namespace tidemill::driver {

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
  for (size_t i = 0; i < fields.size(); ++i) {
    fields[i].type = exprs[i]->type;
    // A column of the query around a subquery is none of the child's.
    const bool is_column = exprs[i]->kind == Expr::Kind::kColumn &&
                           exprs[i]->column < static_cast<int>(node->output.size());
    if (is_column) fields[i].event_time = node->output[exprs[i]->column].event_time;
  }
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

LogicalPlanPtr MakeSort(LogicalPlanPtr child, std::vector<SortKey> keys, Span span) {
  auto node = NewNode<SortNode>(std::move(child), span);
  node->keys = std::move(keys);
  return node;
}

LogicalPlanPtr MakeLimit(LogicalPlanPtr child, int64_t count, int64_t offset, Span span) {
  auto node = NewNode<LimitNode>(std::move(child), span);
  node->count = count;
  node->offset = offset;
  return node;
}

LogicalPlanPtr MakeRefused(std::vector<LogicalPlanPtr> children, arrow::Status why, Span span) {
  TIDEMILL_CHECK(!children.empty());
  auto node = NewNode<RefusedNode>(nullptr, span);
  node->output = children[0]->output;
  node->children = std::move(children);
  node->why = std::move(why);
  return node;
}

LogicalPlanPtr MakeUnion(std::vector<LogicalPlanPtr> children, Span span) {
  TIDEMILL_CHECK(!children.empty());
  auto node = NewNode<UnionNode>(nullptr, span);
  node->output = children[0]->output;
  node->children = std::move(children);
  return node;
}

}  // namespace tidemill::driver
