#include "driver/spec/script/script.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "driver/spec/script/name_pattern.h"

namespace tidemill::driver {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;

arrow::Result<Script> Read(const std::string& text,
                           const std::map<std::string, std::string>& overrides = {}) {
  return ReadScript(text, "job.sql", "/home/me", overrides);
}

std::string ErrorOf(const std::string& text) {
  const auto script = Read(text);
  return script.ok() ? "no error" : RenderError(script.status());
}

// The only query of a script.
JobSpec QueryOf(const std::string& text) {
  const auto script = Read(text);
  EXPECT_TRUE(script.ok()) << RenderError(script.status());
  if (!script.ok() || script->steps.size() != 1) return {};
  return std::get<QueryStep>(script->steps[0].action).query;
}

constexpr const char* kJob = R"(-- clicks per page
CREATE TABLE clicks (ts TIMESTAMP, /* who */ page STRING)
USING JSON OPTIONS (path 'in/clicks', maxFilesPerTrigger 1);
SET state.key_groups = 64;
CREATE STREAMING TABLE clicks_per_page
USING parquet
OPTIONS (path 'out/clicks', outputMode 'complete', trigger '1 second', checkpointLocation 'cp')
AS SELECT page, count(*) AS n FROM STREAM clicks GROUP BY page;
)";

TEST(ScriptTest, AStreamingTableIsAJob) {
  const auto jobs = ReadJobText(kJob, "job.sql", "/home/me", {});

  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  ASSERT_EQ(jobs->size(), 1u);
  const JobSpec& job = jobs->at(0);
  EXPECT_EQ(job.name, "clicks_per_page");
  EXPECT_EQ(job.query, "SELECT page, count(*) AS n FROM STREAM clicks GROUP BY page");
  EXPECT_EQ(job.sink_format, "parquet");
  EXPECT_EQ(job.sink_options.Find("path"), "/home/me/out/clicks");
  EXPECT_EQ(job.output_mode, connectors::OutputMode::kComplete);
  EXPECT_EQ(job.trigger.interval, std::chrono::seconds(1));
  EXPECT_EQ(job.checkpoint, "/home/me/cp");
  EXPECT_EQ(job.settings.at("state.key_groups"), "64");
  ASSERT_EQ(job.sources.size(), 1u);
  EXPECT_EQ(job.sources[0].format, "json");
  EXPECT_EQ(job.sources[0].schema, "ts TIMESTAMP,           page STRING");
  EXPECT_EQ(job.sources[0].options.Find("path"), "/home/me/in/clicks");
  EXPECT_EQ(job.sources[0].options.Find("maxFilesPerTrigger"), "1");
  EXPECT_TRUE(job.sources[0].is_streaming);
}

TEST(ScriptTest, ATableIsAStreamOnlyWhereItIsReadAsOne) {
  const auto script = Read(
      "CREATE TABLE t (a INT) USING json LOCATION 'in';"
      "CREATE TABLE unused (a INT) USING json LOCATION 'in';"
      "CREATE STREAMING TABLE s USING console AS"
      " SELECT * FROM STREAM t JOIN T ON true WHERE a IN (SELECT a FROM STREAM(t))");

  ASSERT_TRUE(script.ok()) << RenderError(script.status());
  const auto& sources = script->jobs.at(0).sources;
  ASSERT_EQ(sources.size(), 2u);
  EXPECT_TRUE(sources[0].is_streaming);
  EXPECT_FALSE(sources[1].is_streaming);
}

TEST(ScriptTest, ViewsStandBeforeTheQueriesThatUseThem) {
  const std::string tables = "CREATE TABLE t (a INT) USING json LOCATION 'in';";

  EXPECT_EQ(QueryOf(tables + "CREATE TEMP VIEW v AS SELECT a FROM t;"
                             "CREATE TEMPORARY VIEW `w x` (b) AS SELECT a + 1 FROM V;"
                             "CREATE TEMPORARY VIEW unused AS SELECT 1; SELECT * FROM `w x`")
                .query,
            "WITH v AS (SELECT a FROM t), `w x`(b) AS (SELECT a + 1 FROM V) (SELECT * FROM `w x`)");
  EXPECT_EQ(QueryOf(tables + "CREATE TEMP VIEW v AS SELECT a FROM t;"
                             "CREATE OR REPLACE TEMP VIEW v AS SELECT a + 1 FROM v; TABLE v")
                .query,
            "WITH v AS (SELECT a FROM t) (WITH v AS (SELECT a + 1 FROM v) (TABLE v))");
  EXPECT_EQ(QueryOf(tables + "CREATE TEMP VIEW v AS SELECT a FROM t;"
                             "WITH v AS (SELECT 1) SELECT * FROM v")
                .query,
            "WITH v AS (SELECT 1) SELECT * FROM v");
}

TEST(ScriptTest, ErrorsInViewsHaveTheirPlaceInTheScript) {
  const std::string text =
      "CREATE TABLE t (a INT) USING json LOCATION 'in';\n"
      "CREATE TEMPORARY VIEW v AS\n  SELECT nosuch FROM t;\n"
      "SELECT *\nFROM v WHERE other = 1";
  const JobSpec query = QueryOf(text);
  const auto place_of = [&](const std::string& word) {
    const auto at = static_cast<int32_t>(query.query.find(word));
    const Span span{at, at + static_cast<int32_t>(word.size())};
    return RenderError(LocateInQuery(query, MakeError(ErrorKind::kInvalid, "X", "x", span)));
  };

  EXPECT_THAT(place_of("nosuch"), HasSubstr("job.sql:3:10"));
  EXPECT_THAT(place_of("other"), HasSubstr("job.sql:5:14"));
}

TEST(ScriptTest, PathsMayStandForTables) {
  const JobSpec query = QueryOf("SELECT * FROM csv.`data/a.csv` JOIN text.`/b.txt`");

  ASSERT_EQ(query.sources.size(), 2u);
  EXPECT_EQ(query.sources[0].name, "csv.data/a.csv");
  EXPECT_EQ(query.sources[0].format, "csv");
  EXPECT_EQ(query.sources[0].options.Find("path"), "/home/me/data/a.csv");
  EXPECT_FALSE(query.sources[0].is_streaming);
  EXPECT_EQ(query.sources[1].options.Find("path"), "/b.txt");
}

TEST(ScriptTest, SettingsHoldForTheStatementsBehindThem) {
  const auto script = Read(
      "SET TIME ZONE 'Europe/Paris'; SELECT 1; SET spark.sql.session.timeZone=Asia/Tokyo;"
      "SET state.key_groups = '32'; SELECT 2",
      {{"state.key_groups", "16"}});

  ASSERT_TRUE(script.ok()) << RenderError(script.status());
  const auto settings = [&](size_t step) {
    return std::get<QueryStep>(script->steps.at(step).action).query.settings;
  };
  EXPECT_EQ(settings(0).at("timeZone"), "Europe/Paris");
  EXPECT_EQ(settings(1).at("timeZone"), "Asia/Tokyo");
  EXPECT_EQ(settings(1).at("state.key_groups"), "16");
}

TEST(ScriptTest, ShowAndDescribeAreSteps) {
  const auto script = Read(
      "CREATE TABLE b (a INT) USING json LOCATION 'x'; CREATE TEMP VIEW a AS SELECT 1;"
      "SHOW TABLES; SHOW TABLES LIKE 'B*'; SHOW FUNCTIONS LIKE 'reg*|abs';"
      "DESCRIBE FUNCTION EXTENDED abs; DESC b; DESCRIBE FUNCTION +; DESCRIBE QUERY SELECT a FROM b;"
      "DESC WITH c AS (SELECT 1) SELECT * FROM c");

  ASSERT_TRUE(script.ok()) << RenderError(script.status());
  ASSERT_EQ(script->steps.size(), 8u);
  EXPECT_THAT(
      std::get<TablesStep>(script->steps[0].action).tables,
      ElementsAre(Field(&TablesStep::Table::name, "a"), Field(&TablesStep::Table::name, "b")));
  EXPECT_EQ(std::get<TablesStep>(script->steps[1].action).tables.size(), 1u);
  EXPECT_EQ(std::get<ShowFunctions>(script->steps[2].action).pattern, "reg*|abs");
  EXPECT_TRUE(std::get<DescribeFunction>(script->steps[3].action).is_extended);
  EXPECT_EQ(std::get<DescribeStep>(script->steps[4].action).query.query, "SELECT * FROM b");
  EXPECT_EQ(std::get<DescribeFunction>(script->steps[5].action).name.text, "+");
  EXPECT_EQ(std::get<DescribeStep>(script->steps[6].action).query.query, "SELECT a FROM b");
  EXPECT_TRUE(std::holds_alternative<DescribeStep>(script->steps[7].action));
}

TEST(ScriptTest, QueriesMayBeExplained) {
  const auto script = Read("EXPLAIN FROM range(3) SELECT id; EXPLAIN EXTENDED SELECT 1; SELECT 2");

  ASSERT_TRUE(script.ok()) << RenderError(script.status());
  ASSERT_EQ(script->steps.size(), 3u);
  EXPECT_TRUE(std::get<QueryStep>(script->steps[0].action).is_explained);
  EXPECT_EQ(std::get<QueryStep>(script->steps[0].action).query.query, "FROM range(3) SELECT id");
  EXPECT_EQ(std::get<QueryStep>(script->steps[1].action).query.query, "SELECT 1");
  EXPECT_FALSE(std::get<QueryStep>(script->steps[2].action).is_explained);
}

TEST(ScriptTest, WhatCannotBeIsRefusedAtItsPlace) {
  const auto has = [](const std::string& text, const std::string& part) {
    EXPECT_THAT(ErrorOf(text), HasSubstr(part)) << text;
  };
  has("CREATE TABLE t (a INT)", "[PARSE_SYNTAX_ERROR]: Syntax error at or near end of input");
  has("CREATE TABLE t USING json COMMENT 'x'", "[UNSUPPORTED_FEATURE.COMMENT]");
  has("CREATE TABLE t USING json TBLPROPERTIES (a = 'b')", "[UNSUPPORTED_FEATURE.TBLPROPERTIES]");
  has("CREATE TABLE t USING json PARTITIONED BY (a)", "[UNSUPPORTED_FEATURE.TABLE_CLAUSE]");
  has("CREATE TABLE t USING json AS SELECT 1", "[UNSUPPORTED_FEATURE.CREATE_TABLE_AS]");
  has("CREATE VIEW v AS SELECT 1", "write CREATE TEMPORARY VIEW");
  has("CREATE STREAMNG TABLE t USING json AS SELECT 1", "did you mean STREAMING?");
  has("CREATE STREAMING TABLE t USING console OPTIONS (outputMode 'apend') AS SELECT 1",
      "did you mean append?");
  has("CREATE TABLE t USING json OPTIONS (path 'a') LOCATION 'b'", "the table has two paths: t");
  has("CREATE TABLE t USING json; CREATE TEMP VIEW T AS SELECT 1", "job.sql:1:45");
  has("SET no.such = 1", "[UNKNOWN_SETTING]");
  has("SET timeZone = Mars/Olympus", "job.sql:1:16");
  has("SELECT 1 FROM", "[PARSE_SYNTAX_ERROR]");
  has("SELECT 1;\nSELEC 2", "job.sql:2:1");
  has("CREATE STREAMING TABLE s USING console AS SELECT 1; SELECT * FROM s",
      "[UNSUPPORTED_FEATURE.READ_STREAMING_TABLE]");
  has("DROP TABLE t", "DROP is not supported");
  has("EXPLAIN COST SELECT 1", "[UNSUPPORTED_FEATURE.EXPLAIN]");
}

TEST(ScriptTest, JobsAndQueriesDoNotMix) {
  EXPECT_THAT(RenderError(ReadJobText("SELECT 1", "q.sql", "/", {}).status()),
              HasSubstr("[INVALID_SPECIFICATION.QUERY_IN_JOB]"));
  EXPECT_THAT(RenderError(ReadJobText("-- nothing", "q.sql", "/", {}).status()),
              HasSubstr("[INVALID_SPECIFICATION.NO_JOB]"));
  const auto script = Read(kJob);
  ASSERT_TRUE(script.ok());
  EXPECT_THAT(RenderError(RequireQueriesOnly(*script, kJob, "job.sql")),
              HasSubstr("a streaming table is a job of its own: clicks_per_page"));
}

TEST(NamePatternTest, StarsMatchAnyTextAndBarsSeparateAlternatives) {
  EXPECT_TRUE(MatchesPattern("array_sort", "*"));
  EXPECT_TRUE(MatchesPattern("array_sort", "ARRAY*"));
  EXPECT_TRUE(MatchesPattern("array_sort", "*a*s*t"));
  EXPECT_TRUE(MatchesPattern("array_sort", "abs|array_sort"));
  EXPECT_FALSE(MatchesPattern("array_sort", "sort"));
  EXPECT_FALSE(MatchesPattern("array_sort", "abs|*y"));
  EXPECT_FALSE(MatchesPattern("a", ""));
}

}  // namespace
}  // namespace tidemill::driver
