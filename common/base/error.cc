#include "common/base/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>
#include <vector>

#include "common/base/sql_state.h"

namespace tidemill {

namespace {

arrow::StatusCode CodeOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUsage:
    case ErrorKind::kInvalid:
      return arrow::StatusCode::Invalid;
    case ErrorKind::kNotFound:
      return arrow::StatusCode::KeyError;
    case ErrorKind::kConflict:
      return arrow::StatusCode::AlreadyExists;
    case ErrorKind::kSuperseded:
      return arrow::StatusCode::Cancelled;
    case ErrorKind::kResource:
      return arrow::StatusCode::CapacityError;
    default:
      return arrow::StatusCode::UnknownError;
  }
}

std::shared_ptr<ErrorDetail> CopyDetail(const arrow::Status& status) {
  if (const ErrorDetail* detail = DetailOf(status)) return std::make_shared<ErrorDetail>(*detail);
  return std::make_shared<ErrorDetail>(KindOf(status), ErrorClassOf(status));
}

// Counts display columns of UTF-8 text: one for each code point.
int ColumnsOf(std::string_view text) {
  return static_cast<int>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

arrow::Status MakeError(ErrorKind kind, std::string error_class, std::string message) {
  return arrow::Status(CodeOf(kind), std::move(message),
                       std::make_shared<ErrorDetail>(kind, std::move(error_class)));
}

arrow::Status MakeError(ErrorKind kind, std::string error_class, std::string message, Span span,
                        std::string hint) {
  auto detail = std::make_shared<ErrorDetail>(kind, std::move(error_class));
  detail->span = span;
  detail->hint = std::move(hint);
  return arrow::Status(CodeOf(kind), std::move(message), std::move(detail));
}

const ErrorDetail* DetailOf(const arrow::Status& status) {
  if (status.ok() || status.detail() == nullptr) return nullptr;
  if (std::string_view(status.detail()->type_id()) != ErrorDetail::kTypeId) return nullptr;
  return static_cast<const ErrorDetail*>(status.detail().get());
}

ErrorKind KindOf(const arrow::Status& status) {
  if (const ErrorDetail* detail = DetailOf(status)) return detail->kind;
  switch (status.code()) {
    case arrow::StatusCode::OutOfMemory:
    case arrow::StatusCode::CapacityError:
      return ErrorKind::kResource;
    case arrow::StatusCode::NotImplemented:
      return ErrorKind::kInvalid;
    case arrow::StatusCode::Cancelled:
      return ErrorKind::kSuperseded;
    default:
      return ErrorKind::kGeneral;
  }
}

std::string ErrorClassOf(const arrow::Status& status) {
  if (const ErrorDetail* detail = DetailOf(status)) return detail->error_class;
  switch (status.code()) {
    case arrow::StatusCode::IOError:
      return "IO_ERROR";
    case arrow::StatusCode::OutOfMemory:
      return "OUT_OF_MEMORY";
    default:
      return "INTERNAL_ERROR";
  }
}

arrow::Status WithContext(const arrow::Status& status, std::string_view doing) {
  if (status.ok()) return status;
  return arrow::Status(status.code(), fmt::format("{}: {}", doing, status.message()),
                       CopyDetail(status));
}

arrow::Status WithHint(const arrow::Status& status, std::string hint) {
  if (status.ok()) return status;
  auto detail = CopyDetail(status);
  detail->hint = std::move(hint);
  return arrow::Status(status.code(), status.message(), std::move(detail));
}

arrow::Status WithSpan(const arrow::Status& status, Span span) {
  if (status.ok()) return status;
  auto detail = CopyDetail(status);
  if (detail->span || detail->location) return status;
  detail->span = span;
  return arrow::Status(status.code(), status.message(), std::move(detail));
}

arrow::Status WithRow(const arrow::Status& status, int64_t row) {
  if (status.ok()) return status;
  auto detail = CopyDetail(status);
  detail->row = row;
  return arrow::Status(status.code(), status.message(), std::move(detail));
}

arrow::Status WithPlace(const arrow::Status& status, std::string place) {
  if (status.ok()) return status;
  auto detail = CopyDetail(status);
  detail->place = std::move(place);
  detail->row = std::nullopt;
  return arrow::Status(status.code(), status.message(), std::move(detail));
}

arrow::Status WithLocation(const arrow::Status& status, SourceLocation location) {
  if (status.ok()) return status;
  auto detail = CopyDetail(status);
  detail->location = std::move(location);
  return arrow::Status(status.code(), status.message(), std::move(detail));
}

arrow::Status WithSource(const arrow::Status& status, std::string_view file, std::string_view text,
                         int32_t base_offset) {
  if (status.ok()) return status;
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr || !detail->span || detail->location) return status;
  const auto size = static_cast<int32_t>(text.size());
  const int32_t begin = std::clamp(detail->span->begin + base_offset, 0, size);
  const int32_t end = std::clamp(detail->span->end + base_offset, begin, size);
  const size_t before = begin == 0 ? std::string_view::npos : text.rfind('\n', begin - 1);
  const size_t line_begin = before == std::string_view::npos ? 0 : before + 1;
  const size_t line_end = std::min(text.find('\n', begin), text.size());
  const size_t caret_end = std::min<size_t>(end, line_end);

  SourceLocation location;
  location.file = std::string(file);
  location.line = 1 + static_cast<int>(std::count(text.begin(), text.begin() + begin, '\n'));
  location.column = 1 + ColumnsOf(text.substr(line_begin, begin - line_begin));
  location.width = std::max(1, caret_end > static_cast<size_t>(begin)
                                   ? ColumnsOf(text.substr(begin, caret_end - begin))
                                   : 1);
  location.line_text = std::string(text.substr(line_begin, line_end - line_begin));
  if (!location.line_text.empty() && location.line_text.back() == '\r')
    location.line_text.pop_back();
  std::replace(location.line_text.begin(), location.line_text.end(), '\t', ' ');
  return WithLocation(status, std::move(location));
}

std::string RenderError(const arrow::Status& status) {
  const std::string error_class = ErrorClassOf(status);
  std::string text = fmt::format("error[{}]: {}", error_class, status.message());
  if (const std::string_view state = SqlStateOf(error_class); !state.empty()) {
    text += fmt::format(" SQLSTATE: {}", state);
  }
  const ErrorDetail* detail = DetailOf(status);
  if (detail == nullptr) return text;
  if (const auto& where = detail->location) {
    if (where->line > 0) {
      const std::string number = fmt::format("{:>4}", where->line);
      const std::string margin(number.size(), ' ');
      text += fmt::format("\n{}--> {}:{}:{}", margin, where->file, where->line, where->column);
      if (!where->line_text.empty()) {
        text += fmt::format("\n{} |\n{} | {}\n{} | {}{}", margin, number, where->line_text, margin,
                            std::string(where->column - 1, ' '), std::string(where->width, '^'));
      }
    } else {
      text += fmt::format("\n     --> {}", where->file);
    }
  }
  if (!detail->place.empty()) text += fmt::format("\n     = at: {}", detail->place);
  if (!detail->hint.empty()) text += fmt::format("\n     = help: {}", detail->hint);
  return text;
}

namespace internal {

int EditDistance(std::string_view a, std::string_view b, int limit) {
  const int n = static_cast<int>(a.size());
  const int m = static_cast<int>(b.size());
  if (std::abs(n - m) > limit || n > 256 || m > 256) return limit + 1;
  auto same = [&](int i, int j) {
    return std::tolower(static_cast<unsigned char>(a[i])) ==
           std::tolower(static_cast<unsigned char>(b[j]));
  };
  std::vector<int> before_previous(m + 1), previous(m + 1), current(m + 1);
  for (int j = 0; j <= m; ++j) previous[j] = j;
  for (int i = 1; i <= n; ++i) {
    current[0] = i;
    for (int j = 1; j <= m; ++j) {
      current[j] = std::min(
          {previous[j] + 1, current[j - 1] + 1, previous[j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
      if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1)) {
        current[j] = std::min(current[j], before_previous[j - 2] + 1);
      }
    }
    std::swap(before_previous, previous);
    std::swap(previous, current);
  }
  return previous[m];
}

}  // namespace internal

}  // namespace tidemill
