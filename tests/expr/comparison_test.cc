#include <gtest/gtest.h>

#include "tests/expr/function_fixture.h"

namespace tidemill {
namespace {

const char* const kBooleans = "[true, true, true, false, false, false, null, null, null]";
const char* const kOthers = "[true, false, null, true, false, null, true, false, null]";

TEST(LogicTest, AndOrNotAreThreeValued) {
  const TestColumn a = {"BOOLEAN", kBooleans}, b = {"BOOLEAN", kOthers};
  EXPECT_EQ(Apply("and", {a, b}),
            (Texts{"true", "false", "NULL", "false", "false", "false", "NULL", "false", "NULL"}));
  EXPECT_EQ(Apply("or", {a, b}),
            (Texts{"true", "true", "true", "true", "false", "NULL", "true", "NULL", "NULL"}));
  EXPECT_EQ(Apply("not", {{"BOOLEAN", "[true, false, null]"}}), (Texts{"false", "true", "NULL"}));
}

TEST(LogicTest, IsThreeValuedAlsoWhereTheRightSideCanFail) {
  const auto batch = BatchOf(
      {{"BOOLEAN", kBooleans},
       {"STRING", R"(["true", "false", null, "true", "false", null, "true", "false", null])"}});
  const ExprPtr right = CastTo(ColumnOf(*batch, 1), "BOOLEAN");
  EXPECT_EQ(Evaluated(Call("and", {ColumnOf(*batch, 0), right}), *batch),
            (Texts{"true", "false", "NULL", "false", "false", "false", "NULL", "false", "NULL"}));
  EXPECT_EQ(Evaluated(Call("or", {ColumnOf(*batch, 0), right}), *batch),
            (Texts{"true", "true", "true", "true", "false", "NULL", "true", "NULL", "NULL"}));
}

TEST(ComparisonTest, NullsGiveNullButNotWithTheNullSafeOperator) {
  const TestColumn a = {"INT", "[1, 2, null, null]"}, b = {"INT", "[1, 1, 1, null]"};
  EXPECT_EQ(Apply("=", {a, b}), (Texts{"true", "false", "NULL", "NULL"}));
  EXPECT_EQ(Apply("!=", {a, b}), (Texts{"false", "true", "NULL", "NULL"}));
  EXPECT_EQ(Apply("<=>", {a, b}), (Texts{"true", "false", "false", "true"}));
  EXPECT_EQ(Apply("isnull", {a}), (Texts{"false", "false", "true", "true"}));
  EXPECT_EQ(Apply("isnotnull", {a}), (Texts{"true", "true", "false", "false"}));
}

TEST(ComparisonTest, NanEqualsItselfAndIsTheLargest) {
  const TestColumn a = {"DOUBLE", "[NaN, NaN, 1.0, 0.0]"};
  const TestColumn b = {"DOUBLE", "[NaN, Inf, NaN, -0.0]"};
  EXPECT_EQ(Apply("=", {a, b}), (Texts{"true", "false", "false", "true"}));
  EXPECT_EQ(Apply("<", {a, b}), (Texts{"false", "false", "true", "false"}));
  EXPECT_EQ(Apply("<=", {a, b}), (Texts{"true", "false", "true", "true"}));
  EXPECT_EQ(Apply(">", {a, b}), (Texts{"false", "true", "false", "false"}));
  EXPECT_EQ(Apply(">=", {a, b}), (Texts{"true", "true", "false", "true"}));
  EXPECT_EQ(Apply("isnan", {{"DOUBLE", "[NaN, 1.0, null]"}}), (Texts{"true", "false", "false"}));
}

TEST(ComparisonTest, OperandsMeetInTheirCommonType) {
  EXPECT_EQ(Apply("=", {{"INT", "[1]"}, {"STRING", R"([" 1 "])"}}), (Texts{"true"}));
  EXPECT_EQ(Apply("<", {{"INT", "[1]"}, {"DECIMAL(3,1)", R"(["1.5"])"}}), (Texts{"true"}));
  EXPECT_EQ(Apply("<", {{"STRING", R"(["a", "b", "\u00e9"])"}, {"STRING", R"(["b", "b", "z"])"}}),
            (Texts{"true", "false", "false"}));
  EXPECT_EQ(Apply("=", {{"STRING", R"(["x"])"}, {"INT", "[1]"}}),
            (Texts{"error: CAST_INVALID_INPUT"}));
  EXPECT_EQ(TypeOf("=", {"MAP<INT, INT>", "MAP<INT, INT>"}),
            "error: DATATYPE_MISMATCH.INVALID_ORDERING_TYPE");
  EXPECT_EQ(TypeOf("=", {"INT", "ARRAY<INT>"}), "error: DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES");
}

TEST(ComparisonTest, StructsAndArraysCompareFromLeftToRight) {
  const TestColumn a = {"ARRAY<INT>", "[[1, 2], [1], [null], null]"};
  const TestColumn b = {"ARRAY<INT>", "[[1, 3], [1], [1], [1]]"};
  EXPECT_EQ(Apply("<", {a, b}), (Texts{"true", "false", "true", "NULL"}));
  EXPECT_EQ(Apply("=", {a, b}), (Texts{"false", "true", "false", "NULL"}));
  EXPECT_EQ(Apply("=", {{"STRUCT<x: INT, y: STRING>", R"([[1, "a"]])"},
                        {"STRUCT<x: INT, y: STRING>", R"([[1, "a"]])"}}),
            (Texts{"true"}));
}

TEST(InTest, IsNullWhereTheAnswerDependsOnANull) {
  const auto batch = BatchOf({{"INT", "[1, 2, null]"}});
  auto in = [&](std::vector<ExprPtr> list) {
    list.insert(list.begin(), ColumnOf(*batch, 0));
    return Evaluated(Call("in", std::move(list)), *batch);
  };
  const ExprPtr one = Literal("INT", "1"), null = Literal("VOID", "null");
  EXPECT_EQ(in({one}), (Texts{"true", "false", "NULL"}));
  EXPECT_EQ(in({one, null}), (Texts{"true", "NULL", "NULL"}));
  // More than a few literals are looked up in a set; the answers stay.
  std::vector<ExprPtr> many;
  for (int i = 10; i < 30; ++i) many.push_back(Literal("INT", std::to_string(i)));
  EXPECT_EQ(in(many), (Texts{"false", "false", "NULL"}));
  many.push_back(one);
  EXPECT_EQ(in(many), (Texts{"true", "false", "NULL"}));
  many.push_back(null);
  EXPECT_EQ(in(many), (Texts{"true", "NULL", "NULL"}));
}

TEST(InTest, BetweenIsTwoComparisons) {
  EXPECT_EQ(
      Apply("between",
            {{"INT", "[1, 5, 9, null]"}, {"INT", "[1, 1, 1, 1]"}, {"BIGINT", "[5, 5, 5, 5]"}}),
      (Texts{"true", "true", "false", "NULL"}));
  // Beyond one bound the other one does not matter.
  EXPECT_EQ(Apply("between", {{"INT", "[9]"}, {"INT", "[null]"}, {"INT", "[5]"}}),
            (Texts{"false"}));
}

TEST(ConditionalTest, CaseTakesTheFirstTrueBranch) {
  const auto batch = BatchOf({{"INT", "[1, 2, 3, null]"}});
  const ExprPtr a = ColumnOf(*batch, 0);
  auto is = [&](const char* value) { return Call("=", {a, Literal("INT", value)}); };
  EXPECT_EQ(Evaluated(Call("case", {is("1"), Literal("STRING", "\"one\""), is("2"),
                                    Literal("STRING", "\"two\"")}),
                      *batch),
            (Texts{"one", "two", "NULL", "NULL"}));
  EXPECT_EQ(Evaluated(Call("case", {is("1"), Literal("STRING", "\"one\""), is("2"), a,
                                    Literal("STRING", "\"else\"")}),
                      *batch),
            (Texts{"error: CAST_INVALID_INPUT"}));  // STRING and INT meet in BIGINT
  EXPECT_EQ(Evaluated(Call("if", {is("1"), a, Literal("BIGINT", "0")}), *batch),
            (Texts{"1", "0", "0", "0"}));
  EXPECT_EQ(
      Evaluated(Call("if", {is("1"), Literal("VOID", "null"), Literal("VOID", "null")}), *batch),
      (Texts{"NULL", "NULL", "NULL", "NULL"}));
}

TEST(ConditionalTest, BranchesAreEvaluatedOnlyOnTheirRows) {
  const auto batch = BatchOf({{"INT", "[0, 2, null, 4]"}, {"STRING", R"(["x", "1", "y", "2"])"}});
  const ExprPtr a = ColumnOf(*batch, 0), text = ColumnOf(*batch, 1);
  const ExprPtr zero = Literal("INT", "0"), one = Literal("INT", "1");
  const ExprPtr is_zero = Call("=", {a, zero});
  const ExprPtr quotient = Call("div", {one, a});

  EXPECT_EQ(Evaluated(Call("case", {is_zero, Literal("BIGINT", "-1"), quotient}), *batch),
            (Texts{"-1", "0", "NULL", "0"}));
  EXPECT_EQ(Evaluated(Call("if", {Call("isnull", {a}), Literal("INT", "-1"),
                                  Call("if", {is_zero, one, CastTo(text, "INT")})}),
                      *batch),
            (Texts{"1", "1", "-1", "2"}));
  EXPECT_EQ(Evaluated(Call("and", {Call("!=", {a, zero}), Call("=", {quotient, zero})}), *batch),
            (Texts{"false", "true", "NULL", "true"}));
  EXPECT_EQ(Evaluated(Call("or", {is_zero, Call(">=", {quotient, zero})}), *batch),
            (Texts{"true", "true", "NULL", "true"}));
  EXPECT_EQ(Evaluated(quotient, *batch), (Texts{"error: DIVIDE_BY_ZERO"}));
}

TEST(ConditionalTest, CoalesceStopsAtTheFirstValue) {
  const auto batch = BatchOf({{"INT", "[1, null, null]"}, {"INT", "[0, 2, null]"}});
  const ExprPtr a = ColumnOf(*batch, 0), b = ColumnOf(*batch, 1);
  const ExprPtr quotient = Call("div", {Literal("INT", "10"), b});
  EXPECT_EQ(Evaluated(Call("coalesce", {a, b, Literal("INT", "9")}), *batch),
            (Texts{"1", "2", "9"}));
  EXPECT_EQ(Evaluated(Call("coalesce", {a, quotient, Literal("INT", "9")}), *batch),
            (Texts{"1", "5", "9"}));
  EXPECT_EQ(Apply("nvl", {{"STRING", R"(["a", null])"}, {"STRING", R"(["b", "b"])"}}),
            (Texts{"a", "b"}));
  EXPECT_EQ(Apply("nvl2", {{"INT", "[1, null]"}, {"INT", "[2, 2]"}, {"INT", "[3, 3]"}}),
            (Texts{"2", "3"}));
}

TEST(ConditionalTest, NullifGreatestAndLeastTreatNullsAsSparkDoes) {
  EXPECT_EQ(Apply("nullif", {{"INT", "[1, 2, null, 3]"}, {"BIGINT", "[1, 1, 1, null]"}}),
            (Texts{"NULL", "2", "NULL", "3"}));
  const TestColumn a = {"DOUBLE", "[1, null, NaN, null]"}, b = {"DOUBLE", "[2, 2, 2, null]"};
  EXPECT_EQ(Apply("greatest", {a, b}), (Texts{"2.0", "2.0", "NaN", "NULL"}));
  EXPECT_EQ(Apply("least", {a, b}), (Texts{"1.0", "2.0", "2.0", "NULL"}));
}

}  // namespace
}  // namespace tidemill
