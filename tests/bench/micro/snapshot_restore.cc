// A million rows of keyed state into a snapshot, and back out of one, or out of a changelog.
#include <benchmark/benchmark.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/fs/file_system.h"
#include "state/durable/changelog.h"
#include "state/durable/flush_batch.h"
#include "state/durable/restore.h"
#include "state/durable/rocksdb_tier.h"
#include "tests/bench/micro/keyed_query.h"
#include "tests/testing/scratch_dir.h"

namespace tidemill::bench {
namespace {

constexpr int64_t kRows = 1'000'000;
constexpr int64_t kEpochs = 10;

std::string StateDirOf(const ScratchDir& directory) {
  std::string path = directory / "state";
  Must(FileSystem::Local()->CreateDirectories(path));
  return path;
}

std::unique_ptr<state::RocksDbTier> OpenTier(const ScratchDir& directory, int operator_id) {
  return state::RocksDbTier::Open({.fs = FileSystem::Local(),
                                   .local_dir = directory / "data/one",
                                   .state_dir = StateDirOf(directory),
                                   .worker = "w",
                                   .incarnation = "one",
                                   .operators = {operator_id}})
      .ValueOrDie();
}

// Seconds of a step, summed up. *Thread-compatible.*
class StepTime {
 public:
  void Begin() { begin_ = std::chrono::steady_clock::now(); }
  void End() { sum_ += std::chrono::steady_clock::now() - begin_; }
  benchmark::Counter Average() const {
    return {std::chrono::duration<double, std::milli>(sum_).count(),
            benchmark::Counter::kAvgIterations};
  }

 private:
  std::chrono::steady_clock::time_point begin_;
  std::chrono::steady_clock::duration sum_{0};
};

int64_t BytesOf(const state::Snapshot& snapshot) {
  int64_t bytes = 0;
  for (const state::SnapshotFile& file : snapshot.files) bytes += file.size;
  return bytes;
}

// All rows have changed: captured, flushed to an empty tier, copied to the checkpoint and synced.
void Snapshot(benchmark::State& run, KeyKind kind) {
  const KeyedQuery query(kind);
  KeyedState changed(&query);
  changed.Process(query.PartialRows(Draw::kEachOnce, kRows, kRows));
  changed.Commit();
  StepTime capture;
  StepTime flush;
  StepTime copy;
  int64_t bytes = 0;
  for (auto _ : run) {
    run.PauseTiming();
    std::optional<ScratchDir> directory(std::in_place);
    auto tier = OpenTier(*directory, query.operator_id());
    changed.states()->MarkAllDirty();
    run.ResumeTiming();

    capture.Begin();
    state::FlushBatch batch;
    changed.states()->CaptureDirty(&batch);
    capture.End();
    flush.Begin();
    const state::FlushBatch* const batches[] = {&batch};
    Must(tier->Flush(0, batches));
    flush.End();
    copy.Begin();
    bytes = BytesOf(tier->TakeSnapshot().ValueOrDie());
    copy.End();

    run.PauseTiming();
    TIDEMILL_CHECK(batch.num_rows() == kRows);
    tier.reset();
    directory.reset();
    run.ResumeTiming();
  }
  run.SetItemsProcessed(run.iterations() * kRows);
  run.SetBytesProcessed(run.iterations() * bytes);
  run.counters["capture_ms"] = capture.Average();
  run.counters["flush_ms"] = flush.Average();
  run.counters["copy_ms"] = copy.Average();
}

BENCHMARK_CAPTURE(Snapshot, bigint, KeyKind::kBigint)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(Snapshot, string, KeyKind::kString)->Unit(benchmark::kMillisecond)->UseRealTime();

// A checkpoint of all rows.
struct Checkpoint {
  ScratchDir directory;
  std::vector<state::Snapshot> snapshots;
  std::vector<state::Extent> extents;
  int64_t bytes = 0;
};

void WriteSnapshot(const KeyedQuery& query, Checkpoint* checkpoint) {
  KeyedState changed(&query);
  changed.Process(query.PartialRows(Draw::kEachOnce, kRows, kRows));
  changed.Commit();
  state::FlushBatch batch;
  changed.states()->CaptureDirty(&batch);
  const state::FlushBatch* const batches[] = {&batch};
  const auto tier = OpenTier(checkpoint->directory, query.operator_id());
  Must(tier->Flush(kEpochs - 1, batches));
  checkpoint->snapshots.push_back(tier->TakeSnapshot().ValueOrDie());
  checkpoint->bytes = BytesOf(checkpoint->snapshots.front());
}

// Every epoch adds a tenth of the rows.
void WriteExtents(const KeyedQuery& query, state::ChangelogCodec codec, Checkpoint* checkpoint) {
  const auto segment =
      state::ChangelogSegment::Create({.fs = FileSystem::Local(),
                                       .state_dir = StateDirOf(checkpoint->directory),
                                       .worker = "w",
                                       .incarnation = "one"})
          .ValueOrDie();
  const auto input = query.PartialRows(Draw::kEachOnce, kRows, kRows);
  const std::span<const worker::Rows> rows(input);
  KeyedState changed(&query);
  for (int64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const size_t begin = rows.size() * epoch / kEpochs;
    changed.Process(rows.subspan(begin, rows.size() * (epoch + 1) / kEpochs - begin));
    state::ChangelogSections sections(codec);
    changed.states()->CollectChanges(&sections);
    Must(sections.Seal());
    const state::ChangelogSections* const slots[] = {&sections};
    checkpoint->extents.push_back(segment->Append(epoch, slots).ValueOrDie());
    checkpoint->bytes += checkpoint->extents.back().length;
    changed.Commit();
  }
}

void Restore(benchmark::State& run, const KeyedQuery& query, const Checkpoint& checkpoint) {
  std::optional<KeyedState> restored;
  for (auto _ : run) {
    run.PauseTiming();
    restored.emplace(&query);
    run.ResumeTiming();
    state::Restorer restorer({.fs = FileSystem::Local(),
                              .state_dir = StateDirOf(checkpoint.directory),
                              .scratch_dir = checkpoint.directory / "scratch",
                              .snapshots = checkpoint.snapshots,
                              .extents = checkpoint.extents,
                              .committed_epoch = kEpochs - 1});
    const auto find = [&](int32_t operator_id, uint32_t group) {
      return restored->states()->Find(operator_id, group);
    };
    const auto stats = restorer.Restore(restored->states()->key_groups(), find).ValueOrDie();
    TIDEMILL_CHECK(stats.rows == kRows);
  }
  run.SetItemsProcessed(run.iterations() * kRows);
  run.SetBytesProcessed(run.iterations() * checkpoint.bytes);
}

void RestoreSnapshot(benchmark::State& run, KeyKind kind) {
  const KeyedQuery query(kind);
  Checkpoint checkpoint;
  WriteSnapshot(query, &checkpoint);
  Restore(run, query, checkpoint);
}

void RestoreChangelog(benchmark::State& run, KeyKind kind, state::ChangelogCodec codec) {
  const KeyedQuery query(kind);
  Checkpoint checkpoint;
  WriteExtents(query, codec, &checkpoint);
  Restore(run, query, checkpoint);
}

BENCHMARK_CAPTURE(RestoreSnapshot, bigint, KeyKind::kBigint)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(RestoreSnapshot, string, KeyKind::kString)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(RestoreChangelog, bigint, KeyKind::kBigint, state::ChangelogCodec::kLz4)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(RestoreChangelog, string, KeyKind::kString, state::ChangelogCodec::kLz4)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(RestoreChangelog, string_plain, KeyKind::kString, state::ChangelogCodec::kNone)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace tidemill::bench
