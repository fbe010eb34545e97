#include "driver/plan/stages/stage_planner.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <string>
#include <utility>

#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/plan_error.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/logical/window.h"

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

// The stages whose output is the result of a node so far: one, or those of the branches of a union;
// and how the watermark gets there.
struct Tails {
  std::vector<int> stages;
  int flow = -1;  // node of the watermark graph
};

class StagePlanner {
 public:
  StagePlanner(connectors::OutputMode output_mode, int64_t broadcast_bytes)
      : output_mode_(output_mode), broadcast_bytes_(broadcast_bytes) {}

  arrow::Result<Tails> Add(const LogicalPlanPtr& node);
  StagedPlan Finish(Tails tails, const connectors::SinkNeeds& needs);

 private:
  StageSpec& stage(int id) { return plan_.stages[id]; }
  StageSpec& NewStage();
  void Append(const Tails& tails, const StageOperator& op);
  Tails StartSource(const LogicalPlanPtr& node);
  Tails StartBehind(const Tails& tails, StageOutput exchange, const std::vector<int>& keys);
  Tails AddAggregate(const Tails& tails, const LogicalPlanPtr& node);
  Tails AddDeduplicate(const Tails& tails, const LogicalPlanPtr& node);
  Tails AddLimit(Tails tails, const LogicalPlanPtr& node);
  void AddWatermark(const LogicalPlanPtr& node, Tails* tails);
  Tails Union(const std::vector<Tails>& inputs);
  arrow::Result<Tails> AddJoin(const std::vector<Tails>& inputs, const LogicalPlanPtr& node);
  Tails AddBroadcastJoin(const std::vector<Tails>& inputs, StageOperator op);
  // Whether the build side of a join, which comes from these stages, can be kept over epochs.
  bool CanKeepBuild(const StageOperator& join, const std::vector<int>& stages);
  // Puts producers before consumers: the stage of a join comes before what it is broadcast.
  void Order();
  Tails Gather(Tails tails);
  // The operator as a stateful one, with its number, and its place in the watermark graph behind
  // `inputs`.
  void MakeStateful(const std::vector<int>& inputs, bool evicts, StageOperator* op, Tails* tails);
  int AddFlow(WatermarkGraph::Node node);

  const connectors::OutputMode output_mode_;
  const int64_t broadcast_bytes_;
  StagedPlan plan_;
  int next_operator_id_ = 0;
  std::map<std::string, int> watermarks_;  // their numbers by definition
};

// Whether the rows of a stage depend on the splits of a static table alone.
bool IsRepeatable(const StageSpec& stage, const std::vector<LogicalPlanPtr>& reads) {
  if (stage.source < 0 || As<ReadNode>(*reads[stage.source]).source.is_streaming) return false;
  const auto are_repeatable = [](const std::vector<ExprPtr>& exprs) {
    return std::all_of(exprs.begin(), exprs.end(),
                       [](const ExprPtr& expr) { return IsRepeatable(*expr); });
  };
  return std::all_of(stage.operators.begin(), stage.operators.end(), [&](const StageOperator& op) {
    switch (op.kind) {
      case StageOperator::Kind::kFilter:
        return IsRepeatable(*As<FilterNode>(*op.node).condition);
      case StageOperator::Kind::kProject:
        return are_repeatable(As<ProjectNode>(*op.node).exprs);
      case StageOperator::Kind::kGenerate:
        return are_repeatable(As<GenerateNode>(*op.node).args);
      default:
        return false;
    }
  });
}

StageOperator OperatorOf(StageOperator::Kind kind, const LogicalPlanPtr& node) {
  return {kind, node, SchemaOf(node->output)};
}

StageSpec& StagePlanner::NewStage() {
  StageSpec& added = plan_.stages.emplace_back();
  added.id = static_cast<int>(plan_.stages.size()) - 1;
  return added;
}

void StagePlanner::Append(const Tails& tails, const StageOperator& op) {
  for (const int tail : tails.stages) stage(tail).operators.push_back(op);
}

Tails StagePlanner::StartSource(const LogicalPlanPtr& node) {
  StageSpec& added = NewStage();
  added.source = static_cast<int>(plan_.reads.size());
  added.input_schema = SchemaOf(node->output);
  plan_.reads.push_back(node);
  return {{added.id}, AddFlow({})};
}

int StagePlanner::AddFlow(WatermarkGraph::Node node) {
  plan_.watermarks.nodes.push_back(std::move(node));
  return static_cast<int>(plan_.watermarks.nodes.size()) - 1;
}

Tails StagePlanner::StartBehind(const Tails& tails, StageOutput exchange,
                                const std::vector<int>& keys) {
  StageSpec& added = NewStage();
  added.input_schema = stage(tails.stages[0]).output_schema();
  added.is_gathered = exchange == StageOutput::kGather;
  for (const int tail : tails.stages) {
    stage(tail).output = exchange;
    stage(tail).output_keys = keys;
    added.inputs.push_back({.stage = tail});
  }
  return {{added.id}, tails.flow};
}

void StagePlanner::MakeStateful(const std::vector<int>& inputs, bool evicts, StageOperator* op,
                                Tails* tails) {
  op->operator_id = next_operator_id_++;
  op->is_ephemeral = !IsStreaming(op->node);
  op->mode = op->is_ephemeral ? connectors::OutputMode::kComplete : output_mode_;
  tails->flow = AddFlow({.kind = WatermarkGraph::Node::Kind::kStateful,
                         .inputs = inputs,
                         .operator_id = op->operator_id,
                         .evicts = evicts});
}

Tails StagePlanner::AddAggregate(const Tails& tails, const LogicalPlanPtr& node) {
  const auto& aggregate = As<AggregateNode>(*node);
  Append(tails, {StageOperator::Kind::kPartialAggregate, node, PartialSchema(aggregate)});
  std::vector<int> keys(aggregate.keys.size());
  std::iota(keys.begin(), keys.end(), 0);
  const bool has_sessions = aggregate.session_key >= 0;
  if (has_sessions) keys.erase(keys.begin() + aggregate.session_key);
  Tails behind = StartBehind(tails, StageOutput::kHash, keys);
  StageOperator final = OperatorOf(
      has_sessions ? StageOperator::Kind::kSessionAggregate : StageOperator::Kind::kFinalAggregate,
      node);
  // As Spark: whether or not a key carries the event time.
  const bool evicts = output_mode_ != connectors::OutputMode::kComplete;
  MakeStateful({tails.flow}, evicts, &final, &behind);
  Append(behind, final);
  return behind;
}

Tails StagePlanner::AddDeduplicate(const Tails& tails, const LogicalPlanPtr& node) {
  Tails behind = StartBehind(tails, StageOutput::kHash, As<DeduplicateNode>(*node).columns);
  StageOperator op = OperatorOf(StageOperator::Kind::kDeduplicate, node);
  // As Spark: whether or not a key carries the event time.
  MakeStateful({tails.flow}, /*evicts=*/true, &op, &behind);
  Append(behind, op);
  return behind;
}

// A stream counts its rows over all epochs. The lanes of a source send no more than could pass;
// other stages may not cut: which rows meet on a slot there depends on the assignment.
Tails StagePlanner::AddLimit(Tails tails, const LogicalPlanPtr& node) {
  StageOperator local = OperatorOf(StageOperator::Kind::kLimit, node);
  // In complete mode the rows of an aggregation come anew in each epoch, those below it once.
  bool is_aggregated = false;
  ForEachNode(node, [&is_aggregated](const LogicalPlanPtr& below) {
    is_aggregated = is_aggregated || (below->kind == Kind::kAggregate && IsStreaming(below));
  });
  const bool counts =
      IsStreaming(node) && (output_mode_ == connectors::OutputMode::kAppend || !is_aggregated);
  for (const int tail : tails.stages) {
    if (stage(tail).source >= 0) stage(tail).operators.push_back(local);
  }
  tails = Gather(std::move(tails));
  if (!counts) {
    Append(tails, local);
    return tails;
  }
  StageOperator op = OperatorOf(StageOperator::Kind::kGlobalLimit, node);
  MakeStateful({tails.flow}, /*evicts=*/false, &op, &tails);
  Append(tails, op);
  return tails;
}

void StagePlanner::AddWatermark(const LogicalPlanPtr& node, Tails* tails) {
  StageOperator op = OperatorOf(StageOperator::Kind::kWatermark, node);
  const int next = plan_.watermarks.num_watermarks();
  op.watermark =
      watermarks_.try_emplace(As<WithWatermarkNode>(*node).definition, next).first->second;
  tails->flow = AddFlow({.kind = WatermarkGraph::Node::Kind::kWatermark,
                         .inputs = {tails->flow},
                         .watermark = op.watermark,
                         .delay_ms = As<WithWatermarkNode>(*node).delay_us / 1000});
  Append(*tails, op);
}

Tails StagePlanner::Union(const std::vector<Tails>& inputs) {
  Tails all;
  WatermarkGraph::Node flow;
  for (const Tails& input : inputs) {
    all.stages.insert(all.stages.end(), input.stages.begin(), input.stages.end());
    flow.inputs.push_back(input.flow);
  }
  all.flow = AddFlow(std::move(flow));
  return all;
}

arrow::Result<Tails> StagePlanner::AddJoin(const std::vector<Tails>& inputs,
                                           const LogicalPlanPtr& node) {
  StageOperator op = OperatorOf(StageOperator::Kind::kJoin, node);
  ARROW_ASSIGN_OR_RAISE(op.join, PlanJoin(node, broadcast_bytes_));
  for (int side = 0; side < 2; ++side) {
    const JoinSideSteps& steps = op.join->sides[side];
    if (steps.projection == nullptr) continue;
    Append(inputs[side], OperatorOf(StageOperator::Kind::kProject, steps.projection));
  }
  if (op.join->is_broadcast) return AddBroadcastJoin(inputs, std::move(op));
  Tails behind = StartBehind(inputs[0], StageOutput::kHash, op.join->sides[0].keys);
  for (const int tail : inputs[1].stages) {
    stage(tail).output = StageOutput::kHash;
    stage(tail).output_keys = op.join->sides[1].keys;
    stage(behind.stages[0]).inputs.push_back({.stage = tail, .side = 1});
  }
  const bool is_kept = CanKeepBuild(op, inputs[op.join->build_side].stages);
  for (StageInput& input : stage(behind.stages[0]).inputs) {
    input.is_build = !op.join->is_symmetric && input.side == op.join->build_side;
    input.is_kept = input.is_build && is_kept;
  }
  WatermarkGraph::Node flow{.inputs = {inputs[0].flow, inputs[1].flow}};
  if (op.join->is_symmetric) {
    const auto rules = {op.join->sides[0].rule, op.join->sides[1].rule};
    op.operator_id = next_operator_id_;
    next_operator_id_ += 2;  // A table for each side.
    flow.kind = WatermarkGraph::Node::Kind::kJoin;
    flow.operator_id = op.operator_id;
    flow.left = op.join->sides[0].rule;
    flow.right = op.join->sides[1].rule;
    flow.evicts = std::any_of(rules.begin(), rules.end(), [](const JoinSideRule& rule) {
      return rule.kind != JoinSideRule::Kind::kForever;
    });
  }
  behind.flow = AddFlow(std::move(flow));
  Append(behind, op);
  return behind;
}

Tails StagePlanner::AddBroadcastJoin(const std::vector<Tails>& inputs, StageOperator op) {
  const Tails& build = inputs[op.join->build_side];
  for (const int tail : build.stages) stage(tail).output = StageOutput::kBroadcast;
  op.broadcast = static_cast<int>(plan_.broadcasts.size());
  plan_.broadcasts.push_back({build.stages, CanKeepBuild(op, build.stages)});
  Tails joined = inputs[1 - op.join->build_side];
  joined.flow = AddFlow({.inputs = {inputs[0].flow, inputs[1].flow}});
  Append(joined, op);
  return joined;
}

bool StagePlanner::CanKeepBuild(const StageOperator& join, const std::vector<int>& stages) {
  const ExprPtr& filter = join.join->sides[join.join->build_side].filter;
  return !join.join->is_symmetric && IsStreaming(join.node) &&
         (filter == nullptr || IsRepeatable(*filter)) &&
         std::all_of(stages.begin(), stages.end(),
                     [this](int id) { return IsRepeatable(stage(id), plan_.reads); });
}

void StagePlanner::Order() {
  std::vector<int> number(plan_.stages.size(), -1);  // by old number
  std::vector<int> order;
  const std::function<void(int)> place = [&](int id) {
    if (number[id] >= 0) return;
    for (const StageInput& input : stage(id).inputs) place(input.stage);
    for (const StageOperator& op : stage(id).operators) {
      if (op.broadcast < 0) continue;
      for (const int producer : plan_.broadcasts[op.broadcast].stages) place(producer);
    }
    number[id] = static_cast<int>(order.size());
    order.push_back(id);
  };
  for (const StageSpec& spec : plan_.stages) place(spec.id);
  std::vector<StageSpec> stages;
  for (const int id : order) {
    StageSpec& moved = stages.emplace_back(std::move(stage(id)));
    moved.id = number[id];
    for (StageInput& input : moved.inputs) input.stage = number[input.stage];
  }
  plan_.stages = std::move(stages);
  for (BroadcastSpec& broadcast : plan_.broadcasts) {
    for (int& id : broadcast.stages) id = number[id];
  }
}

Tails StagePlanner::Gather(Tails tails) {
  if (tails.stages.size() == 1 && stage(tails.stages[0]).is_gathered) return tails;
  return StartBehind(tails, StageOutput::kGather, {});
}

arrow::Result<Tails> StagePlanner::Add(const LogicalPlanPtr& node) {
  using OpKind = StageOperator::Kind;
  std::vector<Tails> inputs;
  for (const LogicalPlanPtr& child : node->children) {
    ARROW_ASSIGN_OR_RAISE(inputs.emplace_back(), Add(child));
  }
  Tails tails = inputs.empty() ? Tails{} : inputs[0];
  switch (node->kind) {
    case Kind::kOneRow:
      return NotSupportedYet("ONE_ROW_RELATION", "SELECT without FROM", node->span);
    case Kind::kRead:
      return StartSource(node);
    case Kind::kSubqueryAlias:
      return tails;
    case Kind::kFilter:
      Append(tails, OperatorOf(OpKind::kFilter, node));
      return tails;
    case Kind::kProject:
      Append(tails, OperatorOf(OpKind::kProject, node));
      return tails;
    case Kind::kGenerate:
      Append(tails, OperatorOf(OpKind::kGenerate, node));
      return tails;
    case Kind::kUnion:
      return Union(inputs);
    case Kind::kRefused:
      return As<RefusedNode>(*node).why;
    case Kind::kAggregate:
      return AddAggregate(tails, node);
    case Kind::kSort:
      tails = Gather(std::move(tails));
      Append(tails, OperatorOf(OpKind::kSort, node));
      return tails;
    case Kind::kLimit:
      return AddLimit(std::move(tails), node);
    case Kind::kWindow: {
      const std::vector<int>& partition = As<WindowNode>(*node).partition;
      tails = partition.empty() ? Gather(std::move(tails))
                                : StartBehind(tails, StageOutput::kHash, partition);
      Append(tails, OperatorOf(OpKind::kWindow, node));
      return tails;
    }
    case Kind::kJoin:
      return AddJoin(inputs, node);
    case Kind::kDeduplicate:
      return AddDeduplicate(tails, node);
    case Kind::kWithWatermark:
      AddWatermark(node, &tails);
      return tails;
  }
  return tails;
}

StagedPlan StagePlanner::Finish(Tails tails, const connectors::SinkNeeds& needs) {
  if (needs.single_writer) tails = Gather(std::move(tails));
  for (const int tail : tails.stages) stage(tail).output = StageOutput::kSink;
  if (!plan_.broadcasts.empty()) Order();
  return std::move(plan_);
}

}  // namespace

arrow::Result<StagedPlan> SplitIntoStages(const LogicalPlanPtr& plan,
                                          connectors::OutputMode output_mode,
                                          const connectors::SinkNeeds& needs,
                                          int64_t broadcast_bytes) {
  StagePlanner planner(output_mode, broadcast_bytes);
  ARROW_ASSIGN_OR_RAISE(Tails tails, planner.Add(plan));
  return planner.Finish(std::move(tails), needs);
}

}  // namespace tidemill::driver
