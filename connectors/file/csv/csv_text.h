#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "connectors/file/block_stream.h"
#include "connectors/file/csv/csv_file_options.h"
#include "connectors/file/line_source.h"
#include "connectors/source.h"

namespace tidemill::connectors {

inline constexpr int64_t kMaxCsvLineBytes = int64_t{8} << 20;
inline constexpr int64_t kMaxMultiLineBytes = int64_t{1} << 30;

// The lines of a split that are records, whole: without blank lines, comments and the header, a
// byte order mark is gone and what is not UTF-8 replaced. *Thread-compatible.*
class CsvLines {
 public:
  // `options` outlives this.
  CsvLines(const Split& split, const CsvFileOptions* options, std::string separator,
           const ReaderContext& context);

  // As LineSource::Next; `lines` may be empty.
  arrow::Result<LineSource::Kind> Next(const ReaderContext& context, std::vector<Line>* lines);
  // The header, once lines were read; "" without one.
  const std::string& header() const { return header_; }
  // As LineSource.
  int64_t FileOffsetOf(const char* at) const;

 private:
  bool IsSkipped(std::string_view text) const;

  const CsvFileOptions& options_;
  LineSource source_;
  bool is_first_line_;  // of the file
  bool awaits_header_;
  std::string header_;
  // Lines that were not UTF-8, and where they were before they were replaced.
  struct Replaced {
    std::string text;
    const char* original = nullptr;
  };
  std::deque<Replaced> replaced_;
};

// A whole file of records that may hold line breaks, which are \n whatever they were.
// *Thread-compatible.*
class CsvWholeText {
 public:
  CsvWholeText(const Split& split, const ReaderContext& context)
      : path_(split.path), blocks_(split, 0, context), is_empty_(split.begin >= split.end) {}

  // Whether all of it is there; else `wake` is called later. Errors: SOURCE_FILE_TOO_LARGE.
  arrow::Result<bool> Read();
  const std::string& text() const { return text_; }

 private:
  void Normalize();

  const std::string path_;
  BlockStream blocks_;
  bool is_empty_;
  bool is_read_ = false;
  std::string text_;
};

}  // namespace tidemill::connectors
