#include <gtest/gtest.h>

#include "tests/expr/function_fixture.h"

namespace tidemill {
namespace {

TEST(ArithmeticTest, ResultTypesFollowAnsiCoercion) {
  EXPECT_EQ(TypeOf("+", {"INT", "BIGINT"}), "BIGINT");
  EXPECT_EQ(TypeOf("+", {"TINYINT", "SMALLINT"}), "SMALLINT");
  EXPECT_EQ(TypeOf("+", {"INT", "FLOAT"}), "DOUBLE");
  EXPECT_EQ(TypeOf("+", {"INT", "STRING"}), "BIGINT");
  EXPECT_EQ(TypeOf("+", {"DOUBLE", "STRING"}), "DOUBLE");
  EXPECT_EQ(TypeOf("/", {"INT", "INT"}), "DOUBLE");
  EXPECT_EQ(TypeOf("div", {"INT", "INT"}), "BIGINT");
  EXPECT_EQ(TypeOf("+", {"BOOLEAN", "INT"}), "error: DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES");
  EXPECT_EQ(TypeOf("+", {"BOOLEAN", "BOOLEAN"}), "error: DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE");
  EXPECT_EQ(TypeOf("+", {"DATE", "INT"}), "DATE");
}

TEST(ArithmeticTest, NullOperandsGiveNull) {
  EXPECT_EQ(Apply("+", {{"INT", "[1, null, 3]"}, {"INT", "[10, 20, null]"}}),
            (Texts{"11", "NULL", "NULL"}));
  EXPECT_EQ(Apply("*", {{"DOUBLE", "[1.5, null]"}, {"DOUBLE", "[2, 2]"}}), (Texts{"3.0", "NULL"}));
  EXPECT_EQ(Apply("-", {{"BIGINT", "[5]"}, {"VOID", "[null]"}}), (Texts{"NULL"}));
}

TEST(ArithmeticTest, OverflowIsAnError) {
  EXPECT_EQ(Apply("+", {{"INT", "[2147483647]"}, {"INT", "[1]"}}),
            (Texts{"error: ARITHMETIC_OVERFLOW"}));
  EXPECT_EQ(Apply("-", {{"BIGINT", "[-9223372036854775808]"}, {"BIGINT", "[1]"}}),
            (Texts{"error: ARITHMETIC_OVERFLOW"}));
  EXPECT_EQ(Apply("*", {{"BIGINT", "[4611686018427387904]"}, {"BIGINT", "[2]"}}),
            (Texts{"error: ARITHMETIC_OVERFLOW"}));
  EXPECT_EQ(Apply("+", {{"TINYINT", "[127]"}, {"TINYINT", "[1]"}}),
            (Texts{"error: BINARY_ARITHMETIC_OVERFLOW"}));
  EXPECT_EQ(MessageOf("+", {{"BIGINT", "[9223372036854775807]"}, {"BIGINT", "[1]"}}),
            "long overflow. Use 'try_add' to tolerate overflow and return NULL instead. If "
            "necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error.");
}

TEST(ArithmeticTest, OverflowUnderANullIsNone) {
  // The arrays of a filter's output may hold anything on NULL rows.
  EXPECT_EQ(Apply("+", {{"INT", "[2147483647, 1]"}, {"INT", "[null, 1]"}}), (Texts{"NULL", "2"}));
  EXPECT_EQ(Apply("div", {{"INT", "[1, 7]"}, {"INT", "[null, 2]"}}), (Texts{"NULL", "3"}));
}

TEST(ArithmeticTest, DivisionByZeroIsAnError) {
  EXPECT_EQ(Apply("/", {{"INT", "[1]"}, {"INT", "[0]"}}), (Texts{"error: DIVIDE_BY_ZERO"}));
  EXPECT_EQ(Apply("/", {{"DOUBLE", "[1.0]"}, {"DOUBLE", "[-0.0]"}}),
            (Texts{"error: DIVIDE_BY_ZERO"}));
  EXPECT_EQ(Apply("div", {{"INT", "[1]"}, {"INT", "[0]"}}), (Texts{"error: DIVIDE_BY_ZERO"}));
  EXPECT_EQ(Apply("%", {{"INT", "[1]"}, {"INT", "[0]"}}), (Texts{"error: REMAINDER_BY_ZERO"}));
  EXPECT_EQ(MessageOf("/", {{"INT", "[1]"}, {"INT", "[0]"}}),
            "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL "
            "instead. If necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this "
            "error.");
}

TEST(ArithmeticTest, TryFunctionsGiveNullWhereOperatorsFail) {
  EXPECT_EQ(Apply("try_add", {{"INT", "[2147483647, 1]"}, {"INT", "[1, 1]"}}),
            (Texts{"NULL", "2"}));
  EXPECT_EQ(Apply("try_divide", {{"INT", "[1, 1]"}, {"INT", "[0, 2]"}}), (Texts{"NULL", "0.5"}));
  EXPECT_EQ(Apply("try_mod", {{"BIGINT", "[1, 5]"}, {"BIGINT", "[0, 3]"}}), (Texts{"NULL", "2"}));
}

TEST(ArithmeticTest, RemainderTakesTheSignOfTheDividend) {
  EXPECT_EQ(Apply("%", {{"INT", "[7, -7, 7, -2147483648]"}, {"INT", "[3, 3, -3, -1]"}}),
            (Texts{"1", "-1", "1", "0"}));
  EXPECT_EQ(Apply("pmod", {{"INT", "[7, -7, -7]"}, {"INT", "[3, 3, -3]"}}),
            (Texts{"1", "2", "-1"}));
  EXPECT_EQ(Apply("%", {{"DOUBLE", "[5.5, -5.5]"}, {"DOUBLE", "[2, 2]"}}), (Texts{"1.5", "-1.5"}));
}

TEST(ArithmeticTest, IntegralDivisionTruncatesAndOverflowsOnce) {
  EXPECT_EQ(Apply("div", {{"INT", "[7, -7, 7]"}, {"INT", "[2, 2, -1]"}}), (Texts{"3", "-3", "-7"}));
  EXPECT_EQ(Apply("div", {{"BIGINT", "[-9223372036854775808]"}, {"BIGINT", "[-1]"}}),
            (Texts{"error: ARITHMETIC_OVERFLOW"}));
}

TEST(ArithmeticTest, NegativeAndAbsFailOnTheLeastInteger) {
  EXPECT_EQ(Apply("negative", {{"INT", "[5, null, -5]"}}), (Texts{"-5", "NULL", "5"}));
  EXPECT_EQ(Apply("negative", {{"INT", "[-2147483648]"}}), (Texts{"error: ARITHMETIC_OVERFLOW"}));
  EXPECT_EQ(Apply("abs", {{"BIGINT", "[-3, 3]"}}), (Texts{"3", "3"}));
  EXPECT_EQ(Apply("abs", {{"TINYINT", "[-128]"}}), (Texts{"error: ARITHMETIC_OVERFLOW"}));
  EXPECT_EQ(Apply("abs", {{"DECIMAL(5,2)", R"(["-1.50"])"}}), (Texts{"1.50"}));
}

TEST(DecimalTest, ResultTypesFollowSparksPrecisionRules) {
  EXPECT_EQ(TypeOf("+", {"DECIMAL(10,2)", "DECIMAL(5,4)"}), "DECIMAL(13,4)");
  EXPECT_EQ(TypeOf("*", {"DECIMAL(10,2)", "DECIMAL(5,4)"}), "DECIMAL(16,6)");
  EXPECT_EQ(TypeOf("/", {"DECIMAL(10,2)", "DECIMAL(5,4)"}), "DECIMAL(20,8)");
  EXPECT_EQ(TypeOf("%", {"DECIMAL(10,2)", "DECIMAL(5,4)"}), "DECIMAL(5,4)");
  EXPECT_EQ(TypeOf("*", {"DECIMAL(38,10)", "DECIMAL(38,10)"}), "DECIMAL(38,6)");
  EXPECT_EQ(TypeOf("+", {"DECIMAL(10,2)", "INT"}), "DECIMAL(13,2)");
  EXPECT_EQ(TypeOf("+", {"DECIMAL(10,2)", "DOUBLE"}), "DOUBLE");
  EXPECT_EQ(TypeOf("div", {"DECIMAL(10,2)", "DECIMAL(5,4)"}), "BIGINT");
}

TEST(DecimalTest, ComputesExactlyAndRoundsHalfUp) {
  const TestColumn a = {"DECIMAL(10,2)", R"(["10.05", "-10.05", null])"};
  const TestColumn b = {"DECIMAL(5,1)", R"(["0.3", "0.3", "1.0"])"};
  EXPECT_EQ(Apply("+", {a, b}), (Texts{"10.35", "-9.75", "NULL"}));
  EXPECT_EQ(Apply("-", {a, b}), (Texts{"9.75", "-10.35", "NULL"}));
  EXPECT_EQ(Apply("*", {a, b}), (Texts{"3.015", "-3.015", "NULL"}));
  EXPECT_EQ(Apply("/", {a, b}), (Texts{"33.50000000", "-33.50000000", "NULL"}));
  EXPECT_EQ(Apply("div", {a, b}), (Texts{"33", "-33", "NULL"}));
  EXPECT_EQ(Apply("%", {a, b}), (Texts{"0.15", "-0.15", "NULL"}));
}

TEST(DecimalTest, WideValuesGoThrough256Bits) {
  const TestColumn wide = {"DECIMAL(38,10)", R"(["1234567890123456789.0123456789"])"};
  EXPECT_EQ(Apply("*", {wide, {"DECIMAL(38,10)", R"(["2.0000000000"])"}}),
            (Texts{"2469135780246913578.024691"}));
  EXPECT_EQ(Apply("/", {wide, {"DECIMAL(38,10)", R"(["3.0000000000"])"}}),
            (Texts{"411522630041152263.004115"}));
}

TEST(DecimalTest, OverflowAndZeroDivisorAreErrors) {
  const TestColumn most = {"DECIMAL(38,0)", R"(["99999999999999999999999999999999999999"])"};
  EXPECT_EQ(Apply("+", {most, {"DECIMAL(38,0)", R"(["1"])"}}),
            (Texts{"error: NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"}));
  EXPECT_EQ(Apply("/", {{"DECIMAL(5,2)", R"(["1.00"])"}, {"DECIMAL(5,2)", R"(["0.00"])"}}),
            (Texts{"error: DIVIDE_BY_ZERO"}));
  EXPECT_EQ(MessageOf("+", {most, {"DECIMAL(38,0)", R"(["1"])"}}),
            "100000000000000000000000000000000000000 cannot be represented as Decimal(38, 0). If "
            "necessary set \"spark.sql.ansi.enabled\" to \"false\" to bypass this error, and "
            "return NULL instead.");
}

TEST(RoundTest, RoundsHalfAwayFromZeroOnTheDecimalText) {
  const TestColumn x = {"DOUBLE", "[2.5, -2.5, 1.005, 2.675, 1e300, null]"};
  EXPECT_EQ(Apply("round", {x}), (Texts{"3.0", "-3.0", "1.0", "3.0", "1.0E300", "NULL"}));
  EXPECT_EQ(
      Evaluated(Call("round", {ColumnOf(*BatchOf({x}), 0), Literal("INT", "2")}), *BatchOf({x})),
      (Texts{"2.5", "-2.5", "1.01", "2.68", "1.0E300", "NULL"}));
  EXPECT_EQ(Apply("bround", {{"DOUBLE", "[2.5, 3.5, -0.5]"}}), (Texts{"2.0", "4.0", "0.0"}));
}

TEST(RoundTest, RoundsIntegersAndDecimalsBeforeThePoint) {
  const auto batch =
      BatchOf({{"INT", "[1250, -1250, 49]"}, {"DECIMAL(6,3)", R"(["12.345", "-99.995", null])"}});
  EXPECT_EQ(Evaluated(Call("round", {ColumnOf(*batch, 0), Literal("INT", "-2")}), *batch),
            (Texts{"1300", "-1300", "0"}));
  EXPECT_EQ(Evaluated(Call("round", {ColumnOf(*batch, 1), Literal("INT", "2")}), *batch),
            (Texts{"12.35", "-100.00", "NULL"}));
  EXPECT_EQ(TypeOf("ceil", {"DECIMAL(6,3)"}), "DECIMAL(4,0)");
}

TEST(MathTest, KeepsToSparksEdges) {
  EXPECT_EQ(Apply("ceil", {{"DOUBLE", "[1.2, -1.2, null]"}}), (Texts{"2", "-1", "NULL"}));
  EXPECT_EQ(Apply("floor", {{"DECIMAL(4,1)", R"(["1.2", "-1.2"])"}}), (Texts{"1", "-2"}));
  EXPECT_EQ(Apply("sqrt", {{"DOUBLE", "[4, -1]"}}), (Texts{"2.0", "NaN"}));
  EXPECT_EQ(Apply("ln", {{"DOUBLE", "[1, 0, -1]"}}), (Texts{"0.0", "NULL", "NULL"}));
  EXPECT_EQ(Apply("log", {{"DOUBLE", "[2, 2]"}, {"DOUBLE", "[8, 0]"}}), (Texts{"3.0", "NULL"}));
  EXPECT_EQ(Apply("log10", {{"INT", "[1000]"}}), (Texts{"3.0"}));
  EXPECT_EQ(Apply("log2", {{"INT", "[8]"}}), (Texts{"3.0"}));
  EXPECT_EQ(Apply("pow", {{"INT", "[2]"}, {"INT", "[10]"}}), (Texts{"1024.0"}));
  EXPECT_EQ(Apply("exp", {{"INT", "[0]"}}), (Texts{"1.0"}));
  EXPECT_EQ(Apply("sign", {{"INT", "[-7, 0, 7]"}}), (Texts{"-1.0", "0.0", "1.0"}));
}

}  // namespace
}  // namespace tidemill
