#include "driver/spec/script/script.h"

#include <fmt/format.h>

#include <utility>

#include "driver/spec/job_values.h"
#include "driver/spec/script/script_catalog.h"
#include "driver/spec/script/script_parser.h"
#include "driver/spec/settings.h"
#include "driver/sql/token_cursor.h"

namespace tidemill::driver {

namespace {

using sql::EqualsIgnoreCase;

class ScriptReader {
 public:
  ScriptReader(const std::string& text, const std::string& directory,
               const std::map<std::string, std::string>& overrides)
      : directory_(directory), overrides_(overrides), catalog_(text, directory) {}

  arrow::Result<Script> Read(const std::vector<Statement>& statements) {
    for (const Statement& statement : statements) {
      ARROW_RETURN_NOT_OK(std::visit([this](const auto& each) { return Take(each); }, statement));
    }
    return std::move(script_);
  }

 private:
  arrow::Status Take(const CreateTable& statement) { return catalog_.Add(statement); }
  arrow::Status Take(const CreateView& statement) { return catalog_.Add(statement); }
  arrow::Status Take(const CreateStreamingTable& statement);
  arrow::Status Take(const SetSetting& statement);
  arrow::Status Take(const RunQuery& statement);
  arrow::Status Take(const DescribeTable& statement);
  arrow::Status Take(const DescribeQuery& statement);
  arrow::Status Take(const ShowTables& statement) {
    AddStep(TablesStep{catalog_.List(statement.pattern)}, statement.span);
    return arrow::Status::OK();
  }
  arrow::Status Take(const ShowFunctions& statement) {
    AddStep(statement, statement.span);
    return arrow::Status::OK();
  }
  arrow::Status Take(const DescribeFunction& statement) {
    AddStep(statement, statement.name.span);
    return arrow::Status::OK();
  }

  template <class Action>
  void AddStep(Action action, Span span) {
    ScriptStep& step = script_.steps.emplace_back();
    step.action = std::move(action);
    step.span = span;
  }

  arrow::Status TakeOption(const ScriptOption& option, JobSpec* job) const;
  // The settings up to here under those of --conf.
  arrow::Status SetSettings(Span span, JobSpec* job) const;

  const std::string& directory_;
  const std::map<std::string, std::string>& overrides_;
  ScriptCatalog catalog_;
  Settings settings_;
  Script script_;
};

arrow::Status ScriptReader::SetSettings(Span span, JobSpec* job) const {
  Settings settings = settings_;
  for (const auto& [name, value] : overrides_) {
    ARROW_RETURN_NOT_OK(WithContext(settings.Set(name, value), "--conf"));
  }
  ARROW_RETURN_NOT_OK(WithSpan(settings.Finish(), span));
  job->settings = settings.explicit_values();
  return arrow::Status::OK();
}

arrow::Status ScriptReader::Take(const SetSetting& statement) {
  const arrow::Status status = settings_.Set(statement.key.text, statement.value.text);
  const bool is_value =
      ErrorClassOf(status) != "UNKNOWN_SETTING" && ErrorClassOf(status) != "UNSUPPORTED_SETTING";
  return WithSpan(status, is_value ? statement.value.span : statement.key.span);
}

arrow::Status ScriptReader::TakeOption(const ScriptOption& option, JobSpec* job) const {
  const auto& [key, value] = option;
  if (EqualsIgnoreCase(key.text, "name")) {
    job->name = value.text;
  } else if (EqualsIgnoreCase(key.text, "outputMode")) {
    ARROW_ASSIGN_OR_RAISE(job->output_mode, ReadOutputMode(value.text, value.span));
    job->output_mode_place.span = value.span;
  } else if (EqualsIgnoreCase(key.text, "trigger")) {
    ARROW_ASSIGN_OR_RAISE(job->trigger, ReadTrigger(value.text, value.span));
  } else if (EqualsIgnoreCase(key.text, "checkpointLocation")) {
    job->checkpoint = AbsolutePath(directory_, value.text);
  } else {
    SetOption(key.text, value.text, job->sink_format, directory_, &job->sink_options);
  }
  return arrow::Status::OK();
}

arrow::Status ScriptReader::Take(const CreateStreamingTable& statement) {
  ARROW_RETURN_NOT_OK(catalog_.Add(statement));
  JobSpec job;
  job.name = statement.name.text;
  job.sink_format = statement.format.text;
  job.sink_place.span = statement.format.span;
  job.output_mode_place.span = statement.name.span;
  for (const ScriptOption& option : statement.options) {
    ARROW_RETURN_NOT_OK(TakeOption(option, &job));
  }
  for (const JobSpec& other : script_.jobs) {
    if (other.name != job.name) continue;
    return MakeError(ErrorKind::kInvalid, "INVALID_SPECIFICATION.BAD_VALUE",
                     fmt::format("two jobs have one name: {}", job.name), statement.name.span);
  }
  ARROW_RETURN_NOT_OK(catalog_.Resolve(statement.query, &job));
  ARROW_RETURN_NOT_OK(SetSettings(statement.name.span, &job));
  script_.jobs.push_back(std::move(job));
  return arrow::Status::OK();
}

arrow::Status ScriptReader::Take(const RunQuery& statement) {
  QueryStep step;
  step.is_explained = statement.is_explained;
  step.query.is_bounded = true;
  ARROW_RETURN_NOT_OK(catalog_.Resolve(statement.query, &step.query));
  ARROW_RETURN_NOT_OK(SetSettings(statement.query, &step.query));
  AddStep(std::move(step), statement.query);
  return arrow::Status::OK();
}

arrow::Status ScriptReader::Take(const DescribeTable& statement) {
  DescribeStep step;
  step.query.is_bounded = true;
  ARROW_RETURN_NOT_OK(catalog_.ResolveName(statement.name, &step.query));
  ARROW_RETURN_NOT_OK(SetSettings(statement.name.span, &step.query));
  AddStep(std::move(step), statement.name.span);
  return arrow::Status::OK();
}

arrow::Status ScriptReader::Take(const DescribeQuery& statement) {
  DescribeStep step;
  step.query.is_bounded = true;
  ARROW_RETURN_NOT_OK(catalog_.Resolve(statement.query, &step.query));
  ARROW_RETURN_NOT_OK(SetSettings(statement.query, &step.query));
  AddStep(std::move(step), statement.query);
  return arrow::Status::OK();
}

}  // namespace

arrow::Result<Script> ReadScript(const std::string& text, const std::string& file,
                                 const std::string& directory,
                                 const std::map<std::string, std::string>& overrides) {
  const auto read = [&]() -> arrow::Result<Script> {
    ARROW_ASSIGN_OR_RAISE(const std::vector<Statement> statements, ParseScript(text));
    return ScriptReader(text, directory, overrides).Read(statements);
  };
  arrow::Result<Script> script = read();
  if (!script.ok()) return WithSource(script.status(), file, text);
  const auto name_place = [&](JobSpec* job) {
    job->file = file;
    job->text = text;
  };
  for (JobSpec& job : script->jobs) name_place(&job);
  for (ScriptStep& step : script->steps) {
    if (auto* query = std::get_if<QueryStep>(&step.action)) name_place(&query->query);
    if (auto* describe = std::get_if<DescribeStep>(&step.action)) name_place(&describe->query);
  }
  return script;
}

arrow::Status RequireJobsOnly(const Script& script, const std::string& text,
                              const std::string& file) {
  if (!script.steps.empty()) {
    const arrow::Status status =
        MakeError(ErrorKind::kInvalid, "INVALID_SPECIFICATION.QUERY_IN_JOB",
                  "a job has no statements that give rows at once", script.steps[0].span,
                  "CREATE STREAMING TABLE ... AS writes the rows of a query; tidemill sql prints "
                  "those of SELECT");
    return WithSource(status, file, text);
  }
  if (!script.jobs.empty()) return arrow::Status::OK();
  return MakeError(ErrorKind::kInvalid, "INVALID_SPECIFICATION.NO_JOB",
                   fmt::format("the script has no CREATE STREAMING TABLE: file={}", file));
}

arrow::Status RequireQueriesOnly(const Script& script, const std::string& text,
                                 const std::string& file) {
  if (script.jobs.empty()) return arrow::Status::OK();
  const arrow::Status status = MakeError(
      ErrorKind::kInvalid, "INVALID_SPECIFICATION.JOB_IN_QUERY",
      fmt::format("a streaming table is a job of its own: {}", script.jobs[0].name),
      script.jobs[0].output_mode_place.span, "run it with tidemill run, or submit it to a driver");
  return WithSource(status, file, text);
}

}  // namespace tidemill::driver
