// Rows from one slot to others: cut by key, sent, queued, put in order again. Local: all slots are
// on one worker. Remote: the others are on a second worker, reached by gRPC over loopback. Each
// slot has its thread, as in a worker.
#include <arrow/record_batch.h>
#include <benchmark/benchmark.h>

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/base/check.h"
#include "common/base/executor.h"
#include "common/base/mutex.h"
#include "proto/control.pb.h"
#include "tests/bench/micro/keyed_query.h"
#include "tests/worker/grpc_mesh.h"
#include "worker/exchange/hash_partitioner.h"
#include "worker/slot/stage_inputs.h"
#include "worker/slot/stage_output.h"

namespace tidemill::bench {
namespace {

using worker::AttemptId;
using worker::ExchangeFrame;
using worker::ExchangeProgress;

constexpr char kJob[] = "job";
constexpr int64_t kRows = 1 << 20;
constexpr int64_t kKeys = 100'000;

// Hears how far consumers are.
class ProducerBox final : public worker::SlotMailbox {
 public:
  void OnFrames(const AttemptId& attempt, std::vector<ExchangeFrame> frames) override {}
  void OnProgress(const AttemptId& attempt, const ExchangeProgress& progress) override {
    MutexLock lock(&mutex_);
    arrived_.push_back({attempt, progress});
    changed_.NotifyOne();
  }

  // Waits until consumers have room for the chunk.
  void AwaitRoom(const AttemptId& attempt, int64_t chunk, worker::ExchangeOutput* output) {
    MutexLock lock(&mutex_);
    while (true) {
      for (const auto& [of, progress] : std::exchange(arrived_, {})) {
        if (of == attempt) output->OnProgress(progress);
      }
      if (output->MayProduce(chunk)) return;
      changed_.Wait(&mutex_);
    }
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::pair<AttemptId, ExchangeProgress>> arrived_ GUARDED_BY(mutex_);
};

// Takes the rows of one attempt after the other and counts them.
class ConsumerBox final : public worker::SlotMailbox {
 public:
  ConsumerBox() : executor_(MakeThreadExecutor("slot")) {}

  void Begin(std::unique_ptr<worker::StageInputs> inputs) {
    MutexLock lock(&mutex_);
    rows_.reset();
    executor_->Post([this, shared = std::shared_ptr(std::move(inputs))] {
      inputs_ = shared;
      counted_ = 0;
    });
  }
  int64_t AwaitRows() {
    MutexLock lock(&mutex_);
    while (!rows_) finished_.Wait(&mutex_);
    return *rows_;
  }
  void Stop() { executor_->Stop(); }

  void OnFrames(const AttemptId& attempt, std::vector<ExchangeFrame> frames) override {
    executor_->Post([this, frames = std::move(frames)] { Take(frames); });
  }
  void OnProgress(const AttemptId& attempt, const ExchangeProgress& progress) override {}

 private:
  void Take(const std::vector<ExchangeFrame>& frames) {
    for (const ExchangeFrame& frame : frames) Must(inputs_->Add(frame));
    while (const auto rows = inputs_->Next()) counted_ += rows->batch->num_rows();
    if (!inputs_->is_finished()) return;
    MutexLock lock(&mutex_);
    rows_ = counted_;
    finished_.NotifyOne();
  }

  const std::unique_ptr<Executor> executor_;
  std::shared_ptr<worker::StageInputs> inputs_;  // the slot's thread only
  int64_t counted_ = 0;                          // likewise
  Mutex mutex_;
  CondVar finished_;
  std::optional<int64_t> rows_ GUARDED_BY(mutex_);  // of an attempt that has ended
};

// A producing slot, w0's first, and consumers on the same or another worker. *Thread-compatible.*
class Exchange {
 public:
  Exchange(int workers, int consumers)
      : query_(KeyKind::kString),
        batches_(query_.SourceRows(Draw::kRandom, kRows, kKeys)),
        mesh_(workers,
              [this](int worker, const AttemptId& attempt, const arrow::Status& why) {
                if (!is_over_) Must(why);
              }),
        boxes_(consumers),
        stage_{.id = 0, .output = worker::StageOutput::kHash},
        inputs_{{.stage = 0, .schema = query_.source_stage().input_schema}} {
    Introduce(workers);
    assignment_.slots = {{"w0", 0}};
    const std::string place = "w" + std::to_string(workers - 1);
    for (int i = 0; i < consumers; ++i) {
      assignment_.slots.push_back({place, i + 1});
      consumer_network()->Attach(assignment_.slots.back(), &boxes_[i]);
    }
    mesh_.network(0)->Attach(assignment_.slots[0], &producer_);
    for (int group = 0; group < KeyedQuery::kKeyGroups; ++group)
      assignment_.key_group_slot.push_back(1 + group % consumers);
    const int key = query_.source_stage().input_schema->GetFieldIndex("s");
    partitioner_ = worker::HashPartitioner::Make(query_.plan().stateful.front().key_types, {key},
                                                 assignment_.key_group_slot, consumers + 1)
                       .ValueOrDie();
  }
  ~Exchange() {
    is_over_ = true;
    mesh_.Stop();
    for (ConsumerBox& box : boxes_) box.Stop();
  }

  // One lane of all rows; returns how many have arrived.
  int64_t RunEpoch() {
    const AttemptId attempt{kJob, epoch_++, 1};
    for (size_t i = 0; i < boxes_.size(); ++i) boxes_[i].Begin(InputsOf(i, attempt));
    worker::ExchangeOutput output(stage_, attempt, &assignment_, partitioner_.get(),
                                  mesh_.network(0));
    const auto chunks = static_cast<int64_t>(batches_.size());
    for (int64_t chunk = 0; chunk < chunks; ++chunk) {
      producer_.AwaitRoom(attempt, chunk, &output);
      Must(output.Send(0, chunk, {batches_[chunk], {}}));
      if (chunk + 1 < chunks) output.EndChunk(0, chunk);
      if (chunk + 1 == chunks) output.EndLane(0, chunk);
      output.Flush();
    }
    int64_t rows = 0;
    for (ConsumerBox& box : boxes_) rows += box.AwaitRows();
    return rows;
  }

  int64_t input_bytes() const { return BytesOf(batches_); }
  int64_t wire_bytes() { return mesh_.network(0)->counters().bytes_sent; }

 private:
  worker::PeerNetwork* consumer_network() {
    return mesh_.network(assignment_.slots.back().worker == "w0" ? 0 : 1);
  }

  void Introduce(int workers) {
    proto::Assign assign;
    mesh_.AddTo(&assign);
    for (int worker = 0; worker < workers; ++worker) {
      std::vector<worker::ExchangePeer> peers;
      for (const proto::WorkerAddress& peer : assign.workers()) {
        if (peer.worker() == "w" + std::to_string(worker)) continue;
        peers.push_back({peer.worker(), peer.incarnation(), peer.exchange_address()});
      }
      mesh_.network(worker)->SetPeers(kJob, std::move(peers));
    }
  }

  std::unique_ptr<worker::StageInputs> InputsOf(size_t consumer, const AttemptId& attempt) {
    worker::StageInputs::Place place{
        .stage = 1, .slot = static_cast<int>(consumer) + 1, .lanes = {1}};
    for (int group = 0; group < assignment_.num_key_groups(); ++group) {
      if (assignment_.key_group_slot[group] == consumer + 1) place.key_groups.push_back(group);
    }
    return std::make_unique<worker::StageInputs>(&inputs_, std::move(place), attempt, &assignment_,
                                                 consumer_network());
  }

  const KeyedQuery query_;
  const arrow::RecordBatchVector batches_;
  std::atomic<bool> is_over_{false};  // streams that end now are no failure
  testing::GrpcMesh mesh_;
  ProducerBox producer_;
  std::deque<ConsumerBox> boxes_;
  const worker::StagePlan stage_;
  const std::vector<worker::StageInputPlan> inputs_;
  worker::Assignment assignment_;
  std::unique_ptr<worker::HashPartitioner> partitioner_;
  int64_t epoch_ = 0;
};

void RunExchange(benchmark::State& run, int workers) {
  Exchange exchange(workers, static_cast<int>(run.range(0)));
  TIDEMILL_CHECK(exchange.RunEpoch() == kRows);  // opens the streams
  const int64_t wire_before = exchange.wire_bytes();
  for (auto _ : run) TIDEMILL_CHECK(exchange.RunEpoch() == kRows);
  run.SetItemsProcessed(run.iterations() * kRows);
  run.SetBytesProcessed(run.iterations() * exchange.input_bytes());
  run.counters["wire_bytes_per_row"] = static_cast<double>(exchange.wire_bytes() - wire_before) /
                                       static_cast<double>(run.iterations() * kRows);
}

void ExchangeLocal(benchmark::State& run) { RunExchange(run, 1); }
void ExchangeRemote(benchmark::State& run) { RunExchange(run, 2); }

void Consumers(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgName("consumers")->Arg(1)->Arg(4)->Unit(benchmark::kMillisecond);
  benchmark->MeasureProcessCPUTime()->UseRealTime();
}

BENCHMARK(ExchangeLocal)->Apply(Consumers);
BENCHMARK(ExchangeRemote)->Apply(Consumers);

// The producer's cut alone.
void ExchangePartition(benchmark::State& run) {
  const KeyedQuery query(KeyKind::kString);
  const auto batches = query.SourceRows(Draw::kRandom, kRows, kKeys);
  const auto slots = static_cast<int>(run.range(0));
  std::vector<uint32_t> key_group_slot(KeyedQuery::kKeyGroups);
  for (int group = 0; group < KeyedQuery::kKeyGroups; ++group)
    key_group_slot[group] = group % slots;
  const int key = query.source_stage().input_schema->GetFieldIndex("s");
  const auto partitioner = worker::HashPartitioner::Make(query.plan().stateful.front().key_types,
                                                         {key}, key_group_slot, slots)
                               .ValueOrDie();
  for (auto _ : run) {
    for (const auto& batch : batches)
      benchmark::DoNotOptimize(partitioner->Partition(batch).ValueOrDie());
  }
  run.SetItemsProcessed(run.iterations() * kRows);
  run.SetBytesProcessed(run.iterations() * BytesOf(batches));
}

BENCHMARK(ExchangePartition)->ArgName("consumers")->Arg(1)->Arg(4)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tidemill::bench
