#pragma once

#include <arrow/result.h>

#include <map>
#include <string>
#include <variant>
#include <vector>

#include "driver/spec/job_spec.h"
#include "driver/spec/script/statement.h"

namespace tidemill::driver {

// A query whose rows are the statement's answer; bounded, without a sink.
struct QueryStep {
  JobSpec query;
  bool is_explained = false;  // its plan, not its rows
};

// DESCRIBE t, DESCRIBE QUERY SELECT ...: the columns of this query.
struct DescribeStep {
  JobSpec query;
};

// SHOW TABLES: what is declared up to here, in name order.
struct TablesStep {
  struct Table {
    std::string name;
    bool is_temporary = false;  // a view
  };
  std::vector<Table> tables;
};

// A statement that prints rows.
struct ScriptStep {
  std::variant<QueryStep, DescribeStep, TablesStep, ShowFunctions, DescribeFunction> action;
  Span span;  // in the script
};

// A SQL script as it is meant (interface: "Job specification, SQL"). Tables, views and settings are
// those of the statements before; views stand in the queries that use them as common tables. *Plain
// data.*
struct Script {
  std::vector<JobSpec> jobs;      // CREATE STREAMING TABLE
  std::vector<ScriptStep> steps;  // everything that gives rows, in order
};

// `file`, `directory` and `overrides` as for ReadJobText. Errors show their place in the script.
arrow::Result<Script> ReadScript(const std::string& text, const std::string& file,
                                 const std::string& directory,
                                 const std::map<std::string, std::string>& overrides);

// The error of a script that holds other statements than its command can run; with its place.
arrow::Status RequireJobsOnly(const Script& script, const std::string& text,
                              const std::string& file);
arrow::Status RequireQueriesOnly(const Script& script, const std::string& text,
                                 const std::string& file);

}  // namespace tidemill::driver
