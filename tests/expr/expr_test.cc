#include "common/expr/expr.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <set>

#include "common/aggregates/aggregate_registry.h"
#include "common/types/ddl.h"
#include "tests/expr/function_fixture.h"

namespace tidemill {
namespace {

ExprPtr A() { return MakeColumn(0, "a", arrow::int32()); }
ExprPtr B() { return MakeColumn(1, "b", arrow::utf8()); }

TEST(ExprTest, TextIsSparksColumnName) {
  const ExprPtr one = Literal("INT", "1"), text = Literal("STRING", "\"x\"");
  EXPECT_EQ(ExprText(*Call("+", {A(), one})), "(a + 1)");
  EXPECT_EQ(ExprText(*Call("+", {A(), Literal("DOUBLE", "1")})), "(a + 1.0)");
  EXPECT_EQ(ExprText(*Call("!=", {A(), one})), "(NOT (a = 1))");
  EXPECT_EQ(ExprText(*Call("and", {Call("isnull", {A()}), Call("not", {Call(">", {A(), one})})})),
            "((a IS NULL) AND (NOT (a > 1)))");
  EXPECT_EQ(ExprText(*Call("in", {A(), one, Literal("INT", "2")})), "(a IN (1, 2))");
  EXPECT_EQ(ExprText(*Call("like", {B(), text})), "b LIKE x");
  EXPECT_EQ(ExprText(*Call("case", {Call(">", {A(), one}), one, A()})),
            "CASE WHEN (a > 1) THEN 1 ELSE a END");
  EXPECT_EQ(ExprText(*CastTo(A(), "STRING")), "CAST(a AS STRING)");
  EXPECT_EQ(ExprText(*CastTo(B(), "INT", true)), "TRY_CAST(b AS INT)");
  EXPECT_EQ(ExprText(*Call("split", {B(), Literal("STRING", "\" \"")})), "split(b,  , -1)");
  EXPECT_EQ(ExprText(*Call("rand", {})), "rand()");
  EXPECT_EQ(ExprText(*Call("-", {A()})), "(- a)");
  EXPECT_EQ(ExprText(*Call("negative", {A()})), "negative(a)");
}

TEST(ExprTest, ImplicitCastsAreLeftOutOfNames) {
  EXPECT_EQ(ExprText(*Call("+", {A(), Literal("BIGINT", "1")})), "(a + 1)");
  EXPECT_EQ(ExprText(*Call("*", {A(), MakeColumn(1, "d", arrow::float64())})), "(a * d)");
  const ExprPtr folded = Call("/", {A(), Literal("INT", "2")});
  EXPECT_EQ(ExprText(*folded), "(a / 2)");
  EXPECT_EQ(folded->args[1]->kind, Expr::Kind::kLiteral);
  EXPECT_EQ(SqlTypeName(*folded->args[1]->type), "DOUBLE");
}

TEST(ExprTest, EqualityLooksAtStructureTypesAndLiterals) {
  EXPECT_TRUE(ExprEquals(
      *Call("+", {A(), Literal("INT", "1")}),
      *Call("+", {MakeColumn(0, "other", arrow::int32(), Span{3, 4}), Literal("INT", "1")})));
  EXPECT_FALSE(ExprEquals(*Literal("INT", "1"), *Literal("BIGINT", "1")));
  EXPECT_FALSE(ExprEquals(*Literal("INT", "1"), *Literal("INT", "2")));
  EXPECT_TRUE(ExprEquals(*Literal("DOUBLE", "NaN"), *Literal("DOUBLE", "NaN")));
  EXPECT_FALSE(ExprEquals(*MakeCall("rand", {}, Span{1, 5}).ValueOrDie(),
                          *MakeCall("rand", {}, Span{9, 13}).ValueOrDie()));
}

TEST(ExprTest, ColumnsAreCollectedAndSubstituted) {
  const ExprPtr sum = Call("+", {A(), MakeColumn(2, "c", arrow::int32())});
  std::vector<bool> used;
  CollectColumns(*sum, &used);
  EXPECT_EQ(used, (std::vector<bool>{true, false, true}));
  const ExprPtr moved =
      SubstituteColumns(sum, {Call("negative", {A()}), nullptr, Literal("INT", "7")});
  EXPECT_EQ(ExprText(*moved), "(negative(a) + 7)");
  EXPECT_TRUE(IsDeterministic(*moved));
  EXPECT_FALSE(IsDeterministic(*Call("+", {Call("rand", {}), A()})));
}

TEST(EvaluatorTest, ConstantsAreFoldedUnlessTheyFail) {
  const auto batch = BatchOf({{"INT", "[1, 2]"}});
  const ExprPtr fails = Call("/", {Literal("INT", "1"), Literal("INT", "0")});
  const EvalContext context = TestContext();

  auto sum = CompiledExpr::Make(Call("+", {Literal("INT", "1"), Literal("INT", "2")})).ValueOrDie();
  EXPECT_TRUE(sum->EvaluateDatum(context, *batch)->is_scalar());
  EXPECT_EQ(
      Evaluated(Call("if", {Call(">", {A(), Literal("INT", "5")}), fails, Literal("DOUBLE", "0")}),
                *batch),
      (Texts{"0.0", "0.0"}));
  EXPECT_EQ(Evaluated(fails, *batch), (Texts{"error: DIVIDE_BY_ZERO"}));
  EXPECT_EQ(ExprText(*FoldConstant(Call("upper", {Literal("STRING", "\"x\"")}), context)),
            "upper(x)");
  EXPECT_EQ(FoldConstant(fails, context), nullptr);
  const auto repeated = [](const char* times) {
    return Call("repeat", {Literal("STRING", "\"ab\""), Literal("INT", times)});
  };
  ASSERT_NE(FoldConstant(repeated("1000"), context), nullptr);
  EXPECT_EQ(FoldConstant(repeated("100000000"), context), nullptr) << "a plan is no place for it";
  EXPECT_EQ(FoldConstant(A(), context), nullptr);
}

TEST(EvaluatorTest, ErrorsCarryTheSpanOfTheirExpression) {
  const auto batch = BatchOf({{"INT", "[0]"}});
  const ExprPtr inner = MakeCall("div", {Literal("INT", "1"), A()}, Span{7, 14}).ValueOrDie();
  const ExprPtr outer = MakeCall("+", {inner, A()}, Span{7, 18}).ValueOrDie();
  auto compiled = CompiledExpr::Make(outer).ValueOrDie();
  const arrow::Status status = compiled->Evaluate(TestContext(), *batch).status();
  ASSERT_NE(DetailOf(status), nullptr);
  EXPECT_EQ(DetailOf(status)->span->begin, 7);
  EXPECT_EQ(DetailOf(status)->span->end, 14);
  EXPECT_EQ(DetailOf(status)->kind, ErrorKind::kJobFailed);
}

TEST(EvaluatorTest, EmptyBatchesGiveEmptyArrays) {
  const auto batch = BatchOf({{"INT", "[]"}, {"STRING", "[]"}});
  const ExprPtr quotient = Call("div", {Literal("INT", "1"), A()});
  for (const ExprPtr& expr :
       {Call("case", {Call("=", {A(), Literal("INT", "0")}), Literal("BIGINT", "1"), quotient}),
        Call("split", {B(), Literal("STRING", "\" \"")}), Call("upper", {B()}),
        Call("coalesce", {quotient, quotient, Literal("BIGINT", "1")}), Call("rand", {}),
        Call("and", {Call("isnull", {A()}), CastTo(B(), "BOOLEAN")}), Call("array", {A(), A()}),
        Call("=", {B(), B()})}) {
    EXPECT_EQ(Evaluated(expr, *batch), Texts{}) << ExprText(*expr);
  }
}

TEST(RandomTest, ValuesDependOnTheRowsNumberAlone) {
  const auto batch = BatchOf({{"INT", "[0, 1, 0, 1]"}});
  const ExprPtr random = MakeCall("rand", {}, Span{7, 13}).ValueOrDie();
  const Texts all = Evaluated(random, *batch);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 4u);

  // The second half alone, and under a condition, gives the same numbers.
  auto compiled = CompiledExpr::Make(random).ValueOrDie();
  EvalContext context = TestContext();
  context.first_row = 2;
  auto tail = compiled->Evaluate(context, *batch->Slice(2)).ValueOrDie();
  EXPECT_EQ(CastToText(*tail, 0, *context.zone), all[2]);
  const ExprPtr fails = Call("+", {random, Call("/", {Literal("INT", "0"), A()})});
  EXPECT_EQ(Evaluated(Call("case", {Call("=", {A(), Literal("INT", "1")}), fails}), *batch),
            (Texts{"NULL", all[1], "NULL", all[3]}));
}

TEST(RandomTest, CallsAtDifferentPlacesDiffer) {
  const auto batch = BatchOf({{"INT", "[0]"}});
  const ExprPtr first = MakeCall("uuid", {}, Span{7, 13}).ValueOrDie();
  const ExprPtr second = MakeCall("uuid", {}, Span{15, 21}).ValueOrDie();
  const std::string uuid = Evaluated(first, *batch)[0];
  EXPECT_NE(uuid, Evaluated(second, *batch)[0]);
  EXPECT_EQ(uuid.size(), 36u);
  EXPECT_EQ(uuid[14], '4');
  EXPECT_NE(std::string("89ab").find(uuid[19]), std::string::npos);
}

TEST(FunctionRegistryTest, NamesAreFoundWithoutRegardToCaseAndAliasesShareAnEntry) {
  EXPECT_EQ(FindFunction("SUBSTR"), FindFunction("substring"));
  EXPECT_EQ(FindFunction("nothing"), nullptr);
  auto unknown = MakeCall("uper", {B()}, Span{1, 5});
  EXPECT_EQ(ErrorClassOf(unknown.status()), "UNRESOLVED_ROUTINE");
  EXPECT_EQ(DetailOf(unknown.status())->hint, "did you mean `upper`?");
  EXPECT_EQ(DetailOf(unknown.status())->span->end, 5);
}

TEST(AggregateTest, TypesAndStates) {
  auto resolve = [](const char* name, const char* type) -> std::string {
    const ExprPtr arg = MakeColumn(0, "x", ParseDdlType(type).ValueOrDie());
    auto signature = ResolveAggregateCall(name, std::vector<ExprPtr>{arg});
    if (!signature.ok()) return ErrorClassOf(signature.status());
    std::string text =
        SqlTypeName(*signature->type) + " <- " + SqlTypeName(*signature->arg_types[0]) + " via";
    for (const auto& state : signature->state_types) text += " " + SqlTypeName(*state);
    return text;
  };
  EXPECT_EQ(resolve("COUNT", "STRING"), "BIGINT <- STRING via BIGINT");
  EXPECT_EQ(resolve("sum", "INT"), "BIGINT <- BIGINT via BIGINT");
  EXPECT_EQ(resolve("sum", "FLOAT"), "DOUBLE <- DOUBLE via DOUBLE");
  EXPECT_EQ(resolve("sum", "DECIMAL(10,2)"), "DECIMAL(20,2) <- DECIMAL(10,2) via DECIMAL(20,2)");
  EXPECT_EQ(resolve("avg", "INT"), "DOUBLE <- DOUBLE via DOUBLE BIGINT");
  EXPECT_EQ(resolve("mean", "DECIMAL(10,2)"),
            "DECIMAL(14,6) <- DECIMAL(10,2) via DECIMAL(20,2) BIGINT");
  EXPECT_EQ(resolve("min", "STRING"), "STRING <- STRING via STRING");
  EXPECT_EQ(resolve("max", "MAP<INT, INT>"), "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE");
  EXPECT_EQ(resolve("sum", "BOOLEAN"), "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
  EXPECT_TRUE(IsAggregateName("Sum"));
  EXPECT_FALSE(IsAggregateName("upper"));
}

}  // namespace
}  // namespace tidemill
