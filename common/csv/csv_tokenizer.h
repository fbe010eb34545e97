#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tidemill {

// How CSV text is written; the names are those of Spark's options. '\0' is "none". *Plain data.*
struct CsvFormat {
  char separator = ',';
  char quote = '"';
  char escape = '\\';
  char escape_escape = '\\';  // charToEscapeQuoteEscaping
  char comment = '\0';
  bool ignores_leading_space = false;
  bool ignores_trailing_space = false;
  std::string null_value;
  std::string empty_value;
  int64_t max_columns = 20480;
  int64_t max_chars_per_column = -1;  // -1: no limit
};

// Copies of texts at addresses that stay until Clear. *Thread-compatible.*
class TextArena {
 public:
  std::string_view Add(std::string_view text);
  void Clear();

 private:
  static constexpr size_t kChunkBytes = size_t{64} << 10;

  std::vector<std::unique_ptr<char[]>> chunks_;  // of kChunkBytes, reused
  std::vector<std::unique_ptr<char[]>> large_;   // one text each
  size_t chunk_ = 0;
  size_t used_ = 0;
};

// Takes CSV records apart exactly as Spark's parser does, its treatment of quotes that nobody
// escaped included (up to the next separator, quotes kept). A token that is not there at all is
// null_value, a quoted one without text is empty_value. *Thread-compatible.*
class CsvTokenizer {
 public:
  // `wanted[i]`: where the tokens of column i go in the output, or -1; columns beyond are not
  // wanted. With `needs_count` the whole record is looked at, else what is left once all wanted
  // columns are there is not. With `has_breaks` a \n outside of quotes ends a record.
  // `format` must outlive this.
  CsvTokenizer(const CsvFormat* format, std::vector<int> wanted, bool needs_count, bool has_breaks);

  static constexpr int kTooLarge = -1;
  // Takes the record at *at, and moves *at behind it (behind its \n). Wanted tokens go to `out`,
  // which holds one for each wanted column; tokens that the record lacks are null_value. Returns
  // the number of tokens, 0 for a record without any, or kTooLarge where a limit is exceeded.
  // Tokens point into the text, into the format or into memory of this, until Reset.
  int Take(const char** at, const char* end, std::string_view* out);
  void Reset() { arena_.Clear(); }

 private:
  // One quoted value; see the .cc.
  class QuotedValue;

  template <bool kHasBreaks>
  int TakeRecord(const char** at, const char* end, std::string_view* out);
  template <bool kHasBreaks>
  bool TakeUnquoted(const char** at, const char* end, std::string_view* token) const;
  template <bool kHasBreaks>
  void TakeQuoted(const char** at, const char* end, std::string_view* token);
  template <bool kHasBreaks>
  const char* FindStop(const char* from, const char* end) const;
  template <bool kHasBreaks>
  const char* SkipSpace(const char* at, const char* end) const;
  bool IsTooLong(std::string_view token) const {
    return format_.max_chars_per_column >= 0 &&
           static_cast<int64_t>(token.size()) > format_.max_chars_per_column;
  }

  const CsvFormat& format_;
  const std::vector<int> wanted_;
  const int num_wanted_;
  const int last_needed_;  // columns behind are not looked at
  const bool has_breaks_;
  TextArena arena_;
  std::string scratch_;
};

// The tokens of the record at *at, however many; *at moves behind it. Returns what Take does.
int TakeAllTokens(const CsvFormat& format, bool has_breaks, const char** at, const char* end,
                  std::vector<std::string>* tokens);

}  // namespace tidemill
