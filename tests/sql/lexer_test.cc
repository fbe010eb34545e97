#include "driver/sql/lexer.h"

#include <gtest/gtest.h>

namespace tidemill::driver::sql {
namespace {

// Tokens as "kind:value", with the suffix of numbers after a slash.
std::string TokensOf(std::string_view text) {
  static constexpr const char* kNames[] = {"word",   "name",   "string", "int", "decimal",
                                           "double", "symbol", "hint",   "end"};
  auto tokens = Tokenize(text);
  if (!tokens.ok()) return tokens.status().message();
  std::string out;
  for (const Token& token : *tokens) {
    if (token.kind == TokenKind::kEnd) break;
    if (!out.empty()) out += " ";
    out += kNames[static_cast<int>(token.kind)];
    out += ":" + (token.value.empty() ? std::string(token.text) : token.value);
    if (!token.suffix.empty()) out += "/" + token.suffix;
  }
  return out;
}

TEST(LexerTest, CommentsAreSkippedAndBracketedOnesNest) {
  EXPECT_EQ(TokensOf("a -- one\n/* two /* three */ 'still' */ b"), "word:a word:b");
}

TEST(LexerTest, NumbersCarryTheirSuffix) {
  EXPECT_EQ(TokensOf("1 2l 3S 4y 1.5 2. .5 1e3 1.5e-3 2.5d 3f 4BD"),
            "int:1 int:2/L int:3/S int:4/Y decimal:1.5 decimal:2. decimal:.5 double:1e3 "
            "double:1.5e-3 double:2.5/D double:3/F decimal:4/BD");
}

TEST(LexerTest, AWordMayBeginWithADigit) {
  EXPECT_EQ(TokensOf("1a 2lx 1e x1.y"), "word:1a word:2lx word:1e word:x1 symbol:. word:y");
}

TEST(LexerTest, StringEscapesAreThoseOfSpark) {
  EXPECT_EQ(TokensOf(R"('it''s' "a""b" 'x\ty\\z\'' r'raw\d')"),
            "string:it's string:a\"b string:x\ty\\z' string:raw\\d");
  EXPECT_EQ(TokensOf(R"('\u00e9\U0001F600\uD83D\uDE00\101')"), "string:é😀😀A");
  EXPECT_EQ(TokensOf(R"('50\%\_\q')"), R"(string:50\%\_q)");
}

TEST(LexerTest, BackquotesDoubleInsideAQuotedName) {
  EXPECT_EQ(TokensOf("`a ``b`` c`"), "name:a `b` c");
}

TEST(LexerTest, ClosingAngleBracketsAreTokensOfTheirOwn) {
  EXPECT_EQ(TokensOf("<=>>><>>="), "symbol:<=> symbol:> symbol:> symbol:<> symbol:>=");
}

TEST(LexerTest, WideBlanksAreBlanks) {
  EXPECT_EQ(TokensOf("a\u00A0b\u3000é"), "word:a word:b word:é");
}

TEST(LexerTest, WhatIsNotClosedIsAnError) {
  EXPECT_EQ(TokensOf("a 'bc"), "Syntax error at or near ''': the string is not closed");
  EXPECT_EQ(TokensOf("a `bc"), "Syntax error at or near '`': the quoted identifier is not closed");
  EXPECT_EQ(TokensOf("a /* b /* */"),
            "Found an unclosed bracketed comment. Please, append */ at the end of the comment");
}

TEST(LexerTest, TypographicQuotesAreNamed) {
  auto tokens = Tokenize("SELECT ‘a’");

  ASSERT_FALSE(tokens.ok());
  EXPECT_EQ(tokens.status().message(), "Syntax error at or near '‘': a typographic quote");
}

TEST(LexerTest, TextsOverTheLimitOrNotUtf8AreRefused) {
  EXPECT_EQ(ErrorClassOf(Tokenize(std::string((1 << 20) + 1, ' ')).status()), "QUERY_TOO_LONG");
  EXPECT_EQ(TokensOf("SELECT '\xFF'"), "the query is not valid UTF-8");
}

}  // namespace
}  // namespace tidemill::driver::sql
