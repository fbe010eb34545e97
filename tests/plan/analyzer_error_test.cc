#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/plan/planning.h"

namespace tidemill::driver {
namespace {

TEST(AnalyzerErrorTest, AnUnknownColumnIsUnderlinedWithTheNearestNames) {
  auto analyzed = AnalyzeText("SELECT user,\n       sum(mss) AS total\nFROM log GROUP BY user");

  ASSERT_FALSE(analyzed.ok());
  EXPECT_EQ(RenderError(analyzed.status()),
            "error[UNRESOLVED_COLUMN.WITH_SUGGESTION]: A column, variable, or function parameter "
            "with name `mss` cannot be resolved. Did you mean one of the following? [`ms`, `s`, "
            "`ts`, `user`, `n`]. SQLSTATE: 42703\n"
            "    --> job.sql:2:12\n"
            "     |\n"
            "   2 |        sum(mss) AS total\n"
            "     |            ^^^\n"
            "     = help: did you mean `ms`?");
}

TEST(AnalyzerErrorTest, WithoutColumnsThereIsNothingToSuggest) {
  EXPECT_EQ(ErrorText("SELECT x"),
            "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION: A column, variable, or function parameter with "
            "name `x` cannot be resolved. | x");
}

TEST(AnalyzerErrorTest, AnUnknownTableIsNamed) {
  auto analyzed = AnalyzeText("SELECT * FROM line");

  ASSERT_FALSE(analyzed.ok());
  EXPECT_EQ(RenderError(analyzed.status()),
            "error[TABLE_OR_VIEW_NOT_FOUND]: The table or view `line` cannot be found. Verify the "
            "spelling and correctness of the schema and catalog. SQLSTATE: 42P01\n"
            "    --> job.sql:1:15\n"
            "     |\n"
            "   1 | SELECT * FROM line\n"
            "     |               ^^^^\n"
            "     = help: did you mean `lines`?");
}

TEST(AnalyzerErrorTest, AmbiguousNamesListWhatTheyCouldBe) {
  EXPECT_EQ(ErrorText("SELECT user FROM log LATERAL VIEW explode(tags) t AS user"),
            "AMBIGUOUS_REFERENCE: Reference `user` is ambiguous, could be: [`log`.`user`, "
            "`t`.`user`]. | user");
}

TEST(AnalyzerErrorTest, StructFieldsMustExist) {
  EXPECT_EQ(ErrorText("SELECT s.c FROM log"),
            "FIELD_NOT_FOUND: No such struct field `c` in `a`, `b`. | s.c");
  EXPECT_EQ(ErrorText("SELECT user.c FROM log"),
            "INVALID_EXTRACT_BASE_FIELD_TYPE: Can't extract a value from \"user\". Need a complex "
            "type [STRUCT, ARRAY, MAP] but got \"STRING\". | user.c");
}

TEST(AnalyzerErrorTest, StarNeedsATableOrAStruct) {
  EXPECT_EQ(ErrorText("SELECT t.* FROM lines"),
            "CANNOT_RESOLVE_STAR_EXPAND: Cannot resolve `t`.* given input columns `value`. Please "
            "check that the specified table or struct exists and is accessible in the input "
            "columns. | t.*");
}

TEST(AnalyzerErrorTest, ConditionsMustBeBoolean) {
  EXPECT_EQ(ErrorText("SELECT n FROM log WHERE n + 1"),
            "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN: Cannot resolve \"(n + 1)\" due to data type "
            "mismatch: Filter expression \"(n + 1)\" of type \"INT\" is not a boolean. | n + 1");
}

TEST(AnalyzerErrorTest, GeneratorsStandAloneInTheSelectList) {
  EXPECT_EQ(ErrorText("SELECT upper(explode(tags)) FROM log"),
            "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS: The generator is not supported: nested "
            "in expressions \"explode(tags)\". | explode(tags)");
  EXPECT_EQ(ErrorText("SELECT count(*), explode(array(1)), explode(array(2)) FROM log", kUpdate),
            "UNSUPPORTED_GENERATOR.MULTI_GENERATOR: The generator is not supported: only one "
            "generator allowed per SELECT clause but found 2: \"explode(array(1))\", "
            "\"explode(array(2))\". | explode(array(2))");
  EXPECT_EQ(ErrorText("SELECT n FROM log WHERE explode(tags) = 'a'"),
            "INVALID_WHERE_CONDITION: The WHERE condition \"explode(tags) = 'a'\" contains invalid "
            "expressions: explode(tags). Rewrite the query to avoid window functions, aggregate "
            "functions, and generator functions in the WHERE clause. | explode(tags)");
  EXPECT_EQ(ErrorText("SELECT explode(tags) AS t, count(*) FROM log GROUP BY t", kUpdate),
            "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT: The generator is not supported: outside the "
            "SELECT clause, found: GROUP BY explode(tags). | t");
}

TEST(AnalyzerErrorTest, AliasesThatNameAliasesAreLimited) {
  std::string chain = "SELECT n AS a0";
  for (int i = 1; i < 60; ++i)
    chain += ", a" + std::to_string(i - 1) + " + 1 AS a" + std::to_string(i);
  EXPECT_EQ(ErrorText(chain + " FROM log"), "");
  for (int i = 60; i < 150; ++i) {
    chain += ", a" + std::to_string(i - 1) + " + 1 AS a" + std::to_string(i);
  }
  EXPECT_NE(ErrorText(chain + " FROM log").find("FAILED_TO_PARSE_TOO_COMPLEX"), std::string::npos);
  std::string doubled = "SELECT max(user) AS a0";
  for (int i = 1; i < 60; ++i) {
    const std::string before = "a" + std::to_string(i - 1);
    doubled += ", " + before + " || " + before + " AS a" + std::to_string(i);
  }
  EXPECT_EQ(ErrorText(doubled + " FROM log", kUpdate), "");
  EXPECT_NE(ErrorText(doubled + " FROM log HAVING a59 = 'x'", kUpdate).find("QUERY_TOO_LARGE"),
            std::string::npos);
}

TEST(AnalyzerErrorTest, GeneratorsNeedACollection) {
  EXPECT_EQ(ErrorText("SELECT explode(user) FROM log"),
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE: Cannot resolve \"explode(user)\" due to data "
            "type mismatch: The first parameter requires the (\"ARRAY\" or \"MAP\") type, however "
            "\"user\" has the type \"STRING\". | explode(user)");
}

TEST(AnalyzerErrorTest, GeneratorAliasesMustMatchTheirColumns) {
  EXPECT_EQ(ErrorText("SELECT explode(attrs) AS a FROM log"),
            "UDTF_ALIAS_NUMBER_MISMATCH: The number of aliases supplied in the AS clause does not "
            "match the number of columns output by the UDTF. Expected 2 aliases, but got a. Please "
            "ensure that the number of aliases provided matches the number of columns output by "
            "the UDTF. | explode(attrs)");
}

TEST(AnalyzerErrorTest, OrdinalsMustBeInTheSelectList) {
  EXPECT_EQ(ErrorText("SELECT user, count(*) FROM log GROUP BY 1 ORDER BY 3", kComplete),
            "ORDER_BY_POS_OUT_OF_RANGE: ORDER BY position 3 is not in select list (valid range is "
            "[1, 2]). | 3");
}

TEST(AnalyzerErrorTest, LimitsAreNonNegativeConstants) {
  EXPECT_EQ(ErrorText("SELECT count(*) FROM log LIMIT -1", kComplete),
            "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE: The limit like expression \"-1\" is "
            "invalid. The limit expression must be equal to or greater than 0, but got -1. | -1");
  EXPECT_EQ(ErrorText("SELECT count(*) FROM log LIMIT 'a'", kComplete),
            "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE: The limit like expression \"'a'\" is "
            "invalid. The limit expression must be integer type, but got \"STRING\". | 'a'");
}

TEST(AnalyzerErrorTest, BadTypesInCastsAreUnderlined) {
  const std::string error = ErrorText("SELECT CAST(user AS ARRAY<INTT>) FROM log");

  EXPECT_NE(error.find("INTT"), std::string::npos) << error;
  EXPECT_TRUE(error.ends_with("| INTT")) << error;
}

TEST(AnalyzerErrorTest, UnknownFunctionsAreNamed) {
  EXPECT_EQ(ErrorText("SELECT uper(user) FROM log"),
            "UNRESOLVED_ROUTINE: Cannot resolve routine `uper` on search path "
            "[`system`.`builtin`]. | uper(user)");
}

TEST(AnalyzerErrorTest, TimeWindowsWantConstantLengthsThatFit) {
  EXPECT_THAT(ErrorText("SELECT count(*) FROM log GROUP BY window(ts, '-1 minute')", kUpdate),
              testing::StartsWith("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE"));
  EXPECT_THAT(
      ErrorText("SELECT count(*) FROM log GROUP BY window(ts, '1 minute', '2 minutes')", kUpdate),
      testing::StartsWith("DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION"));
  EXPECT_THAT(ErrorText("SELECT count(*) FROM log GROUP BY window(ts, user)", kUpdate),
              testing::StartsWith("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"));
  EXPECT_THAT(ErrorText("SELECT user FROM log WHERE window(ts, '1 minute').start < ts"),
              testing::StartsWith("UNSUPPORTED_FEATURE.TIME_WINDOW_HERE"));
}

TEST(AnalyzerErrorTest, AQueryThatIsNotInTheFileByteByByteIsShownOnItsOwn) {
  JobSpec spec = SpecOf("SELECT x FROM lines");
  spec.file = "job.yaml";
  spec.text = "query: \"SELECT\\x20x\\x20FROM\\x20lines\"\n";
  spec.query_place.pieces.clear();

  auto analyzed = AnalyzeQuery(spec, TestSources());

  ASSERT_FALSE(analyzed.ok());
  EXPECT_NE(RenderError(analyzed.status()).find("--> query of job.yaml:1:8"), std::string::npos);
}

}  // namespace
}  // namespace tidemill::driver
