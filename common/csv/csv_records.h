#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/csv/csv_decoder.h"
#include "common/csv/csv_tokenizer.h"

namespace tidemill {

// What a query needs of each record. *Plain data.*
struct CsvColumns {
  int num_columns = 0;      // of a record that is complete
  std::vector<int> wanted;  // their indices, ascending
  // Whether a record with more or less columns is bad. As in Spark it is not where the query reads
  // only some of them and a record is one line.
  bool needs_count = false;
};

// A batch of records, taken apart into tokens. *Thread-compatible.*
class CsvRecords {
 public:
  // `format` outlives this.
  CsvRecords(const CsvFormat* format, const CsvColumns& columns, bool has_breaks);

  // Tokens and texts point into what was added and into this, until Clear.
  void Clear();
  // Adds the record at *at, where its text has one, and moves behind it. Returns false, and adds
  // nothing, where it is larger than a limit allows.
  bool Add(const char** at, const char* end);
  // Adds a record of which nothing is known but that it is bad.
  void AddBad(std::string_view text);
  // Leaves out the records that are marked bad.
  void DropBad();

  size_t size() const { return texts_.size(); }
  CsvColumn column(size_t wanted) const {
    const size_t first = tokens_.empty() ? 0 : wanted;
    return {.first = tokens_.data() + first, .stride = num_wanted_, .length = size()};
  }
  std::string_view text(size_t i) const { return texts_[i]; }
  std::vector<uint8_t>* bad_rows() { return &bad_; }
  int64_t FirstBad() const;  // or -1

 private:
  const CsvColumns columns_;
  const size_t num_wanted_;
  const std::string_view null_value_;
  const bool has_breaks_;
  CsvTokenizer tokenizer_;
  std::vector<std::string_view> tokens_;  // num_wanted_ of each record
  std::vector<std::string_view> texts_;
  std::vector<uint8_t> bad_;
};

// Replaces what is not UTF-8 by U+FFFD, one for each wrong sequence, as Java's decoder does.
std::string ReplaceBadUtf8(std::string_view text);

}  // namespace tidemill
