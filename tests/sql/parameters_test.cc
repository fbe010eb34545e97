#include "driver/sql/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/spec/job_spec.h"
#include "driver/sql/ast_text.h"
#include "driver/sql/parser.h"

namespace tidemill::driver {
namespace {

using ::testing::HasSubstr;

std::string Bound(const std::string& text, const std::map<std::string, std::string>& values) {
  auto query = sql::ParseQuery(text).ValueOrDie();
  const arrow::Status status = sql::BindParameters(values, query.get());
  if (!status.ok()) return RenderError(WithSource(status, "query", text));
  return sql::AstText(*query);
}

// The text of a query's tree as it is.
std::string Tree(const std::string& text) { return Bound(text, {}); }

TEST(ParametersTest, MarkersAreReplacedEverywhere) {
  EXPECT_EQ(Bound("WITH c AS (SELECT :a) SELECT x[:a], CASE WHEN y > :b THEN 1 END FROM c "
                  "WHERE z IN (SELECT :b FROM t) GROUP BY :a HAVING sum(v) FILTER (WHERE w = :b) "
                  "> 0 ORDER BY :a LIMIT :a",
                  {{"a", "5"}, {"b", "DATE'2024-05-01'"}}),
            Tree("WITH c AS (SELECT 5) SELECT x[5], CASE WHEN y > DATE'2024-05-01' THEN 1 END "
                 "FROM c WHERE z IN (SELECT DATE'2024-05-01' FROM t) GROUP BY 5 HAVING sum(v) "
                 "FILTER (WHERE w = DATE'2024-05-01') > 0 ORDER BY 5 LIMIT 5"));
}

TEST(ParametersTest, AValueIsNeverMoreThanAnExpression) {
  EXPECT_EQ(Bound("SELECT :a", {{"a", "'x\\' OR \\'1'"}}), Tree("SELECT 'x\\' OR \\'1'"));
  EXPECT_THAT(Bound("SELECT :a", {{"a", "1 FROM t"}}), HasSubstr("query:1:8"));
}

TEST(ParametersTest, MarkersAndValuesMustMatch) {
  EXPECT_THAT(Bound("SELECT 1 + :nope", {}),
              HasSubstr("[UNBOUND_SQL_PARAMETER]: Found the unbound parameter: nope."));
  EXPECT_THAT(Bound("SELECT ?", {}), HasSubstr("query:1:8"));
  EXPECT_THAT(Bound("SELECT 1", {{"a", "1"}}), HasSubstr("[UNUSED_SQL_PARAMETER]"));
}

TEST(ParametersTest, YamlValuesHaveSqlTypes) {
  const auto jobs = ReadJobText(
      "query: SELECT 1\nsink: {format: console}\nparameters:\n"
      "  {a: 5, b: -1.5e3, c: true, d: '5', e: it's, f: null, g: {type: date, value: 2024-05-01}}",
      "job.yaml", "/", {});

  ASSERT_TRUE(jobs.ok()) << RenderError(jobs.status());
  EXPECT_EQ(jobs->at(0).parameters,
            (std::map<std::string, std::string>{{"a", "5"},
                                                {"b", "-1.5e3D"},
                                                {"c", "true"},
                                                {"d", "'5'"},
                                                {"e", "'it\\'s'"},
                                                {"f", "NULL"},
                                                {"g", "CAST('2024-05-01' AS DATE)"}}));
}

}  // namespace
}  // namespace tidemill::driver
