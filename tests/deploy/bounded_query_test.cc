#include "deploy/client/bounded_query.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/types/ddl.h"
#include "common/types/time_zone.h"
#include "connectors/row_carrier.h"
#include "deploy/client/row_text.h"
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

arrow::Result<RowSet> Run(const std::string& text, RowSet counts = Counts()) {
  return RunBoundedQuery({.text = text, .file = "query"}, {{"counts", std::move(counts)}});
}

std::string Json(const std::string& text, RowSet counts = Counts()) {
  const auto rows = Run(text, std::move(counts));
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
  EXPECT_EQ(Json("SELECT DISTINCT n FROM counts ORDER BY n LIMIT 1"), "{\"n\":1}\n");
}

TEST(BoundedQueryTest, AnEmptyTableHasAResult) {
  const RowSet empty{Counts().schema, {}};
  EXPECT_EQ(Json("SELECT count(*) AS n FROM counts", empty), "{\"n\":0}\n");
  EXPECT_EQ(Json("SELECT word FROM counts", empty), "");
}

TEST(BoundedQueryTest, ErrorsShowTheirPlace) {
  EXPECT_THAT(Json("SELECT wrod FROM counts"), HasSubstr("query:1:8"));
  EXPECT_THAT(Json("SELECT count(DISTINCT n) FROM counts"), HasSubstr("not supported yet"));
  EXPECT_THAT(Json("SELECT max(c) FROM (SELECT count(*) AS c FROM counts GROUP BY n)"),
              HasSubstr("not supported yet"));
  EXPECT_THAT(Json("SELECT 1 / 0 FROM counts"), HasSubstr("DIVIDE_BY_ZERO"));
}

TEST(BoundedQueryTest, TablesAreFoundInSubqueriesToo) {
  const auto tables =
      TablesOf({.text = "SELECT * FROM (SELECT * FROM counts) t", .file = "query"}).ValueOrDie();
  ASSERT_EQ(tables.size(), 1);
  EXPECT_EQ(tables[0].name, "counts");
  EXPECT_EQ(tables[0].span.begin, 29);
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
