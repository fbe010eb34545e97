#include "driver/job/job_runner.h"

#include <utility>

#include "driver/job/job_actor.h"

namespace tidemill::driver {

JobRunner::JobRunner(std::shared_ptr<Actor> actor) : actor_(std::move(actor)) {}

JobRunner::~JobRunner() { actor_->Abandon(); }

std::unique_ptr<JobRunner> JobRunner::Start(JobDefinition definition, JobEnvironment environment,
                                            std::function<void(JobResult)> on_done) {
  auto actor =
      std::make_shared<Actor>(std::move(definition), std::move(environment), std::move(on_done));
  actor->Start();
  return std::unique_ptr<JobRunner>(new JobRunner(std::move(actor)));
}

void JobRunner::Stop(StopMode mode) { actor_->Stop(mode); }

void JobRunner::AddWorker(WorkerLink link) { actor_->AddWorker(std::move(link)); }

void JobRunner::ReleaseWorker(const std::string& name) { actor_->ReleaseWorker(name); }

}  // namespace tidemill::driver
