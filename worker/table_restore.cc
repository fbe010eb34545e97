#include "worker/table_restore.h"

#include <arrow/result.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <utility>

namespace tidemill::worker {

namespace {

using FilledTables = std::map<std::pair<int32_t, uint32_t>, int64_t>;

// Takes those of `warm` that are of these key groups, and notes them in `filled`.
std::vector<RestoredTable> MakeTables(const OperatorStates& maker,
                                      const std::vector<uint32_t>& groups, int64_t warm_epoch,
                                      std::vector<RestoredTable> warm, FilledTables* filled) {
  std::map<std::pair<int32_t, uint32_t>, std::unique_ptr<state::HotTable>> by_id;
  for (RestoredTable& one : warm) by_id[{one.operator_id, one.key_group}] = std::move(one.table);
  std::vector<RestoredTable> tables;
  for (const StatefulOperator& op : maker.operators()) {
    for (const uint32_t group : groups) {
      const auto found = by_id.find({op.operator_id, group});
      if (found == by_id.end()) {
        tables.push_back({op.operator_id, group, maker.MakeTable(op.operator_id)});
        continue;
      }
      tables.push_back({op.operator_id, group, std::move(found->second)});
      (*filled)[found->first] = warm_epoch;
    }
  }
  return tables;
}

// Flushes and evicts tables that can be evicted when all of a slot together take too much.
class SlotRoom {
 public:
  SlotRoom(const OperatorStates& states, StateKeeper::Spill spill, int64_t memory_bytes,
           const std::vector<RestoredTable>& tables)
      : spill_(std::move(spill)),
        memory_bytes_(memory_bytes),
        tables_(tables),
        evictable_(EvictableIds(states.operators())) {}

  arrow::Status Make() const {
    int64_t bytes = 0;
    int64_t evictable_bytes = 0;
    for (const RestoredTable& entry : tables_) {
      bytes += entry.table->memory_bytes();
      if (evictable_.contains(entry.operator_id))
        evictable_bytes += entry.table->memory_bytes() - entry.table->cold_bytes();
    }
    if (bytes <= memory_bytes_ || evictable_bytes <= memory_bytes_ / kKeptPart)
      return arrow::Status::OK();
    state::FlushBatch batch;
    for (const RestoredTable& entry : tables_) {
      if (evictable_.contains(entry.operator_id))
        batch.Add(entry.operator_id, entry.key_group, entry.table.get());
    }
    ARROW_ASSIGN_OR_RAISE(const auto tier, spill_(batch));
    for (const RestoredTable& entry : tables_) {
      if (!evictable_.contains(entry.operator_id)) continue;
      const int64_t rows = entry.table->size();
      entry.table->EvictClean(rows - rows / kKeptPart,
                              tier->RowsOf(entry.operator_id, entry.key_group),
                              memory_bytes_ / kColdPart / static_cast<int64_t>(tables_.size()));
    }
    return arrow::Status::OK();
  }

 private:
  static constexpr int64_t kKeptPart = 4;  // one row in so many stays
  static constexpr int64_t kColdPart = 3;  // of the memory, for what is noted of cold keys

  const StateKeeper::Spill spill_;
  const int64_t memory_bytes_;
  const std::vector<RestoredTable>& tables_;
  const std::set<int> evictable_;
};

// Restores the slots one after the other in each of its lanes. What is written after Start is
// touched on the executor, but for `result_.tables[slot]`, which is its slot's.
class Restoring : public std::enable_shared_from_this<Restoring> {
 public:
  Restoring(RestoreRequest request, std::function<void(RestoredTables)> done);
  void Start();

 private:
  void RunLane();
  void ReportLater();
  void OnSlot(const arrow::Result<state::Restorer::Stats>& restored);
  arrow::Result<state::Restorer::Stats> RestoreSlot(size_t slot);
  void Measure();

  RestoreRequest request_;
  const std::function<void(RestoredTables)> done_;
  std::vector<size_t> slots_;  // that have something to read
  std::atomic<size_t> next_ = 0;
  std::unique_ptr<state::Restorer> restorer_;
  RestoredTables result_;
  size_t left_ = 0;
};

Restoring::Restoring(RestoreRequest request, std::function<void(RestoredTables)> done)
    : request_(std::move(request)), done_(std::move(done)) {
  const bool has_state = !request_.tables->operators().empty() &&
                         (!request_.from.snapshots.empty() || !request_.from.extents.empty());
  request_.warm.tables.resize(request_.groups.size());
  for (size_t slot = 0; slot < request_.groups.size(); ++slot) {
    result_.tables.push_back(MakeTables(*request_.tables, request_.groups[slot],
                                        request_.warm.epoch, std::move(request_.warm.tables[slot]),
                                        &request_.from.filled));
    if (has_state && !request_.groups[slot].empty()) slots_.push_back(slot);
  }
  left_ = slots_.size();
}

void Restoring::Start() {
  if (slots_.empty()) return done_(std::move(result_));
  restorer_ = std::make_unique<state::Restorer>(std::move(request_.from));
  size_t lanes = slots_.size();
  if (request_.max_parallel > 0) lanes = std::min<size_t>(lanes, request_.max_parallel);
  for (size_t lane = 0; lane < lanes; ++lane)
    request_.io->Post([self = shared_from_this()] { self->RunLane(); });
  if (request_.on_progress) ReportLater();
}

void Restoring::ReportLater() {
  request_.executor->PostAfter(kRestoreReport, [weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self == nullptr || self->left_ == 0) return;
    size_t key_groups = 0;
    for (const size_t slot : self->slots_) key_groups += self->request_.groups[slot].size();
    self->request_.on_progress(static_cast<int64_t>(key_groups), self->restorer_->progress());
    self->ReportLater();
  });
}

void Restoring::RunLane() {
  const size_t next = next_.fetch_add(1, std::memory_order_relaxed);
  if (next >= slots_.size()) return;
  auto restored = RestoreSlot(slots_[next]);
  request_.executor->Post(
      [self = shared_from_this(), restored = std::move(restored)] { self->OnSlot(restored); });
  // Others may wait for the thread.
  request_.io->Post([self = shared_from_this()] { self->RunLane(); });
}

arrow::Result<state::Restorer::Stats> Restoring::RestoreSlot(size_t slot) {
  const std::vector<RestoredTable>& tables = result_.tables[slot];
  const SlotRoom room(*request_.tables, request_.spill,
                      request_.memory_bytes / static_cast<int64_t>(slots_.size()), tables);
  state::Restorer::RoomMaker make_room;
  if (request_.spill) make_room = [&room] { return room.Make(); };
  const auto find = [&](int32_t operator_id, uint32_t group) -> state::HotTable* {
    for (const RestoredTable& entry : tables) {
      if (entry.operator_id == operator_id && entry.key_group == group) return entry.table.get();
    }
    return nullptr;
  };
  return restorer_->Restore(request_.groups[slot], find, make_room);
}

void Restoring::OnSlot(const arrow::Result<state::Restorer::Stats>& restored) {
  if (restored.ok()) {
    result_.rows += restored->rows;
    result_.kept_rows += restored->kept_rows;
    result_.snapshot_rows += restored->snapshot_rows;
    result_.changelog_rows += restored->changelog_rows;
  }
  if (!restored.ok() && result_.status.ok()) result_.status = restored.status();
  if (--left_ > 0) return;
  if (result_.status.ok()) Measure();
  done_(std::move(result_));
}

void Restoring::Measure() {
  const std::set<int> evictable = EvictableIds(request_.tables->operators());
  for (const auto& tables : result_.tables) {
    for (const RestoredTable& entry : tables) {
      const int64_t bytes = entry.table->memory_bytes();
      result_.cold_rows += entry.table->cold_rows();
      result_.memory_bytes += bytes;
      if (evictable.contains(entry.operator_id))
        result_.evictable_bytes += bytes - entry.table->cold_bytes();
    }
  }
}

}  // namespace

void RestoreTables(RestoreRequest request, std::function<void(RestoredTables)> done) {
  std::make_shared<Restoring>(std::move(request), std::move(done))->Start();
}

}  // namespace tidemill::worker
