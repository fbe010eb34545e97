#include "common/csv/csv_records.h"

#include <algorithm>
#include <utility>

namespace tidemill {

namespace {

// Where the tokens of each column go, up to the last one that is wanted.
std::vector<int> SlotsOf(const std::vector<int>& wanted) {
  std::vector<int> slots(wanted.empty() ? 0 : wanted.back() + 1, -1);
  for (size_t i = 0; i < wanted.size(); ++i) slots[wanted[i]] = static_cast<int>(i);
  return slots;
}

// Bytes at the front of `text` that belong together: `is_valid` says whether they are a character.
size_t SequenceAt(std::string_view text, bool* is_valid) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char lead = byte(0);
  *is_valid = lead < 0x80;
  if (*is_valid || lead < 0xC2 || lead > 0xF4) return 1;
  const size_t size = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  for (size_t i = 1; i < size; ++i) {
    if (i == text.size() || (byte(i) & 0xC0) != 0x80) return i;
    const bool is_second_wrong =
        i == 1 && ((lead == 0xE0 && byte(1) < 0xA0) || (lead == 0xED && byte(1) > 0x9F) ||
                   (lead == 0xF0 && byte(1) < 0x90) || (lead == 0xF4 && byte(1) > 0x8F));
    if (is_second_wrong) return 1;
  }
  *is_valid = true;
  return size;
}

}  // namespace

std::string ReplaceBadUtf8(std::string_view text) {
  std::string replaced;
  replaced.reserve(text.size());
  while (!text.empty()) {
    bool is_valid = false;
    const size_t size = SequenceAt(text, &is_valid);
    replaced.append(is_valid ? text.substr(0, size) : "\xEF\xBF\xBD");
    text.remove_prefix(size);
  }
  return replaced;
}

CsvRecords::CsvRecords(const CsvFormat* format, const CsvColumns& columns, bool has_breaks)
    : columns_(columns),
      num_wanted_(columns.wanted.size()),
      null_value_(format->null_value),
      has_breaks_(has_breaks),
      tokenizer_(format, SlotsOf(columns.wanted), columns.needs_count, has_breaks) {}

void CsvRecords::Clear() {
  tokenizer_.Reset();
  tokens_.clear();
  texts_.clear();
  bad_.clear();
}

bool CsvRecords::Add(const char** at, const char* end) {
  const char* const begin = *at;
  const size_t filled = tokens_.size();
  tokens_.resize(filled + num_wanted_);
  const int count = tokenizer_.Take(at, end, tokens_.data() + filled);
  if (count <= 0) tokens_.resize(filled);
  if (count == CsvTokenizer::kTooLarge) return false;
  if (count == 0) return true;
  // Of a line that was not looked at to its end the text is all of it.
  size_t size = (has_breaks_ ? *at : end) - begin;
  if (has_breaks_ && size > 0 && begin[size - 1] == '\n') --size;
  texts_.emplace_back(begin, size);
  bad_.push_back(columns_.needs_count && count != columns_.num_columns ? 1 : 0);
  return true;
}

void CsvRecords::AddBad(std::string_view text) {
  tokens_.resize(tokens_.size() + num_wanted_, null_value_);
  texts_.push_back(text);
  bad_.push_back(1);
}

void CsvRecords::DropBad() {
  size_t kept = 0;
  for (size_t i = 0; i < size(); ++i) {
    if (bad_[i] != 0) continue;
    std::copy_n(tokens_.begin() + static_cast<std::ptrdiff_t>(i * num_wanted_), num_wanted_,
                tokens_.begin() + static_cast<std::ptrdiff_t>(kept * num_wanted_));
    texts_[kept++] = texts_[i];
  }
  tokens_.resize(kept * num_wanted_);
  texts_.resize(kept);
  bad_.assign(kept, 0);
}

int64_t CsvRecords::FirstBad() const {
  const auto found = std::find(bad_.begin(), bad_.end(), 1);
  return found == bad_.end() ? -1 : found - bad_.begin();
}

}  // namespace tidemill
