#pragma once

#include <charconv>
#include <concepts>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json/json_scanner.h"

namespace tidemill {

// A value of JSON text that is looked into by the names of its fields: for small texts, such as a
// job's progress; each look scans the value anew. Borrows the text. *Plain data.*
class JsonView {
 public:
  JsonView() = default;  // null

  // Nothing where the text is not one JSON value (RFC 8259).
  static std::optional<JsonView> Parse(std::string_view text);

  bool is_array() const { return value_.kind == JsonKind::kArray; }
  bool is_null() const { return value_.kind == JsonKind::kNull; }
  // The value as it is written.
  std::string_view text() const { return is_null() ? "null" : value_.text(); }

  // The field of the name, the first of several; null where this is no object or has none.
  JsonView operator[](std::string_view name) const;
  // Of an object, in the order of the text; empty of anything else.
  std::vector<std::pair<std::string, JsonView>> Fields() const;
  // Of an array; empty of anything else.
  std::vector<JsonView> Elements() const;

  // Nothing where the value is of another kind.
  std::optional<std::string> AsString() const;
  std::optional<double> AsDouble() const;
  // Also nothing where it does not fit or has a fraction.
  template <std::integral T>
  std::optional<T> AsInteger() const {
    T number = 0;
    if (value_.kind != JsonKind::kInteger) return std::nullopt;
    const char* const end = value_.data + value_.size;
    const auto [at, error] = std::from_chars(value_.data, end, number);
    return error == std::errc() && at == end ? std::optional(number) : std::nullopt;
  }

 private:
  explicit JsonView(const JsonValue& value) : value_(value) {}

  JsonValue value_;
};

}  // namespace tidemill
