#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include "tests/expr/function_fixture.h"

namespace tidemill {
namespace {

TestColumn Text(const std::string& json) { return {"STRING", json}; }
TestColumn Int(const std::string& json) { return {"INT", json}; }

TEST(StringTest, CaseMapsAsciiAndUnicode) {
  EXPECT_EQ(Apply("upper", {Text(R"(["aZ1", "", null])")}), (Texts{"AZ1", "", "NULL"}));
  EXPECT_EQ(Apply("upper", {Text(R"(["straße", "éa", "ﬁ"])")}), (Texts{"STRASSE", "ÉA", "FI"}));
  EXPECT_EQ(Apply("lower", {Text(R"(["ÀB", "ΟΔΟΣ", "ΣΑ"])")}), (Texts{"àb", "οδος", "σα"}));
  EXPECT_EQ(Apply("initcap", {Text(R"(["hello wORLD", "éa b-c"])")}),
            (Texts{"Hello World", "Éa B-c"}));
}

TEST(StringTest, SubstringCountsCharactersFromOneOrFromTheEnd) {
  const TestColumn text =
      Text(R"(["Spark SQL", "Spark SQL", "Spark SQL", "Spark SQL", "añb", null])");
  EXPECT_EQ(Apply("substring", {text, Int("[5, 0, -3, -20, 2, 1]")}),
            (Texts{"k SQL", "Spark SQL", "SQL", "Spark SQL", "ñb", "NULL"}));
  EXPECT_EQ(Apply("substr", {text, Int("[5, 0, -3, -10, 2, 1]"), Int("[2, 2, 2, 3, 1, 1]")}),
            (Texts{"k ", "Sp", "SQ", "Sp", "ñ", "NULL"}));
  EXPECT_EQ(Apply("substring", {Text(R"(["abc", "abc"])"), Int("[2, 9]"), Int("[-1, 2]")}),
            (Texts{"", ""}));
  EXPECT_EQ(Apply("left", {Text(R"(["añb", "ab"])"), Int("[2, 0]")}), (Texts{"añ", ""}));
  EXPECT_EQ(Apply("right", {Text(R"(["añb", "ab"])"), Int("[2, 5]")}), (Texts{"ñb", "ab"}));
}

TEST(StringTest, TrimTakesBlanksOrACharacterSet) {
  EXPECT_EQ(Apply("trim", {Text(R"(["  a b ", "\ta", ""])")}), (Texts{"a b", "\ta", ""}));
  EXPECT_EQ(Apply("ltrim", {Text(R"(["  a "])")}), (Texts{"a "}));
  EXPECT_EQ(Apply("rtrim", {Text(R"(["  a "])")}), (Texts{"  a"}));
  EXPECT_EQ(Apply("ltrim", {Text(R"(["x"])"), Text(R"(["xax"])")}), (Texts{"ax"}));
  EXPECT_EQ(Apply("btrim", {Text(R"(["xax"])"), Text(R"(["x"])")}), (Texts{"a"}));
  EXPECT_EQ(Apply("trim", {Text(R"(["éx", "éx"])"), Text(R"(["xéaéx", "xx"])")}), (Texts{"a", ""}));
}

TEST(StringTest, PadsAndCutsToALengthInCharacters) {
  EXPECT_EQ(Apply("lpad", {Text(R"(["hi", "hi", "hi", "hi"])"), Int("[5, 1, 5, 0]"),
                           Text(R"(["?é", "?", "", "?"])")}),
            (Texts{"?é?hi", "h", "hi", ""}));
  EXPECT_EQ(Apply("rpad", {Text(R"(["hi", "ñandú"])"), Int("[4, 3]")}), (Texts{"hi  ", "ñan"}));
}

TEST(StringTest, ConcatIsNullWithANullButConcatWsSkipsIt) {
  EXPECT_EQ(Apply("concat", {Text(R"(["a", "a"])"), Text(R"(["b", null])"), Int("[1, 2]")}),
            (Texts{"ab1", "NULL"}));
  EXPECT_EQ(Apply("||", {Text(R"(["a"])"), Text(R"(["b"])")}), (Texts{"ab"}));
  EXPECT_EQ(Apply("concat_ws", {Text(R"([",", ",", null])"),
                                Text(R"(["a", null, "a"])"),
                                {"ARRAY<STRING>", R"([["b", null, "c"], ["d"], []])"}}),
            (Texts{"a,b,c", "d", "NULL"}));
}

TEST(StringTest, LengthsCountCharactersOrBytes) {
  EXPECT_EQ(Apply("length", {Text(R"(["añ€😀", "", null])")}), (Texts{"4", "0", "NULL"}));
  EXPECT_EQ(Apply("char_length", {Int("[1234]")}), (Texts{"4"}));
  EXPECT_EQ(Apply("octet_length", {Text(R"(["añ€"])")}), (Texts{"6"}));
  EXPECT_EQ(Apply("length", {{"BINARY", R"(["ab"])"}}), (Texts{"2"}));
  EXPECT_EQ(Apply("ascii", {Text(R"(["A", "€", ""])")}), (Texts{"65", "8364", "0"}));
}

TEST(StringTest, SearchesByCharacters) {
  EXPECT_EQ(
      Apply("instr", {Text(R"(["SparkSQL", "éa", "a", "a"])"), Text(R"(["SQL", "a", "x", ""])")}),
      (Texts{"6", "2", "0", "1"}));
  EXPECT_EQ(
      Apply("locate", {Text(R"(["bar", "bar", "bar"])"),
                       Text(R"(["foobarbar", "foobarbar", "foobarbar"])"), Int("[5, 0, null]")}),
      (Texts{"7", "0", "0"}));
  EXPECT_EQ(Apply("position", {Text(R"(["b"])"), Text(R"(["ab"])")}), (Texts{"2"}));
  EXPECT_EQ(Apply("startswith", {Text(R"(["abc", null])"), Text(R"(["ab", "a"])")}),
            (Texts{"true", "NULL"}));
  EXPECT_EQ(Apply("endswith", {Text(R"(["abc"])"), Text(R"(["bc"])")}), (Texts{"true"}));
  EXPECT_EQ(Apply("contains", {Text(R"(["abc"])"), Text(R"(["x"])")}), (Texts{"false"}));
}

TEST(StringTest, ReplacesTranslatesRepeatsAndReverses) {
  EXPECT_EQ(
      Apply("replace", {Text(R"(["aXbX", "a"])"), Text(R"(["X", ""])"), Text(R"(["--", "y"])")}),
      (Texts{"a--b--", "a"}));
  EXPECT_EQ(Apply("replace", {Text(R"(["aXb"])"), Text(R"(["X"])")}), (Texts{"ab"}));
  EXPECT_EQ(Apply("translate",
                  {Text(R"(["AaBbCc", "añb"])"), Text(R"(["abc", "ñb"])"), Text(R"(["12", "n"])")}),
            (Texts{"A1B2C", "an"}));
  EXPECT_EQ(Apply("repeat", {Text(R"(["ab", "ab"])"), Int("[3, -1]")}), (Texts{"ababab", ""}));
  EXPECT_EQ(Apply("reverse", {Text(R"(["añ€", ""])")}), (Texts{"€ña", ""}));
}

TEST(StringTest, SplitPartCountsFromEitherEnd) {
  const TestColumn text = Text(R"(["11.12.13", "11.12.13", "11.12.13", "11.12.13"])");
  const TestColumn dot = Text(R"([".", ".", ".", ""])");
  EXPECT_EQ(Apply("split_part", {text, dot, Int("[3, -1, 4, 1]")}),
            (Texts{"13", "13", "", "11.12.13"}));
  EXPECT_EQ(Apply("split_part", {Text(R"(["a"])"), Text(R"(["."])"), Int("[0]")}),
            (Texts{"error: INVALID_INDEX_OF_ZERO"}));
}

TEST(StringTest, WrongArgumentsAreRefusedInSparksWords) {
  EXPECT_EQ(MessageOf("upper", {}),
            "The `upper` requires 1 parameters but the actual number is 0.");
  EXPECT_EQ(TypeOf("substring", {"STRING", "BIGINT"}), "STRING");
  EXPECT_EQ(MessageOf("substring", {Text(R"(["a"])"), {"BOOLEAN", "[true]"}}),
            "Cannot resolve \"substring(a, b, 2147483647)\" due to data type mismatch: The second "
            "parameter "
            "requires the \"INT\" type, however \"b\" has the type \"BOOLEAN\".");
}

TEST(SplitTest, CutsAtEveryDelimiterAndKeepsEmptyTokens) {
  EXPECT_EQ(Apply("split", {Text(R"(["a b c", "", " a ", null, "one"])"),
                            Text(R"([" ", " ", " ", " ", " "])")}),
            (Texts{"[a, b, c]", "[]", "[, a, ]", "NULL", "[one]"}));
  EXPECT_EQ(Apply("split", {Text(R"(["a::b:c"])"), Text(R"(["::"])")}), (Texts{"[a, b:c]"}));
}

TEST(SplitTest, EmptyTextIsOneEmptyToken) {
  EXPECT_EQ(Apply("size", {{"ARRAY<STRING>", R"([[""]])"}}), (Texts{"1"}));
  const auto batch = BatchOf({Text(R"([""])")});
  const ExprPtr split = Call("split", {ColumnOf(*batch, 0), Literal("STRING", "\" \"")});
  EXPECT_EQ(Evaluated(Call("size", {split}), *batch), (Texts{"1"}));
}

TEST(SplitTest, LongRowsAreCutAcrossBlocks) {
  // Tokens of all lengths around the 16 bytes that are looked at together.
  for (int length : {1, 2, 7, 15, 16, 17, 31, 33, 64}) {
    std::string json = "[\"", want = "[";
    for (int i = 0; i < 9; ++i) {
      const std::string token(length + i % 3 - 1, static_cast<char>('a' + i));
      json += (i > 0 ? "," : "") + token;
      want += (i > 0 ? ", " : "") + token;
    }
    json += "\"]";
    EXPECT_EQ(Apply("split", {Text(json), Text(R"([","])")}), (Texts{want + "]"})) << length;
  }
}

TEST(SplitTest, BlocksGroupsAndRowsMakeNoDifference) {
  // A limit that is never reached takes the plain way, token by token.
  uint64_t state = 7;
  auto random = [&](uint64_t bound) {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state >> 33) % bound;
  };
  std::string json = "[";
  for (int row = 0; row < 400; ++row) {
    std::string text;
    for (uint64_t i = random(row % 10 == 0 ? 3000 : 90); i > 0; --i) {
      text += std::string_view(" ,;abcdefg")[random(10)];
      if (random(20) == 0) text += "\u00e9";
    }
    json += (row > 0 ? "," : "") + (random(8) == 0 ? "null" : "\"" + text + "\"");
  }
  const auto batch = BatchOf({Text(json + "]")});
  const ExprPtr text = ColumnOf(*batch, 0), never = Literal("INT", "1000000");
  for (const char* pattern : {" ", "[ ,]", "[ ,;]+", "\\\\W+"}) {
    const ExprPtr by = Literal("STRING", std::string("\"") + pattern + "\"");
    const ExprPtr fast = Call("split", {text, by});
    const Texts plain = Evaluated(Call("split", {text, by, never}), *batch);
    EXPECT_EQ(Evaluated(fast, *batch), plain) << pattern;
    EXPECT_EQ(Evaluated(fast, *batch->Slice(37, 200)),
              Texts(plain.begin() + 37, plain.begin() + 237))
        << pattern;
  }
}

TEST(SplitTest, LimitKeepsTheRestInTheLastToken) {
  const TestColumn text = Text(R"(["a,b,c", "a,b,c", "a,b,c", "a,b,c"])");
  const TestColumn comma = Text(R"([",", ",", ",", ","])");
  EXPECT_EQ(Apply("split", {text, comma, Int("[2, -1, 0, 1]")}),
            (Texts{"[a, b,c]", "[a, b, c]", "[a, b, c]", "[a,b,c]"}));
}

TEST(SplitTest, PatternsAreRegularExpressions) {
  auto split = [](const std::string& text, const std::string& pattern) {
    return Apply("split", {Text("[\"" + text + "\"]"), Text("[\"" + pattern + "\"]")})[0];
  };
  EXPECT_EQ(split("oneAtwoBthreeC", "[ABC]"), "[one, two, three, ]");
  EXPECT_EQ(split("a  b\\tc", "\\\\s+"), "[a, b, c]");
  EXPECT_EQ(split("a.b.c", "\\\\."), "[a, b, c]");
  EXPECT_EQ(split("a.b", "."), "[, , , ]");
  EXPECT_EQ(split("añb-c", "\\\\W+"), "[a, b, c]");
  EXPECT_EQ(split("a1b22c", "\\\\d|2"), "[a, b, , c]");
  EXPECT_EQ(split("añb", ""), "[a, ñ, b]");
  EXPECT_EQ(split("abc", "x*"), "[a, b, c, ]");
  EXPECT_EQ(split("a,b;c", "[,;]"), "[a, b, c]");
}

}  // namespace
}  // namespace tidemill
