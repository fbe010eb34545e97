#include "worker/join/build_table.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <utility>

#include "common/base/error.h"

namespace tidemill::worker {

BuildTable::BuildTable(const JoinPlan* plan, std::shared_ptr<const state::KeyCodec> codec)
    : plan_(plan),
      codec_(std::move(codec)),
      directory_(state::HotTable::Options{.keys = codec_, .is_transactional = false}) {}

arrow::Result<std::unique_ptr<BuildTable>> BuildTable::Make(const JoinPlan* plan) {
  ARROW_ASSIGN_OR_RAISE(auto codec, state::KeyCodec::Make(plan->sides[0].key_types));
  return std::unique_ptr<BuildTable>(new BuildTable(plan, std::move(codec)));
}

void BuildTable::Begin(const EpochInfo& epoch) {
  if (plan_->keeps_build && epoch.keeps_builds) {
    is_missing_ = !has_rows_;
    return;
  }
  Forget();
  has_rows_ = true;
}

void BuildTable::Reset() {
  if (!plan_->keeps_build) Forget();
}

void BuildTable::Forget() {
  directory_.Clear();
  chains_.clear();
  next_.clear();
  batches_.clear();
  rows_.reset();
  key_groups_.clear();
  is_finished_ = false;
  is_missing_ = false;
}

arrow::Status BuildTable::Add(const EvalContext& context, const Rows& rows) {
  const arrow::RecordBatch& batch = *rows.batch;
  const ColumnList keys = KeysOf(plan_->sides[plan_->build_side], batch);
  ARROW_ASSIGN_OR_RAISE(const auto can_match,
                        CanMatch(*plan_, context, plan_->build_side, batch, keys));
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, batch.num_rows(), &keys_));
  std::vector<uint32_t> found(batch.num_rows());
  directory_.FindOrInsert(keys_, 0, batch.num_rows(), found.data(), nullptr);
  chains_.resize(directory_.num_rows());
  const auto first = static_cast<uint32_t>(next_.size());
  next_.resize(next_.size() + batch.num_rows(), kNone);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    if (can_match[row] == 0) continue;
    const uint32_t number = first + static_cast<uint32_t>(row);
    Chain& chain = chains_[found[row]];
    if (chain.first == kNone) {
      chain.first = number;
    } else {
      next_[chain.last] = number;
    }
    chain.last = number;
  }
  batches_.push_back(rows.batch);
  if (!plan_->keeps_unmatched(plan_->build_side)) return arrow::Status::OK();
  std::vector<uint32_t> groups = GroupsOf(rows);
  groups.resize(batch.num_rows(), 0);
  key_groups_.insert(key_groups_.end(), groups.begin(), groups.end());
  return arrow::Status::OK();
}

arrow::Status BuildTable::Finish() {
  if (is_missing_) {
    return MakeError(ErrorKind::kBug, "BUILD_SIDE_MISSING",
                     "the driver took the static side of a join for kept, but this slot has none");
  }
  if (std::exchange(is_finished_, true) || batches_.empty()) return arrow::Status::OK();
  ARROW_ASSIGN_OR_RAISE(rows_, arrow::ConcatenateRecordBatches(batches_));
  batches_.clear();
  return arrow::Status::OK();
}

arrow::Status BuildTable::Find(const ColumnList& keys, int64_t length,
                               std::vector<uint32_t>* found) {
  ARROW_RETURN_NOT_OK(codec_->Encode(keys, length, &keys_));
  found->resize(length);
  directory_.Find(keys_, 0, length, found->data());
  for (size_t i = 0; i < found->size(); ++i) {
    Fetch(*found, i, chains_);
    uint32_t& place = (*found)[i];
    if (place != kNone) place = chains_[place].first;
  }
  return arrow::Status::OK();
}

}  // namespace tidemill::worker
