#include <gtest/gtest.h>

#include "tests/expr/function_fixture.h"

namespace tidemill {
namespace {

const TestColumn kArray = {"ARRAY<INT>", "[[1, 2, 3], [], null, [4, null]]"};

TEST(CollectionTest, ConstructorsTakeTheCommonType) {
  EXPECT_EQ(Apply("array", {{"INT", "[1, null]"}, {"BIGINT", "[2, 3]"}}),
            (Texts{"[1, 2]", "[null, 3]"}));
  EXPECT_EQ(TypeOf("array", {"INT", "DOUBLE"}), "ARRAY<DOUBLE>");
  EXPECT_EQ(Apply("map", {{"STRING", R"(["a", "b"])"}, {"INT", "[1, null]"}}),
            (Texts{"{a -> 1}", "{b -> null}"}));
  EXPECT_EQ(Apply("map", {{"STRING", "[null]"}, {"INT", "[1]"}}), (Texts{"error: NULL_MAP_KEY"}));
  EXPECT_EQ(Apply("map", {{"INT", "[1]"}, {"INT", "[1]"}, {"INT", "[1]"}, {"INT", "[2]"}}),
            (Texts{"error: DUPLICATED_MAP_KEY"}));
}

TEST(CollectionTest, StructTakesItsNamesFromColumns) {
  const auto batch = BatchOf({{"INT", "[1]"}, {"STRING", R"(["x"])"}});
  const ExprPtr made =
      Call("struct", {ColumnOf(*batch, 0), ColumnOf(*batch, 1), Literal("BOOLEAN", "true")});
  EXPECT_EQ(Evaluated(made, *batch), (Texts{"{1, x, true}"}));
  EXPECT_EQ(made->type->ToString(), "struct<a: int32, b: string, col3: bool>");
  EXPECT_EQ(ExprText(*made), "struct(a, b, true)");
  EXPECT_EQ(Evaluated(Call("get_field", {made, Literal("STRING", "\"B\"")}), *batch), (Texts{"x"}));
}

TEST(CollectionTest, SizeAndContains) {
  EXPECT_EQ(Apply("size", {kArray}), (Texts{"3", "0", "NULL", "2"}));
  EXPECT_EQ(Apply("cardinality", {{"MAP<STRING, INT>", R"([[["a", 1]], null])"}}),
            (Texts{"1", "NULL"}));
  EXPECT_EQ(Apply("array_contains", {kArray, {"INT", "[2, 2, 2, 5]"}}),
            (Texts{"true", "false", "NULL", "NULL"}));
  EXPECT_EQ(Apply("array_contains", {{"ARRAY<STRING>", R"([["a"]])"}, {"STRING", R"(["a"])"}}),
            (Texts{"true"}));
}

TEST(AccessTest, ArraysAreIndexedFromZeroByBracketsAndFromOneByElementAt) {
  EXPECT_EQ(Apply("[]", {kArray, {"INT", "[0, null, 0, 1]"}}),
            (Texts{"1", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(Apply("element_at", {kArray, {"INT", "[1, null, 1, -2]"}}),
            (Texts{"1", "NULL", "NULL", "4"}));
  EXPECT_EQ(Apply("get", {kArray, {"INT", "[5, 0, 0, -1]"}}),
            (Texts{"NULL", "NULL", "NULL", "NULL"}));
  EXPECT_EQ(Apply("try_element_at", {kArray, {"INT", "[4, 1, 1, 1]"}}),
            (Texts{"NULL", "NULL", "NULL", "4"}));
}

TEST(AccessTest, OutOfBoundsIsAnError) {
  EXPECT_EQ(MessageOf("get_item", {kArray, {"INT", "[3, 0, 0, 0]"}}),
            "The index 3 is out of bounds. The array has 3 elements. Use the SQL function `get()` "
            "to tolerate accessing element at invalid index and return NULL instead.");
  EXPECT_EQ(Apply("get_item", {kArray, {"INT", "[-1, 0, 0, 0]"}}),
            (Texts{"error: INVALID_ARRAY_INDEX"}));
  EXPECT_EQ(Apply("element_at", {kArray, {"INT", "[4, 1, 1, 1]"}}),
            (Texts{"error: INVALID_ARRAY_INDEX_IN_ELEMENT_AT"}));
  EXPECT_EQ(Apply("element_at", {kArray, {"INT", "[0, 1, 1, 1]"}}),
            (Texts{"error: INVALID_INDEX_OF_ZERO"}));
}

TEST(AccessTest, MapsGiveNullForAMissingKey) {
  const TestColumn map = {"MAP<STRING, INT>", R"([[["a", 1], ["b", null]], [["a", 2]], null])"};
  EXPECT_EQ(Apply("[]", {map, {"STRING", R"(["b", "c", "a"])"}}), (Texts{"NULL", "NULL", "NULL"}));
  EXPECT_EQ(Apply("element_at", {map, {"STRING", R"(["a", "a", "a"])"}}),
            (Texts{"1", "2", "NULL"}));
  EXPECT_EQ(Apply("map_keys", {map}), (Texts{"[a, b]", "[a]", "NULL"}));
  EXPECT_EQ(Apply("map_values", {map}), (Texts{"[1, null]", "[2]", "NULL"}));
}

TEST(AccessTest, FieldsOfNullStructsAreNull) {
  const auto batch = BatchOf({{"STRUCT<x: INT, y: STRING>", R"([[1, "a"], null, [null, "b"]])"},
                              {"ARRAY<STRUCT<x: INT>>", R"([[[1], null], null, []])"}});
  const ExprPtr name = Literal("STRING", "\"X\"");
  EXPECT_EQ(Evaluated(Call("get_field", {ColumnOf(*batch, 0), name}), *batch),
            (Texts{"1", "NULL", "NULL"}));
  EXPECT_EQ(Evaluated(Call("get_field", {ColumnOf(*batch, 1), name}), *batch),
            (Texts{"[1, null]", "NULL", "[]"}));
  auto missing = MakeCall("get_field", {ColumnOf(*batch, 0), Literal("STRING", "\"z\"")});
  EXPECT_EQ(missing.status().message(), "No such struct field `z` in `x`, `y`.");
}

TEST(DatetimeTest, PartsOfDatesAndTimes) {
  const TestColumn date = {"STRING", R"(["2024-02-29", null])"};
  EXPECT_EQ(Apply("year", {date}), (Texts{"2024", "NULL"}));
  EXPECT_EQ(Apply("month", {date}), (Texts{"2", "NULL"}));
  EXPECT_EQ(Apply("day", {date}), (Texts{"29", "NULL"}));
  EXPECT_EQ(Apply("dayofyear", {date}), (Texts{"60", "NULL"}));
  EXPECT_EQ(Apply("quarter", {date}), (Texts{"1", "NULL"}));
  EXPECT_EQ(Apply("dayofweek", {date}), (Texts{"5", "NULL"}));
  EXPECT_EQ(Apply("weekofyear", {{"STRING", R"(["2021-01-03", "2021-01-04"])"}}),
            (Texts{"53", "1"}));
  const TestColumn time = {"STRING", R"(["2024-02-29 13:14:15.9"])"};
  EXPECT_EQ(Apply("hour", {time}), (Texts{"13"}));
  EXPECT_EQ(Apply("minute", {time}), (Texts{"14"}));
  EXPECT_EQ(Apply("second", {time}), (Texts{"15"}));
}

TEST(DatetimeTest, PartsAreThoseOfTheSessionsZone) {
  const auto batch = BatchOf({{"TIMESTAMP", "[0]"}});
  EXPECT_EQ(Evaluated(Call("hour", {ColumnOf(*batch, 0)}), *batch, "+05:30"), (Texts{"5"}));
  EXPECT_EQ(Evaluated(Call("year", {ColumnOf(*batch, 0)}), *batch, "-01:00"), (Texts{"1969"}));
  EXPECT_EQ(Evaluated(Call("date_trunc", {Literal("STRING", "\"DAY\""), ColumnOf(*batch, 0)}),
                      *batch, "-01:00"),
            (Texts{"1969-12-31 00:00:00"}));
}

TEST(DatetimeTest, DateTruncCutsToUnits) {
  const auto batch = BatchOf({{"STRING", R"(["2024-08-15 13:14:15.987654"])"}});
  const ExprPtr time = CastTo(ColumnOf(*batch, 0), "TIMESTAMP");
  auto cut = [&](const std::string& unit) {
    return Evaluated(Call("date_trunc", {Literal("STRING", "\"" + unit + "\""), time}), *batch)[0];
  };
  EXPECT_EQ(cut("year"), "2024-01-01 00:00:00");
  EXPECT_EQ(cut("QUARTER"), "2024-07-01 00:00:00");
  EXPECT_EQ(cut("mon"), "2024-08-01 00:00:00");
  EXPECT_EQ(cut("week"), "2024-08-12 00:00:00");
  EXPECT_EQ(cut("hour"), "2024-08-15 13:00:00");
  EXPECT_EQ(cut("second"), "2024-08-15 13:14:15");
  EXPECT_EQ(cut("millisecond"), "2024-08-15 13:14:15.987");
  EXPECT_EQ(cut("fortnight"), "NULL");
}

TEST(DatetimeTest, ArithmeticOnDays) {
  EXPECT_EQ(Apply("date_add", {{"STRING", R"(["2024-02-28"])"}, {"INT", "[2]"}}),
            (Texts{"2024-03-01"}));
  EXPECT_EQ(Apply("date_sub", {{"DATE", "[0]"}, {"INT", "[1]"}}), (Texts{"1969-12-31"}));
  EXPECT_EQ(Apply("+", {{"DATE", "[0]"}, {"INT", "[31]"}}), (Texts{"1970-02-01"}));
  EXPECT_EQ(Apply("datediff", {{"DATE", "[10]"}, {"DATE", "[3]"}}), (Texts{"7"}));
  EXPECT_EQ(Apply("unix_timestamp", {{"TIMESTAMP", "[1999999]"}}), (Texts{"1"}));
  EXPECT_EQ(Apply("to_date", {{"STRING", R"(["2024-02-28", null])"}}),
            (Texts{"2024-02-28", "NULL"}));
  EXPECT_EQ(Apply("extract", {{"STRING", R"(["YEAR"])"}, {"DATE", "[0]"}}),
            (Texts{"error: NON_FOLDABLE_ARGUMENT"}));  // the unit must be a literal
}

TEST(DatetimeTest, NowIsTheEpochsTime) {
  const auto batch = BatchOf({{"INT", "[1, 2]"}});
  EXPECT_EQ(Evaluated(Call("current_timestamp", {}), *batch),
            (Texts{"2026-01-01 00:00:00", "2026-01-01 00:00:00"}));
  EXPECT_EQ(Evaluated(Call("current_date", {}), *batch, "-01:00"),
            (Texts{"2025-12-31", "2025-12-31"}));
  EXPECT_EQ(Evaluated(Call("unix_timestamp", {}), *batch), (Texts{"1767225600", "1767225600"}));
  EXPECT_EQ(FoldConstant(Call("now", {}), TestContext()), nullptr);
}

}  // namespace
}  // namespace tidemill
