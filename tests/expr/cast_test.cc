#include <gtest/gtest.h>

#include "tests/expr/function_fixture.h"

namespace tidemill {
namespace {

std::string CastMessage(const TestColumn& column, const std::string& type) {
  const auto batch = BatchOf({column});
  auto compiled = CompiledExpr::Make(CastTo(ColumnOf(*batch, 0), type)).ValueOrDie();
  return compiled->Evaluate(TestContext(), *batch).status().message();
}

TEST(CastTest, TextToNumbersTrimsAndRefusesTheRest) {
  EXPECT_EQ(ApplyCast({"STRING", R"([" 12 ", "-3", null])"}, "INT"), (Texts{"12", "-3", "NULL"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["1.5"])"}, "INT"), (Texts{"error: CAST_INVALID_INPUT"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["300"])"}, "TINYINT"), (Texts{"error: CAST_INVALID_INPUT"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["x", "7", ""])"}, "BIGINT", true),
            (Texts{"NULL", "7", "NULL"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["1e3", "Infinity", "1.5"])"}, "DOUBLE"),
            (Texts{"1000.0", "Infinity", "1.5"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["yes", "0", "T"])"}, "BOOLEAN"),
            (Texts{"true", "false", "true"}));
  EXPECT_EQ(CastMessage({"STRING", R"(["it's"])"}, "INT"),
            "The value 'it\\'s' of the type \"STRING\" cannot be cast to \"INT\" because it is "
            "malformed. Correct the value as per the syntax, or change its target type. Use "
            "`try_cast` to tolerate malformed input and return NULL instead.");
}

TEST(CastTest, TextToDecimalRoundsHalfUp) {
  EXPECT_EQ(ApplyCast({"STRING", R"(["1.005", "-1.005", " 12 ", "1e2", ".5"])"}, "DECIMAL(5,2)"),
            (Texts{"1.01", "-1.01", "12.00", "100.00", "0.50"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["1e9"])"}, "DECIMAL(5,2)"),
            (Texts{"error: NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["1.2.3", "e5", "1e", "1e99", "0e99"])"}, "DECIMAL(5,2)", true),
            (Texts{"NULL", "NULL", "NULL", "NULL", "0.00"}));
}

TEST(CastTest, NumbersToSmallerTypesAreChecked) {
  EXPECT_EQ(ApplyCast({"INT", "[127, -128, null]"}, "TINYINT"), (Texts{"127", "-128", "NULL"}));
  EXPECT_EQ(ApplyCast({"INT", "[128]"}, "TINYINT"), (Texts{"error: CAST_OVERFLOW"}));
  EXPECT_EQ(ApplyCast({"DOUBLE", "[127.9, -129]"}, "TINYINT", true), (Texts{"127", "NULL"}));
  EXPECT_EQ(ApplyCast({"DOUBLE", "[2147483648, -1.9]"}, "INT"), (Texts{"error: CAST_OVERFLOW"}));
  EXPECT_EQ(ApplyCast({"DOUBLE", "[NaN, 1e30, 9223372036854775807]"}, "BIGINT", true),
            (Texts{"NULL", "NULL", "9223372036854775807"}));
  EXPECT_EQ(CastMessage({"BIGINT", "[3000000000]"}, "INT"),
            "The value 3000000000L of the type \"BIGINT\" cannot be cast to \"INT\" due to an "
            "overflow. Use `try_cast` to tolerate overflow and return NULL instead.");
}

TEST(CastTest, DecimalsConvertBothWays) {
  EXPECT_EQ(ApplyCast({"DECIMAL(6,2)", R"(["12.99", "-12.99"])"}, "INT"), (Texts{"12", "-12"}));
  EXPECT_EQ(ApplyCast({"DECIMAL(6,2)", R"(["300.00"])"}, "TINYINT"),
            (Texts{"error: CAST_OVERFLOW"}));
  EXPECT_EQ(ApplyCast({"DECIMAL(6,2)", R"(["0.10"])"}, "DOUBLE"), (Texts{"0.1"}));
  EXPECT_EQ(ApplyCast({"DECIMAL(30,2)", R"(["1234567890123456789012345.67"])"}, "DOUBLE"),
            (Texts{"1.2345678901234568E24"}));
  EXPECT_EQ(ApplyCast({"DECIMAL(6,3)", R"(["1.005"])"}, "DECIMAL(4,2)"), (Texts{"1.01"}));
  EXPECT_EQ(ApplyCast({"DOUBLE", "[0.1, 1.005, NaN]"}, "DECIMAL(4,2)"),
            (Texts{"0.10", "1.01", "NULL"}));
  EXPECT_EQ(ApplyCast({"INT", "[100, 10]"}, "DECIMAL(4,2)", true), (Texts{"NULL", "10.00"}));
  EXPECT_EQ(ApplyCast({"BOOLEAN", "[true, false]"}, "DECIMAL(4,2)"), (Texts{"1.00", "0.00"}));
}

TEST(CastTest, BooleansAreOneAndZero) {
  EXPECT_EQ(ApplyCast({"BOOLEAN", "[true, false, null]"}, "INT"), (Texts{"1", "0", "NULL"}));
  EXPECT_EQ(ApplyCast({"DOUBLE", "[0.0, 0.1]"}, "BOOLEAN"), (Texts{"false", "true"}));
  EXPECT_EQ(ApplyCast({"BOOLEAN", "[true, null]"}, "STRING"), (Texts{"true", "NULL"}));
}

TEST(CastTest, EverythingHasText) {
  EXPECT_EQ(ApplyCast({"BIGINT", "[-5, null]"}, "STRING"), (Texts{"-5", "NULL"}));
  EXPECT_EQ(ApplyCast({"DOUBLE", "[1e10, 0.5]"}, "STRING"), (Texts{"1.0E10", "0.5"}));
  EXPECT_EQ(ApplyCast({"DECIMAL(5,2)", R"(["-0.05"])"}, "STRING"), (Texts{"-0.05"}));
  EXPECT_EQ(ApplyCast({"ARRAY<INT>", "[[1, null]]"}, "STRING"), (Texts{"[1, null]"}));
  EXPECT_EQ(ApplyCast({"BINARY", R"(["ab"])"}, "STRING"), (Texts{"ab"}));
  EXPECT_EQ(ApplyCast({"DATE", "[0]"}, "STRING"), (Texts{"1970-01-01"}));
}

TEST(CastTest, DatesAndTimestampsLiveInTheSessionsZone) {
  const TestColumn text = {"STRING", R"(["2026-01-02 03:04:05.5"])"};
  EXPECT_EQ(ApplyCast(text, "TIMESTAMP"), (Texts{"2026-01-02 03:04:05.5"}));
  const TestColumn epoch = {"TIMESTAMP", "[0, null]"};
  EXPECT_EQ(ApplyCast(epoch, "STRING", false, "+02:00"), (Texts{"1970-01-01 02:00:00", "NULL"}));
  EXPECT_EQ(ApplyCast(epoch, "DATE", false, "-01:00"), (Texts{"1969-12-31", "NULL"}));
  EXPECT_EQ(ApplyCast({"DATE", "[1]"}, "TIMESTAMP", false, "+02:00"),
            (Texts{"1970-01-02 00:00:00"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["2026-13-01"])"}, "DATE"),
            (Texts{"error: CAST_INVALID_INPUT"}));
  EXPECT_EQ(ApplyCast({"STRING", R"(["2026-13-01", "2026-12"])"}, "DATE", true),
            (Texts{"NULL", "2026-12-01"}));
}

TEST(CastTest, TimestampsAreSecondsAsNumbers) {
  EXPECT_EQ(ApplyCast({"TIMESTAMP", "[1500000, -1]"}, "BIGINT"), (Texts{"1", "-1"}));
  EXPECT_EQ(ApplyCast({"TIMESTAMP", "[1500000]"}, "DOUBLE"), (Texts{"1.5"}));
  EXPECT_EQ(ApplyCast({"TIMESTAMP", "[1500000]"}, "DECIMAL(10,1)"), (Texts{"1.5"}));
  EXPECT_EQ(ApplyCast({"BIGINT", "[1]"}, "TIMESTAMP"), (Texts{"1970-01-01 00:00:01"}));
  EXPECT_EQ(ApplyCast({"DOUBLE", "[1.25]"}, "TIMESTAMP"), (Texts{"1970-01-01 00:00:01.25"}));
}

TEST(CastTest, NestedTypesAreCastInside) {
  EXPECT_EQ(ApplyCast({"ARRAY<STRING>", R"([["1", null], null, ["2"]])"}, "ARRAY<INT>"),
            (Texts{"[1, null]", "NULL", "[2]"}));
  EXPECT_EQ(ApplyCast({"STRUCT<a: INT>", R"([[1], null])"}, "STRUCT<b: STRING>"),
            (Texts{"{1}", "NULL"}));
  EXPECT_EQ(ApplyCast({"MAP<STRING, INT>", R"([[["1", 2]]])"}, "MAP<INT, STRING>"),
            (Texts{"{1 -> 2}"}));
  EXPECT_EQ(ApplyCast({"ARRAY<STRING>", R"([["x", "2"]])"}, "ARRAY<INT>", true),
            (Texts{"[null, 2]"}));
}

TEST(CastTest, ImpossibleCastsAreRefusedWhenBound) {
  EXPECT_EQ(ApplyCast({"BINARY", R"(["a"])"}, "INT"),
            (Texts{"error: DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"}));
  EXPECT_EQ(ApplyCast({"DATE", "[0]"}, "INT"),
            (Texts{"error: DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"}));
  auto cast = MakeCast(MakeColumn(0, "x", arrow::date32()), arrow::int32(), false);
  EXPECT_EQ(cast.status().message(),
            "Cannot resolve \"CAST(x AS INT)\" due to data type mismatch: cannot cast \"DATE\" to "
            "\"INT\".");
}

}  // namespace
}  // namespace tidemill
