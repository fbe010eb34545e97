#include <gtest/gtest.h>

#include "common/types/value_format.h"
#include "tests/types/rows.h"

namespace tidemill {
namespace {

TEST(ShowTextTest, CellsAreRightAlignedWhenTruncating) {
  auto batch = BatchOf("word STRING, n BIGINT", R"([["apple", 1], [null, 200], ["x", null]])");

  EXPECT_EQ(ShowText(*batch, 20, true, false, *UtcTimeZone()),
            "+-----+----+\n"
            "| word|   n|\n"
            "+-----+----+\n"
            "|apple|   1|\n"
            "| NULL| 200|\n"
            "|    x|NULL|\n"
            "+-----+----+\n"
            "\n");
}

TEST(ShowTextTest, LongCellsAreCutUnlessAskedNotTo) {
  auto batch = BatchOf("text STRING", R"([["12345678901234567890"], ["123456789012345678901"]])");

  EXPECT_EQ(ShowText(*batch, 20, true, false, *UtcTimeZone()),
            "+--------------------+\n"
            "|                text|\n"
            "+--------------------+\n"
            "|12345678901234567890|\n"
            "|12345678901234567...|\n"
            "+--------------------+\n"
            "\n");
  EXPECT_EQ(ShowText(*batch, 20, false, false, *UtcTimeZone()),
            "+---------------------+\n"
            "|text                 |\n"
            "+---------------------+\n"
            "|12345678901234567890 |\n"
            "|123456789012345678901|\n"
            "+---------------------+\n"
            "\n");
}

TEST(ShowTextTest, MoreRowsAreSaid) {
  auto batch = BatchOf("n INT", "[[1], [2], [3]]");

  EXPECT_EQ(ShowText(*batch, 2, true, true, *UtcTimeZone()),
            "+---+\n|  n|\n+---+\n|  1|\n|  2|\n+---+\nonly showing top 2 rows\n\n");
  EXPECT_EQ(ShowText(*batch, 1, true, true, *UtcTimeZone()),
            "+---+\n|  n|\n+---+\n|  1|\n+---+\nonly showing top 1 row\n\n");
}

TEST(ShowTextTest, EmptyResultIsAnEmptyFrame) {
  EXPECT_EQ(ShowText(*BatchOf("a INT, long_name INT", "[]"), 20, true, false, *UtcTimeZone()),
            "+---+---------+\n|  a|long_name|\n+---+---------+\n+---+---------+\n\n");
}

TEST(ShowTextTest, FullWidthCharactersTakeTwoColumns) {
  auto batch = BatchOf("s STRING", R"([["漢字"], ["grün"], ["😀"]])");

  EXPECT_EQ(ShowText(*batch, 20, true, false, *UtcTimeZone()),
            "+----+\n|   s|\n+----+\n|漢字|\n|grün|\n|  😀|\n+----+\n\n");
}

TEST(ShowTextTest, MetaCharactersAndNestedValuesStayOnOneLine) {
  auto batch = BatchOf("s STRING, b BINARY, l ARRAY<INT>", R"([["a\n\tb", "ab", [1, null]]])");

  EXPECT_EQ(ShowText(*batch, 20, true, false, *UtcTimeZone()),
            "+------+-------+---------+\n"
            "|     s|      b|        l|\n"
            "+------+-------+---------+\n"
            "|a\\n\\tb|[61 62]|[1, NULL]|\n"
            "+------+-------+---------+\n"
            "\n");
}

TEST(ShowTextTest, CutNeverSplitsACharacter) {
  auto batch = BatchOf("s STRING", R"([["1234567890123456😀😀😀"]])");

  EXPECT_NE(ShowText(*batch, 20, true, false, *UtcTimeZone()).find("|1234567890123456...|"),
            std::string::npos);
}

}  // namespace
}  // namespace tidemill
