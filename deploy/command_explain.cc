#include <arrow/result.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

#include "common/fs/file_system.h"
#include "deploy/commands.h"
#include "deploy/conf_option.h"
#include "driver/job/plan_job.h"
#include "driver/spec/job_spec.h"

namespace tidemill::deploy {

namespace {

arrow::Status Explain(const std::string& path, const std::vector<std::string>& conf) {
  ARROW_ASSIGN_OR_RAISE(auto overrides, ParseConf(conf));
  ARROW_ASSIGN_OR_RAISE(auto specs, driver::ReadJobFile(path, overrides));
  for (const driver::JobSpec& spec : specs) {
    ARROW_ASSIGN_OR_RAISE(driver::PlannedJob job, driver::PlanJob(spec, FileSystem::Local()));
    for (const std::string& warning : job.warnings)
      std::fprintf(stderr, "warning: %s\n", warning.c_str());
    if (specs.size() > 1) std::printf("-- job %s\n", spec.name.c_str());
    std::fwrite(job.query.explanation.data(), 1, job.query.explanation.size(), stdout);
  }
  return arrow::Status::OK();
}

}  // namespace

void AddExplainCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command = app->add_subcommand("explain", "Print the plans of a job; starts nothing");
  auto path = std::make_shared<std::string>();
  auto conf = std::make_shared<std::vector<std::string>>();
  command->add_option("JOB", *path, "job specification (.yaml)")->required();
  command->add_option("--conf", *conf, "setting k=v, may be repeated")
      ->type_size(1)
      ->allow_extra_args(false)
      ->envname("TIDEMILL_CONF");
  command->callback([path, conf, result] { result->status = Explain(*path, *conf); });
}

}  // namespace tidemill::deploy
