#include "worker/state_keeper.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <utility>

#include "common/base/check.h"
#include "common/base/error.h"
#include "common/base/failpoint.h"
#include "common/base/mutex.h"

namespace tidemill::worker {

namespace {

// Each extent is an entry of every Base record and a read of a restore, however small it is.
constexpr int64_t kMaxExtents = 10'000;

// From so many bytes on, writing and syncing one after the other is what an epoch waits for.
constexpr size_t kLargeBytes = size_t{16} << 20;
constexpr size_t kMaxParts = 4;

using Sections = std::vector<const state::ChangelogSections*>;

// What goes into one extent each, without slots that changed nothing.
std::vector<Sections> Divide(const std::vector<state::ChangelogSections>& slots) {
  size_t bytes = 0;
  for (const auto& sections : slots) bytes += sections.bytes().size();
  std::vector<Sections> parts(bytes < kLargeBytes ? 1 : std::min(slots.size(), kMaxParts));
  size_t next = 0;
  for (const auto& sections : slots) {
    if (sections.num_sections() > 0) parts[next++ % parts.size()].push_back(&sections);
  }
  std::erase_if(parts, [](const Sections& part) { return part.empty(); });
  return parts;
}

// Steps that run at the same time; the last one says how they went. *Thread-safe.*
class Steps {
 public:
  Steps(size_t steps, std::function<void(const arrow::Status&)> done)
      : left_(steps), done_(std::move(done)) {}

  void OnDone(const arrow::Status& status) {
    arrow::Status all;
    {
      MutexLock lock(&mutex_);
      if (status_.ok()) status_ = status;
      if (--left_ > 0) return;
      all = status_;
    }
    done_(all);
  }

 private:
  Mutex mutex_;
  size_t left_ GUARDED_BY(mutex_);
  arrow::Status status_ GUARDED_BY(mutex_);
  const std::function<void(const arrow::Status&)> done_;
};

}  // namespace

// Touched on the I/O pool only, but for what a restore leaves behind when it begins.
struct StateKeeper::Files {
  // One per part of an extent.
  struct Segment {
    // An attempt that was given up may still write while the next one comes to its changelog.
    Mutex mutex;
    std::unique_ptr<state::ChangelogSegment> file GUARDED_BY(mutex);
    int64_t captures GUARDED_BY(mutex) = 0;  // begun before the file was made
  };

  Options options;
  std::array<Segment, kMaxParts> segments;
  std::atomic<int64_t> next_sequence = 0;  // a counter, nothing else depends on it
  // One flush is under way at a time, unless restores overlap.
  Mutex tier_mutex;
  std::shared_ptr<state::RocksDbTier> tier GUARDED_BY(tier_mutex);
  std::shared_ptr<Files> before GUARDED_BY(tier_mutex);  // has the tier, until it is needed
  // Not the tier's, which is held while it is written.
  Mutex restore_mutex;
  std::vector<uint32_t> dropped GUARDED_BY(restore_mutex);  // before the next flush
  uint64_t restores GUARDED_BY(restore_mutex) = 0;          // begun

  arrow::Result<state::Extent> Append(int64_t epoch, size_t part, const Sections& sections,
                                      int64_t captures);
  arrow::Status FlushTier(int64_t epoch, const std::vector<uint32_t>& drops,
                          std::span<const state::FlushBatch* const> batches) REQUIRES(tier_mutex);
  // The tier, which goes on under another name.
  std::shared_ptr<state::RocksDbTier> GiveTier(const std::string& incarnation) EXCLUDES(tier_mutex);
  arrow::Status FinishKeeping(state::KeptWriter* writer, const std::vector<uint32_t>& dropped);
  // From the keeper before, where it is there.
  void TakeTier() REQUIRES(tier_mutex);
  // `restore` fails where another one has begun since.
  arrow::Result<std::vector<uint32_t>> TakeDropped(std::optional<uint64_t> restore,
                                                   const std::vector<uint32_t>& newly_dropped);
  arrow::Result<Flushed> Flush(int64_t epoch, const std::vector<uint32_t>& newly_dropped,
                               const Batches& batches, bool is_for_snapshot);
  arrow::Result<std::shared_ptr<const state::RocksDbTier>> Spill(uint64_t restore,
                                                                 const state::FlushBatch& batch);
};

StateKeeper::StateKeeper(Options options)
    : options_(std::move(options)), files_(std::make_shared<Files>()) {
  files_->options = options_;
}

StateKeeper::~StateKeeper() = default;

arrow::Result<state::Extent> StateKeeper::Files::Append(int64_t epoch, size_t part,
                                                        const Sections& sections,
                                                        int64_t captures) {
  Segment& segment = segments[part];
  MutexLock lock(&segment.mutex);
  if (segment.file == nullptr || segment.captures < captures) {
    ARROW_ASSIGN_OR_RAISE(segment.file,
                          state::ChangelogSegment::Create(
                              {.fs = options.fs,
                               .state_dir = options.state_dir,
                               .worker = options.worker,
                               .incarnation = options.incarnation,
                               .sequence = next_sequence.fetch_add(1, std::memory_order_relaxed),
                               .is_durable = options.is_durable}));
    segment.captures = captures;
  }
  ARROW_ASSIGN_OR_RAISE(state::Extent extent, segment.file->Append(epoch, sections));
  Failpoint("worker.changelog_written");
  ARROW_RETURN_NOT_OK(segment.file->Sync());
  return extent;
}

void StateKeeper::Append(int64_t epoch,
                         const std::shared_ptr<const std::vector<state::ChangelogSections>>& slots,
                         Appended done) {
  const std::vector<Sections> parts = Divide(*slots);
  if (parts.empty()) {
    done(std::vector<state::Extent>{});
    return;
  }
  // Each part has its own; the last step reads them alone.
  auto extents = std::make_shared<std::vector<state::Extent>>(parts.size());
  auto appending = std::make_shared<Steps>(
      parts.size(), [extents, done = std::move(done)](const arrow::Status& appended) {
        if (!appended.ok()) return done(appended);
        done(std::move(*extents));
      });
  for (size_t part = 0; part < parts.size(); ++part) {
    options_.io->Post([files = files_, epoch, slots, part, sections = parts[part],
                       captures = captures_, extents, appending] {
      auto extent = files->Append(epoch, part, sections, captures);
      if (extent.ok()) (*extents)[part] = *std::move(extent);
      appending->OnDone(extent.status());
    });
  }
}

void StateKeeper::OnCommitted(int64_t changelog_bytes, int64_t state_bytes) {
  changelog_bytes_ += changelog_bytes;
  if (changelog_bytes > 0) ++extents_;
  state_bytes_ = state_bytes;
}

bool StateKeeper::ShouldSnapshot() const {
  return !is_capturing_ &&
         (extents_ >= kMaxExtents || options_.policy.ShouldFlush(changelog_bytes_, state_bytes_));
}

void StateKeeper::BeginCapture(bool is_for_snapshot) {
  TIDEMILL_CHECK(!is_capturing_);
  is_capturing_ = true;
  is_for_snapshot_ = is_for_snapshot;
  dropped_before_ = std::exchange(dropped_, {});
  if (!is_for_snapshot) return;
  ++captures_;
  captured_changelog_bytes_ = std::exchange(changelog_bytes_, 0);
  captured_extents_ = std::exchange(extents_, 0);
}

void StateKeeper::EndCapture(bool counts) {
  is_capturing_ = false;
  const int64_t bytes = std::exchange(captured_changelog_bytes_, 0);
  const int64_t extents = std::exchange(captured_extents_, 0);
  if (counts) return;
  changelog_bytes_ += bytes;
  extents_ += extents;
}

void StateKeeper::DropKeyGroups(std::vector<uint32_t> key_groups) {
  dropped_.insert(dropped_.end(), key_groups.begin(), key_groups.end());
}

void StateKeeper::ContinueFrom(StateKeeper* before, bool takes_tier) {
  changelog_bytes_ = before->changelog_bytes_ + before->captured_changelog_bytes_;
  extents_ = before->extents_ + before->captured_extents_;
  state_bytes_ = before->state_bytes_;
  if (!takes_tier) return;
  TIDEMILL_CHECK(!before->is_capturing_);
  dropped_ = std::exchange(before->dropped_, {});
  {
    MutexLock lock(&before->files_->restore_mutex);
    dropped_.insert(dropped_.end(), before->files_->dropped.begin(), before->files_->dropped.end());
  }
  MutexLock lock(&files_->tier_mutex);
  files_->before = before->files_;
}

std::shared_ptr<state::RocksDbTier> StateKeeper::Files::GiveTier(const std::string& incarnation) {
  MutexLock lock(&tier_mutex);
  TakeTier();
  if (tier != nullptr) tier->Renew(incarnation);
  return std::exchange(tier, nullptr);
}

void StateKeeper::Files::TakeTier() {
  if (before != nullptr) tier = std::exchange(before, nullptr)->GiveTier(options.incarnation);
}

arrow::Result<std::vector<uint32_t>> StateKeeper::Files::TakeDropped(
    std::optional<uint64_t> restore, const std::vector<uint32_t>& newly_dropped) {
  MutexLock lock(&restore_mutex);
  if (restore && *restore != restores)
    return MakeError(ErrorKind::kGeneral, "RESTORE_SUPERSEDED", "a newer restore has begun");
  std::vector<uint32_t> taken = std::exchange(dropped, {});
  taken.insert(taken.end(), newly_dropped.begin(), newly_dropped.end());
  return taken;
}

arrow::Status StateKeeper::Files::FlushTier(int64_t epoch, const std::vector<uint32_t>& drops,
                                            std::span<const state::FlushBatch* const> batches) {
  TakeTier();
  if (tier == nullptr) {
    ARROW_ASSIGN_OR_RAISE(tier, state::RocksDbTier::Open({.fs = options.fs,
                                                          .local_dir = options.local_dir,
                                                          .state_dir = options.state_dir,
                                                          .worker = options.worker,
                                                          .incarnation = options.incarnation,
                                                          .operators = options.operators,
                                                          .is_durable = options.is_durable}));
  }
  if (!drops.empty()) ARROW_RETURN_NOT_OK(tier->DropKeyGroups(drops));
  return tier->Flush(epoch, batches);
}

arrow::Result<StateKeeper::Flushed> StateKeeper::Files::Flush(
    int64_t epoch, const std::vector<uint32_t>& newly_dropped, const Batches& batches,
    bool is_for_snapshot) {
  Failpoint("worker.flush_captured");
  MutexLock lock(&tier_mutex);
  ARROW_ASSIGN_OR_RAISE(const auto drops, TakeDropped(std::nullopt, newly_dropped));
  std::vector<const state::FlushBatch*> borrowed;
  borrowed.reserve(batches.size());
  for (const auto& batch : batches) borrowed.push_back(batch.get());
  ARROW_RETURN_NOT_OK(FlushTier(epoch, drops, borrowed));
  Flushed flushed;
  flushed.tier = tier;
  if (!is_for_snapshot) return flushed;
  ARROW_ASSIGN_OR_RAISE(flushed.snapshot, tier->TakeSnapshot());
  Failpoint("worker.snapshot_files_copied");
  return flushed;
}

void StateKeeper::Flush(int64_t epoch, std::shared_ptr<const Batches> batches, OnFlushed done) {
  options_.io->Post(
      [files = files_, epoch, dropped = std::exchange(dropped_before_, {}),
       batches = std::move(batches), is_for_snapshot = is_for_snapshot_,
       done = std::move(done)] { done(files->Flush(epoch, dropped, *batches, is_for_snapshot)); });
}

arrow::Status StateKeeper::Files::FinishKeeping(state::KeptWriter* writer,
                                                const std::vector<uint32_t>& newly_dropped) {
  MutexLock lock(&tier_mutex);
  TakeTier();
  if (tier != nullptr) {
    ARROW_ASSIGN_OR_RAISE(const auto drops, TakeDropped(std::nullopt, newly_dropped));
    if (!drops.empty()) ARROW_RETURN_NOT_OK(tier->DropKeyGroups(drops));
  }
  return writer->Finish(tier.get());
}

void StateKeeper::Keep(const std::string& dir, state::KeptState kept,
                       std::shared_ptr<const Batches> batches,
                       std::function<void(const arrow::Status&)> done) {
  auto begun = state::KeptWriter::Begin(dir, std::move(kept));
  if (!begun.ok()) return done(begun.status());
  const std::shared_ptr<state::KeptWriter> writer = *std::move(begun);
  auto adding = std::make_shared<Steps>(
      batches->size(), [files = files_, writer, dropped = std::exchange(dropped_before_, {}),
                        done = std::move(done)](const arrow::Status& added) {
        done(added.ok() ? files->FinishKeeping(writer.get(), dropped) : added);
      });
  for (size_t i = 0; i < batches->size(); ++i)
    options_.io->Post([=] { adding->OnDone(writer->AddRows(i, *(*batches)[i])); });
}

arrow::Result<std::shared_ptr<const state::RocksDbTier>> StateKeeper::Files::Spill(
    uint64_t restore, const state::FlushBatch& batch) {
  MutexLock lock(&tier_mutex);
  ARROW_ASSIGN_OR_RAISE(const auto drops, TakeDropped(restore, {}));
  const state::FlushBatch* const batches[] = {&batch};
  ARROW_RETURN_NOT_OK(FlushTier(-1, drops, batches));
  return tier;
}

StateKeeper::Spill StateKeeper::BeginRestore(std::vector<uint32_t> key_groups) {
  TIDEMILL_CHECK(!is_capturing_);
  MutexLock lock(&files_->restore_mutex);
  for (const auto* groups : {&dropped_, &key_groups})
    files_->dropped.insert(files_->dropped.end(), groups->begin(), groups->end());
  dropped_.clear();
  return [files = files_, restore = ++files_->restores](const state::FlushBatch& batch) {
    return files->Spill(restore, batch);
  };
}

}  // namespace tidemill::worker
