// What one epoch changed in keyed state, written to the changelog as a slot and its worker do it:
// sections collected, compressed, appended, synced.
#include "state/durable/changelog.h"

#include <benchmark/benchmark.h>

#include <memory>
#include <string>

#include "common/fs/file_system.h"
#include "tests/bench/micro/keyed_query.h"
#include "tests/testing/scratch_dir.h"

namespace tidemill::bench {
namespace {

constexpr int64_t kSegmentBytes = 256 << 20;

// One segment after the other, each removed with its successor. *Thread-compatible.*
class Segments {
 public:
  explicit Segments(bool is_durable) : is_durable_(is_durable) { Next(); }

  state::ChangelogSegment* current() { return segment_.get(); }
  bool is_full() const { return segment_->size() > kSegmentBytes; }
  void Next() {
    const std::string old = segment_ == nullptr ? "" : directory_ / segment_->name();
    segment_ = state::ChangelogSegment::Create({.fs = FileSystem::Local(),
                                                .state_dir = directory_.path(),
                                                .worker = "w",
                                                .incarnation = "one",
                                                .sequence = sequence_++,
                                                .is_durable = is_durable_})
                   .ValueOrDie();
    if (!old.empty()) Must(FileSystem::Local()->Remove(old));
  }

 private:
  const ScratchDir directory_;
  const bool is_durable_;
  int64_t sequence_ = 0;
  std::unique_ptr<state::ChangelogSegment> segment_;
};

void ChangelogWrite(benchmark::State& run, state::ChangelogCodec codec, bool is_durable) {
  const int64_t rows = run.range(0);
  const KeyedQuery query(KeyKind::kString);
  KeyedState changed(&query);
  changed.Process(query.PartialRows(Draw::kEachOnce, rows, rows));
  Segments segments(is_durable);
  state::ChangelogSections raw;
  changed.states()->CollectChanges(&raw);
  state::ChangelogSections sections(codec);
  const state::ChangelogSections* const slots[] = {&sections};
  int64_t written_bytes = 0;
  for (auto _ : run) {
    if (segments.is_full()) {
      run.PauseTiming();
      segments.Next();
      run.ResumeTiming();
    }
    sections.Clear();
    changed.states()->CollectChanges(&sections);
    Must(sections.Seal());
    written_bytes = segments.current()->Append(0, slots).ValueOrDie().length;
    Must(segments.current()->Sync());
  }
  run.SetItemsProcessed(run.iterations() * rows);
  run.SetBytesProcessed(run.iterations() * static_cast<int64_t>(raw.bytes().size()));
  run.counters["written_bytes_per_row"] =
      static_cast<double>(written_bytes) / static_cast<double>(rows);
}

void Sizes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("rows")->Arg(1000)->Arg(100'000)->Unit(benchmark::kMillisecond);
  benchmark->UseRealTime();
}

BENCHMARK_CAPTURE(ChangelogWrite, plain, state::ChangelogCodec::kNone, false)->Apply(Sizes);
BENCHMARK_CAPTURE(ChangelogWrite, lz4, state::ChangelogCodec::kLz4, false)->Apply(Sizes);
BENCHMARK_CAPTURE(ChangelogWrite, plain_durable, state::ChangelogCodec::kNone, true)->Apply(Sizes);
BENCHMARK_CAPTURE(ChangelogWrite, lz4_durable, state::ChangelogCodec::kLz4, true)->Apply(Sizes);

}  // namespace
}  // namespace tidemill::bench
