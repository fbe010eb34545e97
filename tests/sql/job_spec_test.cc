#include "driver/spec/job_spec.h"

#include <gtest/gtest.h>

#include "common/types/ddl.h"
#include "driver/sql/parser.h"

namespace tidemill::driver {
namespace {

arrow::Result<std::vector<JobSpec>> Read(const std::string& text,
                                         const std::map<std::string, std::string>& overrides = {}) {
  return ReadJobText(text, "jobs/my_job.yaml", "/home/me", overrides);
}

std::string ErrorOf(const std::string& text,
                    const std::map<std::string, std::string>& overrides = {}) {
  auto jobs = Read(text, overrides);
  return jobs.ok() ? "no error" : RenderError(jobs.status());
}

// A valid job with `more` lines at its end.
std::string JobWith(const std::string& more) {
  return "query: SELECT 1\nsink: {format: console}\n" + more;
}

TEST(JobSpecTest, EveryKeyIsRead) {
  auto jobs = Read(R"(name: clicks-per-page
sources:
  clicks:
    format: JSON
    path: in/clicks
    schema: "ts TIMESTAMP, user STRING"
    mode: batch
    options: {maxFilesPerTrigger: 1, latestFirst: true}
  lines: {format: socket, options: {host: localhost, port: 9999}}
query: |
  SELECT page, count(*) AS n
  FROM clicks GROUP BY page
sink:
  format: parquet
  path: ../out/
outputMode: Complete
trigger: {processingTime: 1 minute 30 seconds}
checkpointLocation: checkpoints/clicks
settings: {state.key_groups: 64, spark.sql.session.timeZone: UTC, source.split_bytes: 1m}
)");

  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  const JobSpec& job = jobs->at(0);
  EXPECT_EQ(job.name, "clicks-per-page");
  ASSERT_EQ(job.sources.size(), 2u);
  EXPECT_EQ(job.sources[0].name, "clicks");
  EXPECT_EQ(job.sources[0].format, "json");
  EXPECT_EQ(job.sources[0].options.Find("path"), "/home/me/in/clicks");
  EXPECT_EQ(job.sources[0].options.Find("maxfilespertrigger"), "1");
  EXPECT_EQ(job.sources[0].schema, "ts TIMESTAMP, user STRING");
  EXPECT_FALSE(job.sources[0].is_streaming);
  EXPECT_TRUE(job.sources[1].is_streaming);
  EXPECT_EQ(job.query, "SELECT page, count(*) AS n\nFROM clicks GROUP BY page\n");
  EXPECT_EQ(job.sink_format, "parquet");
  EXPECT_EQ(job.sink_options.Find("path"), "/home/out");
  EXPECT_EQ(job.output_mode, connectors::OutputMode::kComplete);
  EXPECT_EQ(job.trigger.kind, TriggerKind::kProcessingTime);
  EXPECT_EQ(job.trigger.interval, std::chrono::seconds(90));
  EXPECT_EQ(job.checkpoint, "/home/me/checkpoints/clicks");
  EXPECT_EQ(job.settings, (std::map<std::string, std::string>{{"source.split_bytes", "1048576"},
                                                              {"state.key_groups", "64"},
                                                              {"timeZone", "UTC"}}));
}

TEST(JobSpecTest, AWatermarksDelayIsADurationOrAnIntervalOfSparks) {
  const auto delay_of = [](const std::string& delay) {
    auto jobs =
        Read(JobWith("sources: {a: {format: json, schema: ts TIMESTAMP, watermark: "
                     "{column: ts, delay: " +
                     delay + "}}}"));
    EXPECT_TRUE(jobs.ok()) << RenderError(jobs.status());
    return jobs.ok() ? std::chrono::microseconds(jobs->at(0).sources[0].watermark->delay_us)
                     : std::chrono::microseconds(-1);
  };

  EXPECT_EQ(delay_of("90s"), std::chrono::seconds(90));
  EXPECT_EQ(delay_of("1 hour 30 minutes"), std::chrono::minutes(90));
  EXPECT_EQ(delay_of("1 month"), std::chrono::hours(31 * 24));
  EXPECT_EQ(delay_of("1 year 1 day"), std::chrono::hours((12 * 31 + 1) * 24));
  EXPECT_EQ(delay_of("1.5 seconds"), std::chrono::milliseconds(1500));
}

TEST(JobSpecTest, DefaultsAreThoseOfTheInterface) {
  auto jobs = Read(JobWith(""));

  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  const JobSpec& job = jobs->at(0);
  EXPECT_EQ(job.name, "my_job");
  EXPECT_EQ(job.output_mode, connectors::OutputMode::kAppend);
  EXPECT_EQ(job.trigger.kind, TriggerKind::kDefault);
  EXPECT_FALSE(job.checkpoint.has_value());
  EXPECT_TRUE(job.settings.empty());
}

TEST(JobSpecTest, TriggersHaveTheSpellingsOfTheInterface) {
  const auto trigger = [](const std::string& value) {
    auto jobs = Read(JobWith("trigger: " + value));
    return jobs.ok() ? jobs->at(0).trigger : Trigger{};
  };
  EXPECT_EQ(trigger("available-now").kind, TriggerKind::kAvailableNow);
  EXPECT_EQ(trigger("once").kind, TriggerKind::kOnce);
  EXPECT_EQ(trigger("1 second").interval, std::chrono::seconds(1));
  EXPECT_EQ(trigger("{processingTime: interval 250 milliseconds}").interval,
            std::chrono::milliseconds(250));
}

TEST(JobSpecTest, SeveralJobsNeedNames) {
  const std::string one = "  - {name: a, query: SELECT 1, sink: {format: noop}}\n";
  auto jobs = Read("jobs:\n" + one + "  - {name: b, query: SELECT 2, sink: {format: noop}}\n");

  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  EXPECT_EQ(jobs->at(1).query, "SELECT 2");
  EXPECT_NE(ErrorOf("jobs:\n" + one + one).find("two jobs have one name: a"), std::string::npos);
  EXPECT_NE(ErrorOf("jobs:\n" + one + "  - {query: SELECT 2, sink: {format: noop}}\n")
                .find("missing key: name"),
            std::string::npos);
}

TEST(JobSpecTest, AnUnknownKeyIsShownWithTheNearest) {
  EXPECT_EQ(ErrorOf("query: SELECT 1\nsources:\n  clicks:\n    format: json\n    shcema: a INT\n"),
            "error[INVALID_SPECIFICATION.UNKNOWN_KEY]: unknown key: shcema in source clicks "
            "SQLSTATE: 42601\n"
            "    --> jobs/my_job.yaml:5:5\n"
            "     |\n"
            "   5 |     shcema: a INT\n"
            "     |     ^^^^^^\n"
            "     = help: did you mean schema?");
}

TEST(JobSpecTest, ErrorsNameWhatIsWrong) {
  const auto has = [](const std::string& text, const std::string& part) {
    const std::string error = ErrorOf(text);
    EXPECT_NE(error.find(part), std::string::npos) << error;
  };
  has("sink: {format: console}", "missing key: query in the job");
  has("query:\nsink: {format: console}", "query of the job has no value");
  has("query: SELECT 1", "missing key: sink");
  has("- a\n- b", "the job must be a map of keys and values: got a list");
  has("", "the job must be a map of keys and values: got nothing");
  has(JobWith("query: SELECT 2"), "duplicate key: query in the job, first on line 1");
  has(JobWith("outputMode: apend"), "did you mean append?");
  has(JobWith("trigger: availableNow"), "did you mean available-now?");
  has(JobWith("trigger: {processingTime: soon}"), "bad value of processingTime: soon");
  has(JobWith("trigger: {continuous: 1 second}"), "unknown key: continuous in trigger");
  has(JobWith("sources: {a: {format: text, path: x, options: {Path: y}}}"),
      "source a has both path and options.path");
  has(JobWith("sources: {a: {format: text, mode: streaming}}"), "bad value of mode: streaming");
  has(JobWith("sources: {a: {format: text}, A: {format: text}}"), "duplicate key: A in sources");
  has(JobWith("sources: {a: {format: text, options: {x: [1]}}}"),
      "option x of source a must be a single value: got a list");
  has(JobWith("sources: {a: {format: json, inferSchema: yes}}"), "must be true or false");
  has(JobWith("sources: {a: {format: json, watermark: {column: ts, delay: -1 minute}}}"),
      "error[INVALID_SPECIFICATION.BAD_VALUE]: bad value of delay: -1 minute");
  has(JobWith("settings: {state.keygroups: 64}"), "did you mean state.key_groups?");
  has("a: [1, 2", "error[INVALID_SPECIFICATION.SYNTAX]: not valid YAML: ");
  has(JobWith("---\nname: b"), "one document in a file");
}

TEST(JobSpecTest, OverridesWinAndAreCheckedToo) {
  auto jobs = Read(JobWith("settings: {state.key_groups: 64}"), {{"state.key_groups", "32"}});

  ASSERT_TRUE(jobs.ok());
  EXPECT_EQ(jobs->at(0).settings.at("state.key_groups"), "32");
  EXPECT_NE(ErrorOf(JobWith(""), {{"nonsense", "1"}}).find("--conf: unknown setting: nonsense"),
            std::string::npos);
}

TEST(JobSpecTest, ErrorsInTheQueryAreShownInTheFile) {
  const std::string text =
      "sink: {format: console}\n"
      "query: |\n"
      "    SELECT word\n"
      "\n"
      "      FORM lines\n";
  auto jobs = Read(text);
  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  const arrow::Status status = sql::ParseQuery(jobs->at(0).query).status();

  EXPECT_EQ(RenderError(LocateInQuery(jobs->at(0), status)),
            "error[PARSE_SYNTAX_ERROR]: Syntax error at or near 'FORM': expected the next clause "
            "or the end of the query SQLSTATE: 42601\n"
            "    --> jobs/my_job.yaml:5:7\n"
            "     |\n"
            "   5 |       FORM lines\n"
            "     |       ^^^^\n"
            "     = help: did you mean FROM?");
}

// Where the word MARK of the query is found in the file, as line:column.
std::string PlaceOfMark(const std::string& query_lines) {
  auto jobs = Read("sink: {format: console}\n" + query_lines + "\nname: x\n");
  if (!jobs.ok()) return RenderError(jobs.status());
  const auto at = static_cast<int32_t>(jobs->at(0).query.find("MARK"));
  const arrow::Status status = MakeError(ErrorKind::kInvalid, "X", "x", Span{at, at + 4});
  const arrow::Status located = LocateInQuery(jobs->at(0), status);
  const auto& location = DetailOf(located)->location;
  return location->file + ":" + std::to_string(location->line) + ":" +
         std::to_string(location->column);
}

TEST(JobSpecTest, QueriesOfEveryYamlStyleAreFoundAgain) {
  const std::string file = "jobs/my_job.yaml:";
  EXPECT_EQ(PlaceOfMark("query: SELECT MARK"), file + "2:15");
  EXPECT_EQ(PlaceOfMark("query: SELECT\n   a,\n\n   é, MARK"), file + "5:7");
  EXPECT_EQ(PlaceOfMark("query: 'SELECT ''a'', MARK'"), file + "2:23");
  EXPECT_EQ(PlaceOfMark("query: \"SELECT \\\"a\\\",\\n MARK\""), file + "2:25");
  EXPECT_EQ(PlaceOfMark("query: |2-\n    SELECT\n   MARK"), file + "4:4");
  EXPECT_EQ(PlaceOfMark("query: >\n    SELECT\n    a,\n\n    MARK"), file + "6:5");
  EXPECT_EQ(PlaceOfMark("query: |\r\n  SELECT\r\n  MARK\r"), file + "4:3");
  EXPECT_EQ(PlaceOfMark("query: &q |\n  SELECT\n  MARK"), file + "4:3");
  EXPECT_EQ(PlaceOfMark("query: \"SELECT \\x41 MARK\""), "query of " + file + "1:10");
}

TEST(JobSpecTest, ErrorsInASchemaAreShownInTheFile) {
  auto jobs = Read(JobWith("sources:\n  a:\n    format: json\n    schema: \"x BIGNIT\"\n"));
  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  const SourceDecl& source = jobs->at(0).sources[0];
  const arrow::Status status = ParseDdlSchema(*source.schema).status();

  const std::string error = RenderError(LocateInSpec(jobs->at(0), status, source.schema_place));

  EXPECT_NE(error.find("--> jobs/my_job.yaml:6:16\n"), std::string::npos) << error;
}

TEST(JobSpecTest, AliasesAreCopiesAndBombsAreRefused) {
  auto jobs = Read(JobWith("sources: {a: &s {format: text, path: x}, b: *s}"));
  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  EXPECT_EQ(jobs->at(0).sources[1].options.Find("path"), "/home/me/x");

  std::string bomb = "a0: &a0 [1, 2, 3, 4, 5, 6, 7, 8, 9]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + last;
    for (int k = 0; k < 8; ++k) bomb += ", " + last;
    bomb += "]\n";
  }
  EXPECT_NE(ErrorOf(bomb).find("at most 100000 values"), std::string::npos);
}

TEST(JobSpecTest, HostileTextsAreRefused) {
  EXPECT_NE(ErrorOf(std::string(100000, '[')).find("nested too deeply"), std::string::npos);
  EXPECT_NE(ErrorOf("a: '\x01'").find("control character"), std::string::npos);
  EXPECT_NE(ErrorOf("a: '\xFF'").find("not UTF-8"), std::string::npos);
  std::string dashes;
  for (int i = 0; i < 20000; ++i) dashes += "- ";
  EXPECT_NE(ErrorOf(dashes).find("nested too deeply"), std::string::npos);
}

TEST(JobSpecTest, FilesThatCannotBeReadAreSaidSo) {
  EXPECT_EQ(ExitCodeOf(ReadJobFile("/nowhere/job.yaml", {}).status()), 6);
  EXPECT_EQ(ExitCodeOf(ReadJobFile("/nowhere/job.sql", {}).status()), 6);
  EXPECT_EQ(ExitCodeOf(ReadJobFile("/tmp", {}).status()), 3);
}

}  // namespace
}  // namespace tidemill::driver
