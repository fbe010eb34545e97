#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/error.h"
#include "common/fs/file_system.h"
#include "common/types/time_zone.h"
#include "deploy/client/driver_address.h"
#include "deploy/client/driver_client.h"
#include "deploy/client/output_option.h"
#include "deploy/client/row_text.h"
#include "deploy/client/script_rows.h"
#include "deploy/commands.h"
#include "deploy/conf_option.h"
#include "driver/spec/job_values.h"
#include "driver/spec/script/script.h"
#include "driver/spec/settings.h"

namespace tidemill::deploy {

namespace {

struct SqlOptions {
  DriverOptions driver;
  std::string script;  // its text, or the name of a file
  std::vector<std::string> conf;
  std::string format;
};

// The script with the name that errors call it by.
struct NamedScript {
  std::string text;
  std::string file = "query";
};

arrow::Result<NamedScript> ReadScriptText(const std::string& given) {
  FileSystem* fs = FileSystem::Local();
  const auto info = fs->Stat(given);
  if (info.ok() && !info->is_directory) {
    ARROW_ASSIGN_OR_RAISE(std::string text, ReadFile(fs, given));
    return NamedScript{std::move(text), given};
  }
  if (given.find_first_of(" \t\n") == std::string::npos) {
    // No statement is a single word.
    return MakeError(ErrorKind::kNotFound, "FILE_NOT_FOUND",
                     fmt::format("there is no such file: path={}", given));
  }
  return NamedScript{given};
}

// Names a driver; a local cluster's alone is not taken for it.
bool HasDriver(const DriverOptions& options) {
  const char* const address = std::getenv("TIDEMILL_DRIVER");
  return !options.driver.empty() || !options.master.empty() ||
         (address != nullptr && *address != '\0');
}

// The error of a table that is not there, with its place and the nearest table.
arrow::Status TableError(const driver::JobSpec& query, const TableName& table, arrow::Status status,
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
  return driver::LocateInQuery(query, WithSpan(status, table.span));
}

// Finds the memory tables of a driver.
class DriverTables {
 public:
  explicit DriverTables(const DriverOptions& options) : options_(options) {}

  arrow::Result<std::map<std::string, RowSet>> Find(const driver::JobSpec& query,
                                                    const std::vector<TableName>& names) {
    if (client_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(DriverAddress address, FindDriver(options_));
      ARROW_ASSIGN_OR_RAISE(client_, DriverClient::Connect(std::move(address)));
    }
    std::map<std::string, RowSet> tables;
    for (const TableName& table : names) {
      const auto bytes = client_->ReadTable(table.name);
      if (!bytes.ok()) return TableError(query, table, bytes.status(), client_.get());
      ARROW_ASSIGN_OR_RAISE(tables[table.name], DecodeTable(*bytes));
    }
    return tables;
  }

 private:
  const DriverOptions& options_;
  std::unique_ptr<DriverClient> client_;
};

arrow::Result<std::string> Format(const RowSet& rows, const std::string& format,
                                  std::shared_ptr<const TimeZone> zone) {
  if (format == "json") return RowsAsJson(rows, std::move(zone));
  if (format == "csv") return RowsAsCsv(rows, *zone);
  return RowsAsTable(rows, *zone);
}

arrow::Result<std::shared_ptr<const TimeZone>> ZoneOf(
    const driver::ScriptStep& step, const std::map<std::string, std::string>& overrides) {
  const auto* const query = std::get_if<driver::QueryStep>(&step.action);
  ARROW_ASSIGN_OR_RAISE(const auto settings,
                        driver::Settings::Make(query ? query->query.settings : overrides));
  return FindTimeZone(settings.time_zone());
}

arrow::Status RunSql(const SqlOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto overrides, ParseConf(options.conf));
  ARROW_RETURN_NOT_OK(driver::Settings::Make(overrides).status());
  ARROW_ASSIGN_OR_RAISE(const NamedScript source, ReadScriptText(options.script));
  ARROW_ASSIGN_OR_RAISE(const std::string directory, driver::CurrentDirectory());
  ARROW_ASSIGN_OR_RAISE(const driver::Script script,
                        driver::ReadScript(source.text, source.file, directory, overrides));
  ARROW_RETURN_NOT_OK(driver::RequireQueriesOnly(script, source.text, source.file));
  DriverTables driver_tables(options.driver);
  TableFinder find_tables;
  if (HasDriver(options.driver)) {
    find_tables = [&driver_tables](const auto& query, const auto& names) {
      return driver_tables.Find(query, names);
    };
  }
  for (const driver::ScriptStep& step : script.steps) {
    ARROW_ASSIGN_OR_RAISE(auto zone, ZoneOf(step, overrides));
    ARROW_ASSIGN_OR_RAISE(const RowSet rows, RowsOf(step, find_tables));
    ARROW_ASSIGN_OR_RAISE(const std::string text, Format(rows, options.format, std::move(zone)));
    Print(text);
  }
  return arrow::Status::OK();
}

}  // namespace

void AddSqlCommand(CLI::App* app, CommandResult* result) {
  CLI::App* command =
      app->add_subcommand("sql", "Run queries over files and tables; prints the rows");
  auto options = std::make_shared<SqlOptions>();
  command->add_option("SQL", options->script, "SELECT ..., a script, or a file that holds it")
      ->required();
  AddDriverOptions(command, &options->driver);
  command->add_option("--conf", options->conf, "setting k=v such as timeZone=Europe/Paris")
      ->type_size(1)
      ->allow_extra_args(false)
      ->envname("TIDEMILL_CONF");
  AddOutputOption(command, &options->format, {"table", "json", "csv"});
  command->callback([options, result] { result->status = RunSql(*options); });
}

}  // namespace tidemill::deploy
