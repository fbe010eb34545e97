#include "worker/state_keeper.h"

#include <utility>

#include "common/base/check.h"
#include "common/base/failpoint.h"
#include "common/base/mutex.h"

namespace tidemill::worker {

namespace {

// Each extent is an entry of every Base record and a read of a restore, however small it is.
constexpr int64_t kMaxExtents = 10'000;

}  // namespace

// Touched on the I/O pool only: the segment by Append, the tier by TakeSnapshot, of which there is
// one at a time.
struct StateKeeper::Files {
  Options options;
  // An attempt that was given up may still write while the next one comes to its changelog.
  Mutex append_mutex;
  std::unique_ptr<state::ChangelogSegment> segment GUARDED_BY(append_mutex);
  int64_t segment_captures GUARDED_BY(append_mutex) = 0;  // begun before the segment was made
  int64_t next_sequence GUARDED_BY(append_mutex) = 0;
  std::unique_ptr<state::RocksDbTier> tier;

  arrow::Result<std::vector<state::Extent>> Append(
      int64_t epoch, const std::vector<state::ChangelogSections>& slots, int64_t captures);
  arrow::Result<state::Snapshot> Snapshot(
      int64_t epoch, const std::vector<uint32_t>& dropped,
      const std::vector<std::unique_ptr<state::FlushBatch>>& batches);
};

StateKeeper::StateKeeper(Options options)
    : options_(std::move(options)), files_(std::make_shared<Files>()) {
  files_->options = options_;
}

StateKeeper::~StateKeeper() = default;

arrow::Result<std::vector<state::Extent>> StateKeeper::Files::Append(
    int64_t epoch, const std::vector<state::ChangelogSections>& slots, int64_t captures) {
  MutexLock lock(&append_mutex);
  if (segment == nullptr || segment_captures < captures) {
    ARROW_ASSIGN_OR_RAISE(segment,
                          state::ChangelogSegment::Create({.fs = options.fs,
                                                           .state_dir = options.state_dir,
                                                           .worker = options.worker,
                                                           .incarnation = options.incarnation,
                                                           .sequence = next_sequence++,
                                                           .is_durable = options.is_durable}));
    segment_captures = captures;
  }
  std::vector<const state::ChangelogSections*> sections;
  sections.reserve(slots.size());
  for (const auto& slot : slots) sections.push_back(&slot);
  ARROW_ASSIGN_OR_RAISE(state::Extent extent, segment->Append(epoch, sections));
  Failpoint("worker.changelog_written");
  ARROW_RETURN_NOT_OK(segment->Sync());
  return std::vector<state::Extent>{std::move(extent)};
}

void StateKeeper::Append(int64_t epoch,
                         std::shared_ptr<const std::vector<state::ChangelogSections>> slots,
                         Appended done) {
  bool has_changes = false;
  for (const auto& sections : *slots) has_changes |= sections.num_sections() > 0;
  if (!has_changes) {
    done(std::vector<state::Extent>{});
    return;
  }
  options_.io->Post([files = files_, epoch, slots = std::move(slots), captures = captures_,
                     done = std::move(done)] { done(files->Append(epoch, *slots, captures)); });
}

void StateKeeper::OnCommitted(int64_t changelog_bytes, int64_t state_bytes) {
  changelog_bytes_ += changelog_bytes;
  if (changelog_bytes > 0) ++extents_;
  state_bytes_ = state_bytes;
}

bool StateKeeper::ShouldCapture() const {
  return !is_capturing_ &&
         (extents_ >= kMaxExtents || options_.policy.ShouldFlush(changelog_bytes_, state_bytes_));
}

void StateKeeper::BeginCapture() {
  TIDEMILL_CHECK(!is_capturing_);
  is_capturing_ = true;
  ++captures_;
  captured_changelog_bytes_ = std::exchange(changelog_bytes_, 0);
  captured_extents_ = std::exchange(extents_, 0);
  dropped_before_ = std::exchange(dropped_, {});
}

void StateKeeper::EndCapture() {
  is_capturing_ = false;
  captured_changelog_bytes_ = 0;
  captured_extents_ = 0;
}

void StateKeeper::DropKeyGroups(std::vector<uint32_t> key_groups) {
  dropped_.insert(dropped_.end(), key_groups.begin(), key_groups.end());
}

void StateKeeper::ContinueFrom(const StateKeeper& before) {
  changelog_bytes_ = before.changelog_bytes_ + before.captured_changelog_bytes_;
  extents_ = before.extents_ + before.captured_extents_;
  state_bytes_ = before.state_bytes_;
}

arrow::Result<state::Snapshot> StateKeeper::Files::Snapshot(
    int64_t epoch, const std::vector<uint32_t>& dropped,
    const std::vector<std::unique_ptr<state::FlushBatch>>& batches) {
  Failpoint("worker.flush_captured");
  if (tier == nullptr) {
    ARROW_ASSIGN_OR_RAISE(tier, state::RocksDbTier::Open({.fs = options.fs,
                                                          .local_dir = options.local_dir,
                                                          .state_dir = options.state_dir,
                                                          .worker = options.worker,
                                                          .incarnation = options.incarnation,
                                                          .operators = options.operators,
                                                          .is_durable = options.is_durable}));
  }
  if (!dropped.empty()) ARROW_RETURN_NOT_OK(tier->DropKeyGroups(dropped));
  std::vector<const state::FlushBatch*> borrowed;
  borrowed.reserve(batches.size());
  for (const auto& batch : batches) borrowed.push_back(batch.get());
  ARROW_RETURN_NOT_OK(tier->Flush(epoch, borrowed));
  ARROW_ASSIGN_OR_RAISE(state::Snapshot snapshot, tier->TakeSnapshot());
  Failpoint("worker.snapshot_files_copied");
  return snapshot;
}

void StateKeeper::TakeSnapshot(
    int64_t epoch, std::shared_ptr<const std::vector<std::unique_ptr<state::FlushBatch>>> batches,
    Snapshotted done) {
  options_.io->Post([files = files_, epoch, dropped = std::exchange(dropped_before_, {}),
                     batches = std::move(batches),
                     done = std::move(done)] { done(files->Snapshot(epoch, dropped, *batches)); });
}

}  // namespace tidemill::worker
