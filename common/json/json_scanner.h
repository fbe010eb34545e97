#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/equal_bytes.h"

namespace tidemill {

enum class JsonKind : uint8_t {
  kNull,  // null, and a field that is not there
  kTrue,
  kFalse,
  kInteger,
  kReal,           // has a fraction or an exponent, or is NaN, INF, -Infinity, ...
  kString,         // `text` is between the quotes and stands for itself
  kEscapedString,  // the same with escapes in it
  kObject,
  kArray,
};

// A piece of a record, checked and not converted yet. `text` points into the record. *Plain data.*
struct JsonValue {
  const char* data = nullptr;
  uint32_t size = 0;
  JsonKind kind = JsonKind::kNull;

  std::string_view text() const { return {data, size}; }
};

struct JsonSyntax {
  bool allows_single_quotes = true;
  bool allows_non_numeric_numbers = true;
  bool allows_leading_zeros = false;
  bool allows_unquoted_names = false;
  bool allows_comments = false;            // as in C and C++
  bool allows_any_escape = false;          // a backslash before any character
  bool allows_control_characters = false;  // bare in strings
};

// Replaces escapes; lone surrogates become "?", as Java's encoder writes them. The text must have
// been scanned.
void UnescapeJson(std::string_view text, std::string* out);

// Walks one record of JSON text from left to right and checks every byte of it against the grammar
// but for UTF-8: the structure, escapes and control characters in strings, numbers, literals, and
// at most 64 levels. Every function returns false at the first error. *Thread-compatible.*
class JsonScanner {
 public:
  static constexpr int kMaxDepth = 64;

  JsonScanner(std::string_view text, JsonSyntax syntax)
      : at_(text.data()), end_(text.data() + text.size()), syntax_(syntax) {}

  // Skips white space; true where nothing is left.
  bool IsAtEnd() {
    SkipSpace();
    return at_ == end_;
  }
  // The first character of the next value; 0 at the end.
  char Peek() {
    SkipSpace();
    return at_ == end_ ? '\0' : *at_;
  }
  bool ScanValue(JsonValue* value) { return ScanValue(0, value); }
  // Calls on_field(key, value) for each field of the object that comes next; keys are strings.
  template <class OnField>
  bool ScanObject(OnField&& on_field) {
    return ScanObject(0, on_field);
  }
  // The same for an object whose keys `fields` (JsonFields) looks up: on_field(index, value) for
  // those that it knows.
  template <class Fields, class OnField>
  bool ScanFields(Fields* fields, OnField&& on_field) {
    if (!Take('{')) return false;
    fields->BeginObject();
    if (Take('}')) return true;
    do {
      JsonValue value;
      int field = -1;
      SkipSpace();
      if (TakeText(fields->expected_head())) {
        field = fields->TakeExpected();
      } else {
        JsonValue key;
        if (!ScanKey(&key)) return false;
        field = fields->Find(key);
      }
      if (!ScanValue(1, &value)) return false;
      if (field >= 0) on_field(field, value);
    } while (Take(','));
    return Take('}');
  }
  // Calls on_element(value) for each element of the array that comes next.
  template <class OnElement>
  bool ScanArray(OnElement&& on_element) {
    return ScanArray(0, on_element);
  }

 private:
  void SkipSpace() {
    do {
      while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r' || *at_ == '\n')) ++at_;
    } while (at_ != end_ && *at_ == '/' && syntax_.allows_comments && SkipComment());
  }
  bool SkipComment();  // at the slash; false where no comment begins or ends
  bool Take(char expected) {
    SkipSpace();
    if (at_ == end_ || *at_ != expected) return false;
    ++at_;
    return true;
  }
  // False also for an empty text.
  bool TakeText(std::string_view text) {
    if (text.empty() || static_cast<size_t>(end_ - at_) < text.size() ||
        !EqualBytes(at_, text.data(), text.size())) {
      return false;
    }
    at_ += text.size();
    return true;
  }
  // A name and its colon.
  bool ScanKey(JsonValue* key) {
    return (IsQuote(Peek()) ? ScanString(key) : ScanBareName(key)) && Take(':');
  }
  bool ScanValue(int depth, JsonValue* value);
  bool ScanString(JsonValue* value);  // at the opening quote
  bool ScanBareName(JsonValue* name);
  bool ScanEscape(char quote);  // at the backslash
  bool ScanNumber(JsonValue* value);
  bool ScanWord(std::string_view word, JsonKind kind, JsonValue* value);
  bool ScanNonNumeric(JsonValue* value);
  bool IsQuote(char c) const { return c == '"' || (c == '\'' && syntax_.allows_single_quotes); }

  template <class OnField>
  bool ScanObject(int depth, OnField& on_field) {
    if (depth >= kMaxDepth || !Take('{')) return false;
    if (Take('}')) return true;
    do {
      JsonValue key;
      JsonValue value;
      if (!ScanKey(&key) || !ScanValue(depth + 1, &value)) return false;
      on_field(key, value);
    } while (Take(','));
    return Take('}');
  }
  template <class OnElement>
  bool ScanArray(int depth, OnElement& on_element) {
    if (depth >= kMaxDepth || !Take('[')) return false;
    if (Take(']')) return true;
    do {
      JsonValue value;
      if (!ScanValue(depth + 1, &value)) return false;
      on_element(value);
    } while (Take(','));
    return Take(']');
  }

  const char* at_;
  const char* const end_;
  const JsonSyntax syntax_;
};

}  // namespace tidemill
