#include "connectors/file/csv/csv_text.h"

#include <arrow/buffer.h>
#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "common/base/error.h"
#include "common/csv/csv_records.h"

namespace tidemill::connectors {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsBlank(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

// The first line end tells what all of them are, as Spark's parser sees it.
void NormalizeBreaks(std::string* text) {
  const size_t first = text->find_first_of("\r\n");
  if (first == std::string::npos || (*text)[first] == '\n') return;
  if (first + 1 == text->size() || (*text)[first + 1] != '\n') {
    std::replace(text->begin(), text->end(), '\r', '\n');
    return;
  }
  size_t out = first;
  for (size_t in = first; in < text->size(); ++in) {
    if ((*text)[in] == '\r' && in + 1 < text->size() && (*text)[in + 1] == '\n') continue;
    (*text)[out++] = (*text)[in];
  }
  text->resize(out);
}

}  // namespace

CsvLines::CsvLines(const Split& split, const CsvFileOptions* options, std::string separator,
                   const ReaderContext& context)
    : options_(*options),
      source_(split, {.separator = std::move(separator), .max_line_bytes = kMaxCsvLineBytes},
              context),
      is_first_line_(split.begin == 0),
      awaits_header_(split.begin == 0 && options->has_header) {}

bool CsvLines::IsSkipped(std::string_view text) const {
  return IsBlank(text) ||
         (options_.format.comment != '\0' && text.front() == options_.format.comment);
}

arrow::Result<LineSource::Kind> CsvLines::Next(const ReaderContext& context,
                                               std::vector<Line>* lines) {
  replaced_.clear();
  ARROW_ASSIGN_OR_RAISE(const LineSource::Kind kind,
                        source_.Next(context.batch_rows, context.batch_bytes, lines));
  if (kind != LineSource::Kind::kLines) return kind;
  size_t kept = 0;
  for (Line line : *lines) {
    std::string_view text(line.data, line.size);
    if (std::exchange(is_first_line_, false) && text.substr(0, 3) == kByteOrderMark) {
      text.remove_prefix(3);
    }
    if (IsSkipped(text)) continue;
    if (!simdjson::validate_utf8(text.data(), text.size())) {
      replaced_.push_back({ReplaceBadUtf8(text), text.data()});
      text = replaced_.back().text;
    }
    if (std::exchange(awaits_header_, false)) {
      header_ = text;
      continue;
    }
    line.data = text.data();
    line.size = static_cast<uint32_t>(text.size());
    (*lines)[kept++] = line;
  }
  lines->resize(kept);
  return kind;
}

int64_t CsvLines::FileOffsetOf(const char* at) const {
  const std::less_equal<> is_up_to;  // pointers into different objects
  for (const Replaced& line : replaced_) {
    const char* const end = line.text.data() + line.text.size();
    if (is_up_to(line.text.data(), at) && is_up_to(at, end)) {
      return source_.FileOffsetOf(line.original);
    }
  }
  return source_.FileOffsetOf(at);
}

arrow::Result<bool> CsvWholeText::Read() {
  if (is_read_ || is_empty_) return true;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const BlockStream::Step step, blocks_.Next());
    if (step.kind == BlockStream::Kind::kPending) return false;
    if (step.kind == BlockStream::Kind::kEnd) break;
    const arrow::Buffer& bytes = *step.block.bytes;
    if (static_cast<int64_t>(text_.size()) + bytes.size() > kMaxMultiLineBytes) {
      return MakeError(ErrorKind::kResource, "SOURCE_FILE_TOO_LARGE",
                       fmt::format("csv file is too large for multiLine: path={} limit={}", path_,
                                   kMaxMultiLineBytes));
    }
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  is_read_ = true;
  Normalize();
  return true;
}

void CsvWholeText::Normalize() {
  if (text_.compare(0, kByteOrderMark.size(), kByteOrderMark) == 0) text_.erase(0, 3);
  if (!simdjson::validate_utf8(text_.data(), text_.size())) text_ = ReplaceBadUtf8(text_);
  NormalizeBreaks(&text_);
}

}  // namespace tidemill::connectors
