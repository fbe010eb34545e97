#include <arrow/array/data.h>
#include <arrow/buffer_builder.h>
#include <arrow/type.h>
#include <utf8proc.h>

#include <string>
#include <utility>
#include <vector>

#include "common/functions/columns.h"
#include "common/functions/language/language.h"
#include "common/functions/signature.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

struct Character {
  std::string_view bytes;
  utf8proc_int32_t code = -1;
  bool IsLetter() const {
    const auto category = utf8proc_category(code);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_ME;
  }
  bool IsDigit() const { return utf8proc_category(code) == UTF8PROC_CATEGORY_ND; }
  bool IsWordPart() const { return IsLetter() || IsDigit() || code == '_'; }
  bool IsBlank() const { return code == ' ' || (code >= '\t' && code <= '\r') || code == 0xA0; }
  bool EndsSentence() const { return code == '.' || code == '!' || code == '?' || code == 0x3002; }
  bool IsSmall() const { return utf8proc_category(code) == UTF8PROC_CATEGORY_LL; }
};

std::vector<Character> ReadCharacters(std::string_view text) {
  std::vector<Character> characters;
  while (!text.empty()) {
    Character c;
    const auto read = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
                                       static_cast<utf8proc_ssize_t>(text.size()), &c.code);
    c.bytes = text.substr(0, read > 0 ? static_cast<size_t>(read) : 1);
    if (read <= 0) c.code = 0xFFFD;
    text.remove_prefix(c.bytes.size());
    characters.push_back(c);
  }
  return characters;
}

// Writes ARRAY<ARRAY<STRING>> values.
class SentenceWriter {
 public:
  explicit SentenceWriter(arrow::MemoryPool* pool)
      : rows_(pool), sentences_(pool), words_(pool), bytes_(pool) {}

  arrow::Status Begin() {
    ARROW_RETURN_NOT_OK(rows_.Append(0));
    ARROW_RETURN_NOT_OK(sentences_.Append(0));
    return words_.Append(0);
  }
  arrow::Status AddWord(std::string_view word) {
    ARROW_RETURN_NOT_OK(bytes_.Append(word.data(), static_cast<int64_t>(word.size())));
    return words_.Append(static_cast<int32_t>(bytes_.length()));
  }
  arrow::Status EndSentence() {
    return sentences_.Append(static_cast<int32_t>(words_.length() - 1));
  }
  arrow::Status EndRow() { return rows_.Append(static_cast<int32_t>(sentences_.length() - 1)); }

  arrow::Result<arrow::Datum> Finish(int64_t rows, const Validity& validity) {
    const int64_t sentences = sentences_.length() - 1, words = words_.length() - 1;
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> row_ends, rows_.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> sentence_ends, sentences_.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> word_ends, words_.Finish());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, bytes_.Finish());
    auto texts = arrow::ArrayData::Make(arrow::utf8(), words, {nullptr, word_ends, bytes}, 0);
    const auto list = arrow::list(arrow::utf8());
    auto lists = arrow::ArrayData::Make(list, sentences, {nullptr, sentence_ends}, {texts}, 0);
    const auto bitmap = validity.null_count() > 0 ? validity.bitmap() : nullptr;
    return arrow::Datum(arrow::ArrayData::Make(arrow::list(list), rows, {bitmap, row_ends},
                                               {std::move(lists)}, validity.null_count()));
  }

 private:
  arrow::TypedBufferBuilder<int32_t> rows_, sentences_, words_;
  arrow::BufferBuilder bytes_;
};

// Where the word that begins at `begin` ends. Letters and digits go together; a point, a comma or
// an apostrophe belongs to a word between two of them, a currency sign to the number behind it.
size_t EndOfWord(const std::vector<Character>& text, size_t begin) {
  size_t at = begin;
  const auto joins = [&](size_t i) {
    if (i + 1 >= text.size()) return false;
    const auto code = text[i].code;
    const Character &before = text[i - 1], &after = text[i + 1];
    if (code == '.' || code == '\'' || code == 0x2019) {
      return (before.IsLetter() && after.IsLetter()) || (before.IsDigit() && after.IsDigit());
    }
    return code == ',' && before.IsDigit() && after.IsDigit();
  };
  if (utf8proc_category(text[at].code) == UTF8PROC_CATEGORY_SC) ++at;
  while (at < text.size() && (text[at].IsWordPart() || (at > begin && joins(at)))) ++at;
  return std::max(at, begin + 1);
}

// Whether a sentence ends before the character at `at`: after a full stop and blanks, unless a
// small letter follows the stop.
bool BeginsSentence(const std::vector<Character>& text, size_t at) {
  size_t i = at;
  while (i > 0 && text[i - 1].IsBlank()) --i;
  const bool has_blank = i < at;
  while (i > 0 &&
         (text[i - 1].code == ')' || text[i - 1].code == '"' || text[i - 1].code == '\'')) {
    --i;
  }
  if (i == 0 || !text[i - 1].EndsSentence()) return false;
  if (text[i - 1].code != '.') return true;
  return has_blank && !text[at].IsSmall();
}

arrow::Status WriteSentences(std::string_view value, SentenceWriter* out) {
  const std::vector<Character> text = ReadCharacters(value);
  bool is_open = false;
  for (size_t at = 0; at < text.size();) {
    if (text[at].IsBlank()) {
      ++at;
      continue;
    }
    if (is_open && !text[at].EndsSentence() && BeginsSentence(text, at)) {
      ARROW_RETURN_NOT_OK(out->EndSentence());
    }
    is_open = true;
    const size_t end = EndOfWord(text, at);
    if (text[at].IsLetter() || text[at].IsDigit()) {
      const size_t begin_byte = text[at].bytes.data() - value.data();
      const size_t end_byte = end < text.size()
                                  ? static_cast<size_t>(text[end].bytes.data() - value.data())
                                  : value.size();
      ARROW_RETURN_NOT_OK(out->AddWord(value.substr(begin_byte, end_byte - begin_byte)));
    }
    at = end;
  }
  return is_open ? out->EndSentence() : arrow::Status::OK();
}

// sentences(str[, lang[, country]]): the language changes nothing here.
arrow::Result<arrow::Datum> Sentences(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  ARROW_ASSIGN_OR_RAISE(Validity validity, Validity::Of(args.subspan(0, 1), rows, context.pool));
  SentenceWriter writer(context.pool);
  ARROW_RETURN_NOT_OK(writer.Begin());
  for (int64_t row = 0; row < rows; ++row) {
    if (validity[row]) ARROW_RETURN_NOT_OK(WriteSentences(text[row], &writer));
    ARROW_RETURN_NOT_OK(writer.EndRow());
  }
  return writer.Finish(rows, validity);
}

}  // namespace

void AddSentenceFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  catalog->Add(FromSignature({.name = "sentences",
                              .usage = "sentences(str[, lang[, country]])",
                              .params = {text, text, text},
                              .required = 1,
                              .result = arrow::list(arrow::list(text)),
                              .kernel = Sentences,
                              .is_total = true}));
}

}  // namespace tidemill
