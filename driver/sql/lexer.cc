#include "driver/sql/lexer.h"

#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "driver/sql/string_escape.h"

namespace tidemill::driver::sql {

namespace {

constexpr size_t kMaxBytes = 1 << 20;

// Longest first, so that the first match is the longest. '<' and '>' are not joined into shifts
// here: "ARRAY<ARRAY<INT>>" has two closing tokens.
constexpr std::array<std::string_view, 19> kLongSymbols = {
    "<=>", "<>", "<=", ">=", "!=", "!<", "!>", "==", "=>", "->",
    "::",  "||", "|>", "<",  ">",  "!",  "|",  "=",  ":"};
constexpr std::string_view kShortSymbols = "(),;.[]+-*/%&^~?{}";

// White space of Spark's lexer outside ASCII.
constexpr std::array<std::string_view, 17> kWideBlanks = {
    "\u00A0", "\u1680", "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006",
    "\u2007", "\u2008", "\u2009", "\u200A", "\u2028", "\u202F", "\u205F", "\u3000"};
constexpr std::array<std::string_view, 4> kTypographicQuotes = {"\u2018", "\u2019", "\u201C",
                                                                "\u201D"};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsWordByte(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (c & 0x80);
}
char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }

template <size_t n>
size_t LengthOfPrefix(std::string_view text, const std::array<std::string_view, n>& prefixes) {
  for (std::string_view prefix : prefixes) {
    if (text.substr(0, prefix.size()) == prefix) return prefix.size();
  }
  return 0;
}

// A number as found at the beginning of a text; length 0 for none.
struct NumberMatch {
  size_t length = 0;
  size_t suffix_length = 0;
  TokenKind kind = TokenKind::kInteger;
};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  arrow::Result<std::vector<Token>> Run() {
    if (text_.substr(0, 3) == "\xEF\xBB\xBF") position_ = 3;
    while (true) {
      ARROW_RETURN_NOT_OK(SkipBlanks());
      if (position_ == text_.size()) break;
      ARROW_RETURN_NOT_OK(ReadToken());
    }
    const int32_t end = tokens_.empty() ? 0 : tokens_.back().span.end;
    tokens_.push_back({TokenKind::kEnd, {end, end}, {}, {}, {}});
    return std::move(tokens_);
  }

 private:
  std::string_view Rest() const { return text_.substr(position_); }
  bool StartsWith(std::string_view prefix) const {
    return Rest().substr(0, prefix.size()) == prefix;
  }
  Span SpanOf(size_t length) const {
    return {static_cast<int32_t>(position_), static_cast<int32_t>(position_ + length)};
  }

  arrow::Status SyntaxError(size_t length, std::string_view what, std::string hint = "") const {
    std::string_view shown = Rest().substr(0, std::min<size_t>(length, 20));
    shown = shown.substr(0, shown.find('\n'));
    while (!shown.empty() && position_ + shown.size() < text_.size() &&
           (text_[position_ + shown.size()] & 0xC0) == 0x80)
      shown.remove_suffix(1);
    return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR",
                     fmt::format("Syntax error at or near '{}': {}", shown, what), SpanOf(length),
                     std::move(hint));
  }

  void Add(TokenKind kind, size_t length, std::string value = "", std::string suffix = "") {
    tokens_.push_back({kind, SpanOf(length), text_.substr(position_, length), std::move(value),
                       std::move(suffix)});
    position_ += length;
  }

  arrow::Status SkipBlanks() {
    while (position_ < text_.size()) {
      const char c = text_[position_];
      if (c == ' ' || (c >= '\t' && c <= '\r')) {
        ++position_;
      } else if (const size_t wide = (c & 0x80) ? LengthOfPrefix(Rest(), kWideBlanks) : 0) {
        position_ += wide;
      } else if (StartsWith("--")) {
        SkipLineComment();
      } else if (StartsWith("/*") && !StartsWith("/*+")) {
        ARROW_RETURN_NOT_OK(SkipComment());
      } else {
        break;
      }
    }
    return arrow::Status::OK();
  }

  // A backslash before the line break continues the comment, as in Spark.
  void SkipLineComment() {
    while (position_ < text_.size() && text_[position_] != '\n') {
      position_ += StartsWith("\\\n") ? 2 : 1;
    }
  }

  arrow::Status SkipComment() {
    int depth = 0;
    size_t at = position_;
    do {
      const std::string_view rest = text_.substr(at, 2);
      if (rest.size() < 2) {
        return MakeError(ErrorKind::kInvalid, "UNCLOSED_BRACKETED_COMMENT",
                         "Found an unclosed bracketed comment. Please, append */ at the end of the "
                         "comment",
                         SpanOf(2));
      }
      if (rest == "/*") {
        ++depth;
        at += 2;
      } else if (rest == "*/") {
        --depth;
        at += 2;
      } else {
        ++at;
      }
    } while (depth > 0);
    position_ = at;
    return arrow::Status::OK();
  }

  arrow::Status ReadToken() {
    const char c = text_[position_];
    if (c == '\'' || c == '"') return ReadString(0, /*is_raw=*/false);
    if ((c == 'r' || c == 'R') && position_ + 1 < text_.size() &&
        (text_[position_ + 1] == '\'' || text_[position_ + 1] == '"')) {
      return ReadString(1, /*is_raw=*/true);
    }
    if (c == '`') return ReadQuotedName();
    if (LengthOfPrefix(Rest(), kTypographicQuotes) > 0) {
      return SyntaxError(3, "a typographic quote", "write strings with straight quotes: '...'");
    }
    if (IsDigit(c) || (c == '.' && position_ + 1 < text_.size() && IsDigit(text_[position_ + 1]))) {
      if (ReadNumber()) return arrow::Status::OK();
    }
    if (IsWordByte(c)) {
      Add(TokenKind::kWord, LengthOfWord());
      return arrow::Status::OK();
    }
    if (StartsWith("/*+")) {
      Add(TokenKind::kHint, 3);
      return arrow::Status::OK();
    }
    size_t length = LengthOfPrefix(Rest(), kLongSymbols);
    if (length == 0 && kShortSymbols.find(c) != std::string_view::npos) length = 1;
    if (length == 0) return SyntaxError(1, "unexpected character");
    Add(TokenKind::kSymbol, length);
    return arrow::Status::OK();
  }

  size_t LengthOfWord() const {
    const std::string_view rest = Rest();
    size_t length = 0;
    while (
        length < rest.size() && IsWordByte(rest[length]) &&
        !((rest[length] & 0x80) && (LengthOfPrefix(rest.substr(length), kWideBlanks) > 0 ||
                                    LengthOfPrefix(rest.substr(length), kTypographicQuotes) > 0)))
      ++length;
    return length;
  }

  // `prefix` characters stand before the opening quote.
  arrow::Status ReadString(size_t prefix, bool is_raw) {
    const std::string_view rest = Rest();
    const char quote = rest[prefix];
    size_t end = prefix + 1;
    while (end < rest.size()) {
      if (rest[end] == quote) {
        if (is_raw || end + 1 >= rest.size() || rest[end + 1] != quote) break;
        ++end;
      } else if (!is_raw && rest[end] == '\\') {
        ++end;
      }
      ++end;
    }
    if (end >= rest.size()) return SyntaxError(prefix + 1, "the string is not closed");
    const std::string_view body = rest.substr(prefix + 1, end - prefix - 1);
    Add(TokenKind::kString, end + 1, is_raw ? std::string(body) : UnescapeString(body, quote));
    return arrow::Status::OK();
  }

  arrow::Status ReadQuotedName() {
    const std::string_view rest = Rest();
    std::string name;
    size_t end = 1;
    for (; end < rest.size(); ++end) {
      if (rest[end] == '`') {
        if (end + 1 >= rest.size() || rest[end + 1] != '`') break;
        ++end;
      }
      name.push_back(rest[end]);
    }
    if (end >= rest.size()) return SyntaxError(1, "the quoted identifier is not closed");
    if (name.empty()) return SyntaxError(2, "a quoted identifier must not be empty");
    Add(TokenKind::kQuotedName, end + 1, std::move(name));
    return arrow::Status::OK();
  }

  size_t LengthOfDigits(size_t from) const {
    const std::string_view rest = Rest();
    size_t end = from;
    while (end < rest.size() && IsDigit(rest[end])) ++end;
    return end - from;
  }

  // Completes a number whose digits (and point) end at `length`: exponent and suffix.
  NumberMatch MatchTail(size_t length, bool has_point) const {
    NumberMatch match{length, 0, has_point ? TokenKind::kDecimal : TokenKind::kInteger};
    const std::string_view rest = Rest();
    if (length < rest.size() && Upper(rest[length]) == 'E') {
      const bool has_sign =
          length + 1 < rest.size() && (rest[length + 1] == '+' || rest[length + 1] == '-');
      const size_t digits = LengthOfDigits(length + 1 + has_sign);
      if (digits > 0) {
        match.length += 1 + has_sign + digits;
        match.kind = TokenKind::kDouble;
      }
    }
    if (match.length >= rest.size()) return match;
    const char c = Upper(rest[match.length]);
    if (c == 'F' || c == 'D') {
      match.kind = TokenKind::kDouble;
      match.suffix_length = 1;
    } else if (c == 'B' && match.length + 1 < rest.size() && Upper(rest[match.length + 1]) == 'D') {
      match.kind = TokenKind::kDecimal;
      match.suffix_length = 2;
    } else if (match.kind == TokenKind::kInteger && (c == 'L' || c == 'S' || c == 'Y')) {
      match.suffix_length = 1;
    }
    match.length += match.suffix_length;
    return match;
  }

  // Reads a number unless a longer word begins here ("1a" is a word); tells whether it did.
  bool ReadNumber() {
    const std::string_view rest = Rest();
    const size_t whole = LengthOfDigits(0);
    NumberMatch match;
    if (whole < rest.size() && rest[whole] == '.') {
      match = MatchTail(whole + 1 + LengthOfDigits(whole + 1), /*has_point=*/true);
      if (match.length < rest.size() && IsWordByte(rest[match.length])) match = {};
    }
    if (match.length == 0) {
      if (whole == 0) return false;
      match = MatchTail(whole, /*has_point=*/false);
      if (LengthOfWord() > match.length) return false;
    }
    std::string suffix(rest.substr(match.length - match.suffix_length, match.suffix_length));
    std::transform(suffix.begin(), suffix.end(), suffix.begin(), Upper);
    Add(match.kind, match.length, std::string(rest.substr(0, match.length - match.suffix_length)),
        std::move(suffix));
    return true;
  }

  std::string_view text_;
  size_t position_ = 0;
  std::vector<Token> tokens_;
};

}  // namespace

arrow::Result<std::vector<Token>> Tokenize(std::string_view text) {
  if (text.size() > kMaxBytes) {
    return MakeError(
        ErrorKind::kInvalid, "QUERY_TOO_LONG",
        fmt::format("query too long: at most {} bytes, got {}", kMaxBytes, text.size()));
  }
  arrow::util::InitializeUTF8();
  if (!arrow::util::ValidateUTF8(text)) {
    return MakeError(ErrorKind::kInvalid, "PARSE_SYNTAX_ERROR", "the query is not valid UTF-8");
  }
  return Lexer(text).Run();
}

}  // namespace tidemill::driver::sql
