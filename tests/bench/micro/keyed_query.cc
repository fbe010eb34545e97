#include "tests/bench/micro/keyed_query.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/base/random.h"
#include "worker/exchange/hash_partitioner.h"

namespace tidemill::bench {

namespace {

constexpr uint64_t kKeySeed = 1;
constexpr uint64_t kDrawSeed = 2;

std::shared_ptr<const worker::JobPlan> PlanOf(KeyKind kind) {
  const char* keys = kind == KeyKind::kBigint ? "n" : kind == KeyKind::kString ? "s" : "s, n";
  return PlanQuery(
      fmt::format("SELECT {0}, count(*) AS c, sum(v) AS total FROM t GROUP BY {0}", keys),
      "n BIGINT, s STRING, v BIGINT");
}

}  // namespace

KeyedQuery::KeyedQuery(KeyKind kind) : kind_(kind), plan_(PlanOf(kind)) {
  TIDEMILL_CHECK(plan_->stages.size() == 2 && plan_->stateful.size() == 1);
}

std::shared_ptr<arrow::RecordBatch> KeyedQuery::SourceBatch(Draw draw, int64_t begin, int64_t end,
                                                            int64_t keys) const {
  arrow::Int64Builder numbers;
  arrow::StringBuilder texts;
  arrow::Int64Builder values;
  for (int64_t row = begin; row < end; ++row) {
    const uint64_t key =
        draw == Draw::kEachOnce ? static_cast<uint64_t>(row) : SplitMix64(kDrawSeed, row) % keys;
    const uint64_t spread = SplitMix64(kKeySeed, key);
    Must(numbers.Append(static_cast<int64_t>(spread)));
    Must(texts.Append(kind_ == KeyKind::kString ? fmt::format("{:016x}", spread)
                                                : fmt::format("/page/{}", key % 1000)));
    Must(values.Append(row % 1000));
  }
  const auto numbers_array = numbers.Finish().ValueOrDie();
  const auto texts_array = texts.Finish().ValueOrDie();
  const auto values_array = values.Finish().ValueOrDie();
  // The plan reads the columns that it needs.
  const auto& schema = source_stage().input_schema;
  arrow::ArrayVector columns;
  for (const auto& field : schema->fields()) {
    columns.push_back(field->name() == "n"   ? numbers_array
                      : field->name() == "s" ? texts_array
                                             : values_array);
  }
  return arrow::RecordBatch::Make(schema, end - begin, std::move(columns));
}

arrow::RecordBatchVector KeyedQuery::SourceRows(Draw draw, int64_t rows, int64_t keys) const {
  arrow::RecordBatchVector batches;
  for (int64_t begin = 0; begin < rows; begin += kBatchRows)
    batches.push_back(SourceBatch(draw, begin, std::min(begin + kBatchRows, rows), keys));
  return batches;
}

std::vector<worker::Rows> KeyedQuery::PartialRows(Draw draw, int64_t rows, int64_t keys) const {
  const EvalContext context = ContextOf(*plan_);
  const auto pipeline = worker::Pipeline::Make(source_stage(), nullptr, nullptr).ValueOrDie();
  const worker::EpochInfo epoch;
  const auto partitioner =
      worker::HashPartitioner::Make(plan_->stateful.front().key_types, source_stage().output_keys,
                                    std::vector<uint32_t>(kKeyGroups, 0), 1)
          .ValueOrDie();
  std::vector<worker::Rows> partial;
  for (int64_t begin = 0; begin < rows; begin += kBatchRows) {
    Collector out;
    pipeline->Reset();
    pipeline->Begin(epoch);
    const auto batch = SourceBatch(draw, begin, std::min(begin + kBatchRows, rows), keys);
    Must(pipeline->Process(context, {batch, {}}, &out));
    Must(pipeline->EndInput(context, &out));
    for (const worker::Rows& piece : out.pieces)
      partial.push_back(partitioner->Partition(piece.batch).ValueOrDie().front());
  }
  return partial;
}

KeyedState::KeyedState(const KeyedQuery* query)
    : query_(query),
      states_(worker::OperatorStates::Make(query->plan().stateful, KeyedQuery::kKeyGroups)
                  .ValueOrDie()) {
  const int id = query->operator_id();
  for (uint32_t group = 0; group < KeyedQuery::kKeyGroups; ++group)
    states_->AddTable(id, group, states_->MakeTable(id));
  pipeline_ = worker::Pipeline::Make(query->state_stage(), states_.get(), nullptr).ValueOrDie();
  pipeline_->Begin(info_);
}

void KeyedState::Process(std::span<const worker::Rows> input) {
  const EvalContext context = ContextOf(query_->plan());
  Collector out;
  for (const worker::Rows& rows : input) Must(pipeline_->Process(context, rows, &out));
  TIDEMILL_CHECK(out.pieces.empty());  // it gives rows at the end of an epoch
}

void KeyedState::Commit() {
  states_->CommitEpoch(epoch_++);
  pipeline_->Reset();
  pipeline_->Begin(info_);
}

}  // namespace tidemill::bench
