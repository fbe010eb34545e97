#include "connectors/column_filter.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <charconv>
#include <iterator>
#include <utility>

#include "common/base/error.h"

namespace tidemill::connectors {

namespace {

constexpr std::string_view kOps = "=<l>g";  // in the order of Op

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Takes a number off the front of `text`.
template <class Number>
bool TakeNumber(std::string_view* text, Number* out) {
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (error != std::errc()) return false;
  text->remove_prefix(end - text->data());
  return true;
}

bool TakeBytes(std::string_view* text, std::string* out) {
  while (text->size() >= 2 && HexDigit((*text)[0]) >= 0 && HexDigit((*text)[1]) >= 0) {
    out->push_back(static_cast<char>(HexDigit((*text)[0]) << 4 | HexDigit((*text)[1])));
    text->remove_prefix(2);
  }
  return true;
}

bool TakeFilter(std::string_view* text, ColumnFilter* filter) {
  if (!TakeNumber(text, &filter->column) || filter->column < 0 || text->size() < 2) return false;
  const size_t op = kOps.find((*text)[0]);
  if (op == std::string_view::npos) return false;
  filter->op = static_cast<ColumnFilter::Op>(op);
  const char kind = (*text)[1];
  text->remove_prefix(2);
  bool is_taken = false;
  if (kind == 'n') {
    int64_t number = 0;
    is_taken = TakeNumber(text, &number);
    filter->value = number;
  } else if (kind == 's') {
    std::string bytes;
    is_taken = TakeBytes(text, &bytes);
    filter->value = std::move(bytes);
  }
  if (!is_taken || text->empty() || text->front() != ';') return false;
  text->remove_prefix(1);
  return true;
}

}  // namespace

bool IsFilterable(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::STRING:
      return true;
    default:
      return false;
  }
}

bool MayPass(const ColumnFilter& filter, const ColumnBounds& bounds) {
  const auto is_of_its_kind = [&](const std::optional<ColumnFilter::Value>& bound) {
    return bound && bound->index() == filter.value.index();
  };
  const bool has_least = is_of_its_kind(bounds.least);
  const bool has_greatest = is_of_its_kind(bounds.greatest);
  const ColumnFilter::Value& value = filter.value;
  switch (filter.op) {
    case ColumnFilter::Op::kEqual:
      return !(has_least && value < *bounds.least) && !(has_greatest && *bounds.greatest < value);
    case ColumnFilter::Op::kLess:
      return !has_least || *bounds.least < value;
    case ColumnFilter::Op::kLessEqual:
      return !has_least || *bounds.least <= value;
    case ColumnFilter::Op::kGreater:
      return !has_greatest || *bounds.greatest > value;
    case ColumnFilter::Op::kGreaterEqual:
      return !has_greatest || *bounds.greatest >= value;
  }
  return true;
}

std::string EncodeFilters(const std::vector<ColumnFilter>& filters) {
  std::string text;
  for (const ColumnFilter& filter : filters) {
    fmt::format_to(std::back_inserter(text), "{}{}", filter.column,
                   kOps[static_cast<size_t>(filter.op)]);
    if (const auto* number = std::get_if<int64_t>(&filter.value)) {
      fmt::format_to(std::back_inserter(text), "n{}", *number);
    } else {
      text.push_back('s');
      for (const char c : std::get<std::string>(filter.value)) {
        fmt::format_to(std::back_inserter(text), "{:02x}", static_cast<unsigned char>(c));
      }
    }
    text.push_back(';');
  }
  return text;
}

arrow::Result<std::vector<ColumnFilter>> DecodeFilters(std::string_view text) {
  std::vector<ColumnFilter> filters;
  std::string_view rest = text;
  while (!rest.empty()) {
    if (TakeFilter(&rest, &filters.emplace_back())) continue;
    return MakeError(
        ErrorKind::kInvalid, "INVALID_OPTION_VALUE",
        fmt::format("option {}: not written by a planner: value={}", kFilterOption, text));
  }
  return filters;
}

}  // namespace tidemill::connectors
