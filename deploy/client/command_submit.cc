#include <arrow/result.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/base/mutex.h"
#include "common/base/options.h"
#include "common/base/random.h"
#include "common/fs/file_system.h"
#include "deploy/client/driver_address.h"
#include "deploy/client/driver_client.h"
#include "deploy/client/interrupt.h"
#include "deploy/client/job_follower.h"
#include "deploy/client/output_option.h"
#include "deploy/commands.h"
#include "deploy/conf_option.h"
#include "driver/job/plan_job.h"
#include "driver/spec/job_spec.h"
#include "driver/spec/job_values.h"

namespace tidemill::deploy {

namespace {

constexpr std::chrono::seconds kPatience{30};
constexpr std::chrono::milliseconds kRetryDelay{200};

struct SubmitOptions {
  DriverOptions driver;
  std::string path;
  std::string name;
  std::vector<std::string> conf;
  bool waits = false;
  int executors = 0;  // 0: not said
  int cores = 0;
  std::string memory;
};

// Everything that can be said about the specification without looking at the cluster's files.
arrow::Status CheckSpecification(const proto::SubmitRequest& request) {
  const std::map<std::string, std::string> conf(request.conf().begin(), request.conf().end());
  ARROW_ASSIGN_OR_RAISE(
      const auto specs,
      driver::ReadJobText(request.specification(), request.file(), request.directory(), conf));
  if (specs.size() > 1 && !request.name().empty()) {
    return MakeError(ErrorKind::kUsage, "NAME_OF_SEVERAL_JOBS",
                     fmt::format("--name is for a specification of one job: jobs={} file={}",
                                 specs.size(), request.file()));
  }
  for (const driver::JobSpec& spec : specs) ARROW_RETURN_NOT_OK(driver::CheckJob(spec));
  return arrow::Status::OK();
}

arrow::Result<proto::SubmitRequest> MakeRequest(const SubmitOptions& options) {
  proto::SubmitRequest request;
  ARROW_ASSIGN_OR_RAISE(*request.mutable_specification(),
                        ReadFile(FileSystem::Local(), options.path));
  request.set_file(options.path);
  ARROW_ASSIGN_OR_RAISE(*request.mutable_directory(), driver::CurrentDirectory());
  ARROW_ASSIGN_OR_RAISE(const auto conf, ParseConf(options.conf));
  request.mutable_conf()->insert(conf.begin(), conf.end());
  request.set_name(options.name);
  if (options.executors > 0 || options.cores > 0) {
    request.set_max_slots(std::max(options.executors, 1) * std::max(options.cores, 1));
  }
  if (!options.memory.empty()) {
    Options memory;
    memory.Set("executor-memory", options.memory);
    const auto bytes = memory.GetBytes("executor-memory", 0);
    if (!bytes.ok()) {
      return MakeError(ErrorKind::kUsage, "INVALID_MEMORY",
                       fmt::format("--executor-memory wants a size such as 1g or 512m: got '{}'",
                                   options.memory));
    }
    request.set_memory_bytes(*bytes);
  }
  request.set_will_follow(options.waits);
  request.set_idempotency_key(NewUuid(Random::System()));
  return request;
}

// A driver that vanishes over the request may have taken it: the same key asks again, and starts
// nothing twice.
arrow::Result<proto::SubmitReply> Send(const SubmitOptions& options,
                                       const proto::SubmitRequest& request, Interrupt* interrupt) {
  const auto give_up_at = std::chrono::steady_clock::now() + kPatience;
  bool was_sent = false;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options.driver));
    auto connected = DriverClient::Connect(std::move(address));
    arrow::Status problem = connected.status();
    if (connected.ok()) {
      was_sent = true;
      auto reply = (*connected)->Submit(request);
      if (reply.ok() || KindOf(reply.status()) != ErrorKind::kUnavailable) return reply;
      problem = reply.status();
    }
    if (!was_sent || std::chrono::steady_clock::now() > give_up_at) return problem;
    if (!interrupt->Sleep(kRetryDelay)) {
      return WithHint(problem, "the job may have been taken: see tidemill ps");
    }
  }
}

// Follows all jobs at once, a thread each.
class Followers {
 public:
  Followers(const DriverOptions& driver, Interrupt* interrupt)
      : driver_(driver), interrupt_(interrupt) {}

  // The first error among the jobs' outcomes, in their order.
  arrow::Status Wait(const proto::SubmitReply& reply) {
    std::vector<std::unique_ptr<JobFollower>> followers;
    for (int i = 0; i < reply.jobs_size(); ++i) {
      followers.push_back(std::make_unique<JobFollower>(driver_, interrupt_));
    }
    interrupt_->SetCallback([&followers] {
      for (const auto& follower : followers) follower->Cancel();
    });
    std::vector<arrow::Status> outcomes(followers.size());
    std::vector<std::thread> threads;
    for (size_t i = 0; i < followers.size(); ++i) {
      const proto::JobInfo& job = reply.jobs(static_cast<int>(i));
      threads.emplace_back([this, &job, follower = followers[i].get(), outcome = &outcomes[i]] {
        *outcome = FollowOne(follower, job);
      });
    }
    for (std::thread& thread : threads) thread.join();
    interrupt_->SetCallback(nullptr);
    for (const arrow::Status& outcome : outcomes) ARROW_RETURN_NOT_OK(outcome);
    return arrow::Status::OK();
  }

 private:
  arrow::Status FollowOne(JobFollower* follower, const proto::JobInfo& job) {
    const auto outcome = follower->Follow(job.id(), [this](std::string_view text) {
      MutexLock lock(&output_);
      Print(text);
    });
    if (!outcome.ok()) return WithContext(outcome.status(), "following " + job.name());
    const bool was_stopped = outcome->state() == proto::JobInfo::STOPPED;
    if (outcome->state() != proto::JobInfo::FAILED) {
      std::fprintf(stderr, "%s %s: %ld epochs, %ld rows in, %ld rows out\n", job.name().c_str(),
                   was_stopped ? "was stopped" : "finished", outcome->epochs(),
                   outcome->input_rows(), outcome->output_rows());
    }
    return OutcomeOf(*outcome);
  }

  const DriverOptions driver_;
  Interrupt* const interrupt_;
  Mutex output_;  // whole texts, whichever job they are from
};

void ReportSubmitted(const proto::SubmitReply& reply, bool waits) {
  for (const std::string& warning : reply.warnings()) {
    std::fprintf(stderr, "warning: %s\n", warning.c_str());
  }
  for (const proto::JobInfo& job : reply.jobs()) {
    Print(job.id() + "\n");
    std::fprintf(stderr, "submitted %s, checkpoint %s\n", job.name().c_str(),
                 job.checkpoint().c_str());
  }
  if (waits || reply.jobs().empty()) return;
  std::fprintf(stderr, "next: tidemill status %s\n", reply.jobs(0).name().c_str());
}

arrow::Status Submit(const SubmitOptions& options, int* exit_code) {
  Interrupt interrupt;
  ARROW_ASSIGN_OR_RAISE(const proto::SubmitRequest request, MakeRequest(options));
  ARROW_RETURN_NOT_OK(CheckSpecification(request));
  ARROW_ASSIGN_OR_RAISE(const proto::SubmitReply reply, Send(options, request, &interrupt));
  ReportSubmitted(reply, options.waits);
  if (!options.waits) return arrow::Status::OK();
  const arrow::Status outcome = Followers(options.driver, &interrupt).Wait(reply);
  if (interrupt.signal() == 0) return outcome;
  for (const proto::JobInfo& job : reply.jobs()) {
    std::fprintf(stderr, "no longer following; %s goes on: tidemill stop %s ends it\n",
                 job.name().c_str(), job.name().c_str());
  }
  *exit_code = interrupt.exit_code();
  return arrow::Status::OK();
}

}  // namespace

void AddSubmitCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("submit", "Submit a job to a cluster; prints its id");
  auto options = std::make_shared<SubmitOptions>();
  command->add_option("JOB", options->path, "job specification (.yaml)")->required();
  AddDriverOptions(command, &options->driver);
  command->add_option("--name", options->name, "name of the job (default: the specification's)")
      ->envname("TIDEMILL_SUBMIT_NAME");
  command->add_option("--conf", options->conf, "setting k=v, may be repeated")
      ->type_size(1)
      ->allow_extra_args(false)
      ->envname("TIDEMILL_CONF");
  command
      ->add_flag("--wait", options->waits,
                 "follow the job: print its console rows, exit with its outcome")
      ->envname("TIDEMILL_SUBMIT_WAIT");
  command
      ->add_option("--num-executors", options->executors,
                   "times --executor-cores: slots that the job may use (default: all)")
      ->envname("TIDEMILL_SUBMIT_NUM_EXECUTORS")
      ->check(CLI::Range(1, 65536));
  command->add_option("--executor-cores", options->cores, "see --num-executors")
      ->envname("TIDEMILL_SUBMIT_EXECUTOR_CORES")
      ->check(CLI::Range(1, 4096));
  command
      ->add_option("--executor-memory", options->memory,
                   "memory of the job on each worker, such as 1g (default: the worker's limit)")
      ->envname("TIDEMILL_SUBMIT_EXECUTOR_MEMORY");
  command->callback([options, result] { result->status = Submit(*options, &result->exit_code); });
}

}  // namespace tidemill::deploy
