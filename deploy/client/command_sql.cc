#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/error.h"
#include "common/fs/file_system.h"
#include "common/types/time_zone.h"
#include "deploy/client/bounded_query.h"
#include "deploy/client/driver_address.h"
#include "deploy/client/driver_client.h"
#include "deploy/client/output_option.h"
#include "deploy/client/row_text.h"
#include "deploy/commands.h"
#include "deploy/conf_option.h"
#include "driver/spec/settings.h"

namespace tidemill::deploy {

namespace {

struct SqlOptions {
  DriverOptions driver;
  std::string query;  // its text, or the name of a file
  std::vector<std::string> conf;
  std::string format;
};

arrow::Result<BoundedQuery> ReadQuery(const SqlOptions& options) {
  BoundedQuery query{.text = options.query, .file = "query"};
  FileSystem* fs = FileSystem::Local();
  const auto info = fs->Stat(options.query);
  if (info.ok() && !info->is_directory) {
    ARROW_ASSIGN_OR_RAISE(query.text, ReadFile(fs, options.query));
    query.file = options.query;
  } else if (options.query.find_first_of(" \t\n") == std::string::npos) {
    // No query is a single word.
    return MakeError(ErrorKind::kNotFound, "FILE_NOT_FOUND",
                     fmt::format("there is no such file: path={}", options.query));
  }
  ARROW_ASSIGN_OR_RAISE(query.settings, ParseConf(options.conf));
  return query;
}

// Names a driver; a local cluster's alone is not taken for it.
bool HasDriver(const DriverOptions& options) {
  const char* const address = std::getenv("TIDEMILL_DRIVER");
  return !options.driver.empty() || !options.master.empty() ||
         (address != nullptr && *address != '\0');
}

arrow::Status RefuseWithoutDriver(const DriverOptions& options) {
  const auto found = FindDriver(options);
  const std::string address =
      found.ok() && found->origin != "default" ? found->address : "HOST:PORT";
  return WithHint(
      MakeError(ErrorKind::kInvalid, "UNSUPPORTED_FEATURE.SQL_WITHOUT_DRIVER",
                "queries without a cluster are not supported yet: what works is a query over the "
                "memory tables of a driver"),
      fmt::format("name it: tidemill sql \"SELECT ...\" --driver {}; a job with the sink format "
                  "memory makes a table of its name",
                  address));
}

// The error of a table that is not there, with its place and the nearest table.
arrow::Status TableError(const BoundedQuery& query, const TableName& table, arrow::Status status,
                         DriverClient* client) {
  if (KindOf(status) != ErrorKind::kNotFound) return status;
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr || detail->hint.empty()) {
    std::vector<std::string> names;
    const auto jobs = client->ListJobs();
    if (jobs.ok()) {
      for (const proto::JobInfo& job : *jobs) names.push_back(job.name());
    }
    const std::string nearest = NearestName(table.name, names);
    status = WithHint(status, nearest.empty() ? "jobs with the sink format memory make tables"
                                              : fmt::format("did you mean {}?", nearest));
  }
  return WithSource(WithSpan(status, table.span), query.file, query.text);
}

arrow::Result<std::map<std::string, RowSet>> FetchTables(const BoundedQuery& query,
                                                         DriverClient* client) {
  ARROW_ASSIGN_OR_RAISE(const auto names, TablesOf(query));
  std::map<std::string, RowSet> tables;
  for (const TableName& table : names) {
    const auto bytes = client->ReadTable(table.name);
    if (!bytes.ok()) return TableError(query, table, bytes.status(), client);
    ARROW_ASSIGN_OR_RAISE(tables[table.name], DecodeTable(*bytes));
  }
  return tables;
}

arrow::Status RunSql(const SqlOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const BoundedQuery query, ReadQuery(options));
  if (!HasDriver(options.driver)) return RefuseWithoutDriver(options.driver);
  ARROW_ASSIGN_OR_RAISE(const auto settings, driver::Settings::Make(query.settings));
  ARROW_ASSIGN_OR_RAISE(const auto zone, FindTimeZone(settings.time_zone()));
  ARROW_RETURN_NOT_OK(TablesOf(query).status());  // Before anybody is asked.
  ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options.driver));
  ARROW_ASSIGN_OR_RAISE(const auto client, DriverClient::Connect(std::move(address)));
  ARROW_ASSIGN_OR_RAISE(const auto tables, FetchTables(query, client.get()));
  ARROW_ASSIGN_OR_RAISE(const RowSet rows, RunBoundedQuery(query, tables));
  if (options.format == "json") {
    Print(RowsAsJson(rows, zone));
  } else if (options.format == "csv") {
    Print(RowsAsCsv(rows, *zone));
  } else {
    ARROW_ASSIGN_OR_RAISE(const std::string text, RowsAsTable(rows, *zone));
    Print(text);
  }
  return arrow::Status::OK();
}

}  // namespace

void AddSqlCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command =
      app->add_subcommand("sql", "Query the memory tables of a driver; prints the rows");
  auto options = std::make_shared<SqlOptions>();
  command->add_option("QUERY", options->query, "SELECT ..., or a file that holds it")->required();
  AddDriverOptions(command, &options->driver);
  command->add_option("--conf", options->conf, "setting k=v such as timeZone=Europe/Paris")
      ->type_size(1)
      ->allow_extra_args(false)
      ->envname("TIDEMILL_CONF");
  AddOutputOption(command, &options->format, {"table", "json", "csv"});
  command->callback([options, result] { result->status = RunSql(*options); });
}

}  // namespace tidemill::deploy
