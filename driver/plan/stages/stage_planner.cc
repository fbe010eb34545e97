#include "driver/plan/stages/stage_planner.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <numeric>
#include <utility>

#include "common/base/check.h"
#include "driver/plan/logical/plan_error.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;

// k0, k1, ... then for each aggregate its accumulator's columns a0_0, a0_1, ...
std::shared_ptr<arrow::Schema> PartialSchema(const AggregateNode& node) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < node.keys.size(); ++i) {
    fields.push_back(arrow::field(fmt::format("k{}", i), node.keys[i]->type));
  }
  for (size_t i = 0; i < node.calls.size(); ++i) {
    const auto& types = node.calls[i].signature.state_types;
    for (size_t j = 0; j < types.size(); ++j) {
      fields.push_back(arrow::field(fmt::format("a{}_{}", i, j), types[j]));
    }
  }
  return arrow::schema(std::move(fields));
}

class StagePlanner {
 public:
  arrow::Status Add(const LogicalPlanPtr& node);
  StagedPlan Finish(const connectors::SinkNeeds& needs);

 private:
  StageSpec& current() { return plan_.stages.back(); }
  void Append(StageOperator::Kind kind, const LogicalPlanPtr& node);
  void StartSource(const LogicalPlanPtr& node);
  void StartBehind(StageOutput exchange, std::vector<int> keys);
  void AddAggregate(const LogicalPlanPtr& node);
  void Gather();

  StagedPlan plan_;
  int next_operator_id_ = 0;
};

void StagePlanner::Append(StageOperator::Kind kind, const LogicalPlanPtr& node) {
  current().operators.push_back({kind, node, SchemaOf(node->output)});
}

void StagePlanner::StartSource(const LogicalPlanPtr& node) {
  StageSpec stage;
  stage.id = static_cast<int>(plan_.stages.size());
  stage.source = static_cast<int>(plan_.reads.size());
  stage.input_schema = SchemaOf(node->output);
  plan_.reads.push_back(node);
  plan_.stages.push_back(std::move(stage));
}

void StagePlanner::StartBehind(StageOutput exchange, std::vector<int> keys) {
  StageSpec& producer = current();
  producer.output = exchange;
  producer.output_keys = std::move(keys);
  StageSpec stage;
  stage.id = static_cast<int>(plan_.stages.size());
  stage.exchange_stage = producer.id;
  stage.input_schema = producer.output_schema();
  stage.is_gathered = exchange == StageOutput::kGather;
  plan_.stages.push_back(std::move(stage));
}

void StagePlanner::AddAggregate(const LogicalPlanPtr& node) {
  const auto& aggregate = As<AggregateNode>(*node);
  Append(StageOperator::Kind::kPartialAggregate, node);
  current().operators.back().schema = PartialSchema(aggregate);
  std::vector<int> keys(aggregate.keys.size());
  std::iota(keys.begin(), keys.end(), 0);
  StartBehind(StageOutput::kHash, std::move(keys));
  Append(StageOperator::Kind::kFinalAggregate, node);
  current().operators.back().operator_id = next_operator_id_++;
}

void StagePlanner::Gather() {
  if (!current().is_gathered) StartBehind(StageOutput::kGather, {});
}

arrow::Status StagePlanner::Add(const LogicalPlanPtr& node) {
  for (const LogicalPlanPtr& child : node->children) ARROW_RETURN_NOT_OK(Add(child));
  switch (node->kind) {
    case Kind::kOneRow:
      return NotSupportedYet("ONE_ROW_RELATION", "SELECT without FROM", node->span);
    case Kind::kRead:
      StartSource(node);
      break;
    case Kind::kSubqueryAlias:
      break;
    case Kind::kFilter:
      Append(StageOperator::Kind::kFilter, node);
      break;
    case Kind::kProject:
      Append(StageOperator::Kind::kProject, node);
      break;
    case Kind::kGenerate:
      Append(StageOperator::Kind::kGenerate, node);
      break;
    case Kind::kAggregate:
      AddAggregate(node);
      break;
    case Kind::kSort:
      Gather();
      Append(StageOperator::Kind::kSort, node);
      break;
    case Kind::kLimit:
      Gather();
      Append(StageOperator::Kind::kLimit, node);
      break;
  }
  return arrow::Status::OK();
}

StagedPlan StagePlanner::Finish(const connectors::SinkNeeds& needs) {
  if (needs.single_writer) Gather();
  current().output = StageOutput::kSink;
  return std::move(plan_);
}

}  // namespace

arrow::Result<StagedPlan> SplitIntoStages(const LogicalPlanPtr& plan,
                                          const connectors::SinkNeeds& needs) {
  StagePlanner planner;
  ARROW_RETURN_NOT_OK(planner.Add(plan));
  return planner.Finish(needs);
}

}  // namespace tidemill::driver
