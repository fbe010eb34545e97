#include <arrow/result.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "common/fs/file_system.h"
#include "deploy/commands.h"
#include "deploy/conf_option.h"
#include "deploy/embedded_engine.h"
#include "deploy/process_name.h"
#include "deploy/scratch_directory.h"
#include "deploy/stop_signals.h"
#include "driver/job/plan_job.h"
#include "driver/job/progress.h"
#include "driver/spec/job_spec.h"

namespace tidemill::deploy {

namespace {

struct RunOptions {
  std::string path;
  int workers = 1;
  int slots = 0;  // 0: one per core
  std::vector<std::string> conf;
  std::string progress;  // a file; "" for none
};

void PrintToStdout(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

// Writes a progress as a line of JSON, for jobs on several threads. *Thread-safe.*
class ProgressFile {
 public:
  arrow::Status Open(const std::string& path) {
    MutexLock lock(&mutex_);
    file_.open(path, std::ios::binary | std::ios::trunc);
    if (file_) return arrow::Status::OK();
    return MakeError(ErrorKind::kGeneral, "IO_ERROR",
                     fmt::format("the file cannot be written: --progress={}", path));
  }
  void Append(const driver::EpochProgress& progress) {
    const std::string line = driver::ProgressJson(progress) + "\n";
    MutexLock lock(&mutex_);
    file_ << line << std::flush;
  }

 private:
  Mutex mutex_;
  std::ofstream file_ GUARDED_BY(mutex_);
};

// A job that is planned and ready to start.
struct ReadyJob {
  driver::JobSpec spec;
  driver::JobDefinition definition;
};

// `temporary` is where the checkpoint goes that the specification does not name.
arrow::Result<ReadyJob> Prepare(const driver::JobSpec& spec, const std::string& temporary) {
  ReadyJob ready;
  ready.spec = spec;
  ARROW_ASSIGN_OR_RAISE(driver::PlannedJob planned, driver::PlanJob(spec, FileSystem::Local()));
  for (const std::string& warning : planned.warnings)
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  ARROW_ASSIGN_OR_RAISE(ready.definition, driver::MakeDefinition(spec, planned));
  if (!spec.checkpoint.has_value()) {
    ready.definition.checkpoint = temporary;
    ready.definition.is_durable = false;
  }
  return ready;
}

arrow::Status Run(const RunOptions& options, int* exit_code) {
  ARROW_ASSIGN_OR_RAISE(auto overrides, ParseConf(options.conf));
  ARROW_ASSIGN_OR_RAISE(auto specs, driver::ReadJobFile(options.path, overrides));
  ARROW_ASSIGN_OR_RAISE(const auto scratch, ScratchDirectory::Make());
  std::vector<ReadyJob> jobs;
  for (size_t i = 0; i < specs.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ReadyJob job,
                          Prepare(specs[i], scratch->Path(fmt::format("checkpoint-{}", i))));
    jobs.push_back(std::move(job));
  }

  ProgressFile progress;
  if (!options.progress.empty()) ARROW_RETURN_NOT_OK(progress.Open(options.progress));
  StopSignals signals;
  EmbeddedEngine::Options engine_options;
  engine_options.workers = options.workers;
  engine_options.slots =
      options.slots > 0 ? options.slots : static_cast<int>(std::thread::hardware_concurrency());
  engine_options.data_dir = scratch->Path("data");
  engine_options.holder = HolderText();
  engine_options.print = PrintToStdout;
  if (!options.progress.empty()) {
    engine_options.on_progress = [&progress](const auto& epoch) { progress.Append(epoch); };
  }
  auto engine = std::make_unique<EmbeddedEngine>(std::move(engine_options));

  std::vector<std::promise<driver::JobResult>> promises(jobs.size());
  std::vector<std::shared_ptr<driver::JobRunner>> runners;
  for (size_t i = 0; i < jobs.size(); ++i) {
    runners.push_back(engine->Start(jobs[i].definition, [&promises, i](driver::JobResult result) {
      promises[i].set_value(std::move(result));
    }));
  }
  signals.Start([runners](bool is_first) {
    for (const auto& runner : runners)
      runner->Stop(is_first ? driver::StopMode::kDrain : driver::StopMode::kNow);
  });
  arrow::Status first_error;
  for (size_t i = 0; i < jobs.size(); ++i) {
    driver::JobResult result = promises[i].get_future().get();
    if (!result.status.ok() && first_error.ok()) {
      first_error = driver::LocateInQuery(jobs[i].spec, result.status);
    }
  }
  signals.Finish();  // It would post to the engine.
  engine.reset();    // Nobody writes into the scratch directory any more.
  *exit_code = signals.exit_code();
  return first_error;
}

}  // namespace

void AddRunCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command =
      app->add_subcommand("run", "Run a job inside this process until it ends or Ctrl-C");
  auto options = std::make_shared<RunOptions>();
  command->add_option("JOB", options->path, "job specification (.yaml)")->required();
  command->add_option("--workers", options->workers, "workers in this process")
      ->envname("TIDEMILL_RUN_WORKERS")
      ->check(CLI::Range(1, 64));
  command->add_option("--slots", options->slots, "slots per worker (default: one per core)")
      ->envname("TIDEMILL_RUN_SLOTS")
      ->check(CLI::Range(1, 256));
  command->add_option("--conf", options->conf, "setting k=v, may be repeated")
      ->type_size(1)
      ->allow_extra_args(false)
      ->envname("TIDEMILL_CONF");
  command->add_option("--progress", options->progress,
                      "file that gets Spark's StreamingQueryProgress of each epoch, a line each");
  command->callback([options, result] { result->status = Run(*options, &result->exit_code); });
}

}  // namespace tidemill::deploy
