#pragma once

#include <string>
#include <string_view>

#include "common/base/error.h"

namespace tidemill {

// One token of a DDL text.
struct DdlToken {
  enum class Kind {
    kName,    // a word: letters, digits, '_'; not digits alone
    kQuoted,  // `name`
    kNumber,  // digits
    kString,  // 'text' or "text"
    kSymbol,  // one of < > ( ) : ,
    kEnd,
    kInvalid,  // anything else; one character, or a quote that is not closed
  };

  Kind kind = Kind::kEnd;
  std::string_view text;  // as written, quotes included; empty at the end
  Span span;

  bool Is(char symbol) const { return kind == Kind::kSymbol && text[0] == symbol; }
};

// Cuts a DDL text into tokens; skips white space, "-- ..." and "/* ... */". The text must outlive
// the lexer and its tokens. *Thread-compatible.*
class DdlLexer {
 public:
  explicit DdlLexer(std::string_view text) : text_(text) {}

  DdlToken Next();

 private:
  void SkipBlanks();
  DdlToken Make(DdlToken::Kind kind, size_t end);

  std::string_view text_;
  size_t pos_ = 0;
};

// The name inside a kName or kQuoted token.
std::string NameOf(const DdlToken& token);

}  // namespace tidemill
