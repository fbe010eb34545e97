#include "common/csv/csv_tokenizer.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>
#include <utility>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace tidemill {

namespace {

bool IsSpace(char c) { return static_cast<unsigned char>(c) <= ' '; }

std::string_view TrimEnd(std::string_view text) {
  while (!text.empty() && IsSpace(text.back())) text.remove_suffix(1);
  return text;
}

}  // namespace

std::string_view TextArena::Add(std::string_view text) {
  if (text.size() > kChunkBytes / 4) {
    large_.push_back(std::make_unique<char[]>(text.size()));
    std::memcpy(large_.back().get(), text.data(), text.size());
    return {large_.back().get(), text.size()};
  }
  if (chunk_ < chunks_.size() && kChunkBytes - used_ < text.size()) {
    ++chunk_;
    used_ = 0;
  }
  if (chunk_ == chunks_.size()) chunks_.push_back(std::make_unique<char[]>(kChunkBytes));
  char* const copy = chunks_[chunk_].get() + used_;
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  used_ += text.size();
  return {copy, text.size()};
}

void TextArena::Clear() {
  large_.clear();
  chunk_ = 0;
  used_ = 0;
}

// A value that begins with a quote, character by character: Spark's parser is a machine over the
// last two characters, and what it makes of quotes in odd places follows from its order of tests.
// The same order is kept here. *Thread-compatible.*
class CsvTokenizer::QuotedValue {
 public:
  // `at` is behind the opening quote.
  QuotedValue(const CsvFormat& format, bool has_breaks, const char* at, const char* end,
              std::string* value)
      : format_(format), has_breaks_(has_breaks), at_(at), end_(end), value_(value) {
    ch_ = format.quote;
  }

  // Leaves at() at the separator or line break behind the value, or at the end.
  void Parse() {
    if (!ParseInside()) {
      FinishAtEnd();
    } else if (trims_end_) {
      value_->resize(TrimEnd(*value_).size());
    }
  }
  const char* at() const { return is_at_end_ ? end_ : at_ - 1; }

 private:
  bool Next() {
    is_at_end_ = at_ == end_;
    if (is_at_end_) return false;
    ch_ = *at_++;
    return true;
  }
  bool IsBreak() const { return has_breaks_ && ch_ == '\n'; }
  bool IsStop() const { return ch_ == format_.separator || IsBreak(); }
  bool IsSpecial() const { return ch_ == format_.quote || ch_ == format_.escape; }
  void Append(char c) { value_->push_back(c); }

  // Each of these returns false where the text ends.
  bool ParseInside() {
    if (!Next()) return false;
    while (true) {
      if (prev_ == format_.quote && (IsSpace(ch_) || IsStop())) break;
      if (!IsSpecial()) {
        if (prev_ == format_.quote) {
          // A quote inside that nobody escaped.
          is_unescaped_ = true;
          Append(format_.quote);
          Append(ch_);
          return TakeRest();
        }
        if (prev_ == format_.escape && format_.escape != '\0') Append(format_.escape);
        if (!AppendRun()) return false;
        prev_ = ch_;
        if (!Next()) return false;
        continue;
      }
      if (!ProcessEscape()) return false;
      prev_ = ch_;
      if (!Next()) return false;
    }
    if (IsStop()) return true;
    return SkipSpaceBehind();
  }

  // Plain characters up to the next special one.
  bool AppendRun() {
    while (!IsSpecial() && ch_ != format_.escape_escape) {
      Append(ch_);
      if (!Next()) return false;
    }
    return true;
  }

  // Blanks behind the closing quote vanish, unless other text follows them.
  bool SkipSpaceBehind() {
    std::string spaces;
    do {
      spaces.push_back(ch_);
      if (!Next()) return false;
      if (IsBreak()) return true;
    } while (IsSpace(ch_) && ch_ != format_.separator);
    if (ch_ == format_.separator) return true;
    Append(format_.quote);
    value_->append(spaces);
    Append(ch_);
    prev_ = ch_;
    return TakeRest();
  }

  // Everything up to the separator as it stands, the opening quote too.
  bool TakeRest() {
    prev_ = ch_;
    value_->insert(value_->begin(), format_.quote);
    if (!Next()) return false;
    trims_end_ = format_.ignores_trailing_space;
    const char first = ch_;
    while (!IsStop()) {
      Append(ch_);
      if (Next()) continue;
      ch_ = first;  // What FinishAtEnd asks for.
      return false;
    }
    return true;
  }

  bool ProcessEscape() {
    if (ch_ == format_.escape && prev_ == format_.escape_escape && format_.escape_escape != '\0') {
      Append(format_.escape);
      ch_ = '\0';
    } else if (prev_ == format_.escape) {
      if (ch_ == format_.quote) {
        Append(format_.quote);
        ch_ = '\0';
      } else {
        Append(prev_);
      }
    } else if (ch_ == format_.quote && prev_ == format_.quote) {
      Append(format_.quote);
    } else if (prev_ == format_.quote) {
      return TakeEscapesBehindQuote();
    }
    return true;
  }

  // An escape right behind a quote: up to a separator all is taken, quotes and escapes processed;
  // the value goes on behind it, once for each time that this began anew on the way.
  bool TakeEscapesBehindQuote() {
    Append(format_.quote);
    prev_ = ch_;
    int64_t pending = 0;
    while (true) {
      if (IsStop()) {
        if (pending-- == 0) return true;
      } else if (!IsSpecial()) {
        if (prev_ == format_.quote) {
          Append(format_.quote);
          prev_ = ch_;
          continue;
        }
        Append(ch_);
      } else if (ch_ == format_.escape && prev_ == format_.quote &&
                 format_.escape != format_.quote && prev_ != format_.escape_escape) {
        Append(format_.quote);
        prev_ = ch_;
        ++pending;
        continue;
      } else if (!ProcessEscape()) {
        return false;
      }
      prev_ = ch_;
      if (!Next()) return false;
    }
  }

  void FinishAtEnd() {
    is_at_end_ = true;
    if (ch_ == format_.quote && prev_ != format_.quote && !is_unescaped_) Append(format_.quote);
    if (trims_end_) value_->resize(TrimEnd(*value_).size());
  }

  const CsvFormat& format_;
  const bool has_breaks_;
  const char* at_;
  const char* const end_;
  std::string* const value_;
  char ch_ = '\0';
  char prev_ = '\0';
  bool is_unescaped_ = false;
  bool trims_end_ = false;
  bool is_at_end_ = false;
};

CsvTokenizer::CsvTokenizer(const CsvFormat* format, std::vector<int> wanted, bool needs_count,
                           bool has_breaks)
    : format_(*format),
      wanted_(std::move(wanted)),
      num_wanted_(static_cast<int>(
          std::count_if(wanted_.begin(), wanted_.end(), [](int slot) { return slot >= 0; }))),
      last_needed_(needs_count ? std::numeric_limits<int>::max()
                               : static_cast<int>(wanted_.size()) - 1),
      has_breaks_(has_breaks) {}

template <bool kHasBreaks>
const char* CsvTokenizer::FindStop(const char* from, const char* end) const {
#if defined(__SSE2__)
  const __m128i separator = _mm_set1_epi8(format_.separator);
  const __m128i line_feed = _mm_set1_epi8('\n');
  for (; end - from >= 16; from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    __m128i found = _mm_cmpeq_epi8(bytes, separator);
    if constexpr (kHasBreaks) found = _mm_or_si128(found, _mm_cmpeq_epi8(bytes, line_feed));
    const int mask = _mm_movemask_epi8(found);
    if (mask != 0) return from + __builtin_ctz(mask);
  }
#endif
  while (from != end && *from != format_.separator && !(kHasBreaks && *from == '\n')) ++from;
  return from;
}

template <bool kHasBreaks>
const char* CsvTokenizer::SkipSpace(const char* at, const char* end) const {
  while (at != end && IsSpace(*at) && *at != format_.separator && *at != format_.quote &&
         !(kHasBreaks && *at == '\n')) {
    ++at;
  }
  return at;
}

template <bool kHasBreaks>
bool CsvTokenizer::TakeUnquoted(const char** at, const char* end, std::string_view* token) const {
  const char* const stop = FindStop<kHasBreaks>(*at, end);
  *token = {*at, static_cast<size_t>(stop - *at)};
  *at = stop;
  if (IsTooLong(*token)) return false;
  if (format_.ignores_trailing_space) {
    *token = TrimEnd(*token);
    if (token->empty()) *token = stop == end ? format_.empty_value : format_.null_value;
  }
  return true;
}

// `*at` is at the quote.
template <bool kHasBreaks>
void CsvTokenizer::TakeQuoted(const char** at, const char* end, std::string_view* token) {
  const char* const begin = *at + 1;
  // What nearly all values are: no escapes, the quote right before a separator.
  for (const char* to = begin; to != end; ++to) {
    if (*to == format_.quote) {
      const bool is_escaped = to[-1] == format_.escape;
      const bool is_last =
          to + 1 != end && (to[1] == format_.separator || (kHasBreaks && to[1] == '\n'));
      if (is_escaped || !is_last) break;
      *token = to == begin ? std::string_view(format_.empty_value)
                           : std::string_view(begin, static_cast<size_t>(to - begin));
      *at = to + 1;
      return;
    }
    if (*to == format_.escape && to + 1 != end &&
        (to[1] == format_.quote || to[1] == format_.escape_escape)) {
      break;
    }
  }
  scratch_.clear();
  QuotedValue value(format_, kHasBreaks, begin, end, &scratch_);
  value.Parse();
  *at = value.at();
  *token = scratch_.empty() ? std::string_view(format_.empty_value) : arena_.Add(scratch_);
}

template <bool kHasBreaks>
int CsvTokenizer::TakeRecord(const char** at, const char* end, std::string_view* out) {
  const char* p = *at;
  int column = 0;
  int filled = 0;
  const auto put = [&](std::string_view token) {
    if (column < static_cast<int>(wanted_.size()) && wanted_[column] >= 0) {
      out[wanted_[column]] = token;
      ++filled;
    }
    ++column;
  };
  while (true) {
    if (format_.ignores_leading_space) p = SkipSpace<kHasBreaks>(p, end);
    std::string_view token = format_.null_value;
    bool is_token = true;
    if (p == end || (kHasBreaks && *p == '\n')) {
      is_token = column > 0;  // else the record is blank
    } else if (*p == format_.quote && format_.quote != '\0') {
      TakeQuoted<kHasBreaks>(&p, end, &token);
      if (IsTooLong(token)) return kTooLarge;
    } else if (*p != format_.separator && !TakeUnquoted<kHasBreaks>(&p, end, &token)) {
      return kTooLarge;
    }
    if (is_token) put(token);
    if (column > format_.max_columns) return kTooLarge;
    if (p == end) break;
    const char stop = *p++;
    if (stop != format_.separator || column > last_needed_) break;
  }
  *at = p;
  if (filled < num_wanted_) {
    for (size_t i = column; i < wanted_.size(); ++i) {
      if (wanted_[i] >= 0) out[wanted_[i]] = format_.null_value;
    }
  }
  return column;
}

int CsvTokenizer::Take(const char** at, const char* end, std::string_view* out) {
  return has_breaks_ ? TakeRecord<true>(at, end, out) : TakeRecord<false>(at, end, out);
}

int TakeAllTokens(const CsvFormat& format, bool has_breaks, const char** at, const char* end,
                  std::vector<std::string>* tokens) {
  std::vector<int> all(format.max_columns);
  std::iota(all.begin(), all.end(), 0);
  std::vector<std::string_view> views(all.size());
  CsvTokenizer tokenizer(&format, std::move(all), /*needs_count=*/true, has_breaks);
  const int count = tokenizer.Take(at, end, views.data());
  tokens->assign(views.begin(), views.begin() + std::max(count, 0));
  return count;
}

}  // namespace tidemill
