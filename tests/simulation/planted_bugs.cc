#include "tests/simulation/planted_bugs.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "driver/log/log_frame.h"
#include "driver/log/log_reader.h"
#include "proto/control.pb.h"
#include "proto/log.pb.h"

namespace tidemill::testing {

namespace {

// *Thread-compatible.*
class SkippedUndoStream final : public worker::DriverStream {
 public:
  explicit SkippedUndoStream(std::shared_ptr<worker::DriverStream> stream)
      : stream_(std::move(stream)), prepared_(std::make_shared<Prepared>()) {}

  void Start(Executor* executor, Handlers handlers) override {
    handlers.on_message = [prepared = prepared_,
                           next = std::move(handlers.on_message)](proto::ToWorker message) {
      const proto::AbortEpoch abort = message.abort_epoch();
      const auto found = prepared->find(abort.job());
      const bool is_prepared = message.has_abort_epoch() && found != prepared->end() &&
                               found->second == std::pair(abort.epoch(), abort.attempt());
      if (is_prepared) {
        message.mutable_committed()->set_job(abort.job());
        message.mutable_committed()->set_epoch(abort.epoch());
        message.mutable_committed()->set_attempt(abort.attempt());
      }
      next(std::move(message));
    };
    stream_->Start(executor, std::move(handlers));
  }
  void Send(proto::ToDriver message) override {
    if (message.has_prepared()) {
      const proto::Prepared& prepared = message.prepared();
      (*prepared_)[prepared.job()] = {prepared.epoch(), prepared.attempt()};
    }
    stream_->Send(std::move(message));
  }
  void Close() override { stream_->Close(); }

 private:
  using Prepared = std::map<std::string, std::pair<int64_t, uint64_t>>;  // newest, by job

  const std::shared_ptr<worker::DriverStream> stream_;
  const std::shared_ptr<Prepared> prepared_;
};

}  // namespace

void PlantSkippedUndo(SimulatedCluster* cluster) {
  cluster->world()->wrap_worker_stream = [](std::shared_ptr<worker::DriverStream> stream) {
    return std::make_shared<SkippedUndoStream>(std::move(stream));
  };
}

void PlantLostChangelog(SimulatedCluster* cluster) {
  cluster->world()->disk.forgets_sync = [](const std::string& path) {
    return path.find("/state/changelog-") != std::string::npos;
  };
}

void PlantForgottenPlan(SimulatedCluster* cluster) {
  cluster->world()->disk.shows = [fs = cluster->outside()](const Process& reader,
                                                           const std::string& path,
                                                           std::string* contents) {
    if (!reader.name.starts_with("driver") || !ParentPath(path).ends_with("/log")) return;
    const std::string checkpoint = ParentPath(ParentPath(path));
    const auto files = driver::ListLogFiles(fs, checkpoint);
    if (!files.ok() || files->empty() || JoinPath(checkpoint, files->back()) != path) return;
    const driver::ParsedFrames parsed = driver::ParseFrames(*contents);
    proto::LogRecord last;
    if (parsed.frames.empty() ||
        !last.ParseFromArray(parsed.frames.back().payload.data(),
                             static_cast<int>(parsed.frames.back().payload.size()))) {
      return;
    }
    if (last.has_plan()) contents->resize(parsed.frames.back().offset);
  };
}

}  // namespace tidemill::testing
