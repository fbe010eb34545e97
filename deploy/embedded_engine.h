#pragma once

#include <arrow/result.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "driver/job/job_runner.h"

namespace tidemill::deploy {

// A driver and its workers inside this process, over the in-memory transport. *Thread-compatible.*
class EmbeddedEngine {
 public:
  struct Options {
    int workers = 1;
    int slots = 1;         // per worker
    std::string data_dir;  // local disk of the workers; removed by the destructor
    std::string holder;    // "pid=17 host=a"
    std::function<void(std::string_view)> print;
    // After each epoch, on the job's thread. May be empty.
    std::function<void(const driver::EpochProgress&)> on_progress;
  };
  explicit EmbeddedEngine(Options options);
  // All jobs must be done.
  ~EmbeddedEngine();

  // Starts a job; `on_done` is called once, from a thread of the engine.
  std::shared_ptr<driver::JobRunner> Start(driver::JobDefinition definition,
                                           std::function<void(driver::JobResult)> on_done);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tidemill::deploy
