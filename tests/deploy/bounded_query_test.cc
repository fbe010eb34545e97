#include "deploy/client/bounded_query.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/types/ddl.h"
#include "common/types/time_zone.h"
#include "connectors/row_carrier.h"
#include "deploy/client/row_text.h"
#include "deploy/client/script_rows.h"
#include "driver/spec/script/script.h"
#include "tests/testing/batches.h"

namespace tidemill::deploy {
namespace {

using ::testing::HasSubstr;

RowSet Counts() {
  constexpr const char* kDdl = "word STRING, n BIGINT";
  return {*ParseDdlSchema(kDdl),
          {tidemill::testing::MakeBatch(kDdl, R"([["tide", 3], ["mill", 1], [null, 7]])"),
           tidemill::testing::MakeBatch(kDdl, R"([["sea, \"salt\"", 2], ["", 3]])")}};
}

// What `counts` is in every test.
TableFinder FindCounts(const RowSet& counts) {
  return [&counts](const driver::JobSpec&,
                   const std::vector<TableName>&) -> arrow::Result<std::map<std::string, RowSet>> {
    return std::map<std::string, RowSet>{{"counts", counts}};
  };
}

// The rows of the last statement of a script.
arrow::Result<RowSet> Run(const std::string& text, const RowSet& counts = Counts()) {
  ARROW_ASSIGN_OR_RAISE(const auto script, driver::ReadScript(text, "query", "/", {}));
  return RowsOf(script.steps.back(), FindCounts(counts));
}

std::string Json(const std::string& text, const RowSet& counts = Counts()) {
  const auto rows = Run(text, counts);
  if (!rows.ok()) return RenderError(rows.status());
  return RowsAsJson(*rows, *FindTimeZone("UTC"));
}

TEST(BoundedQueryTest, RowsComeInTheOrderOfTheTable) {
  EXPECT_EQ(Json("SELECT word, n FROM counts WHERE n < 7"),
            "{\"word\":\"tide\",\"n\":3}\n{\"word\":\"mill\",\"n\":1}\n"
            "{\"word\":\"sea, \\\"salt\\\"\",\"n\":2}\n{\"word\":\"\",\"n\":3}\n");
}

TEST(BoundedQueryTest, WhatStreamsCannotDoIsAllowed) {
  EXPECT_EQ(Json("SELECT n FROM counts ORDER BY n DESC LIMIT 2"), "{\"n\":7}\n{\"n\":3}\n");
  EXPECT_EQ(Json("SELECT n, count(*) AS c FROM counts GROUP BY n ORDER BY n"),
            "{\"n\":1,\"c\":1}\n{\"n\":2,\"c\":1}\n{\"n\":3,\"c\":2}\n{\"n\":7,\"c\":1}\n");
  EXPECT_EQ(Json("SELECT sum(n) AS s FROM (SELECT n FROM counts ORDER BY n LIMIT 2)"),
            "{\"s\":3}\n");
  EXPECT_EQ(Json("SELECT max(c) AS m FROM (SELECT count(*) AS c FROM counts GROUP BY n)"),
            "{\"m\":2}\n");
  EXPECT_EQ(Json("SELECT DISTINCT n FROM counts ORDER BY n LIMIT 1"), "{\"n\":1}\n");
}

TEST(BoundedQueryTest, AnEmptyTableHasAResult) {
  const RowSet empty{Counts().schema, {}};
  EXPECT_EQ(Json("SELECT count(*) AS n FROM counts", empty), "{\"n\":0}\n");
  EXPECT_EQ(Json("SELECT word FROM counts", empty), "");
}

TEST(BoundedQueryTest, ErrorsShowTheirPlace) {
  EXPECT_THAT(Json("SELECT wrod FROM counts"), HasSubstr("query:1:8"));
  EXPECT_THAT(Json("SELECT 1 / 0 FROM counts"), HasSubstr("DIVIDE_BY_ZERO"));
}

TEST(BoundedQueryTest, TablesThatAreNotDeclaredAreAskedForOnce) {
  driver::JobSpec query;
  query.query =
      "SELECT * FROM (SELECT * FROM counts) t UNION ALL TABLE Counts UNION ALL TABLE here";
  query.sources.resize(1);
  query.sources[0].name = "here";

  const auto tables = UndeclaredTables(query).ValueOrDie();

  ASSERT_EQ(tables.size(), 1);
  EXPECT_EQ(tables[0].name, "counts");
  EXPECT_EQ(tables[0].span.begin, 29);
}

TEST(ScriptRowsTest, ShowAndDescribeHaveSparksColumns) {
  EXPECT_EQ(Json("CREATE TABLE t (a INT) USING json LOCATION '/'; SHOW TABLES"),
            "{\"namespace\":\"default\",\"tableName\":\"t\",\"isTemporary\":false}\n");
  EXPECT_EQ(Json("DESCRIBE counts"),
            "{\"col_name\":\"word\",\"data_type\":\"string\"}\n"
            "{\"col_name\":\"n\",\"data_type\":\"bigint\"}\n");
  EXPECT_EQ(Json("DESCRIBE QUERY SELECT word, 1 + n FROM counts"),
            "{\"col_name\":\"word\",\"data_type\":\"string\"}\n"
            "{\"col_name\":\"(1 + n)\",\"data_type\":\"bigint\"}\n");
  EXPECT_EQ(Json("SHOW FUNCTIONS LIKE 'regexp_repl*'"), "{\"function\":\"regexp_replace\"}\n");
  EXPECT_THAT(Json("DESCRIBE FUNCTION upper"),
              HasSubstr("{\"function_desc\":\"Function: upper\"}"));
  EXPECT_EQ(Json("DESCRIBE FUNCTION nosuch"),
            "{\"function_desc\":\"Function: nosuch not found.\"}\n");
}

TEST(BoundedQueryTest, ATableTravelsAsArrow) {
  const RowSet counts = Counts();
  const RowSet decoded = DecodeTable(*connectors::EncodeRows(counts.batches)).ValueOrDie();
  EXPECT_TRUE(decoded.schema->Equals(*counts.schema));
  EXPECT_EQ(decoded.batches.size(), 2);
  EXPECT_EQ(ErrorClassOf(DecodeTable("nonsense").status()), "TABLE_CORRUPT");
}

TEST(RowTextTest, CsvQuotesWhatItMust) {
  EXPECT_EQ(RowsAsCsv(Counts(), **FindTimeZone("UTC")),
            "word,n\ntide,3\nmill,1\n,7\n\"sea, \"\"salt\"\"\",2\n\"\",3\n");
}

TEST(RowTextTest, ATableHasBorders) {
  const RowSet rows{Counts().schema, {Counts().batches[0]}};
  EXPECT_EQ(RowsAsTable(rows, **FindTimeZone("UTC")).ValueOrDie(),
            "+----+---+\n|word|n  |\n+----+---+\n|tide|3  |\n|mill|1  |\n|NULL|7  |\n+----+---+\n");
}

}  // namespace
}  // namespace tidemill::deploy
