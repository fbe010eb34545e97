#pragma once

#include <arrow/result.h>

#include <map>
#include <string>
#include <vector>

#include "common/fs/file_system.h"
#include "connectors/sink.h"
#include "driver/job/job_runner.h"
#include "driver/plan/planner.h"
#include "driver/spec/job_spec.h"

namespace tidemill::driver {

// Everything that is known about a job before it runs. *Plain data.*
struct PlannedJob {
  PlannedQuery query;
  connectors::SinkSpec sink;
  std::map<std::string, std::string> inferred_schemas;  // DDL, by source name
  std::vector<std::string> warnings;
};

// Resolves sources and sink of a specification and plans its query. Reads files only: the input
// directories where a schema must be inferred, and the checkpoint where one was inferred before.
// Errors are kInvalid and show their place in the specification.
arrow::Result<PlannedJob> PlanJob(const JobSpec& spec, FileSystem* fs);

// The part of PlanJob that looks at no files, so that a client can check a specification which is
// planned elsewhere. A query over a source whose schema is to be inferred is only parsed.
arrow::Status CheckJob(const JobSpec& spec);

// What JobRunner needs of a planned specification. The checkpoint is the specification's; "" where
// it names none, for the caller to choose a temporary one.
arrow::Result<JobDefinition> MakeDefinition(const JobSpec& spec, const PlannedJob& planned);

}  // namespace tidemill::driver
