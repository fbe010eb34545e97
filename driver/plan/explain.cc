#include "driver/plan/explain.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "driver/plan/logical/keyed_relations.h"
#include "driver/plan/logical/relations.h"
#include "driver/plan/logical/window.h"

namespace tidemill::driver {

namespace {

using Kind = LogicalPlan::Kind;

std::string Join(const std::vector<std::string>& texts) {
  return fmt::format("[{}]", fmt::join(texts, ", "));
}

std::string Texts(const std::vector<ExprPtr>& exprs) {
  std::vector<std::string> texts;
  texts.reserve(exprs.size());
  for (const ExprPtr& expr : exprs) texts.push_back(ExprText(*expr));
  return Join(texts);
}

std::string Names(const std::vector<PlanField>& fields) {
  std::vector<std::string> names;
  names.reserve(fields.size());
  for (const PlanField& field : fields) names.push_back(field.name);
  return Join(names);
}

std::string ProjectText(const ProjectNode& node) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < node.exprs.size(); ++i) {
    std::string text = ExprText(*node.exprs[i]);
    const std::string& name = node.output[i].name;
    texts.push_back(text == name ? text : fmt::format("{} AS {}", text, name));
  }
  return "Project " + Join(texts);
}

std::string GenerateText(const GenerateNode& node) {
  std::vector<std::string> args;
  for (const ExprPtr& arg : node.args) args.push_back(ExprText(*arg));
  std::vector<PlanField> kept(node.output.begin(), node.output.begin() + node.kept.size());
  return fmt::format("Generate {}({}), {}{}", node.function, fmt::join(args, ", "),
                     Names(node.generated), kept.empty() ? "" : ", keeping " + Names(kept));
}

std::string AggregateText(const AggregateNode& node) {
  std::vector<std::string> calls;
  for (const AggregateCall& call : node.calls) calls.push_back(call.text);
  return fmt::format("keys={}, functions={}", Texts(node.keys), Join(calls));
}

std::string SortText(const SortNode& node) {
  std::vector<std::string> keys;
  for (const SortKey& key : node.keys) {
    keys.push_back(fmt::format("{} {} NULLS {}", ExprText(*key.expr),
                               key.is_descending ? "DESC" : "ASC",
                               key.nulls_first ? "FIRST" : "LAST"));
  }
  return "Sort " + Join(keys);
}

std::string JoinText(const JoinNode& node) {
  static constexpr std::array<std::string_view, 6> kTypes = {"Inner",     "LeftOuter", "RightOuter",
                                                             "FullOuter", "LeftSemi",  "LeftAnti"};
  return fmt::format("Join {}{}", kTypes.at(static_cast<size_t>(node.type)),
                     node.condition == nullptr ? "" : ", " + ExprText(*node.condition));
}

std::string DeduplicateText(const DeduplicateNode& node) {
  std::vector<std::string> names;
  for (const int column : node.columns) names.push_back(node.output[column].name);
  return fmt::format("Deduplicate{} {}", node.within_watermark ? " within watermark" : "",
                     Join(names));
}

std::string LimitText(const LimitNode& node) {
  if (node.offset == 0) return fmt::format("Limit {}", node.count);
  if (node.count == std::numeric_limits<int64_t>::max()) {
    return fmt::format("Offset {}", node.offset);
  }
  return fmt::format("Limit {}, offset {}", node.count, node.offset);
}

std::string WindowText(const WindowNode& node) {
  std::vector<std::string> calls;
  for (const WindowCall& call : node.calls) calls.push_back(call.text);
  return "Window " + Join(calls);
}

std::string ReadText(const ReadNode& node) {
  return fmt::format("{} {} {}", node.source.name, node.source.format, Names(node.output));
}

std::string TtlText(const StageOperator& op) {
  return op.ttl_us == 0 ? "" : fmt::format(", state.ttl {} ms", op.ttl_us / 1000);
}

std::string OperatorText(const StagedPlan& plan, const StageOperator& op) {
  switch (op.kind) {
    case StageOperator::Kind::kPartialAggregate:
      return "PartialAggregate " + AggregateText(As<AggregateNode>(*op.node));
    case StageOperator::Kind::kFinalAggregate:
      return fmt::format("FinalAggregate #{} {}{}", op.operator_id,
                         AggregateText(As<AggregateNode>(*op.node)), TtlText(op));
    case StageOperator::Kind::kSessionAggregate:
      return fmt::format("SessionAggregate #{} {}", op.operator_id,
                         AggregateText(As<AggregateNode>(*op.node)));
    case StageOperator::Kind::kDeduplicate:
      return fmt::format("#{} {}{}", op.operator_id, NodeText(*op.node), TtlText(op));
    case StageOperator::Kind::kGlobalLimit:
      return fmt::format("GlobalLimit #{} {}", op.operator_id, As<LimitNode>(*op.node).count);
    case StageOperator::Kind::kJoin:
      if (op.broadcast < 0) return NodeText(*op.node);
      return fmt::format("Broadcast{}, {} side from stage {}", NodeText(*op.node),
                         op.join->build_side == 0 ? "left" : "right",
                         fmt::join(plan.broadcasts[op.broadcast].stages, ", "));
    default:
      return NodeText(*op.node);
  }
}

std::string_view ModeText(connectors::OutputMode mode) {
  switch (mode) {
    case connectors::OutputMode::kUpdate:
      return "update";
    case connectors::OutputMode::kComplete:
      return "complete";
    default:
      return "append";
  }
}

std::string OutputText(const StageSpec& stage, const connectors::SinkSpec& sink) {
  switch (stage.output) {
    case StageOutput::kGather:
      return "gather to one place";
    case StageOutput::kSink:
      return fmt::format("sink {}, {} mode", sink.format, ModeText(sink.output_mode));
    case StageOutput::kBroadcast:
      return "broadcast to every slot";
    case StageOutput::kHash:
      break;
  }
  if (stage.output_keys.empty()) return "hash exchange without keys, to key group 0";
  std::vector<std::string> keys;
  for (int key : stage.output_keys) keys.push_back(stage.output_schema()->field(key)->name());
  return "hash exchange by " + Join(keys);
}

std::string InputsText(const StageSpec& stage) {
  std::vector<int> ids;
  for (const StageInput& input : stage.inputs) ids.push_back(input.stage);
  return fmt::format("{}", fmt::join(ids, ", "));
}

// `margin` stands before the children's lines.
void AddTree(const LogicalPlan& node, const std::string& margin, std::string* text) {
  *text += NodeText(node) + "\n";
  for (size_t i = 0; i < node.children.size(); ++i) {
    const bool is_last = i + 1 == node.children.size();
    *text += margin + (is_last ? "+- " : ":- ");
    AddTree(*node.children[i], margin + (is_last ? "   " : ":  "), text);
  }
}

}  // namespace

std::string NodeText(const LogicalPlan& node) {
  switch (node.kind) {
    case Kind::kOneRow:
      return "OneRow";
    case Kind::kRead: {
      const auto& read = As<ReadNode>(node);
      return fmt::format("Read {}{}", ReadText(read),
                         read.source.is_streaming ? ", streaming" : "");
    }
    case Kind::kSubqueryAlias: {
      const std::string& alias = As<SubqueryAliasNode>(node).alias;
      return alias.empty() ? "SubqueryAlias" : "SubqueryAlias " + alias;
    }
    case Kind::kFilter:
      return "Filter " + ExprText(*As<FilterNode>(node).condition);
    case Kind::kProject:
      return ProjectText(As<ProjectNode>(node));
    case Kind::kGenerate:
      return GenerateText(As<GenerateNode>(node));
    case Kind::kAggregate:
      return "Aggregate " + AggregateText(As<AggregateNode>(node));
    case Kind::kSort:
      return SortText(As<SortNode>(node));
    case Kind::kLimit:
      return LimitText(As<LimitNode>(node));
    case Kind::kWindow:
      return WindowText(As<WindowNode>(node));
    case Kind::kUnion:
      return "Union";
    case Kind::kRefused:
      return "Refused";
    case Kind::kJoin:
      return JoinText(As<JoinNode>(node));
    case Kind::kDeduplicate:
      return DeduplicateText(As<DeduplicateNode>(node));
    case Kind::kWithWatermark: {
      const auto& watermark = As<WithWatermarkNode>(node);
      return fmt::format("WithWatermark {}, delay {} ms", node.output[watermark.column].name,
                         watermark.delay_us / 1000);
    }
  }
  return "";
}

std::string TreeText(const LogicalPlanPtr& plan) {
  std::string text;
  AddTree(*plan, "", &text);
  return text;
}

std::string StagesText(const StagedPlan& plan, const connectors::SinkSpec& sink) {
  std::string text;
  for (const StageSpec& stage : plan.stages) {
    const std::string input = stage.source >= 0
                                  ? "reads " + ReadText(As<ReadNode>(*plan.reads[stage.source]))
                                  : "from stage " + InputsText(stage);
    text +=
        fmt::format("Stage {}: {}{}\n", stage.id, input, stage.is_gathered ? ", in one place" : "");
    for (const StageOperator& op : stage.operators) text += "  " + OperatorText(plan, op) + "\n";
    text += "  -> " + OutputText(stage, sink) + "\n";
  }
  return text;
}

}  // namespace tidemill::driver
