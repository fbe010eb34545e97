#include "common/functions/string/pattern.h"

#include <gtest/gtest.h>

#include "tests/expr/function_fixture.h"

namespace tidemill {
namespace {

std::string Json(const std::string& text) { return "[\"" + text + "\"]"; }

std::string Like(const std::string& text, const std::string& pattern) {
  return Apply("like", {{"STRING", Json(text)}, {"STRING", Json(pattern)}})[0];
}

TEST(LikeTest, MatchesWholeTextWithWildcards) {
  EXPECT_EQ(Like("Spark", "Spark"), "true");
  EXPECT_EQ(Like("Spark", "spark"), "false");
  EXPECT_EQ(Like("Spark", "Sp%"), "true");
  EXPECT_EQ(Like("Spark", "%rk"), "true");
  EXPECT_EQ(Like("Spark", "%par%"), "true");
  EXPECT_EQ(Like("Spark", "_park"), "true");
  EXPECT_EQ(Like("éa", "_a"), "true");
  EXPECT_EQ(Like("abcabd", "%ab_d"), "false");
  EXPECT_EQ(Like("abcabxd", "%ab_d"), "true");
  EXPECT_EQ(Like("aXbXc", "a%b%c"), "true");
  EXPECT_EQ(Like("", "%"), "true");
  EXPECT_EQ(Like("", "_"), "false");
  EXPECT_EQ(Like("", ""), "true");
  EXPECT_EQ(Like("a", ""), "false");
  EXPECT_EQ(Like("a\\nb", "a%b"), "true");
}

TEST(LikeTest, EscapesMakeWildcardsPlain) {
  EXPECT_EQ(Like("10%", "10\\\\%"), "true");
  EXPECT_EQ(Like("100", "10\\\\%"), "false");
  EXPECT_EQ(Like("a", "\\\\a"), "error: INVALID_FORMAT.ESC_IN_THE_MIDDLE");
  EXPECT_EQ(Like("a", "a\\\\"), "error: INVALID_FORMAT.ESC_AT_THE_END");
  EXPECT_EQ(Apply("like", {{"STRING", "[null]"}, {"STRING", Json("a")}}), (Texts{"NULL"}));
  const auto batch = BatchOf({{"STRING", Json("a_b")}});
  EXPECT_EQ(Evaluated(Call("like", {ColumnOf(*batch, 0), Literal("STRING", "\"a/_b\""),
                                    Literal("STRING", "\"/\"")}),
                      *batch),
            (Texts{"true"}));
}

TEST(RegexTest, RlikeFindsAnywhere) {
  EXPECT_EQ(
      Apply("rlike", {{"STRING", R"(["abc", "xyz", null])"}, {"STRING", R"(["b.", "b.", "b."])"}}),
      (Texts{"true", "false", "NULL"}));
  EXPECT_EQ(Apply("regexp", {{"STRING", Json("a1")}, {"STRING", Json("^\\\\w\\\\d$")}}),
            (Texts{"true"}));
}

TEST(RegexTest, ReplaceKnowsJavasGroupReferences) {
  auto replace = [](const std::string& text, const std::string& pattern, const std::string& with) {
    return Apply("regexp_replace",
                 {{"STRING", Json(text)}, {"STRING", Json(pattern)}, {"STRING", Json(with)}})[0];
  };
  EXPECT_EQ(replace("100-200", "(\\\\d+)", "num"), "num-num");
  EXPECT_EQ(replace("100-200", "(\\\\d+)-(\\\\d+)", "$2-$1"), "200-100");
  EXPECT_EQ(replace("ab", "(a)", "$10"), "a0b");
  EXPECT_EQ(replace("ab", "(?<first>a)", "<${first}>"), "<a>b");
  EXPECT_EQ(replace("ab", "a", "\\\\$1"), "$1b");
  EXPECT_EQ(replace("abc", "x*", "-"), "-a-b-c-");
  EXPECT_EQ(replace("ab", "a", "$2"), "error: INVALID_REGEXP_REPLACE");
  EXPECT_EQ(
      Apply(
          "regexp_replace",
          {{"STRING", Json("aaa")}, {"STRING", Json("a")}, {"STRING", Json("b")}, {"INT", "[2]"}}),
      (Texts{"abb"}));
}

TEST(RegexTest, ExtractGivesTheGroupOrNothing) {
  const TestColumn text = {"STRING", R"(["100-200", "foo", null])"};
  const TestColumn pattern = {"STRING",
                              R"json(["(\\d+)-(\\d+)", "(\\d+)-(\\d+)", "(\\d+)-(\\d+)"])json"};
  EXPECT_EQ(Apply("regexp_extract", {text, pattern}), (Texts{"100", "", "NULL"}));
  EXPECT_EQ(Apply("regexp_extract", {text, pattern, {"INT", "[2, 2, 2]"}}),
            (Texts{"200", "", "NULL"}));
  EXPECT_EQ(MessageOf("regexp_extract", {text, pattern, {"INT", "[3, 3, 3]"}}),
            "The value of parameter(s) `idx` in `regexp_extract` is invalid: Expects group index "
            "between 0 and 2, but got 3.");
}

TEST(RegexTest, JavaOnlySyntaxIsRefusedByName) {
  auto refused = [](const char* pattern) {
    auto regex = CompileRegex(pattern, "rlike");
    return regex.ok() ? std::string() : regex.status().message();
  };
  EXPECT_NE(refused("a(?=b)").find("look-ahead"), std::string::npos);
  EXPECT_NE(refused("(?<!a)b").find("look-behind"), std::string::npos);
  EXPECT_NE(refused("(a)\\1").find("back-reference"), std::string::npos);
  EXPECT_NE(refused("a++").find("possessive"), std::string::npos);
  EXPECT_NE(refused("[a&&b]").find("intersection"), std::string::npos);
  EXPECT_EQ(refused("(?<name>a)[?*+]+\\+\\Q(?=\\E"), "");
  EXPECT_EQ(ErrorClassOf(CompileRegex("(", "rlike").status()), "INVALID_PARAMETER_VALUE.PATTERN");
}

TEST(RegexTest, SimpleExpressionsAreTakenForWhatTheyAre) {
  EXPECT_EQ(LiteralOfRegex("a\\.b"), "a.b");
  EXPECT_EQ(LiteralOfRegex("\\t"), "\t");
  EXPECT_EQ(LiteralOfRegex("a|b"), std::nullopt);
  EXPECT_EQ(LiteralOfRegex("\\s"), std::nullopt);
  EXPECT_TRUE(ByteClassOfRegex("\\s+")->Has('\t'));
  EXPECT_FALSE(ByteClassOfRegex("\\s+")->Has('a'));
  EXPECT_TRUE(ByteClassOfRegex("[^a-z]+")->Has('\xC3'));
  EXPECT_FALSE(ByteClassOfRegex("[^a-z]").has_value());  // a character may be several bytes
  EXPECT_FALSE(ByteClassOfRegex("[é]").has_value());
  EXPECT_FALSE(ByteClassOfRegex("(a)").has_value());
}

}  // namespace
}  // namespace tidemill
