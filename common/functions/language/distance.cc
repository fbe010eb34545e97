#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "common/functions/columns.h"
#include "common/functions/language/language.h"
#include "common/functions/signature.h"
#include "common/functions/string/characters.h"
#include "common/functions/text_writer.h"

namespace tidemill {

namespace {

using Args = std::span<const arrow::Datum>;

// The characters of a text, as slices of its bytes; kept from row to row for its memory.
class Characters {
 public:
  void Read(std::string_view text) {
    characters_.clear();
    while (!text.empty()) {
      characters_.push_back(text.substr(0, BytesOfCharacters(text, 1)));
      text.remove_prefix(characters_.back().size());
    }
  }
  size_t size() const { return characters_.size(); }
  std::string_view operator[](size_t i) const { return characters_[i]; }

 private:
  std::vector<std::string_view> characters_;
};

// The least number of insertions, deletions and replacements.
class EditDistance {
 public:
  int32_t Between(std::string_view a, std::string_view b) {
    a_.Read(a);
    b_.Read(b);
    costs_.resize(b_.size() + 1);
    for (size_t j = 0; j <= b_.size(); ++j) costs_[j] = static_cast<int32_t>(j);
    for (size_t i = 1; i <= a_.size(); ++i) {
      int32_t diagonal = costs_[0];
      costs_[0] = static_cast<int32_t>(i);
      for (size_t j = 1; j <= b_.size(); ++j) {
        const int32_t replaced = diagonal + (a_[i - 1] == b_[j - 1] ? 0 : 1);
        diagonal = costs_[j];
        costs_[j] = std::min({replaced, costs_[j] + 1, costs_[j - 1] + 1});
      }
    }
    return costs_[b_.size()];
  }

 private:
  Characters a_, b_;
  std::vector<int32_t> costs_;
};

// levenshtein(a, b[, threshold]): -1 for a distance above the threshold.
arrow::Result<arrow::Datum> Levenshtein(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn a(args[0]), b(args[1]);
  const bool has_threshold = args.size() == 3;
  const FixedColumn<int32_t> threshold(has_threshold ? args[2] : arrow::Datum(int32_t{0}));
  EditDistance distance;
  return ComputeFixedChecked<int32_t>(context, args, rows, arrow::int32(),
                                      [&](int64_t row, int32_t* out) -> arrow::Result<bool> {
                                        *out = distance.Between(a[row], b[row]);
                                        if (has_threshold && *out > threshold[row]) *out = -1;
                                        return true;
                                      });
}

// Text in Java's characters: those beyond U+FFFF are two.
class JavaCharacters {
 public:
  void Read(std::string_view text) {
    units_.clear();
    while (!text.empty()) {
      const std::string_view bytes = text.substr(0, BytesOfCharacters(text, 1));
      text.remove_prefix(bytes.size());
      uint32_t c =
          static_cast<unsigned char>(bytes[0]) & (bytes.size() == 1 ? 0xFF : 0xFF >> bytes.size());
      for (size_t i = 1; i < bytes.size(); ++i) c = c << 6 | (bytes[i] & 0x3F);
      if (c >= 0x10000) units_.push_back(0xD7C0 + (c >> 10));
      units_.push_back(c >= 0x10000 ? 0xDC00 | (c & 0x3FF) : c);
    }
  }
  size_t size() const { return units_.size(); }
  uint32_t operator[](size_t i) const { return units_[i]; }

 private:
  std::vector<uint32_t> units_;
};

// Jaro's similarity with Winkler's weight for a common beginning of up to four characters.
class JaroWinkler {
 public:
  double Between(std::string_view text_a, std::string_view text_b) {
    a_.Read(text_a);
    b_.Read(text_b);
    if (a_.size() == 0 && b_.size() == 0) return 1;
    if (a_.size() == 0 || b_.size() == 0) return 0;
    const size_t matches = Match();
    if (matches == 0) return 0;
    const double common = static_cast<double>(matches);
    const double jaro =
        (common / static_cast<double>(a_.size()) + common / static_cast<double>(b_.size()) +
         (common - static_cast<double>(Transpositions()) / 2) / common) /
        3;
    size_t prefix = 0;
    const size_t longest = std::min({a_.size(), b_.size(), size_t{4}});
    while (prefix < longest && a_[prefix] == b_[prefix]) ++prefix;
    return jaro + static_cast<double>(prefix) * 0.1 * (1 - jaro);
  }

 private:
  // Pairs equal characters that are not far apart; returns how many pairs there are.
  size_t Match() {
    const size_t longer = std::max(a_.size(), b_.size());
    const size_t reach = longer / 2 > 0 ? longer / 2 - 1 : 0;
    is_matched_a_.assign(a_.size(), false);
    is_matched_b_.assign(b_.size(), false);
    size_t matches = 0;
    for (size_t i = 0; i < a_.size(); ++i) {
      const size_t begin = i > reach ? i - reach : 0;
      const size_t end = std::min(i + reach + 1, b_.size());
      for (size_t j = begin; j < end; ++j) {
        if (is_matched_b_[j] || a_[i] != b_[j]) continue;
        is_matched_a_[i] = is_matched_b_[j] = true;
        ++matches;
        break;
      }
    }
    return matches;
  }
  size_t Transpositions() const {
    size_t count = 0, j = 0;
    for (size_t i = 0; i < a_.size(); ++i) {
      if (!is_matched_a_[i]) continue;
      while (!is_matched_b_[j]) ++j;
      if (a_[i] != b_[j]) ++count;
      ++j;
    }
    return count;
  }

  JavaCharacters a_, b_;
  std::vector<bool> is_matched_a_, is_matched_b_;
};

arrow::Result<arrow::Datum> JaroWinklerKernel(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn a(args[0]), b(args[1]);
  JaroWinkler similarity;
  return ComputeFixedChecked<double>(context, args, rows, arrow::float64(),
                                     [&](int64_t row, double* out) -> arrow::Result<bool> {
                                       *out = similarity.Between(a[row], b[row]);
                                       return true;
                                     });
}

// Of each letter; '0' is a vowel, '7' is passed over.
constexpr std::string_view kSoundCodes = "01230127022455012623017202";

arrow::Status AppendSoundex(std::string_view text, TextWriter* out) {
  const auto letter = [](char c) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return upper >= 'A' && upper <= 'Z' ? upper - 'A' : -1;
  };
  const int first = text.empty() ? -1 : letter(text[0]);
  if (first < 0) return out->Append(text);
  std::array<char, 4> code = {static_cast<char>('A' + first), '0', '0', '0'};
  size_t size = 1;
  char last = kSoundCodes[first];
  for (size_t i = 1; i < text.size() && size < code.size(); ++i) {
    const int next = letter(text[i]);
    const char sound = next < 0 ? '0' : kSoundCodes[next];
    if (sound == '7') continue;
    if (sound != '0' && sound != last) code[size++] = sound;
    last = sound;
  }
  return out->Append({code.data(), code.size()});
}

arrow::Result<arrow::Datum> Soundex(const EvalContext& context, Args args, int64_t rows) {
  const TextColumn text(args[0]);
  return ComputeText(context, args, rows, arrow::utf8(), rows * 4,
                     [&](int64_t row, TextWriter* out) -> arrow::Result<bool> {
                       ARROW_RETURN_NOT_OK(AppendSoundex(text[row], out));
                       return true;
                     });
}

}  // namespace

void AddDistanceFunctions(FunctionCatalog* catalog) {
  const TypePtr& text = arrow::utf8();
  catalog->Add(FromSignature({.name = "levenshtein",
                              .usage = "levenshtein(str1, str2[, threshold])",
                              .params = {text, text, arrow::int32()},
                              .required = 2,
                              .result = arrow::int32(),
                              .kernel = Levenshtein,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "jaro_winkler_similarity",
                              .usage = "jaro_winkler_similarity(str1, str2)",
                              .params = {text, text},
                              .result = arrow::float64(),
                              .kernel = JaroWinklerKernel,
                              .is_total = true}));
  catalog->Add(FromSignature({.name = "soundex",
                              .usage = "soundex(str)",
                              .params = {text},
                              .result = text,
                              .kernel = Soundex,
                              .is_total = true}));
}

}  // namespace tidemill
