#include "deploy/embedded_engine.h"

#include <fmt/format.h>

#include <utility>

#include "common/base/clock.h"
#include "common/base/executor.h"
#include "common/base/logging.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "common/transport/in_memory_stream.h"
#include "proto/control.pb.h"
#include "worker/worker.h"

namespace tidemill::deploy {

namespace {

constexpr int kIoThreads = 6;

// One line per epoch, with the time of each phase.
void LogProgress(const driver::EpochProgress& progress) {
  LogLine line(LogLevel::kInfo, "epoch_committed");
  line.With("job", progress.name).With("epoch", progress.epoch).With("attempt", progress.attempt);
  line.With("input_rows", progress.input_rows).With("output_rows", progress.output_rows);
  for (const auto& [phase, micros] : progress.duration_us) line.With(phase + "_us", micros);
}

}  // namespace

struct EmbeddedEngine::Impl {
  Options options;
  worker::LocalExchangeNetwork network;
  std::vector<std::unique_ptr<worker::Worker>> workers;
  std::vector<std::unique_ptr<Executor>> job_executors;
  std::vector<std::unique_ptr<Executor>> worker_executors;
  std::vector<std::unique_ptr<Executor>> slot_executors;
  std::unique_ptr<Executor> io;
};

EmbeddedEngine::EmbeddedEngine(Options options) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->io = MakePoolExecutor("io", kIoThreads);
  for (int i = 0; i < impl_->options.workers; ++i) {
    worker::WorkerEnvironment environment;
    environment.fs = FileSystem::Local();
    environment.random = Random::System();
    impl_->worker_executors.push_back(MakeThreadExecutor(fmt::format("worker-{}", i)));
    environment.executor = impl_->worker_executors.back().get();
    for (int slot = 0; slot < impl_->options.slots; ++slot) {
      impl_->slot_executors.push_back(MakeThreadExecutor(fmt::format("slot-{}-{}", i, slot)));
      environment.slot_executors.push_back(impl_->slot_executors.back().get());
    }
    environment.io = impl_->io.get();
    environment.network = &impl_->network;
    worker::WorkerOptions worker_options{
        fmt::format("worker-{}", i), impl_->options.slots,
        JoinPath(impl_->options.data_dir, fmt::format("worker-{}", i))};
    impl_->workers.push_back(
        std::make_unique<worker::Worker>(std::move(worker_options), std::move(environment)));
  }
}

EmbeddedEngine::~EmbeddedEngine() {
  for (const auto& executor : impl_->job_executors) executor->Stop();
  for (const auto& executor : impl_->worker_executors) executor->Stop();
  for (const auto& executor : impl_->slot_executors) executor->Stop();
  impl_->io->Stop();
  impl_->workers.clear();
  (void)RemoveTree(FileSystem::Local(),
                   impl_->options.data_dir);  // Scratch; the next start does not read it.
}

std::shared_ptr<driver::JobRunner> EmbeddedEngine::Start(
    driver::JobDefinition definition, std::function<void(driver::JobResult)> on_done) {
  driver::JobEnvironment environment;
  environment.fs = FileSystem::Local();
  environment.clock = Clock::System();
  environment.random = Random::System();
  impl_->job_executors.push_back(MakeThreadExecutor("job"));
  environment.executor = impl_->job_executors.back().get();
  environment.io = impl_->io.get();
  for (int i = 0; i < impl_->options.workers; ++i) {
    auto streams = MakeInMemoryStreamPair<proto::ToWorker, proto::ToDriver>();
    impl_->workers[i]->Serve(streams.second);
    environment.workers.push_back(
        {fmt::format("worker-{}", i), impl_->options.slots, streams.first});
  }
  environment.holder = impl_->options.holder;
  environment.print = impl_->options.print;
  environment.on_progress = [tell = impl_->options.on_progress](const auto& progress) {
    LogProgress(progress);
    if (tell) tell(progress);
  };
  return driver::JobRunner::Start(std::move(definition), std::move(environment),
                                  std::move(on_done));
}

}  // namespace tidemill::deploy
