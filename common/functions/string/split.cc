#include <arrow/array.h>
#include <arrow/type.h>
#include <re2/re2.h>

#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/columns.h"
#include "common/functions/signature.h"
#include "common/functions/string/byte_scanner.h"
#include "common/functions/string/pattern.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

constexpr int64_t kBlock = 16;

// Splits at single bytes of a set, or at runs of them. Sizes are known before the first token is
// written: the tokens are at most the delimiters and the rows, their bytes at most the input's.
class ByteSplitter {
 public:
  ByteSplitter(const TextColumn& text, int64_t rows, const ByteScanner& scanner, bool is_run)
      : text_(text), rows_(rows), scanner_(scanner), is_run_(is_run) {
    begin_ = text.data() + text.offsets()[0];
    end_ = text.data() + text.offsets()[rows];
  }

  arrow::Result<arrow::Datum> Split(const Validity& validity, const TypePtr& type,
                                    arrow::MemoryPool* pool) {
    const int64_t delimiters = scanner_.Count(begin_, end_ - begin_);
    constexpr int64_t kWord = sizeof(int32_t);
    ARROW_ASSIGN_OR_RAISE(auto row_ends, arrow::AllocateResizableBuffer((rows_ + 1) * kWord, pool));
    ARROW_ASSIGN_OR_RAISE(auto token_ends,
                          arrow::AllocateResizableBuffer((delimiters + rows_ + 1) * kWord, pool));
    // Blocks are copied whole, so the last one may reach past the tokens.
    ARROW_ASSIGN_OR_RAISE(
        auto bytes, arrow::AllocateResizableBuffer(end_ - begin_ - delimiters + 2 * kBlock, pool));
    first_token_ = token_end_ = token_ends->mutable_data_as<int32_t>();
    first_out_ = out_ = bytes->mutable_data_as<char>();
    *token_end_++ = 0;
    SplitRows(validity, row_ends->mutable_data_as<int32_t>());
    const int64_t tokens = token_end_ - first_token_ - 1;
    ARROW_RETURN_NOT_OK(token_ends->Resize((tokens + 1) * kWord, false));
    ARROW_RETURN_NOT_OK(bytes->Resize(out_ - first_out_, false));
    auto values = arrow::ArrayData::Make(arrow::utf8(), tokens,
                                         {nullptr, std::move(token_ends), std::move(bytes)}, 0);
    auto list = arrow::ArrayData::Make(
        type, rows_, {validity.null_count() > 0 ? validity.bitmap() : nullptr, std::move(row_ends)},
        {std::move(values)}, validity.null_count());
    return arrow::Datum(std::move(list));
  }

 private:
  // Rows in groups whose text and delimiters stay in the nearest cache.
  void SplitRows(const Validity& validity, int32_t* row_end) {
    constexpr int64_t kGroupBytes = 4096;
    std::vector<int32_t> positions;
    *row_end++ = 0;
    for (int64_t first = 0; first < rows_;) {
      int64_t last = first + 1;
      const char* const begin = text_[first].data();
      while (last < rows_ && text_[last].data() - begin < kGroupBytes) ++last;
      const char* const end = text_[last - 1].data() + text_[last - 1].size();
      const auto room = static_cast<size_t>(end - begin + ByteScanner::kSlack + 1);
      if (positions.size() < room) positions.resize(room);
      const int64_t count = scanner_.Find(begin, end - begin, positions.data());
      positions[count] = std::numeric_limits<int32_t>::max();
      const int32_t* next = positions.data();
      for (int64_t row = first; row < last; ++row) {
        next = SplitRow(text_[row], begin, next, validity[row]);
        *row_end++ = static_cast<int32_t>(token_end_ - first_token_ - 1);
      }
      first = last;
    }
  }

  // Consumes the positions (counted from `base`) within the row and returns the next one. Where to
  // write is kept in registers: stores of bytes may alias members.
  const int32_t* SplitRow(std::string_view row, const char* base, const int32_t* next,
                          bool is_valid) {
    const char* token = row.data();
    const char* const end = token + row.size();
    const auto row_limit = static_cast<int32_t>(end - base);
    if (!is_valid) {
      while (*next < row_limit) ++next;
      return next;
    }
    char* out = out_;
    int32_t* token_end = token_end_;
    const char* const first_out = first_out_;
    const char* const last_block = end_ - begin_ >= kBlock ? end_ - kBlock : nullptr;
    auto end_token = [&](const char* to) {
      const int64_t size = to - token;
      if (size <= kBlock && token <= last_block) {
        std::memcpy(out, token, kBlock);
      } else {
        std::memcpy(out, token, size);
      }
      out += size;
      *token_end++ = static_cast<int32_t>(out - first_out);
    };
    if (is_run_) {
      const char* run_end = nullptr;
      for (; *next < row_limit; ++next) {
        const char* const at = base + *next;
        if (at != run_end) end_token(at);
        token = run_end = at + 1;
      }
    } else {
      for (; *next < row_limit; ++next) {
        const char* const at = base + *next;
        end_token(at);
        token = at + 1;
      }
    }
    end_token(end);
    out_ = out;
    token_end_ = token_end;
    return next;
  }

  const TextColumn& text_;
  const int64_t rows_;
  const ByteScanner& scanner_;
  const bool is_run_;
  const char* begin_ = nullptr;
  const char* end_ = nullptr;
  int32_t* first_token_ = nullptr;
  int32_t* token_end_ = nullptr;
  char* first_out_ = nullptr;
  char* out_ = nullptr;
};

// Where tokens go when their number is not known before.
class TokenWriter {
 public:
  TokenWriter(int64_t rows, int64_t bytes, arrow::MemoryPool* pool)
      : row_ends_(pool), token_ends_(pool), bytes_(pool), rows_(rows), bytes_hint_(bytes) {}

  arrow::Status Start() {
    ARROW_RETURN_NOT_OK(row_ends_.Reserve(rows_ + 1));
    ARROW_RETURN_NOT_OK(token_ends_.Reserve(bytes_hint_ / 8 + rows_ + 1));
    ARROW_RETURN_NOT_OK(bytes_.Reserve(bytes_hint_));
    row_ends_.UnsafeAppend(0);
    return token_ends_.Append(0);
  }
  arrow::Status Append(std::string_view token) {
    ARROW_RETURN_NOT_OK(bytes_.Append(token.data(), token.size()));
    return token_ends_.Append(static_cast<int32_t>(bytes_.length()));
  }
  void EndRow() { row_ends_.UnsafeAppend(static_cast<int32_t>(token_ends_.length() - 1)); }

  arrow::Result<arrow::Datum> Finish(const Validity& validity, const TypePtr& type) {
    if (bytes_.length() > std::numeric_limits<int32_t>::max()) {
      return MakeError(ErrorKind::kResource, "BATCH_TOO_LARGE",
                       "strings of one batch exceed 2 GiB: function=split");
    }
    const int64_t tokens = token_ends_.length() - 1;
    ARROW_ASSIGN_OR_RAISE(auto row_ends, row_ends_.Finish());
    ARROW_ASSIGN_OR_RAISE(auto token_ends, token_ends_.Finish());
    ARROW_ASSIGN_OR_RAISE(auto bytes, bytes_.Finish());
    auto values = arrow::ArrayData::Make(arrow::utf8(), tokens,
                                         {nullptr, std::move(token_ends), std::move(bytes)}, 0);
    return arrow::Datum(arrow::ArrayData::Make(
        type, rows_, {validity.null_count() > 0 ? validity.bitmap() : nullptr, std::move(row_ends)},
        {std::move(values)}, validity.null_count()));
  }

 private:
  arrow::TypedBufferBuilder<int32_t> row_ends_;
  arrow::TypedBufferBuilder<int32_t> token_ends_;
  arrow::BufferBuilder bytes_;
  const int64_t rows_;
  const int64_t bytes_hint_;
};

// The next delimiter at or after `from`; false where there is none.
struct LiteralFinder {
  std::string_view delimiter;
  bool operator()(std::string_view text, size_t from, size_t* begin, size_t* end) const {
    *begin = text.find(delimiter, from);
    if (*begin == std::string_view::npos) return false;
    *end = *begin + delimiter.size();
    return true;
  }
};

struct RegexFinder {
  const re2::RE2* regex;
  bool operator()(std::string_view text, size_t from, size_t* begin, size_t* end) const {
    const re2::StringPiece input(text.data(), text.size());
    re2::StringPiece match;
    if (from > text.size()) return false;
    if (!regex->Match(input, from, text.size(), re2::RE2::UNANCHORED, &match, 1)) return false;
    *begin = match.data() - text.data();
    *end = *begin + match.size();
    return true;
  }
};

// Delimiters that are one ASCII byte of a set, or a run of them: "[ ,;]", "\\s+".
struct ClassFinder {
  ByteClass bytes;
  bool operator()(std::string_view text, size_t from, size_t* begin, size_t* end) const {
    size_t at = from;
    while (at < text.size() && !bytes.Has(text[at])) ++at;
    if (at >= text.size()) return false;
    *begin = at++;
    while (bytes.is_run && at < text.size() && bytes.Has(text[at])) ++at;
    *end = at;
    return true;
  }
};

// As java.util.regex.Pattern.split: a match of nothing at the start gives no empty token.
template <class Finder>
arrow::Status SplitText(std::string_view text, const Finder& find, int32_t limit,
                        TokenWriter* out) {
  size_t token = 0, search = 0, begin = 0, end = 0;
  for (int32_t count = 1; limit <= 0 || count < limit;) {
    if (!find(text, search, &begin, &end)) break;
    search = end;
    if (end == begin) {
      search += begin < text.size() ? CharacterSize(text[begin]) : 1;
      if (begin == 0) continue;
    }
    ARROW_RETURN_NOT_OK(out->Append(text.substr(token, begin - token)));
    token = end;
    ++count;
  }
  return out->Append(text.substr(token));
}

// split(text, '') cuts between characters.
arrow::Status SplitCharacters(std::string_view text, int32_t limit, TokenWriter* out) {
  size_t at = 0;
  for (int32_t count = 1; at < text.size() && (limit <= 0 || count < limit); ++count) {
    const size_t size = std::min<size_t>(CharacterSize(text[at]), text.size() - at);
    if (at + size >= text.size()) break;
    ARROW_RETURN_NOT_OK(out->Append(text.substr(at, size)));
    at += size;
  }
  return out->Append(text.substr(at));
}

const TypePtr& ListOfText() {
  static const TypePtr type = arrow::list(arrow::utf8());
  return type;
}

// A list of tokens for each row by `split(row, writer)`.
template <class SplitRow>
arrow::Result<arrow::Datum> SplitRows(const EvalContext& context,
                                      std::span<const arrow::Datum> args, int64_t rows,
                                      SplitRow split) {
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
  if (validity.all_null()) return NullDatum(ListOfText());
  TokenWriter writer(rows, TextColumn(args[0]).ByteSize(rows), context.pool);
  ARROW_RETURN_NOT_OK(writer.Start());
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) ARROW_RETURN_NOT_OK(split(row, &writer));
    writer.EndRow();
  }
  return writer.Finish(validity, ListOfText());
}

// The limit of each row, -1 where it was not given.
class Limits {
 public:
  explicit Limits(std::span<const arrow::Datum> args) {
    if (args.size() == 3) column_.emplace_back(args[2]);
  }
  int32_t operator[](int64_t row) const { return column_.empty() ? -1 : column_[0][row]; }
  bool NeverLimits() const {
    return column_.empty() || (column_[0].is_constant() && column_[0][0] <= 0);
  }

 private:
  std::vector<FixedColumn<int32_t>> column_;
};

Kernel LiteralSplit(std::string delimiter) {
  return [delimiter = std::move(delimiter)](const EvalContext& context,
                                            std::span<const arrow::Datum> args, int64_t rows) {
    const TextColumn text(args[0]);
    const Limits limits(args);
    const LiteralFinder finder{delimiter};
    return SplitRows(context, args, rows, [&](int64_t row, TokenWriter* out) {
      if (delimiter.empty()) return SplitCharacters(text[row], limits[row], out);
      return SplitText(text[row], finder, limits[row], out);
    });
  };
}

Kernel ClassSplit(const ByteClass& bytes) {
  return [bytes, scanner = ByteScanner(bytes)](const EvalContext& context,
                                               std::span<const arrow::Datum> args,
                                               int64_t rows) -> arrow::Result<arrow::Datum> {
    const TextColumn text(args[0]);
    const Limits limits(args);
    if (!text.is_constant() && rows > 0 && limits.NeverLimits()) {
      ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args, rows, context.pool));
      if (validity.all_null()) return NullDatum(ListOfText());
      return ByteSplitter(text, rows, scanner, bytes.is_run)
          .Split(validity, ListOfText(), context.pool);
    }
    const ClassFinder finder{bytes};
    return SplitRows(context, args, rows, [&](int64_t row, TokenWriter* out) {
      return SplitText(text[row], finder, limits[row], out);
    });
  };
}

Kernel RegexSplit(std::shared_ptr<const re2::RE2> regex) {
  return [regex = std::move(regex)](const EvalContext& context, std::span<const arrow::Datum> args,
                                    int64_t rows) {
    const TextColumn text(args[0]);
    const Limits limits(args);
    return SplitRows(context, args, rows, [&](int64_t row, TokenWriter* out) {
      return SplitText(text[row], RegexFinder{regex.get()}, limits[row], out);
    });
  };
}

// The pattern is a column: compiled again whenever it changes from row to row.
arrow::Result<arrow::Datum> VariableSplit(const EvalContext& context,
                                          std::span<const arrow::Datum> args, int64_t rows) {
  const TextColumn text(args[0]), pattern(args[1]);
  const Limits limits(args);
  std::shared_ptr<const re2::RE2> regex;
  std::string compiled;
  return SplitRows(context, args, rows, [&](int64_t row, TokenWriter* out) -> arrow::Status {
    if (pattern[row].empty()) return SplitCharacters(text[row], limits[row], out);
    if (regex == nullptr || pattern[row] != compiled) {
      ARROW_ASSIGN_OR_RAISE(regex, CompileRegex(pattern[row], "split"));
      compiled = pattern[row];
    }
    return SplitText(text[row], RegexFinder{regex.get()}, limits[row], out);
  });
}

arrow::Result<Kernel> MakeSplit(std::span<const ExprPtr> args) {
  std::string storage;
  const std::string* pattern = StringLiteralOf(*args[1], &storage);
  if (pattern == nullptr) return Kernel(VariableSplit);
  if (auto literal = LiteralOfRegex(*pattern)) {
    if (literal->size() != 1) return LiteralSplit(*std::move(literal));
    ByteClass byte;
    byte.bytes[static_cast<unsigned char>((*literal)[0])] = true;
    return ClassSplit(byte);
  }
  if (auto bytes = ByteClassOfRegex(*pattern)) return ClassSplit(*bytes);
  ARROW_ASSIGN_OR_RAISE(auto regex, CompileRegex(*pattern, "split"));
  return RegexSplit(std::move(regex));
}

}  // namespace

void AddSplitFunctions(FunctionCatalog* catalog) {
  catalog->Add(FromSignature({.name = "split",
                              .usage = "split(str, regex[, limit])",
                              .params = {arrow::utf8(), arrow::utf8(), arrow::int32()},
                              .required = 2,
                              .result = ListOfText(),
                              .make_kernel = MakeSplit,
                              .is_total_if_prepared = true}));
}

}  // namespace tidemill
