#include "worker/slot/pipeline.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/base/error.h"
#include "worker/join/stream_join.h"
#include "worker/join/table_join.h"
#include "worker/operators/filter.h"
#include "worker/operators/final_aggregate.h"
#include "worker/operators/generate.h"
#include "worker/operators/partial_aggregate.h"
#include "worker/operators/project.h"
#include "worker/operators/sliding_windows.h"
#include "worker/operators/sort.h"
#include "worker/operators/watermark.h"
#include "worker/operators/window/window.h"
#include "worker/slot/failed_row.h"
#include "worker/stateful/deduplicate.h"
#include "worker/stateful/global_limit.h"
#include "worker/stateful/session_aggregate.h"

namespace tidemill::worker {

namespace {

// By kind of OperatorPlan, as explain prints them.
constexpr std::array<std::string_view, std::variant_size_v<decltype(OperatorPlan::op)>> kNames = {
    "Filter", "Project",       "Generate",    "PartialAggregate", "FinalAggregate",   "Sort",
    "Limit",  "WithWatermark", "Deduplicate", "GlobalLimit",      "SessionAggregate", "Window",
    "Join"};

arrow::Result<std::unique_ptr<Operator>> MakeOperator(const OperatorPlan& plan,
                                                      OperatorStates* states,
                                                      const BroadcastTables* broadcasts) {
  return std::visit(
      [&](const auto& op) -> arrow::Result<std::unique_ptr<Operator>> {
        using Plan = std::decay_t<decltype(op)>;
        if constexpr (std::is_same_v<Plan, FilterPlan>) {
          return std::make_unique<Filter>(op);
        } else if constexpr (std::is_same_v<Plan, ProjectPlan>) {
          return std::make_unique<Project>(op, plan.schema);
        } else if constexpr (std::is_same_v<Plan, GeneratePlan>) {
          if (op.function == "$windows") return std::make_unique<SlidingWindows>(op, plan.schema);
          return std::make_unique<Generate>(op, plan.schema);
        } else if constexpr (std::is_same_v<Plan, PartialAggregatePlan>) {
          return PartialAggregate::Make(op, plan.schema);
        } else if constexpr (std::is_same_v<Plan, FinalAggregatePlan>) {
          return FinalAggregate::Make(op, plan.schema, states);
        } else if constexpr (std::is_same_v<Plan, SortPlan>) {
          return std::make_unique<Sort>(op, plan.schema);
        } else if constexpr (std::is_same_v<Plan, JoinPlan>) {
          if (op.is_symmetric) return StreamJoin::Make(op, plan.schema, states);
          BuildTable* const shared =
              op.broadcast < 0 ? nullptr : broadcasts->at(op.broadcast).get();
          return TableJoin::Make(op, plan.schema, shared);
        } else if constexpr (std::is_same_v<Plan, WindowPlan>) {
          return Window::Make(op, plan.schema);
        } else if constexpr (std::is_same_v<Plan, LimitPlan>) {
          return std::make_unique<Limit>(op);
        } else if constexpr (std::is_same_v<Plan, SessionAggregatePlan>) {
          return SessionAggregate::Make(op, plan.schema, states);
        } else if constexpr (std::is_same_v<Plan, DeduplicatePlan>) {
          return Deduplicate::Make(op, states);
        } else if constexpr (std::is_same_v<Plan, GlobalLimitPlan>) {
          return GlobalLimit::Make(op, states);
        } else {
          static_assert(std::is_same_v<Plan, WatermarkPlan>);
          return std::make_unique<Watermark>(op);
        }
      },
      plan.op);
}

}  // namespace

arrow::Status Pipeline::Link::Consume(Rows rows) {
  if (rows.batch->num_rows() == 0) return arrow::Status::OK();
  if (index == pipeline->operators_.size()) {
    const arrow::Status taken = pipeline->out_->Consume(std::move(rows));
    if (!taken.ok()) pipeline->has_consumer_failed_ = true;
    return taken;
  }
  const arrow::Status status = pipeline->operators_[index]->Process(
      *pipeline->context_, std::move(rows), &pipeline->links_[index + 1]);
  return status.ok() ? status : pipeline->Blame(status, index);
}

arrow::Status Pipeline::Blame(const arrow::Status& status, size_t index) const {
  if (!NeedsPlace(status) || has_consumer_failed_) return status;
  const size_t kind = stage_->operators[index].op.index();
  std::string place = fmt::format("{} of stage {}", kNames.at(kind), stage_->id);
  if (key_groups_ && key_groups_->first == key_groups_->last) {
    place += fmt::format(", key group {}", key_groups_->first);
  } else if (key_groups_) {
    place += fmt::format(", key groups {} to {}", key_groups_->first, key_groups_->last);
  }
  return WithPlace(status, std::move(place));
}

arrow::Result<std::unique_ptr<Pipeline>> Pipeline::Make(const StagePlan& stage,
                                                        OperatorStates* states,
                                                        const BroadcastTables* broadcasts) {
  auto pipeline = std::make_unique<Pipeline>();
  pipeline->stage_ = &stage;
  pipeline->broadcasts_ = broadcasts;
  for (const OperatorPlan& plan : stage.operators) {
    ARROW_ASSIGN_OR_RAISE(auto op, MakeOperator(plan, states, broadcasts));
    pipeline->operators_.push_back(std::move(op));
  }
  pipeline->links_.resize(pipeline->operators_.size() + 1);
  for (size_t i = 0; i < pipeline->links_.size(); ++i) {
    pipeline->links_[i].pipeline = pipeline.get();
    pipeline->links_[i].index = i;
  }
  return pipeline;
}

void Pipeline::Begin(const EpochInfo& epoch) {
  epoch_ = &epoch;
  for (const auto& op : operators_) op->Begin(epoch);
}

void Pipeline::Report(EpochCounters* counters) const {
  for (const auto& op : operators_) op->Report(counters);
}

arrow::Status Pipeline::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  context_ = &context;
  out_ = out;
  has_consumer_failed_ = false;
  key_groups_.reset();
  if (!rows.runs.empty()) {
    key_groups_ = KeyGroups{rows.runs.front().key_group, rows.runs.back().key_group};
  }
  return links_[0].Consume(std::move(rows));
}

arrow::Status Pipeline::EndChunk(const EvalContext& context, RowConsumer* out) {
  context_ = &context;
  out_ = out;
  has_consumer_failed_ = false;
  key_groups_.reset();
  for (size_t i = 0; i < operators_.size(); ++i) {
    const arrow::Status status = operators_[i]->EndChunk(context, &links_[i + 1]);
    if (!status.ok()) return Blame(status, i);
  }
  return arrow::Status::OK();
}

arrow::Result<bool> Pipeline::EmitNext(const EvalContext& context, uint32_t key_group,
                                       RowConsumer* out) {
  context_ = &context;
  out_ = out;
  has_consumer_failed_ = false;
  key_groups_.reset();
  if (!stage_->is_gathered) key_groups_ = KeyGroups{key_group, key_group};
  for (size_t i = 0; i < operators_.size(); ++i) {
    const auto has_emitted = operators_[i]->EmitNext(context, key_group, &links_[i + 1]);
    if (!has_emitted.ok()) return Blame(has_emitted.status(), i);
    if (*has_emitted) return true;
  }
  return false;
}

arrow::Status Pipeline::EndInput(const EvalContext& context, RowConsumer* out) {
  context_ = &context;
  out_ = out;
  has_consumer_failed_ = false;
  key_groups_.reset();
  for (size_t i = 0; i < operators_.size(); ++i) {
    const arrow::Status status = operators_[i]->EndInput(context, &links_[i + 1]);
    if (!status.ok()) return Blame(status, i);
  }
  return arrow::Status::OK();
}

void Pipeline::Reset() {
  for (const auto& op : operators_) op->Reset();
}

}  // namespace tidemill::worker
