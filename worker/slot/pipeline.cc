#include "worker/slot/pipeline.h"

#include <type_traits>
#include <utility>

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
#include "worker/stateful/deduplicate.h"
#include "worker/stateful/global_limit.h"
#include "worker/stateful/session_aggregate.h"

namespace tidemill::worker {

namespace {

arrow::Result<std::unique_ptr<Operator>> MakeOperator(const OperatorPlan& plan,
                                                      OperatorStates* states) {
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
          return TableJoin::Make(op, plan.schema);
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
  if (index == pipeline->operators_.size()) return pipeline->out_->Consume(std::move(rows));
  return pipeline->operators_[index]->Process(*pipeline->context_, std::move(rows),
                                              &pipeline->links_[index + 1]);
}

arrow::Result<std::unique_ptr<Pipeline>> Pipeline::Make(const StagePlan& stage,
                                                        OperatorStates* states) {
  auto pipeline = std::make_unique<Pipeline>();
  for (const OperatorPlan& plan : stage.operators) {
    ARROW_ASSIGN_OR_RAISE(auto op, MakeOperator(plan, states));
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
  for (const auto& op : operators_) op->Begin(epoch);
}

void Pipeline::Report(EpochCounters* counters) const {
  for (const auto& op : operators_) op->Report(counters);
}

arrow::Status Pipeline::Process(const EvalContext& context, Rows rows, RowConsumer* out) {
  context_ = &context;
  out_ = out;
  return links_[0].Consume(std::move(rows));
}

arrow::Status Pipeline::EndChunk(const EvalContext& context, RowConsumer* out) {
  context_ = &context;
  out_ = out;
  for (size_t i = 0; i < operators_.size(); ++i) {
    ARROW_RETURN_NOT_OK(operators_[i]->EndChunk(context, &links_[i + 1]));
  }
  return arrow::Status::OK();
}

arrow::Result<bool> Pipeline::EmitNext(const EvalContext& context, uint32_t key_group,
                                       RowConsumer* out) {
  context_ = &context;
  out_ = out;
  for (size_t i = 0; i < operators_.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(const bool has_emitted,
                          operators_[i]->EmitNext(context, key_group, &links_[i + 1]));
    if (has_emitted) return true;
  }
  return false;
}

arrow::Status Pipeline::EndInput(const EvalContext& context, RowConsumer* out) {
  context_ = &context;
  out_ = out;
  for (size_t i = 0; i < operators_.size(); ++i) {
    ARROW_RETURN_NOT_OK(operators_[i]->EndInput(context, &links_[i + 1]));
  }
  return arrow::Status::OK();
}

void Pipeline::Reset() {
  for (const auto& op : operators_) op->Reset();
}

}  // namespace tidemill::worker
